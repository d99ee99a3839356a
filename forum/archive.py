"""Archives: all rows of the forum in one file that either database can be made from again.

An archive is compressed JSON lines: a head (format, migrations, when), then each table with its
columns, its rows and their sum, then an end with the counters of ids. Values stand as SQLite keeps
them (0 and 1, times in UTC, JSON as text in one spelling), which PostgreSQL reads as well. All is
read in one snapshot, so people go on writing; nothing is held in memory.

The sum of a table does not depend on the order of its rows, so that the same can be asked of the
database that was made from it.
"""

import gzip
import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

FORMAT = 1
# Counts of tries and kept pages: they are made again. Migrations stand in the head.
LEFT_OUT = frozenset(("jonbar_cache", "django_migrations"))
ROWS = 1000  # written to the database at once
JSONB = 3802


class Unusable(Exception):
    """The archive cannot be taken as it is, or not into this database. The message says why."""


# --- Reading a database ---------------------------------------------------------------------


class _Snapshot:
    """All tables at one moment, whoever writes meanwhile; on its own connection to the database."""

    def __init__(self, using: str) -> None:
        self.using = connections[using]
        if self.using.vendor == "sqlite":
            # Not Django's connection, which would take the write lock. In WAL a reader sees what
            # was there when it began and holds up nobody.
            name = str(self.using.settings_dict["NAME"])
            if not name.startswith("file:"):  # so it is on a disk that takes no writes
                name = f"{Path(name).absolute().as_uri()}?mode=ro"
            self.connection = sqlite3.connect(name, uri=True, timeout=20)
            self.connection.isolation_level = None
            self.connection.execute("BEGIN")
        else:
            parameters = self.using.get_connection_params()
            wanted = ("host", "port", "user", "password", "dbname")
            self.connection = psycopg.connect(
                **{name: parameters[name] for name in wanted if parameters.get(name)},
                options="-c TimeZone=UTC",
            )
            self.connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            self.connection.read_only = True

    def close(self) -> None:
        self.connection.close()

    def ask(self, statement: str) -> list[tuple]:
        return self.connection.execute(statement).fetchall()

    def tables(self) -> list[str]:
        if self.using.vendor == "sqlite":
            rows = self.ask("SELECT name FROM sqlite_master WHERE type = 'table'")
            rows = [row for row in rows if not row[0].startswith("sqlite_")]
        else:
            rows = self.ask("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        return sorted({name for (name,) in rows} - LEFT_OUT)

    def migrations(self) -> list[tuple[str, str]]:
        return self.ask("SELECT app, name FROM django_migrations ORDER BY id")

    def sequences(self) -> dict[str, int]:
        """By table, the highest id ever given: one that is gone must not come back as another."""
        if self.using.vendor == "sqlite":
            return dict(self.ask("SELECT name, seq FROM sqlite_sequence"))
        found = {}
        for table, sequence in self.ask(_SEQUENCES):
            ((last,),) = self.ask(f"SELECT CASE WHEN is_called THEN last_value END FROM {sequence}")
            found[table] = last or 0
        return found

    @contextmanager
    def rows(self, table: str) -> Iterator[tuple[list[str], Iterator[list]]]:
        """The columns of a table by name (each database has an order of its own), and its rows as
        an archive holds them."""
        names = ", ".join(
            f'"{name}"'
            for name in sorted(
                column.name
                for column in self.using.introspection.get_table_description(
                    self.using.cursor(), table
                )
            )
        )
        if self.using.vendor == "sqlite":
            ((sql,),) = self.ask(f"SELECT sql FROM sqlite_master WHERE name = '{table}'")
            texts = set(re.findall(r'JSON_VALID\("(\w+)"\)', sql))
            cursor = self.connection.execute(f'SELECT {names} FROM "{table}"')
        else:
            cursor = self.connection.cursor(name="archive")
            cursor.itersize = ROWS
            cursor.execute(f'SELECT {names} FROM "{table}"')
            texts = {column.name for column in cursor.description if column.type_code == JSONB}
        with closing(cursor):
            columns = [column[0] for column in cursor.description]
            kinds = [_json if name in texts else _plain for name in columns]
            yield (
                columns,
                ([kind(value) for kind, value in zip(kinds, row, strict=True)] for row in cursor),
            )


_SEQUENCES = """
SELECT c.relname, pg_get_serial_sequence(quote_ident(c.relname), a.attname)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0
AND NOT a.attisdropped
AND pg_get_serial_sequence(quote_ident(c.relname), a.attname) IS NOT NULL
"""


def _plain(value):
    """A value as SQLite keeps it."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return str(value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value)
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, date | time | Decimal):
        return str(value)
    if value is None or isinstance(value, int | float | str):
        return value
    raise Unusable(f"An archive cannot hold {type(value).__name__}.")


def _json(value):
    """JSON in one spelling, whichever database spelt it."""
    if value is None:
        return None
    read = json.loads(value) if isinstance(value, str) else value
    return json.dumps(read, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class _Sum:
    """How many rows, and a sum of their hashes."""

    def __init__(self) -> None:
        self.rows = self.sum = 0

    def add(self, line: bytes) -> None:
        self.rows += 1
        self.sum += int.from_bytes(hashlib.sha256(line).digest(), "big")

    def told(self) -> dict:
        return {"rows": self.rows, "sum": f"{self.sum % 2**256:064x}"}


def _line(value) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


# --- Writing an archive ---------------------------------------------------------------------


def write(path: Path, *, using: str = DEFAULT_DB_ALIAS) -> dict[str, dict]:
    """Write an archive of a database, readable by its owner only, and return the rows and sum of
    each table. The file has its name only once it is complete and on the disk."""
    partial = path.with_name(f"{path.name}.partial")
    told = {}
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file, closing(_Snapshot(using)) as snapshot:
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=5, mtime=0) as packed:
            head = {
                "jonbar": FORMAT,
                "taken": datetime.now(UTC).isoformat(timespec="seconds"),
                "migrations": snapshot.migrations(),
            }
            packed.write(_line(head) + b"\n")
            for table in snapshot.tables():
                total = _Sum()
                with snapshot.rows(table) as (columns, rows):
                    packed.write(_line({"table": table, "columns": columns}) + b"\n")
                    for row in rows:
                        line = _line(row)
                        total.add(line)
                        packed.write(line + b"\n")
                told[table] = total.told()
                packed.write(_line({"end": table, **told[table]}) + b"\n")
            end = {"complete": len(told), "sequences": snapshot.sequences()}
            packed.write(_line(end) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    return told


def sums(*, using: str = DEFAULT_DB_ALIAS) -> dict[str, dict]:
    """The rows and sum of each table of a database, as `write` would tell them."""
    told = {}
    with closing(_Snapshot(using)) as snapshot:
        for table in snapshot.tables():
            total = _Sum()
            with snapshot.rows(table) as (_, rows):
                for row in rows:
                    total.add(_line(row))
            told[table] = total.told()
    return told


# --- Making a database of it ----------------------------------------------------------------


def restore(path: Path, *, using: str = DEFAULT_DB_ALIAS) -> dict[str, dict]:
    """Make an empty database what the archive holds, in the state of its migrations, and return the
    rows and sums that it should have. In one transaction: a broken archive leaves no row.

    Raises Unusable if the database is not empty, if the archive is broken, or if it comes from a
    newer forum than this one.
    """
    connection = connections[using]
    try:
        with gzip.open(path, "rb") as file:
            head = json.loads(file.readline())
            if head.get("jonbar") != FORMAT:
                raise Unusable("This is not an archive that this version of the forum can read.")
            _prepare(connection, [tuple(one) for one in head["migrations"]])
            with transaction.atomic(using=using):
                return _load(connection, file)
    except (OSError, EOFError, ValueError, KeyError, AttributeError) as error:
        raise Unusable(f"The archive is broken: {error}") from error


def _prepare(connection, migrations: Sequence[tuple[str, str]]) -> None:
    """Bring an empty database to the state of the archive."""
    with connection.cursor() as cursor:
        if connection.introspection.table_names(cursor):
            raise Unusable("The database is not empty. Restore into a new one.")
    executor = MigrationExecutor(connection)
    known = executor.loader.graph.nodes
    if unknown := [f"{app}.{name}" for app, name in migrations if (app, name) not in known]:
        raise Unusable(
            f"The archive comes from a newer forum: {', '.join(unknown[:3])} is not known here."
        )
    executor.migrate(list(migrations))
    MigrationRecorder(connection).ensure_schema()


def _load(connection, file) -> dict[str, dict]:
    told = {}
    with connection.cursor() as cursor:
        here = set(connection.introspection.table_names(cursor)) - LEFT_OUT
        _empty(connection, cursor, sorted(here))
        while True:
            line = file.readline()
            if not line:
                raise Unusable("The archive ends too early.")
            said = json.loads(line)
            if "complete" in said:
                break
            table, columns = said["table"], said["columns"]
            if table not in here:
                raise Unusable(f"There is no table {table} in that version of the forum.")
            end, total = _insert(connection, cursor, table, columns, file)
            if {"end": table, **total.told()} != end:
                raise Unusable(f"The rows of {table} are not those that were written.")
            told[table] = total.told()
        if said["complete"] != len(told):
            raise Unusable("The archive lacks tables.")
        _set_sequences(connection, cursor, said["sequences"])
    return told


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


def _insert(connection, cursor, table: str, columns: Sequence[str], file) -> tuple[dict, _Sum]:
    """Read the rows of one table up to its end line; returns that and what was read."""
    total = _Sum()
    names = ", ".join(map(_quoted, columns))

    def rows() -> Iterator[list]:
        while True:
            line = file.readline().rstrip(b"\n")
            row = json.loads(line)
            if isinstance(row, dict):
                rows.end = row
                return
            total.add(line)
            yield row

    if connection.vendor == "postgresql":
        cursor.execute("SET LOCAL TIME ZONE 'UTC'")
        with cursor.copy(f"COPY {_quoted(table)} ({names}) FROM STDIN") as copy:
            for row in rows():
                copy.write_row(row)
    else:
        marks = ", ".join(["%s"] * len(columns))
        statement = f"INSERT INTO {_quoted(table)} ({names}) VALUES ({marks})"
        part: list[list] = []
        for row in rows():
            part.append(row)
            if len(part) == ROWS:
                cursor.executemany(statement, part)
                part = []
        if part:
            cursor.executemany(statement, part)
    return rows.end, total


def _set_sequences(connection, cursor, told: dict[str, int]) -> None:
    """Let ids go on after the highest that was ever given."""
    if connection.vendor == "postgresql":
        cursor.execute(_SEQUENCES)
        for table, sequence in cursor.fetchall():
            cursor.execute(f"SELECT COALESCE(MAX(id), 0) FROM {_quoted(table)}")
            if last := max(cursor.fetchone()[0], told.get(table, 0)):
                cursor.execute("SELECT setval(%s, %s)", [sequence, last])
        return
    for table, last in told.items():
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        if row := cursor.fetchone():
            if row[0] < last:
                cursor.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = %s", [last, table])
        elif last:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])
