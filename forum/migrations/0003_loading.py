"""Threads that are loaded in parts, and where a loaded post came from."""

import django.db.models.deletion
from django.db import migrations, models

STATES = [
    ("visible", "Visible"),
    ("pending", "Waiting for approval"),
    ("hidden", "Hidden"),
    ("removed", "Removed"),
    ("loading", "Being loaded"),
]


class Migration(migrations.Migration):
    dependencies = [("forum", "0002_cache_and_audit")]

    operations = [
        migrations.AddField(
            model_name="post",
            name="origin",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="forum.thread",
            ),
        ),
        *(
            migrations.AlterField(
                model_name=model,
                name="state",
                field=models.CharField(choices=STATES, default="visible", max_length=8),
            )
            for model in ("post", "thread")
        ),
    ]
