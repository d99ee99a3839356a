"""The files of pictures and emblems, and which texts show them."""

import hashlib
from collections.abc import Iterator

from django.db.models import F

from accounts.models import User
from core import progress
from core.counting import counted
from forum.operations import pictures as files

from ..models import Picture, PictureUse, Thread
from .faults import Fault

NAMED = 5  # of what is lost


def check_pictures(*, fix: bool, quick: bool) -> Iterator[Fault]:
    """Each picture that is ready, and each emblem, has its files, with the bytes that their names
    are the sums of (`quick`: that they are there), and no text is said to show a picture whose key
    it does not hold. A file that belongs to nothing is no fault: it is swept out."""
    pictures = progress.track(_ready(), "pictures checked")
    lost = [picture.key for picture in pictures if not _is_whole(picture, quick=quick)]
    if lost:
        named = ", ".join(lost[:NAMED])
        lack = counted(len(lost), "picture lacks its file,pictures lack their files")
        sentence = f"{lack}, or other bytes stand there: {named}"
        yield Fault(0, "pictures", sentence, healable=False)
    emblems = User.objects.exclude(emblem="").order_by("emblem").values_list("emblem", flat=True)
    lost = [one for one in emblems.distinct() if not _is_kept(one, "png", quick=quick)]
    if lost:
        lack = counted(len(lost), "emblem lacks its file,emblems lack their file")
        sentence = f"{lack}: {', '.join(lost[:NAMED])}"
        yield Fault(0, "pictures", sentence, healable=False)
    wrong = PictureUse.objects.exclude(revision__source__contains=F("picture__key"))
    if found := list(wrong.values_list("pk", flat=True)):
        if fix:
            PictureUse.objects.filter(pk__in=found).delete()
        sentence = counted(
            len(found), "text does not name what it shows,texts do not name what they show"
        )
        yield Fault(0, "pictures", sentence, healed=fix)


def check_uses(thread: Thread, *, fix: bool) -> Iterator[Fault]:
    """What the posts of a locked thread show is said to be shown in this one."""
    strays = PictureUse.objects.filter(post__thread=thread).exclude(thread=thread)
    if strays.exists():
        yield Fault(thread.pk, "pictures", "its pictures name another thread", healed=fix)
        if fix:
            strays.update(thread=thread)


def _ready() -> Iterator[Picture]:
    rows = Picture.objects.filter(state=Picture.State.READY).order_by("pk")
    return rows.iterator(chunk_size=500)


def _is_whole(picture: Picture, *, quick: bool) -> bool:
    both = ((picture.sha256, picture.kind), (picture.preview_sha256, "webp"))
    return all(_is_kept(sha256, kind, quick=quick) for sha256, kind in both if sha256)


def _is_kept(sha256: str, kind: str, *, quick: bool) -> bool:
    name = files.name_of(sha256, kind)
    if quick:
        return files.is_there(name)
    try:
        with files.opened(name) as file:
            return hashlib.sha256(file.read()).hexdigest() == sha256
    except FileNotFoundError:
        return False
