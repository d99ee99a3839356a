"""Pictures that go: erased for good, or swept out since nothing shows them."""

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, TextField
from django.db.models.functions import Cast

from accounts.models import User
from core import clock, progress
from forum.operations import pictures as files

from ..models import Draft, Picture, PictureUse, State, Upload
from . import maps, tiles
from .pictures import waiting_name
from .shown_pictures import show_anew

KEPT_UNUSED = timedelta(days=1)  # by when a picture that no text shows is swept out
CHUNK = 200


def erase(pictures: Iterable[Picture]) -> int:
    """Erase these pictures for good, with all that hold the same bytes; their files go with the
    commit. Called in a transaction, by what asked whether it may. Returns how many rows there
    were."""
    chosen = list(pictures)
    sums = {row.sent_sha256 for row in chosen}
    kept = {row.sha256 for row in chosen} - {""}
    rows = list(
        Picture.objects.select_for_update(no_key=True)
        .filter(Q(sent_sha256__in=sums) | Q(sha256__in=kept))
        .order_by("pk")
    )
    for row in rows:
        row.state, row.why = Picture.State.ERASED, ""
        row.alt = row.credit = row.source = ""
        maps.unmark(row)
        row.save()
    show_anew(rows)
    # A storage that is away keeps nothing from being erased: no view sends the files any more, and
    # they are swept out later.
    transaction.on_commit(lambda: drop_files(rows), robust=True)
    return len(rows)


def unused(pictures: Iterable[Picture]) -> list[Picture]:
    """Those of these pictures that no standing post shows."""
    standing = PictureUse.objects.filter(picture=OuterRef("pk"), post__state=State.VISIBLE)
    ids = [row.pk for row in pictures]
    return list(Picture.objects.filter(~Exists(standing), pk__in=ids).order_by("pk"))


def sweep() -> int:
    """Drop the pictures that no text shows a day after they were sent, and no draft of their
    sender's nor a debate that is looked over at the desk, and files that belong to none. Returns
    how many pictures there were."""
    uses = PictureUse.objects.filter(picture=OuterRef("pk"))
    drafts = Draft.objects.filter(user=OuterRef("member"), text__contains=OuterRef("key"))
    uploads = Upload.objects.annotate(text=Cast("objects_read", TextField()))
    uploads = uploads.filter(text__contains=OuterRef("key"))
    old = Picture.objects.filter(~Exists(uses), ~Exists(drafts), ~Exists(uploads))
    old = old.filter(created_at__lt=clock.now() - KEPT_UNUSED)
    old = old.exclude(state=Picture.State.ERASED)  # it keeps the same bytes from coming back
    progress.begin("pictures swept out")
    count = 0
    while rows := list(old.order_by("pk")[:CHUNK]):
        with files.in_turn():
            # Asked again: a text may have come to show one.
            rows = list(old.select_for_update().filter(pk__in=[row.pk for row in rows]))
            Picture.objects.filter(pk__in=[row.pk for row in rows]).delete()
        drop_files(rows)
        count += len(rows)
        progress.advance(len(rows))
        if not rows:
            break
    _sweep_files()
    return count


def drop_files(rows: Iterable[Picture]) -> None:
    """Drop the files of pictures that went, as far as no other picture holds the same bytes."""
    for row in rows:
        with files.in_turn():
            files.dropped(waiting_name(row))
            for sha256, kind in ((row.sha256, row.kind), (row.preview_sha256, "webp")):
                if sha256 and not _needed(sha256):
                    files.dropped(files.name_of(sha256, kind))
        tiles.drop_unneeded(row.sha256)


def _needed(sha256: str) -> bool:
    there = Picture.objects.exclude(state=Picture.State.ERASED)
    shown = there.filter(Q(sha256=sha256) | Q(preview_sha256=sha256)).exists()
    return shown or User.objects.filter(emblem=sha256).exists()


def drop_unneeded(sha256: str, kind: str) -> None:
    """Drop the file of these bytes, unless a picture or a member has it; "" names none."""
    with files.in_turn():
        if sha256 and not _needed(sha256):
            files.dropped(files.name_of(sha256, kind))


def _sweep_files() -> None:
    """Drop files that no picture has: a crash between a commit and its end leaves some."""
    names = list(files.listed())
    for name in progress.track(names, "files looked at", len(names)):
        with files.in_turn():
            if name.startswith(files.WAITING):
                key = name.removeprefix(files.WAITING)
                rows = Picture.objects.filter(key=key, state=Picture.State.WAITING)
                needed = rows.exists()
            else:
                needed = _needed(name.rpartition("/")[2].partition(".")[0])
            if not needed:
                files.dropped(name)
    tiles.sweep()
