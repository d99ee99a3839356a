"""Two indexes of every post go. No query looks for a text by its sum any more; and PostgreSQL reads
trees by the index of `post_place_unique`, which SQLite has not got. Each takes a lock on its table
for a moment."""

from django.db import migrations

ORDER, TEXT = "post_tree_order", "revision_text"


def drop(apps, schema_editor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX IF EXISTS {ORDER}")
    schema_editor.execute(f"DROP INDEX IF EXISTS {TEXT}")


def make(apps, schema_editor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"CREATE INDEX IF NOT EXISTS {ORDER} ON forum_post (tree_id, lft)")
    schema_editor.execute(f"CREATE INDEX IF NOT EXISTS {TEXT} ON forum_postrevision (sha256)")


class Migration(migrations.Migration):
    atomic = False  # or posts would be locked until the index of their texts has gone

    dependencies = [("forum", "0054_address_of_the_atlas")]

    operations = [
        migrations.SeparateDatabaseAndState(
            # Not Django's operation, which cannot be done again where it was interrupted.
            database_operations=[migrations.RunPython(drop, make)],
            state_operations=[
                migrations.RemoveIndex(model_name="postrevision", name="revision_text")
            ],
        )
    ]
