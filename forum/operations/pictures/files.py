"""The files of pictures, in Django's storage "pictures": a folder, or whatever STORAGES says.

A file is named by the sum of its bytes, so the same picture is kept once, and a name never comes to
mean other bytes. What waits to be decoded stands under "waiting/", tiles under "tiles/".

Each function here raises Away where the storage does not do what it is asked.
"""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.core.files.base import ContentFile, File
from django.core.files.storage import storages
from django.db import connection, transaction

from core.problems import Problem

WAITING = "waiting/"
TILES = "tiles/"  # made of the files: no part of what is backed up
TURN = 7_021_967  # of PostgreSQL's advisory locks; any number that nothing else takes

log = logging.getLogger("forum.operations.pictures")


class Away(Problem, OSError):
    """The storage of pictures did not answer, or could not do what it was asked: for who writes
    files it is one of the errors that a disk has."""

    status = 503

    def __init__(self) -> None:
        super().__init__("The pictures cannot be reached just now. Try again in a few minutes.")


@contextmanager
def _asked() -> Iterator[None]:
    """Around what a storage is asked: whatever else than a missing file it raises is Away. Which
    exceptions those are, the library of each storage knows alone."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        log.warning("the storage of pictures does not answer", exc_info=True)
        raise Away from error


def name_of(sha256: str, kind: str) -> str:
    """The name of the file that holds these bytes."""
    return f"{sha256[:2]}/{sha256}.{kind}"


@_asked()
def add(data: bytes, name: str) -> None:
    """Keep these bytes under this name; what a crash left half written there is replaced."""
    storage = storages["pictures"]
    if storage.exists(name):
        with storage.open(name) as file:
            if hashlib.sha256(file.read()).digest() == hashlib.sha256(data).digest():
                return
        storage.delete(name)
    storage.save(name, ContentFile(data))


@_asked()
def opened(name: str) -> File:
    """The file of this name, open for reading. Raises FileNotFoundError."""
    file = storages["pictures"].open(name)
    # A bucket sends the bytes when they are first asked for: before an answer has begun.
    file.seek(0)
    return file


@_asked()
def is_there(name: str) -> bool:
    """Whether there is a file of this name."""
    return storages["pictures"].exists(name)


@_asked()
def dropped(name: str) -> None:
    """Have no file of this name."""
    storages["pictures"].delete(name)


def listed(folder: str = "") -> Iterator[str]:
    """The names of all files there are, but of tiles."""
    try:
        with _asked():
            folders, names = storages["pictures"].listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}{name}" for name in sorted(names))
    for inner in sorted(folders):
        if f"{folder}{inner}/" != TILES:
            yield from listed(f"{folder}{inner}/")


def tile_name(sha256: str, level: int, x: int, y: int) -> str:
    """The name of the file of one tile of a picture, see `pyramid`."""
    return f"{TILES}{sha256}/{level}/{x}_{y}.webp"


@_asked()
def tiled() -> list[str]:
    """The sums of the pictures of which there are tiles."""
    try:
        return sorted(storages["pictures"].listdir(TILES)[0])
    except FileNotFoundError:
        return []


@_asked()
def drop_tiles(sha256: str) -> None:
    """Have no tiles of the picture with this sum."""
    storage, folder = storages["pictures"], f"{TILES}{sha256}"
    try:
        levels, _ = storage.listdir(folder)
    except FileNotFoundError:
        return
    for inner in (f"{folder}/{level}" for level in levels):
        for name in storage.listdir(inner)[1]:
            storage.delete(f"{inner}/{name}")
        _drop_folder(inner)
    _drop_folder(folder)


def _drop_folder(name: str) -> None:
    with suppress(OSError):  # somebody came to need it again
        storages["pictures"].delete(name)


@contextmanager
def in_turn() -> Iterator[None]:
    """A transaction in which nobody else adds or drops files: between the look whether a file is
    still needed and its end nobody comes to need it. (SQLite has one writer in any case.)"""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])
        yield
