"""What a notice says is called its sentence; the column keeps its name."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("forum", "0048_quotes_of_a_post")]

    operations = [
        migrations.AlterField(
            "notice", "said", models.CharField(blank=True, db_column="said", max_length=200)
        ),
        migrations.RenameField("notice", "said", "sentence"),
    ]
