"""The files of pictures in an archive: a table of their own, after all others, whose rows are
pieces of files. So they are summed, sealed and compared as rows are."""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from itertools import groupby

from .. import pictures
from .snapshot import Sum, Unusable, line_of

TABLE = "files of pictures"  # no database has a table of this name
COLUMNS = ["name", "piece", "bytes"]
PIECE = 1 << 20
_NAME = re.compile(r"[0-9a-f]{2}/[0-9a-f]{64}\.[a-z]{3,4}|waiting/[a-z0-9]{12}")


def rows() -> Iterator[list]:
    """All files as rows, the bytes as Base64; one that goes meanwhile is left out."""
    for name in pictures.listed():
        try:
            with pictures.opened(name) as file:
                data = file.read()
        except FileNotFoundError:
            continue
        yield from _pieces(name, data)


class Taken:
    """The files that were taken out of an archive: all that it holds, and those of them that were
    not here before."""

    def __init__(self) -> None:
        self.held: list[str] = []
        self.added: list[str] = []

    def take(self, found: Iterator[list]) -> None:
        """Add the files that these rows hold. Raises Unusable for what is none of a picture."""
        here = set(pictures.listed())
        for name, pieces in groupby(found, lambda row: row[0]):
            if not _NAME.fullmatch(name):
                raise Unusable(f"{name!r} is no name of a picture.")
            self.held.append(name)
            if name not in here:
                self.added.append(name)
            pictures.add(b"".join(b64decode(piece) for _, _, piece in pieces), name)

    def drop_added(self) -> None:
        """Take back what was added: the archive could not be restored."""
        for name in self.added:
            pictures.dropped(name)


def sum_of(names: Iterable[str]) -> dict:
    """The rows and the sum of these files, as they are kept now."""
    total = Sum()
    for name in names:
        with pictures.opened(name) as file:
            for row in _pieces(name, file.read()):
                total.add(line_of(row))
    return total.summary()


def _pieces(name: str, data: bytes) -> Iterator[list]:
    for number, at in enumerate(range(0, len(data), PIECE)):
        yield [name, number, b64encode(data[at : at + PIECE]).decode()]
