from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("forum", "0042_choices_of_mail")]

    operations = [
        migrations.AddField(
            model_name="thread",
            name="quiet",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="How many of its versions came by a new post alone.",
            ),
        )
    ]
