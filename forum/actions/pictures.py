"""Pictures: sent by members, made ready, described, shown by texts, swept out.

What a picture is, is found by decoding it, in a process of its own (forum.operations.pictures). A
small one is ready when its sender gets the answer; a large one is kept as it was sent until the
worker has decoded it. Nothing of a refused picture is kept but the reason, for its sender.
"""

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from typing import IO

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Sum

from accounts.models import User
from core import clock
from core.tasks import OUTSIDE, task
from forum.operations import pictures as files

from ..models import Draft, Picture, PictureUse, State
from ..models.pictures import MAX_ALT, MAX_CREDIT, MAX_SOURCE
from ..models.visibility import moderates_all
from ..permissions import Refused, require
from . import elsewhere
from .composing import Unacceptable
from .pace import TooFast

DAY = timedelta(days=1)
KEPT_UNUSED = timedelta(days=1)  # by when a picture that no text shows is swept out
CHUNK = 200


class PictureErased(Unacceptable):
    """The picture was erased here for a legal reason, whoever sends it again."""

    def __init__(self) -> None:
        super().__init__("This picture was erased here for a legal reason. It is not taken again.")


# --- Sending ----------------------------------------------------------------------------------


def send(
    *, user, file: IO[bytes] | UploadedFile, alt: str = "", credit: str = "", source: str = ""
) -> Picture:
    """Take a picture; its words are those of `describe`. The same picture sent by the same member
    is the one that is here, with the new words where there are any.

    Raises permissions.Refused, TooFast, Unacceptable and pictures.Undecodable; nothing is kept
    then.
    """
    require(user, "write")
    words = _words(alt=alt, credit=credit, source=source)
    most = settings.PICTURE_MB * 1024 * 1024
    data = file.read(most + 1)
    if not data:
        raise Unacceptable("Choose a picture.")
    if len(data) > most:
        raise Unacceptable(
            f"A picture has at most {settings.PICTURE_MB} MB; this one is larger. Save it with "
            "fewer pixels, or a map as PNG with few colours."
        )
    sent = hashlib.sha256(data).hexdigest()
    if here := _sent_before(user, sent):
        return _reworded(here, words)
    _check_pace(user, len(data))
    try:
        decoded = files.decode(data, at_once=True)
    except files.Later:
        decoded = None
    with files.in_turn():
        # The account is the lock: of two forms at once the second finds what the first kept.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if here := _sent_before(user, sent):
            return _reworded(here, words)
        _check_pace(user, len(data))
        # One that was refused is tried anew: limits change, and texts may show it.
        refused = Picture.objects.filter(member=user, sent_sha256=sent).first()
        picture = refused or Picture(member=user, sent_sha256=sent, sent_bytes=len(data))
        picture.created_at, picture.state = clock.now(), Picture.State.WAITING
        for name, value in words.items():
            setattr(picture, name, value)
        if decoded is None:
            files.add(data, waiting_name(picture))
        else:
            _keep(picture, decoded)
        picture.save()
        _show_anew([picture])
        if decoded is None:
            make_ready.enqueue(picture.pk)
    return picture


def waiting_name(picture: Picture) -> str:
    """The name of the file of a picture that waits to be decoded."""
    return f"{files.WAITING}{picture.key}"


def _sent_before(user, sent: str) -> Picture | None:
    """What `user` sent before with these bytes. Raises PictureErased."""
    known = Picture.objects.filter(sent_sha256=sent)
    if known.filter(state=Picture.State.ERASED).exists():
        raise PictureErased
    return known.filter(member=user).exclude(state=Picture.State.REFUSED).first()


def _reworded(picture: Picture, words: dict[str, str]) -> Picture:
    given = {name: value for name, value in words.items() if value}
    changed = [name for name, value in given.items() if getattr(picture, name) != value]
    if changed:
        with transaction.atomic():
            for name in changed:
                setattr(picture, name, given[name])
            picture.save(update_fields=changed)
            _show_anew([picture])
    return picture


def _check_pace(user, size: int) -> None:
    """Raise TooFast where this would be more than a member may send within a day."""
    today = Picture.objects.filter(member=user, created_at__gt=clock.now() - DAY)
    count, most = settings.PICTURES_PER_DAY, settings.PICTURES_MB_PER_DAY
    if count and today.count() >= count:
        raise TooFast(f"That was {count} pictures within a day. Please wait until tomorrow.")
    sent = today.aggregate(sent=Sum("sent_bytes"))["sent"] or 0
    if most and sent + size > most * 1024 * 1024:
        raise TooFast(f"Within a day a member sends at most {most} MB of pictures.")


def _words(*, alt: str, credit: str, source: str) -> dict[str, str]:
    """Description, credit and source, each on one line. Raises Unacceptable for what is too long
    or cannot be shown."""
    found = {}
    for name, value, most in (
        ("alt", alt, MAX_ALT),
        ("credit", credit, MAX_CREDIT),
        ("source", source, MAX_SOURCE),
    ):
        found[name] = " ".join(value.split())
        if len(found[name]) > most or not found[name].isprintable():
            what = "description" if name == "alt" else name
            raise Unacceptable(f"The {what} of a picture has at most {most:,} characters.")
    return found


