"""The files of pictures, in Django's storage "pictures": a folder, or whatever STORAGES says.

A file is named by the sum of its bytes, so the same picture is kept once, and a name never comes to
mean other bytes. What waits to be decoded stands under "waiting/".
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.files.base import ContentFile, File
from django.core.files.storage import storages
from django.db import connection, transaction

WAITING = "waiting/"
TURN = 7_021_967  # of PostgreSQL's advisory locks; any number that nothing else takes


def name_of(sha256: str, kind: str) -> str:
    """The name of the file that holds these bytes."""
    return f"{sha256[:2]}/{sha256}.{kind}"


def add(data: bytes, name: str) -> None:
    """Keep these bytes under this name; what a crash left half written there is replaced."""
    storage = storages["pictures"]
    if storage.exists(name):
        with storage.open(name) as file:
            if hashlib.sha256(file.read()).digest() == hashlib.sha256(data).digest():
                return
        storage.delete(name)
    storage.save(name, ContentFile(data))


def opened(name: str) -> File:
    """The file of this name, open for reading. Raises FileNotFoundError."""
    return storages["pictures"].open(name)


def dropped(name: str) -> None:
    """Have no file of this name."""
    storages["pictures"].delete(name)


def listed(folder: str = "") -> Iterator[str]:
    """The names of all files there are."""
    try:
        folders, names = storages["pictures"].listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}{name}" for name in sorted(names))
    for inner in sorted(folders):
        yield from listed(f"{folder}{inner}/")


@contextmanager
def in_turn() -> Iterator[None]:
    """A transaction in which nobody else adds or drops files: between the look whether a file is
    still needed and its end nobody comes to need it. (SQLite has one writer in any case.)"""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])
        yield
