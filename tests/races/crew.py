"""The processes that race each other, as the tests see them, and the ledger that they share.

Each is a Python of its own that has loaded the forum as a web worker does, with its own connection
to the test database; see tests/races/worker.py for what they can do.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SIZE = 8
ROOT = Path(__file__).parents[2]


class Failed(AssertionError):
    """A process met an exception that the act does not announce. The message is its traceback."""


class Gone(Failed):
    """A process ended before it had done its job."""


class Process:
    """One process. It does one job at a time."""

    def __init__(self, line: socket.socket) -> None:
        self.line = line.makefile("rw", encoding="utf-8")
        line.close()  # the file keeps it open
        self.pid = int(self.line.readline())

    def give(self, job: str, *, at: float = 0, **arguments) -> None:
        """Let it do `job` of tests/races/worker.py, from the moment `at` on."""
        self.line.write(json.dumps({"job": job, "at": at, "arguments": arguments}) + "\n")
        self.line.flush()

    def answer(self):
        """Wait for the end of its job and return what it brought; raises Failed or Gone."""
        told = self.line.readline()
        if not told:
            raise Gone(f"process {self.pid} ended by itself")
        told = json.loads(told)
        if "error" in told:
            raise Failed(told["error"])
        return told["result"]

    def kill(self) -> None:
        """End it without warning, wherever it is, and wait until it is gone. Raises Failed if an
        exception had ended its job before."""
        os.kill(self.pid, signal.SIGKILL)
        told = ""
        with suppress(ConnectionError):
            told = self.line.read()
        self.line.close()
        if '"error"' in told:
            raise Failed(told)


class Crew:
    """Eight processes, or another number of them, on the test database.

    One more loads the forum, which takes half a second, and is forked for each of them: none has
    anything of the tests' own process, and the place of one that was killed is soon taken. All of
    them end when the tests do, since each reads from them.
    """

    def __init__(
        self, database_url: str, folder: Path, size: int = SIZE, errors: Path | None = None
    ) -> None:
        self.server = socket.socket(socket.AF_UNIX)
        self.server.settimeout(300)  # of a machine that does much else
        self.server.bind(str(folder / "crew"))
        self.server.listen()
        self.leader = subprocess.Popen(
            [sys.executable, "-m", "tests.races.worker", folder / "crew"],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": database_url,
                "JONBAR_WEB": "1",  # with the time limits of a web worker
                "POSTS_PER_MINUTE": "0",
                "STARTS_PER_HOUR": "0",
                "REPEAT_MINUTES": "0",
                "HOLD_NEW_LINKS": "0",
            },
            stdin=subprocess.PIPE,
            stderr=errors.open("a") if errors else None,
            text=True,
        )
        self.processes = [self._new() for _ in range(size)]

    def _new(self) -> Process:
        self.leader.stdin.write("one more\n")
        self.leader.stdin.flush()
        return Process(self.server.accept()[0])

    def together(self, jobs: Iterable[tuple[str, dict]]) -> list:
        """Let as many processes as there are jobs, (name, arguments), begin at the same moment;
        returns what they brought, in order. Raises Failed if any of them met an exception."""
        jobs = list(jobs)
        if len(jobs) > len(self.processes):
            raise ValueError(f"{len(jobs)} jobs for {len(self.processes)} processes")
        busy = self.processes[: len(jobs)]
        at = time.time() + 0.05
        for process, (job, arguments) in zip(busy, jobs, strict=True):
            process.give(job, at=at, **arguments)
        told, failures = [], []
        for process in busy:  # all of them, so that nobody is left busy for the next test
            try:
                told.append(process.answer())
            except Failed as failure:
                failures.append(str(failure))
        if failures:
            raise Failed("\n".join(failures))
        return told

    def replace(self, process: Process) -> Process:
        """Put a new process in the place of one that was killed."""
        new = self._new()
        self.processes[self.processes.index(process)] = new
        return new

    def dismiss(self) -> None:
        """End all of them."""
        for process in self.processes:
            process.kill()
        self.leader.stdin.close()
        self.leader.wait(timeout=300)
        self.server.close()


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: process `pid` is about to post with this token in answer to post
    `about` ("try"), or was told that the token made post `about` ("ack")."""

    kind: str
    pid: int
    token: str
    about: int


class Ledger:
    """A file to which all processes append what they try and what was acknowledged to them.

    An appended line is there whole or not at all, and outlives the process that wrote it.
    """

    STOP = "stop"

    def __init__(self, path: Path | str) -> None:
        self.descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND)
        self.offset = 0
        self.stopped = False

    def write(self, kind: str, token: str = "-", about: int = 0) -> None:
        """Add a line."""
        os.write(self.descriptor, f"{kind} {os.getpid()} {token} {about}\n".encode())

    def news(self) -> Iterator[Entry]:
        """The entries since the last call; `stopped` is set if one said so."""
        while chunk := os.pread(self.descriptor, 1 << 20, self.offset):
            whole = chunk[: chunk.rindex(b"\n") + 1]
            self.offset += len(whole)
            for line in whole.decode().splitlines():
                kind, pid, token, about = line.split()
                if kind == self.STOP:
                    self.stopped = True
                else:
                    yield Entry(kind, int(pid), token, int(about))

    def close(self) -> None:
        """Close the file."""
        os.close(self.descriptor)


def percentile(values: Iterable[float], share: float) -> float:
    """The value that `share` (0..1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def seeded(*parts: object) -> random.Random:
    """A generator whose choices are the same in every run."""
    return random.Random(" ".join(map(str, parts)))
