"""Files that are there whole or not at all, whatever happens while they are written."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def whole_file(path: Path, *, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Give a file to write bytes to, which gets the name `path` once the block has ended well and
    all is on the disk. Until then what had that name stands; it does so, and nothing else is left,
    if the block raises. A new file has the permissions `mode`, less what the umask takes.

    What is no file (a terminal, a pipe) is written to as it is. Raises OSError.
    """
    path = path.resolve()  # the file that a link leads to is replaced, not the link
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    partial = path.with_name(f".jonbar-{secrets.token_hex(8)}.partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, partial)
        put_in_place(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def put_in_place(partial: Path, path: Path) -> None:
    """Give a file that is on the disk its name, in the place of what had it; the folder is on the
    disk as well when this returns. Raises OSError."""
    partial.replace(path)
    with contextlib.suppress(OSError):  # some systems do not open folders
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
