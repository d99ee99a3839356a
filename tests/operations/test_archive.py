"""Backups are whole, can be restored into either database, and say so when they are not."""

import gzip
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import override_settings

from core.files import whole_file
from forum.checking import processes
from forum.models import Post
from forum.operations import archive, pictures
from forum.operations.archive import reading, restoring
from forum.operations.archive.snapshot import Snapshot, Sum
from forum.operations.archive.writing import seal
from tests import bucket
from tests.acts import world as worlds
from tests.people import reply
from tests.waiting import until

ROOT = Path(__file__).parents[2]


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
        until(lambda: len(made) > 2, "nobody writes")
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
def test_several_processes_try_a_backup_and_check_what_was_restored(world, tmp_path, capsys):
    path = tmp_path / "one.backup"
    call_command("backup", path, "--jobs", "2")
    assert "Everything derived is sound." in capsys.readouterr().out
    done = manage(f"sqlite:///{tmp_path}/other.sqlite3", "restore", path, "--jobs", "2")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "Everything derived is sound." in done.stdout


def test_a_restore_whose_check_is_ended_says_that_all_rows_are_there(good, monkeypatch):
    def ended(**how):
        raise processes.Ended("a process of the check was ended from outside")
        yield

    monkeypatch.setattr("forum.management.commands.restore.check", ended)
    with pytest.raises(CommandError) as refused:
        call_command("restore", good, "--jobs", "2")
    assert refused.value.returncode == 2
    assert str(refused.value).startswith("All rows are there, but they were not checked to the end")
    assert "manage.py check_forum --quick" in str(refused.value)
    assert "ended from outside" in str(refused.value)
    assert Post.objects.exists()


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
    before, after = (json.loads(lines(one)[-2])["sequences"] for one in (path, second))
    assert all(after[table] >= last for table, last in before.items())


@pytest.fixture
def good(world, tmp_path) -> Iterator[Path]:
    """A backup. While the test runs, Django's connection leads to an empty database beside."""
    archive.write(path := tmp_path / "good.backup")
    here = connection.settings_dict["NAME"]
    connection.close()
    if connection.vendor == "sqlite":
        connection.settings_dict["NAME"] = f"{tmp_path}/scratch.sqlite3"
    else:
        # Workers share the server: under one name, one would drop what another is using.
        scratch = f"{here}_scratch"
        server = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}".format(**connection.settings_dict)
        admin = psycopg.connect(f"{server}/postgres", autocommit=True)
        admin.execute(f"DROP DATABASE IF EXISTS {scratch}")
        admin.execute(f"CREATE DATABASE {scratch}")
        connection.settings_dict["NAME"] = scratch
    try:
        yield path
    finally:
        connection.close()
        connection.settings_dict["NAME"] = here
        if connection.vendor == "postgresql":
            admin.execute(f"DROP DATABASE {scratch} WITH (FORCE)")
            admin.close()


def sealed(content: bytes) -> bytes:
    """A file with these lines, and the sum at its end that such a file has."""
    packed = gzip.compress(content)
    return packed + seal(hashlib.sha256(packed).hexdigest())


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
    elif how == "more behind its end":
        whole.append(b"[]\n")
    elif how == "no head":
        del whole[0]
    elif how == "an unknown table":
        at = next(n for n, line in enumerate(whole) if b'{"table":"mfa_auth' in line)
        whole[at] = whole[at].replace(b"mfa_", b"old_")
        whole[at + 1] = whole[at + 1].replace(b"mfa_", b"old_")
    elif how == "a row that the database refuses":
        at = next(n for n, line in enumerate(whole) if b'{"end":"forum_term"' in line)
        total = Sum()
        for line in (rows := [b'["no number","of","any","kind"]']):
            total.add(line)
        told = {"end": "forum_term", **total.summary()}
        whole[at - 1 : at + 1] = [
            *(b"%b\n" % line for line in rows),
            json.dumps(told).encode() + b"\n",
        ]
    return b"".join(whole)


