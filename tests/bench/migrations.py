"""How long an upgrade keeps people from reading and from writing, migration by migration.

    python3 dev.py upgrade-locks [--posts 1000000] [--since 0.1.0]

On the PostgreSQL that the tests bring along: the tables as they were in the version that is kept in
tests/upgrades (the last one, or `--since`), filled by SQL with so many posts, each with its text,
its HTML and a quote, every tenth of a text that was edited since. Then every migration since is
applied, while another connection looks every ten milliseconds which locks it holds: on which tables
nobody could read meanwhile, and on which nobody could write.
"""

import argparse
import gzip
import json
import os
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

import psycopg

from tests.postgres import server

KEPT = Path(__file__).resolve().parents[1] / "upgrades"
NO_READING = {"AccessExclusiveLock"}
NO_WRITING = NO_READING | {"ExclusiveLock", "ShareRowExclusiveLock", "ShareLock"}
# What a column holds that must hold something and of which nothing else is said.
ANYTHING = {
    "boolean": "false",
    "character varying": "''",
    "date": "now()",
    "jsonb": "'[]'",
    "text": "''",
    "timestamp with time zone": "now()",
    "uuid": "md5(n::text)::uuid",
}
TEXT = (
    "'Of the harvest of year ' || n || ' nobody knows more than that it failed. '"
    " || repeat(md5(n::text) || ' ', 12)"
)
SOURCE = 1_000_000_000  # the id of a post that was edited, and of its first text


def add(
    connection: psycopg.Connection, table: str, count: int, first: int = 1, /, **given: str
) -> None:
    """Add so many rows, for n from `first` on; `given` are columns as SQL in terms of n."""
    found = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s"
        " AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'",
        [table],
    )
    columns = {name: ANYTHING.get(kind, "0") for name, kind in found} | given
    names = ", ".join(f'"{name}"' for name in columns)
    connection.execute(
        f"INSERT INTO {table} ({names}) SELECT {', '.join(columns.values())}"
        f" FROM generate_series({first}, {first + count - 1}) AS n"
    )


def fill(connection: psycopg.Connection, posts: int) -> None:
    """A board, a member and debates of a thousand posts each."""
    add(connection, "accounts_user", 1, id="1", username="'member-a'", password="''")
    add(
        connection, "forum_board", 1, id="1", name="'A'", slug="'a'", lft="1", rght="2", tree_id="1"
    )
    threads = posts // 1000 + 1
    thread = {"id": "n", "key": "'t' || n", "board_id": "1", "author_id": "1", "card": "'{}'"}
    add(connection, "forum_thread", threads, **thread, title="'Debate ' || n", state="'visible'")
    post = {"key": "'p' || n", "author_id": "1", "state": "'visible'", "lft": "1", "rght": "2"}
    for count, id_ in ((posts, "n"), (1, str(SOURCE))):
        add(
            connection,
            "forum_post",
            count,
            **post | {"id": id_, "tree_id": id_, "key": f"'p' || {id_}"},
            thread_id="1 + n / 1000" if count > 1 else str(threads),
            number="1 + n % 1000" if count > 1 else "2000",
            parent_basis="'reply'",
        )
        text = {"editor_id": "1", "source": TEXT, "plain": TEXT, "format": "'markdown'"}
        for number, row in ((1, id_), *([(2, f"{SOURCE} + 1")] if count == 1 else [])):
            add(
                connection,
                "forum_postrevision",
                count,
                **text
                | {"id": row, "post_id": id_, "number": str(number), "sha256": "md5(n::text)"},
            )
        current = id_ if count > 1 else f"{SOURCE} + 1"
        body = {"post_id": id_, "revision_id": current, "html": TEXT}
        add(connection, "forum_postbody", count, **body, revision_number="1")
    add(
        connection,
        "forum_quote",
        posts,
        id="n",
        post_id="n",
        revision_id="n",
        source_post_id=f"CASE WHEN n % 10 = 0 THEN {SOURCE} ELSE 1 END",
        source_revision_id=f"CASE WHEN n % 10 = 0 THEN {SOURCE} ELSE 1 END",
        verdict="'exact'",
        words="'nobody knows more'",
        start="30",
        end="47",
        ordinal="0",
    )
    connection.execute("ANALYZE")


