"""Writers of SQLite stand in line, and nobody stays there for good."""

import fcntl
import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, OperationalError, ProgrammingError, connection

from core.queued_sqlite3 import base

pytestmark = pytest.mark.once
MADE = """
PRAGMA journal_mode = WAL;
CREATE TABLE written (
    who TEXT PRIMARY KEY, after TEXT REFERENCES written DEFERRABLE INITIALLY DEFERRED
);
"""


@pytest.fixture
def opened(tmp_path, django_db_blocker):
    """Make connections to one database: of the web, or of a command."""
    made = []

    def make(*, web: bool = True, timeout: int = 20) -> base.DatabaseWrapper:
        settings = connection.settings_dict | {
            "NAME": tmp_path / "forum.sqlite3",
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": timeout},
            "STAYS_IN_LINE": web,
        }
        one = base.DatabaseWrapper(settings, f"line {len(made)}")
        one.inc_thread_sharing()
        one.ensure_connection()
        made.append(one)
        return one

    with django_db_blocker.unblock():
        make().connection.executescript(MADE)
        yield make
        for one in made:
            one.close()


def begin(one: base.DatabaseWrapper) -> None:
    """As `atomic` does it."""
    one.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)


def end(one: base.DatabaseWrapper) -> None:
    one.commit()
    one.set_autocommit(True)


def is_free(tmp_path: Path) -> bool:
    """Whether nobody stands in line."""
    with (tmp_path / "forum.sqlite3-line").open("w") as line:
        try:
            fcntl.flock(line, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_a_transaction_of_the_web_stays_until_it_ends(opened, tmp_path):
    one = opened()
    for ended in (end, lambda one: (one.rollback(), one.set_autocommit(True))):
        begin(one)
        assert not is_free(tmp_path)
        ended(one)
        assert is_free(tmp_path)


def test_a_command_stays_until_it_has_begun(opened, tmp_path):
    one = opened(web=False)
    begin(one)
    assert is_free(tmp_path)
    end(one)


def test_whoever_loses_the_connection_leaves(opened, tmp_path):
    one = opened()
    begin(one)
    one.close()
    assert is_free(tmp_path)


def test_a_connection_that_is_gone_is_an_error_of_the_database(opened, tmp_path):
    one = opened()
    one.connection.close()
    with pytest.raises(ProgrammingError):
        begin(one)
    assert is_free(tmp_path)


def test_whoever_cannot_begin_or_end_leaves(opened, tmp_path):
    long, one = opened(web=False), opened(timeout=0)
    begin(long)
    with pytest.raises(OperationalError, match="locked"):
        begin(one)
    assert is_free(tmp_path)
    end(long)
    begin(one)
    one.connection.execute("INSERT INTO written (who, after) VALUES ('a', 'nobody')")
    with pytest.raises(IntegrityError):
        one.commit()
    one.rollback()
    assert is_free(tmp_path)


def test_all_wait_for_a_long_writer_together(opened, monkeypatch):
    """Who stood in line for 15 of 20 seconds gives it five more, and then has the whole again."""
    one, said = opened(), []
    one.connection.set_trace_callback(said.append)
    clock = iter([100.0, 115.0])
    monkeypatch.setattr(base, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    begin(one)
    assert said[:3] == [
        "PRAGMA busy_timeout = 5000",
        "BEGIN IMMEDIATE",
        "PRAGMA busy_timeout = 20000",
    ]
    end(one)


def test_who_gave_up_waits_as_long_as_ever_next_time(opened, monkeypatch):
    command, one = opened(web=False), opened(timeout=2)
    begin(command)
    clock = iter([100.0, 102.0])
    monkeypatch.setattr(base, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with pytest.raises(OperationalError, match="locked"):
        begin(one)
    monkeypatch.undo()
    assert one.connection.execute("PRAGMA busy_timeout").fetchone() == (2000,)
    end(command)


def test_a_disk_that_takes_no_file_is_no_new_error(opened, monkeypatch):
    one = opened()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(base.os, "open", full)
    begin(one)
    end(one)


def test_they_are_served_as_they_came(opened, tmp_path):
    first, others = opened(), [opened() for _ in range(4)]
    begin(first)

    def write(number: int, one: base.DatabaseWrapper) -> None:
        begin(one)
        one.connection.execute("INSERT INTO written (who) VALUES (?)", [str(number)])
        end(one)

    tasks = [threading.Thread(target=write, args=pair, daemon=True) for pair in enumerate(others)]
    for number, task in enumerate(tasks, 1):
        task.start()
        wait_until_waiting(tmp_path / "forum.sqlite3-line", number)
    end(first)
    for task in tasks:
        task.join(60)
    written = [who for (who,) in first.connection.execute("SELECT who FROM written ORDER BY rowid")]
    assert written == ["0", "1", "2", "3"]


def wait_until_waiting(line: Path, number: int) -> None:
    """Wait until so many wait for the lock on a file: the system lists them."""
    inode, deadline = f":{os.stat(line).st_ino} ", time.monotonic() + 60
    while True:
        listed = Path("/proc/locks").read_text().splitlines()
        if sum("->" in one and inode in one for one in listed) >= number:
            return
        assert time.monotonic() < deadline, listed
        time.sleep(0.01)
