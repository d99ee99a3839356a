"""Fourteen indexes go that others begin with: each was a key to another table, alone, beside an
index of the same key and more. Only the indexes: the tables are not touched, which in SQLite
Django would write anew. Each takes a lock on its table for a moment."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

KEYS = (
    ("answer", "question"),
    ("auditentry", "board"),
    ("changeofmind", "post"),
    ("divergence", "thread"),
    ("draft", "user"),
    ("picture", "member"),
    ("post", "author"),
    ("post", "thread"),
    ("postrevision", "post"),
    ("question", "thread"),
    ("quote", "revision"),
    ("readmark", "user"),
    ("report", "case"),
    ("thread", "board"),
)
# A prefix of a post's key is never asked for, which is all that this one is for (PostgreSQL).
LIKE = "DROP INDEX IF EXISTS forum_post_key_f89894b2_like"


def drop(apps, schema_editor) -> None:
    """Whatever the indexes are called: a table that was written anew has others."""
    connection = schema_editor.connection
    for model, field in KEYS:
        meta = apps.get_model("forum", model)._meta
        column, table = meta.get_field(field).column, meta.db_table
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, table)
        for name, kind in found.items():
            if kind["index"] and not kind["unique"] and kind["columns"] == [column]:
                if not _of_some_rows(connection, name):
                    schema_editor.execute(f"DROP INDEX {schema_editor.quote_name(name)}")
    if connection.vendor == "postgresql":
        schema_editor.execute(LIKE)


def make(apps, schema_editor) -> None:
    """Make them anew, those too that a run made which was interrupted."""
    drop(apps, schema_editor)
    for model, field in KEYS:
        index = models.Index(fields=[field], name=f"{model}_{field}_again")
        schema_editor.add_index(apps.get_model("forum", model), index)


def _of_some_rows(connection, name: str) -> bool:
    """Whether an index has a condition, and so is another one."""
    asked = {
        "postgresql": "SELECT indexdef FROM pg_indexes WHERE indexname = %s",
        "sqlite": "SELECT sql FROM sqlite_master WHERE name = %s",
    }
    with connection.cursor() as cursor:
        cursor.execute(asked[connection.vendor], [name])
        return " WHERE " in cursor.fetchone()[0]


class Migration(migrations.Migration):
    atomic = False  # or all tables would be locked until the last index has gone

    dependencies = [
        ("forum", "0049_sentence_of_notices"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(drop, make)],
            state_operations=[
                migrations.AlterField(
                    model_name="answer",
                    name="question",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answers",
                        to="forum.question",
                    ),
                ),
                migrations.AlterField(
                    model_name="auditentry",
                    name="board",
                    field=models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="forum.board",
                    ),
                ),
                migrations.AlterField(
                    model_name="changeofmind",
                    name="post",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes_of_mind",
                        to="forum.post",
                    ),
                ),
                migrations.AlterField(
                    model_name="divergence",
                    name="thread",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="divergences",
                        to="forum.thread",
                    ),
                ),
                migrations.AlterField(
                    model_name="draft",
                    name="user",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="drafts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AlterField(
                    model_name="picture",
                    name="member",
                    field=models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AlterField(
                    model_name="post",
                    name="author",
                    field=models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="posts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AlterField(
                    model_name="post",
                    name="thread",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="posts",
                        to="forum.thread",
                    ),
                ),
                migrations.AlterField(
                    model_name="postrevision",
                    name="post",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="revisions",
                        to="forum.post",
                    ),
                ),
                migrations.AlterField(
                    model_name="question",
                    name="thread",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="questions",
                        to="forum.thread",
                    ),
                ),
                migrations.AlterField(
                    model_name="quote",
                    name="revision",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="quotes",
                        to="forum.postrevision",
                    ),
                ),
                migrations.AlterField(
                    model_name="readmark",
                    name="user",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="read_marks",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AlterField(
                    model_name="report",
                    name="case",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reports",
                        to="forum.case",
                    ),
                ),
                migrations.AlterField(
                    model_name="thread",
                    name="board",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="threads",
                        to="forum.board",
                    ),
                ),
            ]
        ),
    ]
