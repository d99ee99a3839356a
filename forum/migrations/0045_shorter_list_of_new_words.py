"""PostgreSQL puts new words into the index of posts a part at a time: half as many as before, so that
no reply pays more than a tenth of a second for all before it."""

from django.db import migrations


def set_length(kilobytes):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(
                f"ALTER INDEX words_gin SET (gin_pending_list_limit = {kilobytes})"
            )

    return run


class Migration(migrations.Migration):
    dependencies = [("forum", "0044_reports_from_outside")]

    operations = [migrations.RunPython(set_length(512), set_length(1024))]
