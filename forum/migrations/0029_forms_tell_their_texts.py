from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("forum", "0028_quotes_that_still_stand"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="thread",
            name="descriptions",
        ),
    ]
