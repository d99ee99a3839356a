"""Pictures: sent by members, made ready, described. Where they go: gone_pictures.

What a picture is, is found by decoding it, in a process of its own (forum.operations.pictures). A
small one is ready when its sender gets the answer; a large one is kept as it was sent until the
worker has decoded it. Nothing of a refused picture is kept but the reason, for its sender.
"""

import hashlib
from datetime import timedelta
from typing import IO

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Q, Sum

from accounts.models import User
from core import clock
from core.counting import counted
from core.tasks import OUTSIDE, task
from forum.operations import pictures as files

from ..models import Picture
from ..models.pictures import MAX_ALT, MAX_CREDIT, MAX_SOURCE
from ..models.visibility import moderates_all
from ..permissions import Refused, require
from . import tiles
from .composing import Unacceptable
from .pace import TooFast
from .shown_pictures import show_anew

DAY = timedelta(days=1)


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
    words = words_of(alt=alt, credit=credit, source=source)
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
            keep(picture, decoded)
            tiles.ask_for(picture)  # it may have been a map before it was refused
        picture.save()
        show_anew([picture])
        if decoded is None:
            make_ready.enqueue(picture.pk)
    return picture


def waiting_name(picture: Picture) -> str:
    """The name of the file of a picture that waits to be decoded."""
    return f"{files.WAITING}{picture.key}"


def _sent_before(user, sent: str) -> Picture | None:
    """What `user` sent before with these bytes. Raises PictureErased."""
    if was_erased(sent):
        raise PictureErased
    known = Picture.objects.filter(member=user, sent_sha256=sent)
    return known.exclude(state=Picture.State.REFUSED).first()


def was_erased(sha256: str) -> bool:
    """Whether the file of this sum was erased here, as it was sent or as it was kept."""
    same = Q(sent_sha256=sha256) | Q(sha256=sha256) | Q(preview_sha256=sha256)
    return Picture.objects.filter(same, state=Picture.State.ERASED).exists()


def _reworded(picture: Picture, words: dict[str, str]) -> Picture:
    given = {name: value for name, value in words.items() if value}
    changed = [name for name, value in given.items() if getattr(picture, name) != value]
    if changed:
        with transaction.atomic():
            for name in changed:
                setattr(picture, name, given[name])
            picture.save(update_fields=changed)
            show_anew([picture])
    return picture


def _check_pace(user, size: int) -> None:
    """Raise TooFast where this would be more than a member may send within a day."""
    today = Picture.objects.filter(member=user, created_at__gt=clock.now() - DAY)
    allowed, most = settings.PICTURES_PER_DAY, settings.PICTURES_MB_PER_DAY
    if allowed and today.count() >= allowed:
        many = counted(allowed, "picture,pictures")
        raise TooFast(f"That was {many} within a day. Please wait until tomorrow.")
    sent = today.aggregate(sent=Sum("sent_bytes"))["sent"] or 0
    if most and sent + size > most * 1024 * 1024:
        raise TooFast(f"Within a day a member sends at most {most} MB of pictures.")


def words_of(*, alt: str, credit: str, source: str) -> dict[str, str]:
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
            raise Unacceptable(
                f"The {what} of a picture has at most {counted(most, 'character,characters')}."
            )
    return found


def keep(picture: Picture, decoded: files.Decoded) -> None:
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
            # Nobody sent it here: it came with a debate, see brought_pictures.
            as_it_is = picture.member_id is None
            decoded = files.decode(file.read(), at_once=False, as_it_is=as_it_is)
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
            keep(picture, decoded)
            tiles.ask_for(picture)
        picture.save()
        show_anew([picture])
        transaction.on_commit(lambda: files.dropped(waiting_name(picture)), robust=True)


# --- Words ------------------------------------------------------------------------------------


def describe(*, user, picture: Picture, alt: str, credit: str, source: str) -> Picture:
    """Say what a picture shows, whose it is and where it is from. Its sender does, and moderators
    of all boards. Raises permissions.Refused and Unacceptable."""
    require(user, "write")
    if not may_describe(user, picture):
        raise Refused("Only the member who sent a picture can describe it.")
    words = words_of(alt=alt, credit=credit, source=source)
    with transaction.atomic():
        picture = Picture.objects.select_for_update(no_key=True).get(pk=picture.pk)
        for name, value in words.items():
            setattr(picture, name, value)
        picture.save(update_fields=list(words))
        show_anew([picture])
    return picture


def may_describe(user, picture: Picture) -> bool:
    """Whether `user`, who sees the picture, may say what it shows."""
    return user.is_authenticated and (picture.member_id == user.pk or moderates_all(user))