class Watch(threading.Thread):
    """Looks which tables are locked by the other connections; `read` and `write` hold, by table,
    for how many seconds in all nobody could."""

    EVERY = 0.01

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self.connection = psycopg.connect(address, autocommit=True)
        self.read: dict[str, float] = defaultdict(float)
        self.write: dict[str, float] = defaultdict(float)
        self.done = threading.Event()

    def run(self) -> None:
        before = time.monotonic()
        while not self.done.is_set():
            locked = self.connection.execute(
                "SELECT c.relname, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
                " WHERE l.granted AND c.relkind = 'r' AND l.pid <> pg_backend_pid()"
                " AND c.relname !~ '^(pg_|sql_)'"
            ).fetchall()
            now = time.monotonic()
            for held, modes in ((self.read, NO_READING), (self.write, NO_WRITING)):
                for table in {name for name, mode in locked if mode in modes}:
                    held[table] += now - before
            before = now
            time.sleep(self.EVERY)
        self.connection.close()


def kept_versions() -> dict[str, list[tuple[str, str]]]:
    """The migrations of each kept version."""
    found = {}
    for path in sorted(KEPT.glob("*.backup")):
        with gzip.open(path) as file:
            found[path.stem] = [tuple(one) for one in json.loads(file.readline())["migrations"]]
    return found


def measure(url: str, old: list[tuple[str, str]], posts: int) -> None:
    """Bring the database to `old`, fill it, apply the rest; print a line for each migration."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    MigrationExecutor(connection).migrate(old)
    began = time.monotonic()
    with psycopg.connect(url, autocommit=True) as filling:
        fill(filling, posts)
    print(f"{posts:,} posts, made in {time.monotonic() - began:.0f} s", flush=True)
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    tables = set(connection.introspection.table_names())  # a new one keeps nobody waiting
    for migration, _ in plan:
        watch = Watch(url)
        watch.start()
        began = time.monotonic()
        MigrationExecutor(connection).migrate([(migration.app_label, migration.name)])
        took = time.monotonic() - began
        watch.done.set()
        watch.join()
        for_read = {t: s for t, s in watch.read.items() if t in tables}
        for_write = {t: s for t, s in watch.write.items() if t in tables}
        print(f"{migration.app_label} {migration.name}: {took:.1f} s", flush=True)
        print(f"   nobody reads  {_shown(for_read)}", flush=True)
        print(f"   nobody writes {_shown(for_write)}", flush=True)


def _shown(seconds: dict[str, float]) -> str:
    ordered = sorted(seconds.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{table} {held:.1f} s" for table, held in ordered) or "-"


def main(arguments: list[str]) -> int:
    """Read the command line, measure; the exit code."""
    versions = kept_versions()
    parser = argparse.ArgumentParser(
        prog="dev.py upgrade-locks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--posts", type=int, default=1_000_000)
    parser.add_argument("--since", choices=versions, default=max(versions))
    given = parser.parse_args(arguments)
    with server() as url, tempfile.TemporaryDirectory(prefix="jonbar-data-") as data:
        with psycopg.connect(f"{url.rpartition('/')[0]}/postgres", autocommit=True) as admin:
            admin.execute("CREATE DATABASE jonbar")
        os.environ.update(
            DATABASE_URL=url,
            DEBUG="1",
            DJANGO_SETTINGS_MODULE="forum.settings",
            JONBAR_DATA=data,
            JONBAR_ENV_FILE=os.devnull,
            SECRET_KEY="of a forum that nobody uses",
        )
        import django

        django.setup()
        print(f"From {given.since}, PostgreSQL", flush=True)
        measure(url, versions[given.since], given.posts)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
