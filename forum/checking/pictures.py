"""The files of pictures, and which texts show them."""

import hashlib
from collections.abc import Iterator

from django.db.models import F

from forum.operations import pictures as files

from ..models import Picture, PictureUse
from .faults import Fault

NAMED = 5  # of what is lost


def check_pictures(*, fix: bool, quick: bool) -> Iterator[Fault]:
    """Each picture that is ready has its files, with the bytes that their names are the sums of
    (`quick`: that they are there), and no text is said to show a picture whose key it does not
    hold. A file that belongs to no picture is no fault: it is swept out."""
    lost = [picture.key for picture in _ready() if not _is_whole(picture, quick=quick)]
    if lost:
        named = ", ".join(lost[:NAMED])
        sentence = f"{len(lost)} pictures lack their files, or other bytes stand there: {named}"
        yield Fault(0, "pictures", sentence, healable=False)
    wrong = PictureUse.objects.exclude(revision__source__contains=F("picture__key"))
    if found := list(wrong.values_list("pk", flat=True)):
        if fix:
            PictureUse.objects.filter(pk__in=found).delete()
        yield Fault(0, "pictures", f"{len(found)} texts do not name what they show", healed=fix)


def _ready() -> Iterator[Picture]:
    rows = Picture.objects.filter(state=Picture.State.READY).order_by("pk")
    return rows.iterator(chunk_size=500)


def _is_whole(picture: Picture, *, quick: bool) -> bool:
    for sha256, kind in ((picture.sha256, picture.kind), (picture.preview_sha256, "webp")):
        if not sha256:
            continue
        try:
            with files.opened(files.name_of(sha256, kind)) as file:
                if not quick and hashlib.sha256(file.read()).hexdigest() != sha256:
                    return False
        except FileNotFoundError:
            return False
    return True