def _keep(picture: Picture, decoded: files.Decoded) -> None:
    """Add the files of a decoded picture, and say so in its row, which is not saved yet."""
    picture.kind, picture.bytes = decoded.kind, len(decoded.whole)
    picture.width, picture.height = decoded.width, decoded.height
    picture.sha256 = hashlib.sha256(decoded.whole).hexdigest()
    files.add(decoded.whole, files.name_of(picture.sha256, picture.kind))
    if decoded.preview:
        picture.preview_sha256 = hashlib.sha256(decoded.preview).hexdigest()
        files.add(decoded.preview, files.name_of(picture.preview_sha256, "webp"))
    picture.state, picture.why = Picture.State.READY, ""


@task(queue_name=OUTSIDE)
def make_ready(picture_id: int) -> None:
    """Decode a picture that waits; done a second time, nothing happens. Outside of a transaction,
    since it takes seconds in which others write."""
    picture = Picture.objects.filter(pk=picture_id, state=Picture.State.WAITING).first()
    if picture is None:
        return
    why, decoded = "", None
    try:
        with files.opened(waiting_name(picture)) as file:
            decoded = files.decode(file.read(), at_once=False)
    except FileNotFoundError:
        why = "The file was lost before it could be decoded. Send it again."
    except files.Undecodable as problem:
        why = problem.sentence
    with files.in_turn():
        waiting = Picture.objects.select_for_update().filter(state=Picture.State.WAITING)
        picture = waiting.filter(pk=picture_id).first()
        if picture is None:
            return
        if decoded is None:
            picture.state, picture.why = Picture.State.REFUSED, why
        else:
            _keep(picture, decoded)
        picture.save()
        _show_anew([picture])
        transaction.on_commit(lambda: files.dropped(waiting_name(picture)))


# --- Words ------------------------------------------------------------------------------------


def describe(*, user, picture: Picture, alt: str, credit: str, source: str) -> Picture:
    """Say what a picture shows, whose it is and where it is from. Its sender does, and moderators
    of all boards. Raises permissions.Refused and Unacceptable."""
    require(user, "write")
    if not may_describe(user, picture):
        raise Refused("Only the member who sent a picture can describe it.")
    words = _words(alt=alt, credit=credit, source=source)
    with transaction.atomic():
        picture = Picture.objects.select_for_update(no_key=True).get(pk=picture.pk)
        for name, value in words.items():
            setattr(picture, name, value)
        picture.save(update_fields=list(words))
        _show_anew([picture])
    return picture


def may_describe(user, picture: Picture) -> bool:
    """Whether `user`, who sees the picture, may say what it shows."""
    return user.is_authenticated and (picture.member_id == user.pk or moderates_all(user))


def _show_anew(pictures: Iterable[Picture]) -> None:
    """Let no page that is kept go on showing these as they were."""
    uses = PictureUse.objects.filter(picture__in=list(pictures))
    elsewhere.touch(uses.values_list("post__thread_id", flat=True).distinct())


# --- Going ------------------------------------------------------------------------------------


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
        row.save(update_fields=["state", "why", "alt", "credit", "source"])
    _show_anew(rows)
    transaction.on_commit(lambda: _drop_files(rows))
    return len(rows)


def unused(pictures: Iterable[Picture]) -> list[Picture]:
    """Those of these pictures that no standing post shows."""
    standing = PictureUse.objects.filter(picture=OuterRef("pk"), post__state=State.VISIBLE)
    ids = [row.pk for row in pictures]
    return list(Picture.objects.filter(~Exists(standing), pk__in=ids).order_by("pk"))


def sweep() -> int:
    """Drop the pictures that no text shows a day after they were sent, and no draft of their
    sender's, and files that belong to none. Returns how many pictures there were."""
    uses = PictureUse.objects.filter(picture=OuterRef("pk"))
    drafts = Draft.objects.filter(user=OuterRef("member"), text__contains=OuterRef("key"))
    old = Picture.objects.filter(~Exists(uses), ~Exists(drafts))
    old = old.filter(created_at__lt=clock.now() - KEPT_UNUSED)
    old = old.exclude(state=Picture.State.ERASED)  # it keeps the same bytes from coming back
    count = 0
    while rows := list(old.order_by("pk")[:CHUNK]):
        with files.in_turn():
            # Asked again: a text may have come to show one.
            rows = list(old.select_for_update().filter(pk__in=[row.pk for row in rows]))
            Picture.objects.filter(pk__in=[row.pk for row in rows]).delete()
        _drop_files(rows)
        count += len(rows)
        if not rows:
            break
    _sweep_files()
    return count


def _drop_files(rows: Iterable[Picture]) -> None:
    """Drop the files of pictures that went, as far as no other picture holds the same bytes."""
    for row in rows:
        with files.in_turn():
            files.dropped(waiting_name(row))
            for sha256, kind in ((row.sha256, row.kind), (row.preview_sha256, "webp")):
                if sha256 and not _needed(sha256):
                    files.dropped(files.name_of(sha256, kind))


def _needed(sha256: str) -> bool:
    there = Picture.objects.exclude(state=Picture.State.ERASED)
    return there.filter(Q(sha256=sha256) | Q(preview_sha256=sha256)).exists()


def _sweep_files() -> None:
    """Drop files that no picture has: a crash between a commit and its end leaves some."""
    for name in list(files.listed()):
        with files.in_turn():
            if name.startswith(files.WAITING):
                key = name.removeprefix(files.WAITING)
                rows = Picture.objects.filter(key=key, state=Picture.State.WAITING)
                needed = rows.exists()
            else:
                needed = _needed(name.rpartition("/")[2].partition(".")[0])
            if not needed:
                files.dropped(name)
