"""Emblems: a small flag that a member chose, beside the name. None by default.

It comes through the door of every picture (forum.operations.pictures) and stands among their
files, named by its sum, which is a column of the account: no page asks for more because of it.
"""

import hashlib
from typing import IO

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from accounts.models import User, raise_site_version
from forum.operations import limits
from forum.operations import pictures as files

from ..permissions import require
from .composing import Unacceptable
from .gone_pictures import drop_unneeded
from .pictures import PictureErased, was_erased

KIND = "png"
CHANGES_A_DAY = 10  # each one lets all kept pages be drawn anew
MOST_BYTES = files.AT_ONCE_BYTES


def choose(*, user: User, file: IO[bytes] | UploadedFile | None) -> User:
    """Give a member the emblem in this file. Raises permissions.Refused, limits.TooOften,
    Unacceptable and pictures.Undecodable; nothing is kept then."""
    require(user, "write")
    data = file.read(MOST_BYTES + 1) if file else b""
    if not data:
        raise Unacceptable("Choose a picture.")
    if len(data) > MOST_BYTES:
        raise Unacceptable("An emblem is made of at most 2 MB. Make the picture smaller.")
    if was_erased(hashlib.sha256(data).hexdigest()):
        raise PictureErased
    sentence = f"That was changed {CHANGES_A_DAY} times today. Please wait until tomorrow."
    limits.count("emblem", str(user.pk), CHANGES_A_DAY, sentence, within=24 * 3600)
    try:
        emblem = files.emblem(data)
    except files.Later:
        raise Unacceptable("An emblem is made of at most 4 million pixels.") from None
    sha256 = hashlib.sha256(emblem).hexdigest()
    with files.in_turn():
        files.add(emblem, files.name_of(sha256, KIND))
        return put(user, sha256, by_right="write")


def drop(*, user: User) -> User:
    """Let a member have no emblem. Raises permissions.Refused."""
    require(user, "use account")
    return put(user, "", by_right="use account")


def put(member: User, sha256: str, *, by_right: str = "") -> User:
    """Let this be the emblem of a member, "" none; the file of the one before goes where nobody
    else has it. `by_right` is asked of the member once more, whose account may have been closed
    while the picture was made; raises permissions.Refused."""
    with transaction.atomic():
        member = User.objects.select_for_update(no_key=True).get(pk=member.pk)
        if by_right:
            require(member, by_right)
        before, member.emblem = member.emblem, sha256
        if before != sha256:
            member.save(update_fields=["emblem"])
            raise_site_version()  # pages that are kept show the old one
            transaction.on_commit(lambda: drop_unneeded(before, KIND), robust=True)
    return member
