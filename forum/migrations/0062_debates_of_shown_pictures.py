"""What says that a post shows a picture names the debate, too, so that pages find the maps of a debate
without a look at its posts. The next migration, which goes through the rows, says which it is."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("forum", "0061_board_and_gravity_of_cases")]

    operations = [
        migrations.AddField(
            model_name="pictureuse",
            name="thread",
            field=models.ForeignKey(
                db_index=False,
                help_text="In which the post stands; none where a version before wrote it,"
                " until check_forum heals it.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="forum.thread",
            ),
        ),
        migrations.AddIndex(
            model_name="pictureuse",
            index=models.Index(fields=["thread", "picture"], name="picture_use_of_thread"),
        ),
    ]
