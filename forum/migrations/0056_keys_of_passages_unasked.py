"""PostgreSQL looks up the debate of a key of passages no more: it did at the commit, for each key of
each post that was written or moved. In SQLite, where Django would write the table anew, the
constraint stays."""

import django.db.models.deletion
from django.db import migrations, models

AGAIN = "forum_passagekey_thread_id_again"


def drop(apps, schema_editor) -> None:
    """Whatever the constraint is called."""
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    table = apps.get_model("forum", "PassageKey")._meta.db_table
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)
    for name, kind in found.items():
        if kind["foreign_key"] and kind["columns"] == ["thread_id"]:
            name = schema_editor.quote_name(name)
            schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")


def make(apps, schema_editor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        table = apps.get_model("forum", "PassageKey")._meta.db_table
        schema_editor.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {AGAIN} FOREIGN KEY (thread_id)"
            " REFERENCES forum_thread (id) DEFERRABLE INITIALLY DEFERRED"
        )


class Migration(migrations.Migration):
    dependencies = [("forum", "0055_two_indexes_that_nobody_asked")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(drop, make)],
            state_operations=[
                migrations.AlterField(
                    model_name="passagekey",
                    name="thread",
                    field=models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="forum.thread",
                    ),
                ),
            ],
        ),
    ]
