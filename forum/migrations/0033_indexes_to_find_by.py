"""What each database searches in; the tables are empty still, so nothing is read."""

from django.db import migrations

# PostgreSQL: new words wait in a list, so that a reply stays cheap; a short one, so that none pays
# much for all. Vacuuming, which empties the list, comes early.
POSTGRESQL = """
CREATE INDEX words_gin ON forum_postwords
USING gin (words) WITH (fastupdate = on, gin_pending_list_limit = 1024);
CREATE INDEX debate_words_gin ON forum_debatewords USING gin (words);
ALTER TABLE forum_postwords SET (autovacuum_vacuum_insert_scale_factor = 0.02);
"""

# SQLite: a table of FTS5 that holds no text of its own and follows its rows by triggers: what is to
# be taken out of it must be told to the letter, and only the row knows it. Words arrive ready, so
# that blanks part them and nothing else.
SQLITE = """
CREATE VIRTUAL TABLE {table}_fts USING fts5(
    words, content='{table}', content_rowid='{key}', tokenize="ascii tokenchars '='", prefix='3');
CREATE TRIGGER {table}_insert AFTER INSERT ON {table} BEGIN
    INSERT INTO {table}_fts(rowid, words) VALUES (new.{key}, new.words);
END;
CREATE TRIGGER {table}_delete AFTER DELETE ON {table} BEGIN
    INSERT INTO {table}_fts({table}_fts, rowid, words) VALUES ('delete', old.{key}, old.words);
END;
CREATE TRIGGER {table}_update AFTER UPDATE ON {table} BEGIN
    INSERT INTO {table}_fts({table}_fts, rowid, words) VALUES ('delete', old.{key}, old.words);
    INSERT INTO {table}_fts(rowid, words) VALUES (new.{key}, new.words);
END;
"""
TABLES = (("forum_postwords", "post_id"), ("forum_debatewords", "thread_id"))


def make_indexes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL)
        return
    for table, key in TABLES:
        # One statement at a time, but a trigger holds several.
        for statement in SQLITE.format(table=table, key=key).split("\nCREATE "):
            if statement.strip():
                schema_editor.execute(f"CREATE {statement.strip().removeprefix('CREATE ')}")


def drop_indexes(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        for table, _ in TABLES:
            schema_editor.execute(f"DROP TABLE {table}_fts")


class Migration(migrations.Migration):

    dependencies = [
        ("forum", "0032_words_to_find_by"),
    ]

    operations = [migrations.RunPython(make_indexes, drop_indexes)]
