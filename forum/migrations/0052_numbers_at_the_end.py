"""PostgreSQL asks whether two posts of a thread share a number at the end of each statement, no more
at each row: whoever numbers a debate anew need not take all numbers away before. SQLite cannot."""

from django.db import migrations

NAME = "post_number_unique"
ANEW = (
    f"ALTER TABLE forum_post DROP CONSTRAINT {NAME},"
    f" ADD CONSTRAINT {NAME} UNIQUE (thread_id, number)"
)


def at_the_end(apps, schema_editor) -> None:
    """Ask at the end of a statement."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"{ANEW} DEFERRABLE INITIALLY IMMEDIATE")


def at_each_row(apps, schema_editor) -> None:
    """Ask at each row again."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(ANEW)


class Migration(migrations.Migration):
    dependencies = [("forum", "0051_posts_not_visible")]

    operations = [migrations.RunPython(at_the_end, at_each_row)]
