"""An index for lists of debates by their beginning, on all boards. Writing to debates waits while it
is made, reading does not."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("forum", "0057_narrow_passage_keys")]

    operations = [
        migrations.AddIndex(
            model_name="thread",
            index=models.Index(fields=["-created_at", "-id"], name="thread_opened_last"),
        ),
    ]
