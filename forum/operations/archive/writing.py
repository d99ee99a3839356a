"""Writing an archive."""

import gzip
import hashlib
import struct
import zlib
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS

from core import progress
from core.files import whole_file

from . import pictures
from .snapshot import DATABASE_ERRORS, Snapshot, Sum, Unusable, first_line, line_of

FORMAT = 3  # 1 had no seal and did not say of which server it was, 2 no pictures
HEADER = b"\x1f\x8b\x08" + bytes(6) + b"\xff"  # of a part packed by gzip: no name, no time


class _Summed:
    """A file that is written to, and the sum of all bytes that were."""

    def __init__(self, file) -> None:
        self.file, self.sum = file, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.sum.update(data)
        return self.file.write(data)

    def flush(self) -> None:
        self.file.flush()


def seal(digest: str) -> bytes:
    """The last part of an archive: the SHA-256 of all bytes before it, as a line packed by gzip.

    Its bytes follow from the digest alone, whichever library packs: so each of them can be checked.
    """
    line = line_of({"sha256": digest}) + b"\n"
    stored = b"\x01" + struct.pack("<HH", len(line), len(line) ^ 0xFFFF) + line
    return HEADER + stored + struct.pack("<II", zlib.crc32(line), len(line))


def write(
    path: Path, *, using: str = DEFAULT_DB_ALIAS, standby: str | None = None
) -> dict[str, dict]:
    """Write an archive of a database and of the files of pictures, readable by its owner only, and
    return the rows and sum of each table. The file has its name only once it is complete and on the
    disk.

    Raises Unusable if the database cannot be read, or if it is a standby, which may be behind: only
    `standby`, "host" or "host:port", names one that is to be read. Raises OSError.
    """
    with closing(Snapshot(using, standby=standby)) as snapshot, whole_file(path, mode=0o600) as to:
        file = _Summed(to)
        try:
            with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=5, mtime=0) as packed:
                summed = _write_lines(snapshot, packed)
        except DATABASE_ERRORS as error:
            raise Unusable(f"The database gave up: {first_line(error)}") from error
        to.write(seal(file.sum.hexdigest()))
    return summed


def _write_lines(snapshot: Snapshot, packed) -> dict[str, dict]:
    summed = {}
    head = {
        "jonbar": FORMAT,
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": snapshot.source,
        "migrations": snapshot.migrations(),
    }
    packed.write(line_of(head) + b"\n")
    tables = snapshot.tables()
    progress.begin("rows written", snapshot.size(tables) if progress.is_shown() else None)
    for table in tables:
        with snapshot.rows(table) as (columns, rows):
            summed[table] = _write_table(packed, table, columns, rows)
    # After the rows that tell of them: a file is there before its row is.
    summed[pictures.TABLE] = _write_table(packed, pictures.TABLE, pictures.COLUMNS, pictures.rows())
    end = {"complete": len(summed), "sequences": snapshot.sequences()}
    packed.write(line_of(end) + b"\n")
    return summed


def _write_table(packed, table: str, columns: list[str], rows: Iterable[list]) -> dict:
    total = Sum()
    packed.write(line_of({"table": table, "columns": columns}) + b"\n")
    for row in rows:
        line = line_of(row)
        total.add(line)
        packed.write(line + b"\n")
        progress.advance()
    summary = total.summary()
    packed.write(line_of({"end": table, **summary}) + b"\n")
    return summary
