from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("forum", "0052_numbers_at_the_end")]

    operations = [
        migrations.RemoveIndex(model_name="case", name="case_waiting"),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("decided_at__isnull", True)), fields=["id"], name="case_open"
            ),
        ),
    ]
