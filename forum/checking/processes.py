"""Going through debates by several processes at once.

Each is handed some debates, says as it goes how many posts it looked at, and in the end what it
found; then it is handed the next. What was found comes out in the order of the debates, whichever
process was the fastest.
"""

import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import cast

from django.db import connection, connections

from core import progress

from .faults import Fault

Work = Callable[[int, Counter[str]], Iterator[Fault]]
Part = list[int]  # the ids of some debates
Found = tuple[Part, list[Fault], Counter[str]]
SQLITE_WAITS = 600_000  # milliseconds for the one that writes, whom the others keep waiting

_context = get_context("fork")


class Ended(Exception):
    """One of the processes ended before it was through. The message says why, if it could say."""


def each_part(parts: Iterator[Part], work: Work, jobs: int) -> Iterator[Found]:
    """Do `work` for each debate of each part, by so many processes, and give each part with what
    was found in it and what was counted, in their order. No transaction may be open. Raises Ended.
    """
    connections.close_all()  # a child must never speak on the connection of its parent
    processes = [_Process(work) for _ in range(jobs)]
    try:
        yield from _in_order(parts, [process.pipe for process in processes])
    finally:
        for process in processes:
            process.end()


class _Process:
    """One process, and the pipe to it."""

    def __init__(self, work: Work) -> None:
        self.pipe, theirs = _context.Pipe()
        self.process = _context.Process(target=_work, args=(self.pipe, theirs, work), daemon=True)
        self.process.start()
        theirs.close()

    def end(self) -> None:
        """It may be in the midst of a debate, whose transaction is rolled back then."""
        self.pipe.close()
        self.process.terminate()
        self.process.join()


def _in_order(parts: Iterator[Part], idle: list[Connection]) -> Iterator[Found]:
    numbered = enumerate(parts)
    at: dict[Connection, tuple[int, Part]] = {}
    found: dict[int, Found] = {}
    following = 0
    while True:
        while idle and (handed := next(numbered, None)):
            pipe = idle.pop()
            pipe.send(handed[1])
            at[pipe] = handed
        if not at:
            return
        for pipe in cast(list[Connection], wait(list(at))):
            answer = _answer(pipe)
            if isinstance(answer, int):
                progress.advance(answer)
                continue
            number, part = at.pop(pipe)
            found[number] = (part, *answer)
            idle.append(pipe)
        while following in found:
            yield found.pop(following)
            following += 1


def _answer(pipe: Connection) -> int | tuple[list[Fault], Counter[str]]:
    try:
        answer = pipe.recv()
    except (EOFError, ConnectionError):
        raise Ended("a process of the check was ended from outside") from None
    if isinstance(answer, str):
        raise Ended(answer)
    return answer


def _work(ours: Connection, pipe: Connection, work: Work) -> None:
    """What a process does until nothing more is handed to it. Ctrl-C is its parent's to hear."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ours.close()  # or the end of the parent would not be heard
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {SQLITE_WAITS}")
    with suppress(EOFError, ConnectionError), progress.passed_on(pipe.send):
        while True:
            part, counted, found = pipe.recv(), Counter[str](), list[Fault]()
            try:
                for pk in part:
                    found += work(pk, counted)
            except Exception:
                pipe.send(traceback.format_exc())
                return
            pipe.send((found, counted))
