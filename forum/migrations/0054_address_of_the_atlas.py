"""A debate that was called "Atlas" before debates had one gives that address to its atlas."""

from django.db import migrations
from django.db.models import F


def give_way(apps, schema_editor):
    """Name these debates as a new one of this title is named (models.threads.slug_for)."""
    called = apps.get_model("forum", "Thread").objects.filter(slug="atlas")
    called.update(slug="atlas-debate", version=F("version") + 1)


class Migration(migrations.Migration):
    dependencies = [("forum", "0053_open_cases")]
    atomic = False

    operations = [migrations.RunPython(give_way, migrations.RunPython.noop, elidable=True)]
