"""How far a long command is: one line of the terminal, written anew a few times a second.

A process has one such line, so whatever is long says `begin` and `advance` wherever it is, without
knowing who asked for it. Only a command switches it on (`shown`), and only where the standard error
is a terminal: into a pipe, a file or the log of a server not a byte of it is written.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TextIO, TypeVar

Thing = TypeVar("Thing")

INTERVAL = 0.25  # seconds from one writing to the next
MINUTE, HOUR = 60, 3600


class _Count:
    """How many of what are done."""

    def __init__(self, what: str, total: int | None) -> None:
        self.what, self.total, self.done = what, total, 0
        self.began = monotonic()

    def sentence(self) -> str:
        """How far it is, its rate and the time left, as far as these are known."""
        seconds = monotonic() - self.began
        far = f"{self.done:,}"
        rate = self.done / seconds if seconds > 0 else 0
        left = ""
        if self.total:
            share = min(100, 100 * self.done // self.total)
            far += f" of {max(self.total, self.done):,} ({share}%)"
            if rate:
                left = f", {_time(max(0, self.total - self.done) / rate)} left"
        far = f"{self.what}: {far}"  # so that one of them needs no word of its own
        return f"{far}, {rate:,.0f} a second{left}" if rate else far


class _Line:
    """The line, and what it counts at present."""

    def __init__(self, terminal: TextIO) -> None:
        self.terminal = terminal
        self.written = 0  # characters that stand there
        self.at = float("-inf")  # when it was written
        self.count = _Count("", None)

    def advance(self, count: int) -> None:
        self.count.done += count
        self.tick()

    def tick(self) -> None:
        now = monotonic()
        if now - self.at >= INTERVAL:
            self.at = now
            self.write(self.count.sentence())

    def write(self, text: str) -> None:
        # A longer line would break, and what broke off would stay.
        text = text[: _width(self.terminal) - 1]
        self.terminal.write(f"\r{text.ljust(self.written)}")
        self.terminal.flush()
        self.written = len(text)

    def clear(self) -> None:
        if self.written:
            self.terminal.write(f"\r{' ' * self.written}\r")
            self.terminal.flush()
            self.written = 0


class _Relay(_Line):
    """The line of a process that has none of its own: its parent counts."""

    def __init__(self, send: Callable[[int], None]) -> None:
        super().__init__(sys.stderr)
        self.send = send

    def advance(self, count: int) -> None:
        self.send(count)

    def tick(self) -> None:
        pass


_line: _Line | None = None


@contextmanager
def shown() -> Iterator[None]:
    """Show how far what is done inside is, if the standard error is a terminal. At the end, however
    it comes, the line is gone."""
    global _line
    if _line is not None or not sys.stderr.isatty():
        yield
        return
    line = _line = _Line(sys.stderr)
    try:
        yield
    finally:
        _line = None
        line.clear()


@contextmanager
def passed_on(send: Callable[[int], None]) -> Iterator[None]:
    """Give to `send` what `advance` counts inside, for the process that shows the line."""
    global _line
    before, _line = _line, _Relay(send)
    try:
        yield
    finally:
        _line = before


def is_shown() -> bool:
    """Whether anybody looks: what a total costs need not be paid otherwise."""
    return _line is not None


def begin(what: str, total: int | None = None) -> None:
    """Count something else from here on: `what`, in the plural, of `total` if that is known."""
    if _line is not None:
        _line.count = _Count(what, total)
        _line.tick()


def advance(count: int = 1) -> None:
    """So many more are done."""
    if _line is not None:
        _line.advance(count)


def reach(done: int) -> None:
    """So many are done by now."""
    if _line is not None:
        _line.count.done = done
        _line.tick()


def clear() -> None:
    """Leave the line free for what is to stay on the terminal; the next `advance` writes below."""
    if _line is not None:
        _line.clear()


def track(things: Iterable[Thing], what: str, total: int | None = None) -> Iterator[Thing]:
    """Give what `things` gives, and count each once it is done, whatever that began to count."""
    begin(what, total)
    count = None if _line is None else _line.count
    for thing in things:
        yield thing
        if _line is not None and count is not None:
            _line.count = count
        advance()


def _time(seconds: float) -> str:
    """A time in words that are short."""
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    if seconds < HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds // HOUR:.0f} h {seconds % HOUR // MINUTE:.0f} min"


def _width(terminal: TextIO) -> int:
    try:
        return os.get_terminal_size(terminal.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
