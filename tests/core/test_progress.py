"""How far a long command is: on a terminal, and nowhere else."""

import fcntl
import io
import os
import pty
import struct
import sys
import termios
import threading
from pathlib import Path

import pytest
from django.core.management import call_command

from core import progress
from forum.transfer.fixture import dump
from tests.acts import world as worlds
from tests.transfer.test_loaddata import objects
from tests.waiting import PATIENCE


class Terminal:
    """A terminal of so many columns, as the standard error of this process, and all that was
    written to it."""

    def __init__(self, monkeypatch, columns: int = 100) -> None:
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.file = os.fdopen(theirs, "w")
        self.pieces: list[bytes] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        monkeypatch.setattr(sys, "stderr", self.file)

    def _read(self) -> None:
        try:
            while data := os.read(self.ours, 4096):
                self.pieces.append(data)
        except OSError:
            pass  # the other end was closed

    def text(self) -> str:
        """All that was written; nothing more can be."""
        self.file.close()
        self.reader.join(timeout=PATIENCE)
        os.close(self.ours)
        return b"".join(self.pieces).decode()


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is set on."""
    time = [100.0]
    monkeypatch.setattr(progress, "monotonic", lambda: time[0])
    return time


def written_lines(text: str) -> list[str]:
    """What stood on the line, one after another."""
    return [line.rstrip() for line in text.split("\r") if line.strip()]


def test_a_line_says_how_far_how_fast_and_how_long(monkeypatch, clock):
    terminal = Terminal(monkeypatch)
    with progress.shown():
        progress.begin("posts", 10_000)
        clock[0] += 10
        progress.advance(2_500)
        clock[0] += 7200
        progress.advance(1)
    assert written_lines(terminal.text()) == [
        "posts: 0 of 10,000 (0%)",
        "posts: 2,500 of 10,000 (25%), 250 a second, 30 s left",
        "posts: 2,501 of 10,000 (25%), 0 a second, 6 h 0 min left",
    ]


def test_without_a_total_no_end_is_foretold(monkeypatch, clock):
    terminal = Terminal(monkeypatch)
    with progress.shown():
        progress.begin("posts")
        clock[0] += 2
        progress.advance(300)
    assert written_lines(terminal.text()) == ["posts: 0", "posts: 300, 150 a second"]


def test_the_line_is_written_four_times_a_second_at_most(monkeypatch, clock):
    terminal = Terminal(monkeypatch)
    with progress.shown():
        for _ in progress.track(range(1000), "posts", 1000):
            clock[0] += 0.01
    assert 38 <= len(written_lines(terminal.text())) <= 42


def test_many_short_parts_do_not_flood(monkeypatch, clock):
    terminal = Terminal(monkeypatch)
    with progress.shown():
        for _ in range(100):
            progress.begin("rows of a small table", 2)
            progress.advance(2)
    assert len(written_lines(terminal.text())) == 1


def test_the_line_is_gone_at_the_end_also_after_an_interruption(monkeypatch, clock):
    terminal = Terminal(monkeypatch)
    with pytest.raises(KeyboardInterrupt), progress.shown():
        progress.begin("posts", 10)
        raise KeyboardInterrupt
    assert terminal.text().endswith(f"\r{' ' * len('posts: 0 of 10 (0%)')}\r")
    assert not progress.is_shown()


def test_a_shorter_line_leaves_nothing_of_a_longer_one(monkeypatch, clock):
    terminal = Terminal(monkeypatch)
    with progress.shown():
        progress.begin("posts of a very long name", 10)
        clock[0] += 1
        progress.begin("posts", 10)
    first, second, _ = [line for line in terminal.text().split("\r") if line]
    assert len(second) == len(first)


def test_a_line_never_breaks(monkeypatch, clock):
    terminal = Terminal(monkeypatch, columns=20)
    with progress.shown():
        progress.begin("posts that have a very long name", 10)
    assert all(len(line) < 20 for line in terminal.text().split("\r"))


def test_what_is_counted_within_leaves_the_outer_count_alone(monkeypatch, clock):
    terminal = Terminal(monkeypatch)
    with progress.shown():
        for _ in progress.track(range(2), "jobs", 2):
            progress.begin("rows", 100)
            progress.advance(100)
            clock[0] += 1
    assert written_lines(terminal.text())[-1] == "jobs: 2 of 2 (100%), 1 a second, 0 s left"


@pytest.fixture
def world(transactional_db) -> worlds.World:
    return worlds.build()


def commands(world: worlds.World, folder: Path) -> dict[str, list]:
    """Each command that may take long, by something that it counts."""
    fixtures = folder / "first.json", folder / "second.json"
    for path in fixtures:
        made = objects(path.stem, [None, 1, 2])
        made[0]["fields"]["board"] = ["modern"]
        path.write_bytes(dump(made))
    return {
        "rows written": ["backup", folder / "a.backup", "--no-check"],
        "posts checked": ["check_forum"],
        "posts indexed": ["index_posts", "--all"],
        "swept out": ["sweep"],
        "debates looked at": ["place_debates"],
        "rows of posts written": ["member_data", "answerer", folder / "own.zip"],
        "posts written": [
            "export_thread",
            str(world.ids["other"]),
            "--output",
            folder / "out.json",
        ],
        "posts read": ["loaddata", fixtures[0]],
        "posts loaded": ["loaddata", fixtures[1]],
        "jobs done": ["work", "--once"],
        "accounts closed": ["close_account", "--again"],
    }


@pytest.mark.once
def test_what_may_take_long_shows_how_far_it_is_on_a_terminal(world, tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "INTERVAL", 0)
    for what, (name, *arguments) in commands(world, tmp_path).items():
        terminal = Terminal(monkeypatch)
        call_command(name, *map(str, arguments), stdout=io.StringIO())
        text = terminal.text()
        assert f"{what}: " in text, name
        assert not text.rpartition("\r")[2].strip(), "the line is gone in the end"


@pytest.mark.once
def test_into_a_pipe_goes_nothing_of_it(world, tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "INTERVAL", 0)
    for name, *arguments in commands(world, tmp_path).values():
        reads, writes = os.pipe()
        with os.fdopen(reads) as end, os.fdopen(writes, "w") as pipe:
            monkeypatch.setattr(sys, "stderr", pipe)
            call_command(name, *map(str, arguments), stdout=(out := io.StringIO()))
            pipe.close()
            assert end.read() == "", name
        assert "\r" not in out.getvalue()
        (tmp_path / "a.backup").unlink(missing_ok=True)


@pytest.mark.once
@pytest.mark.whole
def test_a_restore_and_the_trial_of_a_backup_show_it_too(world, tmp_path, monkeypatch):
    """The trial is a process of its own, on the same terminal."""
    terminal = Terminal(monkeypatch)
    call_command("backup", tmp_path / "a.backup", stdout=(out := io.StringIO()))
    text = terminal.text()
    # What takes less than a quarter of a second, such as to check so few posts, may not be there.
    for what in ("rows written", "MB of the archive read", "migrations applied"):
        assert f"{what}: " in text
    assert "Everything derived is sound." in out.getvalue()
    assert "\r" not in out.getvalue()
