from django.db import migrations


def forget_what_stands_beside(apps, schema_editor):
    """Words without their strikes and spoilers. Until `check_forum --fix` has written them anew,
    what a quote changed or left out stands on its own page."""
    quotes = apps.get_model("forum", "Quote").objects.using(schema_editor.connection.alias)
    quotes.filter(verdict__in=("altered", "shortened")).exclude(beside=[]).update(beside=[])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("forum", "0029_forms_tell_their_texts")]

    operations = [migrations.RunPython(forget_what_stands_beside, migrations.RunPython.noop)]
