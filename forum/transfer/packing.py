"""Debates that leave with their pictures: a zip with the fixture, or the Markdown, and the files
beside it. Written in parts, in constant memory; the same debate gives the same bytes."""

import io
from collections.abc import Iterable, Iterator, Sequence
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from forum.models import Picture, Thread
from forum.operations import pictures as files

from . import exporting
from .beside import FOLDER

TYPE = "application/zip"
IMAGES = "images/"
PIECE = 1 << 20
# Of the pictures in a zip that any reader may have made: it keeps a worker busy and fills the disk.
# `export_thread` packs as many as there are.
MOST_BYTES = 200 * 1024 * 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)


def fixture(threads: Sequence[Thread], *, user) -> Iterator[bytes]:
    """A zip with the fixture of these debates and the files of their pictures, as `beside.Packed`
    reads it. Raises NotWhole at once."""
    text = exporting.several(list(threads), user=user)
    shown = [picture for thread in threads for picture in exporting.pictures_of(thread)]
    named = {f"{FOLDER}{one.sha256}.{one.kind}": one for one in shown}
    return _packed("debate.json", text, named.items())


def markdown(thread: Thread, *, address: str) -> Iterator[bytes]:
    """A zip with a debate as Markdown, and its pictures in a folder to which the text leads. Raises
    NotWhole at once."""
    named = {f"{IMAGES}{one.key}.{one.kind}": one for one in exporting.pictures_of(thread)}
    images = {picture.key: name for name, picture in named.items()}
    text = exporting.markdown(thread, address=address, images=images)
    return _packed("debate.md", text, named.items())


def _packed(
    name: str, text: Iterable[str], pictures: Iterable[tuple[str, Picture]]
) -> Iterator[bytes]:
    out = _Out()
    with ZipFile(out, "w") as archive:
        with archive.open(_entry(name, ZIP_DEFLATED), "w") as entry:
            for piece in text:
                entry.write(piece.encode())
                yield out.taken()
        for path, picture in pictures:
            try:
                opened = files.opened(files.name_of(picture.sha256, picture.kind))
            except FileNotFoundError:
                continue  # check_forum says so; the rest of the debate is worth having
            with opened as file, archive.open(_entry(path, ZIP_STORED), "w") as entry:
                while data := file.read(PIECE):
                    entry.write(data)
                    yield out.taken()
    yield out.taken()


def _entry(name: str, how: int) -> ZipInfo:
    entry = ZipInfo(name, _EPOCH)
    entry.compress_type = how
    entry.create_system = 3  # the same on every system
    entry.external_attr = 0o644 << 16
    return entry


class _Out(io.RawIOBase):
    """A file that is handed on as it is written, and cannot go back."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self.written += data
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        data = bytes(self.written)
        self.written.clear()
        return data
