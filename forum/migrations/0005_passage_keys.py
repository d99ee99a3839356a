"""Keys of passages point at posts without a constraint, which would need an index of its own."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("forum", "0004_drafts_and_passages")]

    operations = [
        migrations.AlterField(
            model_name="passagekey",
            name="post",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="forum.post",
            ),
        ),
    ]
