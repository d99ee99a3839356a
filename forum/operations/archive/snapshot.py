"""All rows of a database at one moment, as an archive holds them."""

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections

from core import progress

# The words by which posts and debates are found, with what FTS5 keeps of them (migration 0033).
SEARCHED = frozenset(
    f"forum_{what}words{part}"
    for what in ("post", "debate")
    for part in ("", "_fts", "_fts_data", "_fts_idx", "_fts_docsize", "_fts_config")
)
# Counts of tries and kept pages, and what is searched: they are made again. Migrations stand in the
# head.
LEFT_OUT = frozenset(("jonbar_cache", "django_migrations")) | SEARCHED
ROWS = 1000  # asked for at once
JSONB = 3802
DATABASE_ERRORS = (DatabaseError, InterfaceError, psycopg.Error, sqlite3.Error)


class Unusable(Exception):
    """The archive cannot be taken as it is, or not into this database. The message says why."""


# Where the server was when the snapshot was taken: what it acknowledged before is in it.
SOURCE = """
SELECT pg_is_in_recovery(), current_database(),
CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn()
END::text,
pg_last_xact_replay_timestamp(),
CASE WHEN pg_is_in_recovery() THEN {timeline}
ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int END,
{system}
"""
SYSTEM = "(SELECT system_identifier::text FROM pg_control_system())"
REPLAYED = """(SELECT GREATEST(timeline_id, min_recovery_end_timeline)
FROM pg_control_checkpoint(), pg_control_recovery())"""


def _connect_sqlite(wrapper) -> sqlite3.Connection:
    """A reader beside Django's connection, which would take the write lock. In WAL a reader sees
    what was there when it began and holds up nobody. Raises Unusable."""
    name = str(wrapper.settings_dict["NAME"])
    if not name.startswith("file:"):  # so it is on a disk that takes no writes
        name = f"{Path(name).absolute().as_uri()}?mode=ro"
    # Rows as they are stored, not as Django would read them.
    parameters = wrapper.get_connection_params() | {"database": name, "detect_types": 0}
    try:
        connection = sqlite3.connect(**parameters)
    except sqlite3.Error as error:
        raise Unusable(f"The database cannot be read: {error}.") from error
    connection.isolation_level = None
    connection.execute("BEGIN")
    return connection


def _connect_postgresql(wrapper, standby: str | None):
    """A second connection of Django's own making, so with all that the settings say of hosts, TLS
    and which server is to be taken; `standby` is the server to be taken instead. Raises Unusable.
    """
    wrapper = wrapper.copy()
    if standby:
        host, _, port = standby.rpartition(":") if ":" in standby else (standby, "", "")
        wrapper.settings_dict |= {"HOST": host, "PORT": port or "5432"}
        wrapper.settings_dict["OPTIONS"].pop("target_session_attrs", None)
    try:
        wrapper.connect()
    except DATABASE_ERRORS as error:
        raise Unusable(f"The database does not answer: {first_line(error)}") from error
    wrapper.connection.autocommit = False
    wrapper.connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    wrapper.connection.read_only = True
    return wrapper


def first_line(error: Exception) -> str:
    """What a database says is wrong, without the details below."""
    return f"{str(error).strip() or type(error).__name__}".splitlines()[0]