@pytest.mark.parametrize("seal_it", [True, False])
def test_a_broken_backup_is_refused(good, seal_it, tmp_path):
    """Though its seal is right; nothing is made of it."""
    path, whole = tmp_path / "bad.backup", lines(good)[:-1]
    for how, said in (
        ("a word changed", "not those that were written"),
        ("a row lost", "not those that were written"),
        ("cut short", "ends too early"),
        ("more behind its end", "goes on after its end"),
        ("no head", "not an archive that this version"),
        ("from a newer forum", "comes from a newer forum"),
        ("a row that the database refuses", "does not take it"),
        ("an unknown table", "There is no table old_authenticator"),
    )[: None if os.environ.get("JONBAR_LONG") else 7]:
        content = spoilt(how, list(whole))
        path.write_bytes(sealed(content) if seal_it else gzip.compress(content))
        with pytest.raises(archive.Unusable, match=said if seal_it else "broken|not an archive"):
            archive.restore(path)
        assert not connection.introspection.table_names(), how


def accidents(data: bytes, count: int, chance: random.Random) -> Iterator[tuple[str, bytes]]:
    """The file with one bit turned, `count` times, those of its head and its end among them; and
    cut in several places."""
    ends = [*range(80), *range(8 * len(data) - 8 * 130, 8 * len(data))]
    bits = chance.sample(ends, count // 2)
    bits += chance.sample(range(8 * len(data)), count - count // 2)
    for bit in bits:
        turned = bytearray(data)
        turned[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit}", bytes(turned)
    for left in (1, 4, 8, 97, len(data) // 2, len(data) - 30, len(data)):
        yield f"cut by {left}", data[: len(data) - left]
    yield "a byte more", data + b"\0"
    yield "twice", data + data


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.long) for n in (2, 3))])
def test_no_turned_bit_and_no_cut_is_taken(good, seed, tmp_path, record_property):
    """Each is told in one sentence and leaves the database empty for the good file."""
    bad, data, tried = tmp_path / "bad.backup", good.read_bytes(), 0
    count = 400 if os.environ.get("JONBAR_LONG") else 12
    for what, spoiled in accidents(data, count, random.Random(seed)):
        bad.write_bytes(spoiled)
        with pytest.raises(archive.Unusable) as told:
            archive.restore(bad)
        said = str(told.value)
        assert said.endswith(".") and "\n" not in said and len(said) < 200, (what, said)
        tried += 1
    assert not connection.introspection.table_names()
    if os.environ.get("JONBAR_LONG"):
        told = archive.restore(good)
        assert {**archive.sums(), **told} == archive.sums()
    record_property("measured", f"{tried} broken files of {len(data):,} bytes, none taken")


def test_of_a_backup_without_seal_no_turned_bit_changes_what_is_restored():
    """Such as version 0.1.0 wrote: of the packing a bit that carries nothing may be another."""
    path = ROOT / "tests" / "upgrades" / "0.1.0.backup"
    whole, data = reading.check(path), path.read_bytes()
    count = 400 if os.environ.get("JONBAR_LONG") else 12
    with tempfile.TemporaryDirectory() as folder:
        bad = Path(folder, "bad.backup")
        for what, spoiled in accidents(data, count, random.Random(7)):
            bad.write_bytes(spoiled)
            try:
                assert reading.check(bad) == whole, what
            except archive.Unusable as error:
                assert "\n" not in str(error)
            else:
                assert what.startswith("bit") or what == "a byte more", what


