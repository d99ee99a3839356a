"""What is read of a file and not needed at once, kept in a file of its own, and copies of what can
be read only once."""

import pickle
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from weakref import finalize

IN_MEMORY = 1024 * 1024  # bytes of what is small, which needs no file
NEAR = 16  # things that are at hand, since debates quote what was said last
Data = bytes | IO[bytes]  # of a file that is read; one that is open is read from its beginning


class Spool:
    """A file without a name that holds things of any kind, and is gone with this object. What is
    taken out of it may be a copy: nothing that is changed there comes back."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # closed below
        self._end = 0
        self._near: dict[int, Any] = {}
        finalize(self, self._file.close)

    def put(self, thing: Any) -> int:
        """Keep it, and return the number by which `get` finds it."""
        at = self._end
        data = pickle.dumps(thing, pickle.HIGHEST_PROTOCOL)
        self._file.seek(at)
        self._file.write(data)
        self._end += len(data)
        self._hold(at, thing)
        return at

    def get(self, at: int) -> Any:
        """What was kept under this number."""
        if at not in self._near:
            self._file.seek(at)
            self._hold(at, pickle.load(self._file))  # nobody else writes to it
        return self._near[at]

    def _hold(self, at: int, thing: Any) -> None:
        self._near[at] = thing
        if len(self._near) > NEAR:
            del self._near[next(iter(self._near))]


def opened(data: Data) -> IO[bytes]:
    """The bytes as a file."""
    return BytesIO(data) if isinstance(data, bytes) else data


def size_of(data: Data) -> int:
    """How many bytes it has."""
    return len(data) if isinstance(data, bytes) else data.seek(0, 2)


def whole(data: Data) -> bytes:
    """All its bytes."""
    return data if isinstance(data, bytes) else beginning(data, -1)


def beginning(data: Data, most: int) -> bytes:
    """Its first bytes, at most so many."""
    file = opened(data)
    file.seek(0)
    return file.read(most)


def copied(file: IO[bytes], most: int) -> IO[bytes]:
    """A copy of what can still be read of a file, gone when it is closed: `most` bytes and one
    more, where it is larger."""
    copy = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # whoever asked for it closes it
    left = most + 1
    while left and (piece := file.read(min(left, IN_MEMORY))):
        left -= len(piece)
        copy.write(piece)
    return copy
