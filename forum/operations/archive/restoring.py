"""Making a database of an archive: all of it, or nothing."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from core import progress
from core.files import put_in_place

from . import pictures
from .reading import check, opened
from .snapshot import DATABASE_ERRORS, LEFT_OUT, SEQUENCES, Unusable, first_line, sums

ROWS = 1000  # written to the database at once


def restore(path: Path, *, using: str = DEFAULT_DB_ALIAS) -> dict[str, dict]:
    """Make an empty database what the archive holds, compare it, bring it up to this version of the
    forum, and return the rows and sums that were compared.

    The archive is read to its end first. Then all is done in one transaction or, of SQLite, in a
    file beside that takes the place of the empty one: whatever happens, the database is as the
    archive says or empty as before, and no file of a picture is left that was not there.

    Raises Unusable, with a sentence, if the database is not empty, if the archive is broken, or if
    it comes from a newer forum than this one.
    """
    expected = sum(one["rows"] for one in check(path).values())
    connection, files = connections[using], pictures.Taken()
    whole = _beside if connection.vendor == "sqlite" else _transaction
    try:
        with opened(path) as contents, whole(connection):
            _make_tables(connection, contents.migrations)
            with transaction.atomic(using=using):
                progress.begin("rows restored", expected)
                _load(connection, contents, files)
            found = sums(using=using, inside=True, expected=expected)
            found[pictures.TABLE] = pictures.sum_of(files.held)
            if wrong := [
                table for table, summed in contents.summary.items() if found[table] != summed
            ]:
                raise Unusable(f"Not what the archive holds: {', '.join(wrong)}.")
            _migrate(connection, None)
            call_command("migrate", database=using, verbosity=0, interactive=False)
            return contents.summary
    except BaseException as error:
        files.drop_added()
        if isinstance(error, (*DATABASE_ERRORS, OverflowError)):
            raise Unusable(f"The database does not take it: {first_line(error)}") from error
        raise


# --- All or nothing -------------------------------------------------------------------------


@contextmanager
def _transaction(connection) -> Iterator[None]:
    """PostgreSQL makes tables in transactions as well."""
    with transaction.atomic(using=connection.alias):
        _must_be_empty(connection)
        yield


@contextmanager
def _beside(connection) -> Iterator[None]:
    """SQLite cannot make and change all tables in one transaction: meanwhile the connection leads
    to a new file, which takes the place of the empty one at the end."""
    name = connection.settings_dict["NAME"]
    if connection.is_in_memory_db() or str(name).startswith("file:"):
        raise Unusable("The database is no file that can be written to.")
    path = Path(name).absolute()
    partial = path.with_name(f".{path.name}.{os.getpid()}.restoring")
    there = path.exists()
    _must_be_empty(connection)
    connection.close()
    connection.settings_dict["NAME"] = str(partial)
    try:
        yield
        connection.close()
        connection.settings_dict["NAME"] = name
        _must_be_empty(connection)
        connection.close()
        # The log of another file is not read into this one.
        if any(log.exists() for log in (*_logs(path), *_logs(partial))):
            raise Unusable("Somebody uses the database. End that first.")
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        put_in_place(partial, path)
    except BaseException:
        connection.close()
        if not there:
            path.unlink(missing_ok=True)
        raise
    finally:
        connection.settings_dict["NAME"] = name
        line = partial.with_name(f"{partial.name}-line")  # where writers stood (queued_sqlite3)
        for left in (partial, *_logs(partial), line):
            left.unlink(missing_ok=True)


def _logs(path: Path) -> Iterable[Path]:
    return (path.with_name(f"{path.name}{end}") for end in ("-wal", "-shm", "-journal"))


def _must_be_empty(connection) -> None:
    with connection.cursor() as cursor:
        if connection.introspection.table_names(cursor):
            raise Unusable(
                "The database is not empty. Restore into a new one. (Where a restore into it was "
                "stopped, all of its rows are there or none: manage.py check_forum --fix writes "
                "what was still to follow from them.)"
            )


# --- Tables ---------------------------------------------------------------------------------


def _make_tables(connection, migrations: Sequence[tuple[str, str]]) -> None:
    """Bring an empty database to the state of the archive."""
    known = MigrationExecutor(connection).loader.graph.nodes
    if unknown := [f"{app}.{name}" for app, name in migrations if (app, name) not in known]:
        raise Unusable(
            f"The archive comes from a newer forum: {', '.join(unknown[:3])} is not known here."
        )
    _migrate(connection, migrations)
    MigrationRecorder(connection).ensure_schema()


def _migrate(connection, targets: Sequence[tuple[str, str]] | None) -> None:
    """Apply migrations up to `targets`, or all that there are."""

    def each(action, *_) -> None:
        if action == "apply_start":
            _settle(connection)
        elif action == "apply_success":
            progress.advance()

    executor = MigrationExecutor(connection, each)
    wanted = executor.loader.graph.leaf_nodes() if targets is None else list(targets)
    progress.begin("migrations applied", len(executor.migration_plan(wanted)))
    executor.migrate(wanted)


def _settle(connection) -> None:
    """Check now what a transaction puts off to its end: PostgreSQL changes no table for which
    something waits to be checked, and here many migrations share one transaction."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")


# --- Rows -----------------------------------------------------------------------------------


def _load(connection, contents, files: pictures.Taken) -> None:
    _settle(connection)
    with connection.cursor() as cursor:
        here = set(connection.introspection.table_names(cursor)) - LEFT_OUT
        _empty(connection, cursor, sorted(here))
        for table, columns, rows in contents.tables():
            if table == pictures.TABLE:
                files.take(rows)
                continue
            if table not in here:
                raise Unusable(f"There is no table {table} in that version of the forum.")
            _insert(connection, cursor, table, columns, rows)
        _set_sequences(connection, cursor, contents.sequences)


def _empty(connection, cursor, tables: Sequence[str]) -> None:
    """Take out what migrations put into new tables."""
    if connection.vendor == "postgresql":
        cursor.execute(f"TRUNCATE {', '.join(map(_quoted, tables))} CASCADE")
    else:
        for table in tables:
            cursor.execute(f"DELETE FROM {_quoted(table)}")


def _quoted(name: str) -> str:
    if not re.fullmatch(r"\w+", name):
        raise Unusable(f"{name!r} is no name of a table or column.")
    return f'"{name}"'


def _insert(connection, cursor, table: str, columns: Sequence[str], rows: Iterator[list]) -> None:
    names = ", ".join(map(_quoted, columns))
    if connection.vendor == "postgresql":
        cursor.execute("SET LOCAL TIME ZONE 'UTC'")
        with cursor.copy(f"COPY {_quoted(table)} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
                progress.advance()
        return
    marks = ", ".join(["%s"] * len(columns))
    statement = f"INSERT INTO {_quoted(table)} ({names}) VALUES ({marks})"
    while part := list(islice(rows, ROWS)):
        cursor.executemany(statement, part)
        progress.advance(len(part))


def _set_sequences(connection, cursor, summed: dict[str, int]) -> None:
    """Let ids go on after the highest that was ever given."""
    if connection.vendor == "postgresql":
        cursor.execute(SEQUENCES)
        for table, sequence in cursor.fetchall():
            cursor.execute(f"SELECT COALESCE(MAX(id), 0) FROM {_quoted(table)}")
            if last := max(cursor.fetchone()[0], summed.get(table, 0)):
                cursor.execute("SELECT setval(%s, %s)", [sequence, last])
        return
    for table, last in summed.items():
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        if row := cursor.fetchone():
            if row[0] < last:
                cursor.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = %s", [last, table])
        elif last:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])
