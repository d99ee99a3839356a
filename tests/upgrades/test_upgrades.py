"""A forum of every version that was released becomes one of this version: no row is lost on the
way, everything derived is sound afterwards, and its pages answer."""

import gzip
import json
import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunPython

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KEPT = sorted(HERE.glob("*.backup"))

# What an operator does, and then everybody's pages; tells the texts of all posts.
UPGRADE = """
import json, sys
import django; django.setup()
from django.core.management import CommandError, call_command
from django.test import Client
from accounts.models import User
from forum.models import Board, Post, PostRevision, State, Thread
try:
    call_command("restore", sys.argv[1])
except CommandError as error:
    if error.returncode != 2:  # 2: all is there, and check_forum has work to do
        raise
call_command("check_forum", "--fix")
call_command("check_forum")
one, chief = Client(SERVER_NAME="localhost"), Client(SERVER_NAME="localhost")
one.force_login(User.objects.get(username="opener"))
chief.force_login(User.objects.get(username="chief"))
shown = {"state": State.VISIBLE}
threads = list(Thread.objects.filter(merged_into=None, **shown).order_by("pk"))
pages = ["/", "/timeline/", "/questions/", "/glossary/", "/rules/", "/log/", "/members/opener/"]
pages += ["/debates/", "/search/?q=party", "/help/"]
pages += [row.get_absolute_url() for row in (*Board.objects.all(), *threads)]
pages += [f"/threads/{thread.pk}/outline/" for thread in threads]
posts = Post.objects.filter(thread__in=threads, **shown).values_list("pk", flat=True)
pages += [f"/posts/{pk}/history/" for pk in posts]
bad = [f"{page} {got}" for page in pages for client in (one, chief)
       if (got := client.get(page).status_code) != 200]
own = ["/drafts/", "/notices/", "/standing/", "/watching/", "/admin/", "/admin/forum/case/"]
for page in own:
    if (got := chief.get(page).status_code) != 200:
        bad.append(f"{page} {got}")
reply = {"text": "It goes on here.", "token": "8c7dc1ac-7d52-4b17-9a0c-3d7ae3a63b00"}
got = one.post(f"/threads/{threads[0].pk}/reply/", reply).status_code
if got != 302:
    bad.append(f"a reply {got}")
sources = PostRevision.objects.values_list("source", flat=True)
print(json.dumps({"pages": len(pages), "bad": bad, "sources": sorted(sources)}))
"""


@pytest.fixture
def empty(tmp_path, django_db_setup, django_db_blocker):
    """The address of an empty database, of the kind that is tested."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path}/upgraded.sqlite3"
        return
    server = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}".format(**connection.settings_dict)
    name = f"upgraded_{os.getpid()}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{server}/{name}"
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def sources_in(backup: Path) -> list[str]:
    """Every text that posts had, as the archive holds it."""
    found, reading = [], False
    for line in gzip.decompress(backup.read_bytes()).splitlines():
        said = json.loads(line)
        if isinstance(said, dict):
            reading = said.get("table") == "forum_postrevision"
            columns = said.get("columns", ())
            place = columns.index("source") if reading else None
        elif reading:
            found.append(said[place])
    return sorted(found)


def test_there_is_something_to_upgrade():
    assert KEPT
    assert all(one.stat().st_size < 300_000 for one in KEPT)


def test_the_newest_holds_one_of_everything():
    """What a table without rows would lose on the way, nobody would see."""
    rows, table = {}, None
    for line in gzip.decompress(KEPT[-1].read_bytes()).splitlines():
        told = json.loads(line)
        if isinstance(told, dict):
            table = told.get("table")
            rows.setdefault(table, 0)
        else:
            rows[table] += 1
    assert len(rows) > 40
    assert [name for name, count in rows.items() if not count and name and "forum_" in name] == []


@pytest.mark.whole
@pytest.mark.parametrize("backup", KEPT, ids=lambda path: path.stem)
def test_a_forum_of_an_older_version_is_upgraded(backup, empty, record_property):
    env = os.environ | {
        "DATABASE_URL": empty,
        "DJANGO_SETTINGS_MODULE": "forum.settings",
        "JONBAR_ENV_FILE": os.devnull,
        "POSTS_PER_MINUTE": "0",
        "PYTHONPATH": str(ROOT),
    }

    done = subprocess.run(
        [sys.executable, "-c", UPGRADE, backup], env=env, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *_, checked, told = done.stdout.splitlines()
    assert checked == "Everything is sound."
    said = json.loads(told)
    assert said["bad"] == []
    assert said["sources"] == sorted([*sources_in(backup), "It goes on here."])
    record_property("measured", f"{len(said['sources'])} texts, {said['pages']} pages")


def since_the_release():
    """Our migrations that no released version has, as (key, migration)."""
    with gzip.open(KEPT[-1]) as file:
        released = {tuple(one) for one in json.loads(file.readline())["migrations"]}
    for key, migration in MigrationLoader(None).disk_migrations.items():
        if key[0] in ("accounts", "forum") and key not in released:
            yield key, migration


def test_no_migration_reads_all_rows_while_it_holds_a_table():
    """In one transaction with a change of the schema, going through a million rows closes the
    table to everybody: it takes a migration of its own, and `atomic = False`."""
    for key, migration in since_the_release():
        kinds = {type(operation) for operation in migration.operations}
        if RunPython in kinds and migration.atomic:
            assert kinds <= {RunPython}, key


class Interrupted(Exception):
    """Somebody pulled the plug."""


@contextmanager
def at_change(number: int):
    """Pull the plug before this change of the schema or of rows."""
    changes = 0

    def watch(execute, sql, *more):
        nonlocal changes
        changes += not sql.lstrip().upper().startswith(("SELECT", "PRAGMA"))
        if changes == number:
            raise Interrupted
        return execute(sql, *more)

    with connection.execute_wrapper(watch):
        yield


@pytest.mark.django_db
@pytest.mark.parametrize("backwards", [False, True])
def test_what_is_not_one_transaction_can_be_done_again(backwards):
    """Such a migration is done halfway when it is interrupted, and is begun anew."""
    for key, migration in since_the_release():
        if migration.atomic:
            continue
        apps = MigrationLoader(connection).project_state(key, at_end=False).apps
        editor = connection.SchemaEditorClass(connection)  # in the transaction of this test
        editor.deferred_sql = []
        for run in runs_of(migration.operations):
            there, back = (
                (run.reverse_code, run.code) if backwards else (run.code, run.reverse_code)
            )
            back(apps, editor)
            with suppress(Interrupted), at_change(5):
                there(apps, editor)
            there(apps, editor)
            there(apps, editor)


def runs_of(operations):
    """What runs code of ours, also where the state is told apart."""
    for operation in operations:
        if isinstance(operation, RunPython):
            yield operation
        yield from runs_of(getattr(operation, "database_operations", ()))


@pytest.mark.postgres
@pytest.mark.whole
def test_locks_of_an_upgrade_are_measured():
    """The command that says it, with few posts."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.migrations", "--posts", "200"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    applied = [
        line for line in done.stdout.splitlines() if line.startswith(("forum ", "accounts "))
    ]
    assert applied or "no migration" in done.stdout
