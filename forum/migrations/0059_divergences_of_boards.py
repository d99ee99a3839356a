"""A number on each board, under which counts of its divergences are kept."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("forum", "0058_debates_by_their_beginning")]

    operations = [
        migrations.AddField(
            model_name="board",
            name="divergences_version",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="Goes up when the divergences change that its readers see.",
            ),
        ),
    ]
