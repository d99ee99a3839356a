"""Backups are whole, can be restored into either database, and say so when they are not."""

import gzip
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from forum import archive
from forum.models import Post
from tests.acts import world as worlds
from tests.people import reply

ROOT = Path(__file__).parents[1]


def manage(url: str, *arguments: str | Path) -> subprocess.CompletedProcess:
    """Run manage.py on another database."""
    return subprocess.run(
        [sys.executable, ROOT / "manage.py", *arguments],
        env=os.environ | {"DATABASE_URL": url, "JONBAR_ENV_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def world(transactional_db) -> worlds.World:
    return worlds.build()


def lines(path: Path) -> list[bytes]:
    return gzip.open(path).read().splitlines(keepends=True)


@pytest.mark.whole
def test_a_backup_taken_while_people_write_is_whole(world, tmp_path, capsys):
    """The command tries it: it is restored, each row compared, everything derived checked."""
    stop, made = threading.Event(), []

    def write_on():
        while not stop.wait(0.05):
            thread, user = world.thread("main"), world.user("opener")
            made.append(reply(thread, user, "Somebody writes.", to=world.post("b")).pk)
        connection.close()

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        while len(made) < 3:
            time.sleep(0.01)
        call_command("backup", tmp_path)
    finally:
        stop.set()
        writer.join()
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o077 == 0
    said = capsys.readouterr().out
    assert "Restored and compared:" in said and "Everything derived is sound." in said
    held = sum(b'"Somebody writes."' in line for line in lines(path))
    assert 3 <= held <= Post.objects.filter(body__revision__source="Somebody writes.").count()
    with pytest.raises(CommandError, match="not overwritten"):
        call_command("backup", path)


@pytest.mark.whole
@pytest.mark.postgres
def test_it_can_be_moved_to_the_other_database_and_back(world, tmp_path):
    """From PostgreSQL into SQLite, and on into PostgreSQL: every row arrives."""
    path, url = tmp_path / "one.backup", f"sqlite:///{tmp_path}/other.sqlite3"
    told = archive.write(path)
    done = manage(url, "restore", path)
    assert done.returncode == 0, done.stderr + done.stdout
    again = manage(url, "restore", path)
    assert again.returncode and "The database is not empty" in again.stderr
    kept, second = connection.settings_dict, tmp_path / "two.backup"
    server = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}".format(**kept)
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS moved")
        admin.execute("CREATE DATABASE moved")
        try:
            done = manage(url, "move_to", f"{server}/moved")
            assert done.returncode == 0, done.stderr + done.stdout
            done = manage(f"{server}/moved", "backup", second, "--no-check")
            assert done.returncode == 0, done.stderr
        finally:
            admin.execute("DROP DATABASE moved WITH (FORCE)")
    ends = [json.loads(line) for line in lines(second) if line.startswith(b'{"end"')]
    assert {end["end"]: {"rows": end["rows"], "sum": end["sum"]} for end in ends} == told
    # Ids go on after the highest that was ever given.
    before, after = (json.loads(lines(one)[-1])["sequences"] for one in (path, second))
    assert all(after[table] >= last for table, last in before.items())


def spoilt(how: str, whole: list[bytes]) -> bytes:
    """The archive after some accident."""
    at = next(n for n, line in enumerate(whole) if b"secretary" in line)
    if how == "a word changed":
        whole[at] = whole[at].replace(b"secretary", b"clerk")
    elif how == "a row lost":
        del whole[at]
    elif how == "cut short":
        del whole[-1]
    elif how == "from a newer forum":
        whole[0] = whole[0].replace(b"0001_debates", b"9001_debates")
    packed = gzip.compress(b"".join(whole))
    return packed[:-2000] if how == "half a file" else packed


def test_a_broken_backup_is_refused(world, tmp_path, monkeypatch):
    """Nothing of it stays. That the database must be empty first is left out here: making a new one
    each time takes seconds."""
    archive.write(path := tmp_path / "one.backup")
    whole, before = lines(path), worlds.snapshot()
    for how, said in (
        ("a word changed", "not those that were written"),
        ("a row lost", "not those that were written"),
        ("cut short", "ends too early"),
        ("half a file", "The archive is broken"),
        ("from a newer forum", "comes from a newer forum"),
    ):
        path.write_bytes(spoilt(how, list(whole)))
        with monkeypatch.context() as patched:
            if how != "from a newer forum":
                patched.setattr(archive, "_prepare", lambda *_: None)
            else:
                patched.setattr(connection.introspection, "table_names", lambda *_: [])
            with pytest.raises(archive.Unusable, match=said):
                archive.restore(path)
        assert worlds.snapshot() == before, how