class Snapshot:
    """All tables at one moment, whoever writes meanwhile; on its own connection to the database.

    `source` says of which server it is and where that was. Raises Unusable if there is no reading
    it, or if it is a standby and not the one that `standby` names. `inside` reads on Django's own
    connection, and so what its transaction wrote (SQLite: what was committed).
    """

    def __init__(self, using: str, *, standby: str | None = None, inside: bool = False) -> None:
        self.using, self.inside = connections[using], inside
        self.connection: Any  # sqlite3's or psycopg's
        if self.using.vendor == "sqlite":
            if standby:
                raise Unusable("SQLite has no standby.")
            self.inside = False
            self.connection = _connect_sqlite(self.using)
            self.source = {"database": "sqlite", "name": Path(self.connection_name()).name}
        elif inside:
            self.connection, self.source = self.using.connection, {}
        else:
            self.using = _connect_postgresql(self.using, standby)
            self.connection = self.using.connection
            self.source = self._postgresql_source()
            if self.source["standby"] and not standby:
                self.close()
                raise Unusable(
                    f"{self.source['server']} is a standby, which may lack what was acknowledged. "
                    "Name it (--from-standby) if that is what you want."
                )

    def connection_name(self) -> str:
        """The file of an SQLite database."""
        ((_, _, name),) = self.ask("PRAGMA database_list")
        return name

    def _postgresql_source(self) -> dict:
        # Not everywhere may everybody ask for it.
        ((may,),) = self.ask("SELECT has_function_privilege('pg_control_system()', 'EXECUTE')")
        ((standby, name, position, replayed, timeline, system),) = self.ask(
            SOURCE.format(system=SYSTEM if may else "NULL", timeline=REPLAYED if may else "NULL")
        )
        info = self.connection.info
        return {
            "database": "postgresql",
            "server": f"{info.host}:{info.port}",
            "system": system,
            "name": name,
            "standby": standby,
            "timeline": timeline,
            "position": position,
            "replayed": replayed and replayed.astimezone(UTC).isoformat(timespec="seconds"),
        }

    def close(self) -> None:
        if self.using.vendor == "sqlite":
            self.connection.close()
        elif not self.inside:
            self.using.close()

    def ask(self, statement: str) -> list[tuple]:
        return self.connection.execute(statement).fetchall()

    def tables(self) -> list[str]:
        if self.using.vendor == "sqlite":
            rows = self.ask("SELECT name FROM sqlite_master WHERE type = 'table'")
            rows = [row for row in rows if not row[0].startswith("sqlite_")]
        else:
            rows = self.ask("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        return sorted({name for (name,) in rows} - LEFT_OUT)

    def size(self, tables: Sequence[str]) -> int:
        """About how many rows these tables have; PostgreSQL keeps an estimate of each."""
        if self.using.vendor == "sqlite":
            return sum(self.ask(f'SELECT count(*) FROM "{table}"')[0][0] for table in tables)
        rows = self.ask(ESTIMATES)
        return sum(max(0, int(count)) for table, count in rows if table in tables)

    def migrations(self) -> list[tuple[str, str]]:
        return self.ask("SELECT app, name FROM django_migrations ORDER BY id")

    def sequences(self) -> dict[str, int]:
        """By table, the highest id ever given: one that is gone must not come back as another."""
        if self.using.vendor == "sqlite":
            return dict(self.ask("SELECT name, seq FROM sqlite_sequence"))
        found = {}
        for table, sequence in self.ask(SEQUENCES):
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


SEQUENCES = """
SELECT c.relname, pg_get_serial_sequence(quote_ident(c.relname), a.attname)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0
AND NOT a.attisdropped
AND pg_get_serial_sequence(quote_ident(c.relname), a.attname) IS NOT NULL
"""

ESTIMATES = """
SELECT relname, reltuples FROM pg_class
WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
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


class Sum:
    """How many rows, and a sum of their hashes."""

    def __init__(self) -> None:
        self.rows = self.sum = 0

    def add(self, line: bytes) -> None:
        self.rows += 1
        self.sum += int.from_bytes(hashlib.sha256(line).digest(), "big")

    def summary(self) -> dict:
        return {"rows": self.rows, "sum": f"{self.sum % 2**256:064x}"}


def line_of(value) -> bytes:
    """A value as a line of an archive holds it, in one spelling."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def sums(
    *, using: str = DEFAULT_DB_ALIAS, inside: bool = False, expected: int | None = None
) -> dict[str, dict]:
    """The rows and sum of each table of a database, as `write` would tell them; `inside` the
    transaction that is open, if one is. `expected` is how many rows there should be."""
    summed = {}
    progress.begin("rows compared", expected)
    with closing(Snapshot(using, inside=inside)) as snapshot:
        for table in snapshot.tables():
            total = Sum()
            with snapshot.rows(table) as (_, rows):
                for row in rows:
                    total.add(line_of(row))
                    progress.advance()
            summed[table] = total.summary()
    return summed