@pytest.mark.whole
@pytest.mark.parametrize(
    "step",
    [
        "call_command",
        *(pytest.param(n, marks=pytest.mark.long) for n in ("_load", "sums", "_migrate")),
    ],
)
def test_a_restore_that_fails_half_way_leaves_nothing(good, step, tmp_path, monkeypatch):
    """The good file is taken afterwards."""
    real = getattr(restoring, step)

    def fails(*arguments, **named):
        if step != "_migrate" or arguments[1] is None:
            real(*arguments, **named)
            raise OperationalError("the disk is full\nDETAIL: more")
        return real(*arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(restoring, step, fails)
        with pytest.raises(archive.Unusable, match=r"does not take it: the disk is full$"):
            archive.restore(good)
    assert not connection.introspection.table_names()
    if connection.vendor == "sqlite":
        connection.close()
        assert {one.name for one in tmp_path.iterdir()} <= {"good.backup", "scratch.sqlite3"}
    if step == "call_command":
        archive.restore(good)
        with pytest.raises(archive.Unusable, match="is not empty"):
            archive.restore(good)


def test_a_backup_that_fails_leaves_no_file(world, tmp_path, monkeypatch):
    """Whatever the database says, it is told in one sentence."""

    def gone(self):
        raise psycopg.OperationalError("the server went away\nDETAIL: more")

    monkeypatch.setattr(Snapshot, "sequences", gone)
    with pytest.raises(CommandError, match=r"^Nothing was backed up: .*the server went away$"):
        call_command("backup", tmp_path / "one.backup")
    assert not list(tmp_path.iterdir())
    monkeypatch.undo()
    with pytest.raises(CommandError, match=r"^Nothing was backed up"):
        call_command("backup", tmp_path / "nowhere" / "one.backup")


@pytest.mark.once
def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    """What stood there before stands until all of the new one is on the disk."""
    path, link = tmp_path / "one.json", tmp_path / "link.json"
    path.write_text("before")
    path.chmod(0o640)
    link.symlink_to(path)
    with pytest.raises(KeyError), whole_file(link) as file:
        file.write(b"half")
        raise KeyError
    assert path.read_text() == "before"
    with whole_file(link) as file:
        file.write(b"after")
        file.flush()
        assert path.read_text() == "before"
    assert path.read_text() == "after" and link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert {one.name for one in tmp_path.iterdir()} == {"one.json", "link.json"}
    with whole_file(Path(os.devnull)) as file:
        file.write(b"nothing")
    assert not Path(os.devnull).is_file()


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.whole)])
def pictured(request) -> Iterator[dict[str, bytes]]:
    """Files of pictures, by name, in a folder or in a bucket of S3; one is longer than a piece of
    an archive."""
    if request.param == "bucket":
        request.getfixturevalue("pictures_bucket")
    contents = (random.Random(1).randbytes(2_500_000), b"x")
    files = {pictures.name_of(hashlib.sha256(one).hexdigest(), "png"): one for one in contents}
    for name, data in files.items():
        pictures.add(data, name)
    yield files
    for name in files:
        pictures.dropped(name)


def test_pictures_are_in_it_to_the_byte(pictured, good, tmp_path):
    """A restore that fails leaves none behind."""
    for name in pictured:
        pictures.dropped(name)
    lost = [line for line in lines(good) if b'"accounts_user"' not in line]
    for told in (sealed(b"".join(lost)), good.read_bytes()[:-200]):
        (tmp_path / "broken.backup").write_bytes(told)
        with pytest.raises(archive.Unusable):
            archive.restore(tmp_path / "broken.backup")
        assert not set(pictures.listed()) & set(pictured)
    archive.restore(good)
    assert {name: pictures.opened(name).read() for name in pictured} == pictured


def test_a_restore_that_the_database_refuses_keeps_no_picture(pictured, good, monkeypatch):
    for name in pictured:
        pictures.dropped(name)
    monkeypatch.setattr(restoring, "_set_sequences", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        archive.restore(good)
    assert not set(pictures.listed()) & set(pictured)


@pytest.mark.whole
@pytest.mark.once
def test_a_backup_of_a_folder_is_restored_into_a_bucket(
    pictures_folder, bucket_server, good_with_pictures, tmp_path, monkeypatch
):
    """By the settings that an operator makes: a forum can be moved to S3 so."""
    path, held = good_with_pictures
    name = bucket.made(bucket_server)
    settings_of = {"PICTURES_BUCKET": name, "PICTURES_BUCKET_AT": bucket_server}
    for key, value in {**bucket.KEYS, **bucket.REGION, **settings_of}.items():
        monkeypatch.setenv(key, value)
    done = manage(f"sqlite:///{tmp_path}/new.sqlite3", "restore", path)
    assert done.returncode == 0, done.stderr
    options = {"bucket_name": name, "endpoint_url": bucket_server, "addressing_style": "path"}
    storage = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    with override_settings(STORAGES={**settings.STORAGES, "pictures": storage}):
        assert {name: pictures.opened(name).read() for name in pictures.listed()} == held


@pytest.fixture
def good_with_pictures(db, tmp_path) -> Iterator[tuple[Path, dict[str, bytes]]]:
    """A backup, and the files of pictures that it holds."""
    data = random.Random(2).randbytes(1_200_000)
    pictures.add(data, pictures.name_of(hashlib.sha256(data).hexdigest(), "png"))
    held = {name: pictures.opened(name).read() for name in pictures.listed()}
    archive.write(tmp_path / "pictured.backup")
    yield tmp_path / "pictured.backup", held
    pictures.dropped(pictures.name_of(hashlib.sha256(data).hexdigest(), "png"))
