"""Files that visitors take along, made once and kept in the data folder until they would differ.

A file is kept under all that it depends on: its kind, its address, and the two numbers that a kept
page hangs on too (`caching.numbers`), so that nothing that was taken back is ever sent again.
Only what everybody may read is kept. Making a file of ten thousand posts takes seconds: a worker
makes one at a time, and pauses as long as it works; and it sends no more than two at once, since a
slow line holds the thread that sends: its other threads go on answering.
"""

import fcntl
import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import BinaryIO

from django.conf import settings
from django.http import FileResponse

from core.problems import Problem

FOLDER = "downloads"
# Seconds of work between two pauses: less than a page takes to be drawn.
BREATH = 0.004
# Files that nobody asked for in this time go; so does what a crash left half made.
UNUSED = 24 * 3600
LEFT = 3600
# What was sent just now may still be read by the proxy.
IN_USE = 600

# Of the four threads that a worker has, unless WEB_THREADS says otherwise.
SENT_AT_ONCE = 2

log = logging.getLogger("forum.operations.downloads")
_making = Lock()
_sending = BoundedSemaphore(SENT_AT_ONCE)


class Busy(Problem):
    """The file cannot be made at the moment; the sentence says when to try again."""

    status = 503


def name_of(thread_id: int, kind: str, *parts: str, numbers: tuple) -> str:
    """The name of a kept file of a debate: `parts` are what it depends on besides the database,
    whose state `numbers` tell."""
    asked = hashlib.sha256("\0".join((kind, *parts)).encode()).hexdigest()[:16]
    return f"{thread_id}-{asked}-{'.'.join(map(str, numbers))}"


def folder() -> Path:
    """Where the files are kept."""
    return settings.DATA_DIR / FOLDER


def found(name: str) -> BinaryIO | None:
    """The kept file of this name, open; None if it is not there."""
    try:
        file = (folder() / name).open("rb")
    except FileNotFoundError:
        return None
    with suppress(OSError):
        os.utime(file.fileno())
    return file


def make(name: str, write: Callable[[], Iterable[bytes]], still: Callable[[], bool]) -> BinaryIO:
    """Make the file and keep it under this name, if `still` says afterwards that the numbers in its
    name hold. Raises Busy where another one is being made, and what `write` raises.

    An erasing commits, then clears the folder: what was made of words that are gone by then is
    either cleared, or found out by `still`.
    """
    with _one_at_a_time():
        folder().mkdir(parents=True, exist_ok=True)
        path, part = folder() / name, folder() / f"{name}.part"
        with part.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise _busy() from None
            if (made := found(name)) is not None:  # by another worker, meanwhile
                part.unlink(missing_ok=True)
                return made
            try:
                file.truncate(0)
                _written(file, write())
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                part.unlink(missing_ok=True)
                raise
            part.rename(path)
            made = path.open("rb")
        if not still():
            path.unlink(missing_ok=True)
        _sweep(name)
        return made


def make_for_one(write: Callable[[], Iterable[bytes]]) -> BinaryIO:
    """Make a file that is sent to one reader and then gone; it never has a name. Raises Busy, and
    what `write` raises. Whoever sends it closes it."""
    with _one_at_a_time():
        file = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            _written(file, write())
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file


class Sent(FileResponse):
    """An answer that sends a file, one of few at a time. Raises Busy where there are enough, and
    closes the file then."""

    def __init__(self, file: BinaryIO, **options) -> None:
        turn = _sending
        if not turn.acquire(blocking=False):
            file.close()
            raise _busy("Others are taking files along just now.")
        self._turn: BoundedSemaphore | None = turn
        super().__init__(file, **options)

    def close(self) -> None:
        """Called by the server once all is sent, or the line is broken."""
        super().close()
        if self._turn is not None:
            self._turn.release()
            self._turn = None


def clear() -> None:
    """Forget every kept file: words were erased for good. Call it after the commit. What is being
    made at this moment is left to its maker, who asks whether it still holds."""
    for path in _files():
        with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as file:
            if path.suffix == ".part":
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


@contextmanager
def _one_at_a_time():
    if not _making.acquire(blocking=False):
        raise _busy()
    try:
        yield
    except Problem:  # a storage of pictures that is away: it says so itself
        raise
    except OSError as error:
        log.warning("a download could not be written", exc_info=error)
        raise Busy(
            "The file could not be written; whoever runs this site finds the reason in the log. "
            "Nothing was changed. Try again later."
        ) from error
    finally:
        _making.release()


def _busy(reason: str = "Another file is being made just now.") -> Busy:
    return Busy(f"{reason} Nothing is wrong: try again in ten seconds.")


def _written(file: BinaryIO, pieces: Iterable[bytes]) -> None:
    began = time.thread_time()
    for piece in pieces:
        file.write(piece)
        worked = time.thread_time() - began
        if worked > BREATH:
            time.sleep(worked)
            began = time.thread_time()


def _files() -> list[Path]:
    try:
        return list(folder().iterdir())
    except FileNotFoundError:
        return []


def _sweep(name: str) -> None:
    """Drop what `name` took the place of, what is old, and the longest unused where there are more
    than DOWNLOADS_MB of them."""
    now, kept = time.time(), []
    replaced = name.rpartition("-")[0] + "-"
    for path in _files():
        with suppress(FileNotFoundError):
            facts = path.stat()
            age = now - facts.st_mtime
            if path.suffix == ".part":
                if age > LEFT:
                    path.unlink()
            elif (path.name.startswith(replaced) and path.name != name) or age > UNUSED:
                path.unlink()
            else:
                kept.append((age, facts.st_size, path))
    room = settings.DOWNLOADS_MB * 1024 * 1024
    for age, size, path in sorted(kept):
        room -= size
        if room < 0 and age > IN_USE:
            path.unlink(missing_ok=True)
