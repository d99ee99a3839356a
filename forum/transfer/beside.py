"""The files of pictures beside a fixture: in its folder, or in one zip with it. They are named by
the sums of their bytes, and a name that is not such is never looked for, so that none leads out of
the folder; nothing is ever unpacked.

    debate.json
    pictures/<SHA-256>.<kind>
"""

import hashlib
import re
import zlib
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from . import Rejected
from .spool import copied

FOLDER = "pictures/"
NAME = re.compile(r"[0-9a-f]{64}\.(?:png|jpeg|webp|gif)")
MOST_BYTES = 40 * 1024 * 1024  # of one picture, as it is kept
MOST_FILES = 5_000  # of one zip
MOST_OF_DIRECTORY = MOST_FILES * 256  # bytes that name them: a path and its sum take 130
_FIXTURE = re.compile(r"[^/\\]{1,200}\.json", re.IGNORECASE)
# What reading a zip raises where it is none, is broken, has a password or, the one whose name tells
# of something unfinished, is packed in a way that zipfile does not know.
_BROKEN = (BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)
_ENCRYPTED = 1  # a flag of an entry

_TOO_MANY = f"it names more files than the {MOST_FILES:,} that are allowed."

Reader = Callable[[str], bytes | None]


def nothing(_file: str) -> bytes | None:
    """The reader of a fixture that has no files beside it."""
    return None


def in_folder(folder: Path) -> Reader:
    """What reads the pictures beside a fixture in this folder. It raises Rejected for a file that
    is too large, or whose bytes have another sum than its name says."""

    def read(file: str) -> bytes | None:
        path = folder / FOLDER / file
        if not NAME.fullmatch(file) or not path.is_file():
            return None
        try:
            with path.open("rb") as opened:
                return _checked(opened, file)
        except OSError as error:
            raise Rejected(f"{FOLDER}{file}: it cannot be read ({error.strerror}).") from None

    return read


class _Opened:
    """A zip whose directory is read as far as it can be one of ours: what its end says of its
    length and of the number of files is only what somebody wrote there."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.file, self.name = file, name
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self.opening = True

    def read(self, size: int = -1) -> bytes:
        if not self.opening:
            return self.file.read(size)
        most = MOST_OF_DIRECTORY + 1
        data = self.file.read(most if size < 0 else min(size, most))
        if len(data) == most:
            raise Rejected(f"{self.name}: {_TOO_MANY}")
        return data

    def close(self) -> None:
        self.file.close()


class Packed:
    """A zip with one fixture and its pictures. Raises Rejected for a zip that is broken, or holds
    anything else."""

    def __init__(self, file: IO[bytes] | Path, name: str) -> None:
        self.name = name
        with self._readable():
            opened = _Opened(file.open("rb") if isinstance(file, Path) else file, name)
            self.zip = ZipFile(opened)
            opened.opening = False
            self.fixture, self.files = self._sorted(self.zip.infolist())

    def _sorted(self, entries: list[ZipInfo]) -> tuple[ZipInfo, dict[str, ZipInfo]]:
        fixtures: list[ZipInfo] = []
        files: dict[str, ZipInfo] = {}
        if len(entries) > MOST_FILES:
            raise self._rejected(_TOO_MANY)
        for entry in entries:
            shown = entry.filename[:80]
            if entry.filename == FOLDER:
                continue
            if entry.flag_bits & _ENCRYPTED:
                raise self._rejected(f"{shown!a} is locked with a password.")
            if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
                raise self._rejected(f"{shown!a} is packed in a way that is not read here.")
            file = entry.filename.removeprefix(FOLDER)
            if _FIXTURE.fullmatch(entry.filename):
                fixtures.append(entry)
            elif file == entry.filename or not NAME.fullmatch(file):
                raise self._rejected(
                    f"{shown!a} does not belong to a fixture: beside its .json there are pictures, "
                    f"as {FOLDER}<SHA-256>.png."
                )
            elif file in files:
                raise self._rejected(f"{shown!a} stands twice in it.")
            else:
                files[file] = entry
        if len(fixtures) != 1:
            raise self._rejected("a zip holds one fixture (.json), and its pictures.")
        return fixtures[0], files

    def fixture_file(self, most: int) -> IO[bytes]:
        """A copy of the fixture, or of its beginning, `most` bytes and one more, where it is
        larger; whoever asked for it closes it."""
        with self._readable(), self.zip.open(self.fixture) as opened:
            return copied(opened, most)

    def read(self, file: str) -> bytes | None:
        """The bytes of a picture, None if it is not there. Raises Rejected as `in_folder`."""
        if file not in self.files:
            return None
        with self._readable(), self.zip.open(self.files[file]) as opened:
            return _checked(opened, file)

    def read_within(self, most: int) -> Reader:
        """The same with a limit for all pictures together: a small zip may hold much."""
        left = most

        def read(file: str) -> bytes | None:
            nonlocal left
            data = self.read(file)
            left -= len(data or b"")
            if left < 0:
                raise self._rejected(
                    f"its pictures have more than {most // 1024 // 1024} MB. Larger ones are "
                    "loaded by the command loaddata."
                )
            return data

        return read

    @contextmanager
    def _readable(self):
        try:
            yield
        except _BROKEN as error:
            if isinstance(error, Rejected):
                raise
            raise self._rejected(f"this zip is broken ({error}).") from None

    def _rejected(self, sentence: str) -> Rejected:
        return Rejected(f"{self.name}: {sentence}")


def _checked(opened: IO[bytes], file: str) -> bytes:
    """All bytes of a file, which have the sum that its name says. Raises Rejected."""
    data = opened.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        limit = MOST_BYTES // 1024 // 1024
        raise Rejected(f"{FOLDER}{file}: larger than {limit} MB.")
    if hashlib.sha256(data).hexdigest() != file.partition(".")[0]:
        raise Rejected(f"{FOLDER}{file}: its bytes have another sum than its name says.")
    return data
