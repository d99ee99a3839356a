"""Pictures that come with a debate from elsewhere: nobody here sent them, and they are trusted no
more than what members send.

Each keeps the key by which the texts of its debate name it. Where that is another picture's here,
or the same bytes were erased here, the picture is left out, and its place in a text stays a link.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from django.db import DatabaseError, transaction

from core import clock
from forum.operations import pictures as files

from ..models import Picture
from . import tiles
from .composing import Unacceptable
from .gone_pictures import drop_files
from .maps import PLAIN, Mark, columns_of
from .pictures import keep, make_ready, waiting_name, was_erased, words_of

ERASED = "it was erased here for a legal reason"
TAKEN = "another picture here has its key"
AT_ONCE = 10  # pictures decoded while somebody waits; each takes a program of its own
NO_FILE = "its file is not beside the fixture"


class Brought(NamedTuple):
    """A picture as a fixture tells of it: its key, the name of its file ("<SHA-256>.<kind>"), its
    words, and whether it is a map, a flag or a cover."""

    key: str
    file: str
    alt: str
    credit: str
    source: str
    details: Mark = PLAIN

    @property
    def sha256(self) -> str:
        """The sum that the file has to have."""
        return self.file.partition(".")[0]


def found(pictures: Collection[Brought]) -> tuple[dict[str, Picture], list[str]]:
    """Those of these pictures that are here, by key, and why others are not, one sentence each."""
    rows = {row.key: row for row in Picture.objects.filter(key__in=[one.key for one in pictures])}
    here: dict[str, Picture] = {}
    notes = []
    for one in pictures:
        row = rows.get(one.key)
        if was_erased(one.sha256):
            notes.append(f"The picture {one.key} is left out: {ERASED}.")
        elif row is None:
            notes.append(f"The picture {one.key} is left out: {NO_FILE}.")
        elif _is_same(row, one):
            here[one.key] = row
        else:
            notes.append(f"The picture {one.key} is left out: {TAKEN}.")
    return here, notes


def _is_same(row: Picture, one: Brought) -> bool:
    """Whether a picture with the same key came with a debate as well, with the same bytes. What a
    member sent is theirs: no fixture shows it by knowing its key."""
    return row.member_id is None and row.sent_sha256 == one.sha256


@contextmanager
def brought(
    pictures: Iterable[Brought], read: Callable[[str], bytes | None], *, at_once: bool
) -> Iterator[None]:
    """Bring pictures in, for the debates that are loaded within: `read` gives the bytes of a file
    that was checked to have its sum, None where there is none. `at_once`: somebody waits, so that
    large ones are left to the worker, and all after the first AT_ONCE. If anything is refused, here
    or within, nothing is kept.

    Raises Unacceptable.
    """
    added: list[Picture] = []
    try:
        for one in pictures:
            later = at_once and len(added) >= AT_ONCE
            if row := _bring(one, read, at_once=at_once, later=later):
                added.append(row)
        yield
    except BaseException:
        with suppress(DatabaseError):  # where it is away they are swept out
            _forget(added)
        raise


def _forget(pictures: list[Picture]) -> None:
    """Have none of these that no text shows: what a load that broke off left is begun again."""
    with transaction.atomic():
        new = Picture.objects.filter(pk__in=[row.pk for row in pictures], uses=None)
        rows = list(new)
        Picture.objects.filter(pk__in=[row.pk for row in rows]).delete()
    drop_files(rows)


def _bring(
    one: Brought, read: Callable[[str], bytes | None], *, at_once: bool, later: bool
) -> Picture | None:
    """The row of a picture that was not here before; `later` it is decoded by the worker."""
    words = words_of(alt=one.alt, credit=one.credit, source=one.source) | columns_of(one.details)
    if not _may_come(one) or (data := read(one.file)) is None:
        return None
    decoded = None
    try:
        if not later:
            decoded = files.decode(data, at_once=at_once, as_it_is=True)
    except files.Later:
        pass
    except files.Undecodable as problem:
        raise Unacceptable(f"the picture {one.key}: {problem.sentence}") from None
    sent = hashlib.sha256(data).hexdigest()
    with files.in_turn():
        if not _may_come(one):
            return None
        picture = Picture(key=one.key, sent_sha256=sent, sent_bytes=len(data), **words)
        picture.created_at = clock.now()
        if decoded is None:
            files.add(data, waiting_name(picture))
        else:
            keep(picture, decoded)
        picture.save()
        if decoded is None:
            make_ready.enqueue(picture.pk)
        else:
            tiles.ask_for(picture)
            picture.save(update_fields=["tiles"])
    return picture


def _may_come(one: Brought) -> bool:
    if was_erased(one.sha256):
        return False
    row = Picture.objects.filter(key=one.key).first()
    if row is not None and _is_same(row, one):
        # The day after which it is swept out begins anew.
        Picture.objects.filter(pk=row.pk).update(created_at=clock.now())
    return row is None
