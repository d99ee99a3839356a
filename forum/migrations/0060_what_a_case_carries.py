"""A case carries the board whose moderators decide and how grave it is, so that the queue is read by
its own rows. Both are filled by the next migration, which goes through the rows."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("forum", "0059_divergences_of_boards")]

    operations = [
        migrations.AddField(
            model_name="case",
            name="gravity",
            field=models.PositiveSmallIntegerField(
                db_default=3, default=3, help_text="What is looked at first has the lowest."
            ),
        ),
        migrations.RemoveIndex(model_name="case", name="case_open"),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("decided_at__isnull", True)),
                fields=["gravity", "id"],
                name="case_queue",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("decided_at__isnull", True)),
                fields=["board", "gravity", "id"],
                name="case_queue_of_board",
            ),
        ),
        # Last: it keeps boards, which every page reads, from being read until this ends.
        migrations.AlterField(
            model_name="case",
            name="board",
            field=models.ForeignKey(
                db_index=False,
                help_text="Whose moderators decide, as things stand now;"
                " of no board those of all boards.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="forum.board",
            ),
        ),
    ]
