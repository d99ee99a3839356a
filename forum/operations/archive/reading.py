"""Reading an archive, and judging it before anything is made of it."""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core import progress

from .snapshot import Sum, Unusable
from .writing import FORMAT, seal

# What reading bytes that nobody wrote like this can raise.
BROKEN = (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError, AttributeError)
BLOCK = 1 << 20
MB = 1_000_000
BATCH = 1000  # rows after which it is asked how far it is


class Contents:
    """What an archive holds, read from its begin to its end. `tables` must be gone through, and the
    rows of each; then `summary` has the rows and sum of each, `sequences` the counters of ids."""

    def __init__(self, file, packed) -> None:
        self.file, self.packed = file, packed
        self.summary: dict[str, dict] = {}
        self.sequences: dict[str, int] = {}
        self.head = self._next_line()
        if self.head.get("jonbar") not in range(1, FORMAT + 1):
            raise Unusable("This is not an archive that this version of the forum can read.")
        self.migrations = [(str(app), str(name)) for app, name in self.head["migrations"]]

    def tables(self) -> Iterator[tuple[str, list[str], Iterator[list]]]:
        """Each table: its name, its columns, its rows. Raises Unusable where the rows are not those
        that were written."""
        while "complete" not in (line := self._next_line()):
            if "table" not in line:
                raise Unusable("The archive ends too early.")
            table, total = line["table"], Sum()
            yield table, list(line["columns"]), self._rows(total)
            if {"end": table, **total.summary()} != self._end:
                raise Unusable(f"The rows of {table} are not those that were written.")
            self.summary[table] = total.summary()
        if line["complete"] != len(self.summary):
            raise Unusable("The archive lacks tables.")
        self.sequences = {str(table): int(last) for table, last in line["sequences"].items()}

    def _next_line(self) -> dict:
        raw = self.file.readline()
        if not raw:
            raise Unusable("The archive ends too early.")
        line = json.loads(raw)
        if not isinstance(line, dict):
            raise ValueError("a row stands where there should be none")
        return line

    def _rows(self, total: Sum) -> Iterator[list]:
        self._end = None
        while line := self.file.readline().rstrip(b"\n"):
            row = json.loads(line)
            if isinstance(row, dict):
                self._end = row
                return
            total.add(line)
            yield row
        raise Unusable("The archive ends too early.")


@contextmanager
def opened(path: Path) -> Iterator[Contents]:
    """Gives what an archive holds; what is broken about it is raised as Unusable."""
    try:
        with path.open("rb") as packed, gzip.open(packed, "rb") as file:
            yield Contents(file, packed)
    except BROKEN as error:
        raise Unusable(f"The archive is broken: {error}.") from error


def check(path: Path) -> dict[str, dict]:
    """Read all of an archive and return the rows and sum of each table. Raises Unusable, with a
    sentence, if a single bit of it is not as it was written.

    Those of the first format have no seal: of these, all that was packed is compared with its sums.
    """
    sealed = _is_sealed(path)
    with opened(path) as contents:
        if contents.head["jonbar"] > 1 and not sealed:
            raise Unusable("The archive is broken: it is not what its last line is the sum of.")
        progress.begin("MB of the archive read", path.stat().st_size // MB)
        for _, _, rows in contents.tables():
            for number, _ in enumerate(rows):
                if not number % BATCH:
                    progress.reach(contents.packed.tell() // MB)
        if sealed:
            contents.file.readline()
        # To the end, where gzip keeps a sum of its own.
        if contents.file.read(1):
            raise Unusable("The archive is broken: it goes on after its end.")
        return contents.summary


def _is_sealed(path: Path) -> bool:
    """Whether a file ends with the sum of all that stands before."""
    length = len(seal("0" * 64))
    try:
        with path.open("rb") as file:
            left, total = path.stat().st_size - length, hashlib.sha256()
            while left > 0 and (block := file.read(min(BLOCK, left))):
                total.update(block)
                left -= len(block)
            return file.read() == seal(total.hexdigest())
    except OSError as error:
        raise Unusable(f"The archive cannot be read: {error.strerror}.") from error


def describe(path: Path) -> str:
    """A sentence on when and of which database an archive was taken. Raises Unusable."""
    with opened(path) as contents:
        head, source = contents.head, contents.head.get("source") or {}
        taken = f"Taken {head['taken']}"
        if not source:
            return f"{taken}."
        if source["database"] == "sqlite":
            return f"{taken} of the SQLite file {source['name']}."
        kind = "standby" if source["standby"] else "server"
        last = f", whose last act was at {source['replayed']}" if source["standby"] else ""
        return (
            f"{taken} of the PostgreSQL {kind} {source['server']} (system {source['system']}), "
            f"database {source['name']}, timeline {source['timeline']}, "
            f"position {source['position']}{last}."
        )
