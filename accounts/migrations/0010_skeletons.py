"""Names in small capitals, or with letters that have strokes or hooks, look like those without."""

from django.db import IntegrityError, migrations, transaction

from accounts.names import skeleton


def write_anew(apps, schema_editor):
    """Two members whose names look alike only since now both keep theirs, and the older skeleton."""
    for model in ("User", "PastName"):
        rows = apps.get_model("accounts", model)._default_manager
        for pk, name, before in rows.values_list("pk", "username", "skeleton").iterator():
            now = before if name.isascii() else skeleton(name)
            if now != before:
                try:
                    with transaction.atomic():
                        rows.filter(pk=pk).update(skeleton=now)
                except IntegrityError:
                    continue


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0009_last_write'),
    ]

    operations = [
        migrations.RunPython(write_anew, migrations.RunPython.noop, elidable=True),
    ]
