"""Asking for the archive of one's own data, making it, and giving it to the member alone."""

import os
import secrets
import time
from contextlib import suppress
from datetime import timedelta
from typing import BinaryIO

from django.conf import settings
from django.db import transaction

from accounts.models import User
from core import clock
from core.problems import Problem
from core.tasks import OUTSIDE, task

from ..models import OwnData
from ..models.own_data import FOLDER
from ..permissions import require
from . import archive

PAUSE = timedelta(days=1)  # between two archives of one member
LEFT = 3600  # seconds after which nobody writes a file any more


class TooSoon(Problem):
    """The last archive is young; the sentence says what to do."""

    status = 429


def found(member: User) -> OwnData | None:
    """The archive that the member asked for and that is still there, or is being made."""
    since = clock.now() - OwnData.KEPT
    return OwnData.objects.filter(member=member, asked_at__gt=since).first()


def ask(*, user: User) -> OwnData:
    """Have the archive of all that is kept of `user` made. One that is being made already is
    returned as it is; one that was made is replaced. Raises TooSoon within a day of the last."""
    require(user, "use account")
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        require(user, "use account")  # which may have been closed since
        now, row = clock.now(), found(user)
        if row and not row.made_at:
            return row
        if row and row.asked_at > now - PAUSE:
            raise TooSoon("You had your data put together within the last day: fetch that file.")
        old = drop(user)
        row = OwnData.objects.create(member=user, asked_at=now)
        make.enqueue(row.pk)
        transaction.on_commit(lambda: unlink(old))
    return row


@task(queue_name=OUTSIDE)
def make(own_data_id: int) -> None:
    """Make an archive that was asked for; nothing happens if it was made, or is wanted no more."""
    row = OwnData.objects.select_related("member").filter(pk=own_data_id, made_at=None).first()
    if row is None:
        return
    row.file = f"{secrets.token_urlsafe(32)}.zip"
    row.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        opened = os.open(row.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(opened, "wb") as file:
            archive.write(row.member, file)
            file.flush()
            os.fsync(file.fileno())
        size = row.path.stat().st_size
        kept = OwnData.objects.filter(pk=row.pk, made_at=None).update(
            file=row.file, size=size, made_at=clock.now()
        )
    except BaseException:
        row.path.unlink(missing_ok=True)
        raise
    if not kept:  # the account was closed meanwhile, or another worker was faster
        row.path.unlink(missing_ok=True)


def opened(member: User) -> BinaryIO | None:
    """The member's archive, open for reading; None if there is none to be had."""
    row = found(member)
    if row is None or not row.made_at:
        return None
    with suppress(FileNotFoundError):
        return row.path.open("rb")
    return None


def drop(member: User) -> list[OwnData]:
    """Forget a member's archive; returns what it was, whose file goes after the commit."""
    rows = list(OwnData.objects.filter(member=member))
    OwnData.objects.filter(member=member).delete()
    return rows


def make_all_anew() -> None:
    """Have every archive made once more, since words were erased that it may hold: the files go
    with the commit of this transaction, and what is being made just now is not kept. They are those
    of one week."""
    old = list(OwnData.objects.select_for_update().order_by("pk"))
    OwnData.objects.filter(pk__in=[row.pk for row in old]).delete()
    for row in old:
        again = OwnData.objects.create(member_id=row.member_id, asked_at=row.asked_at)
        make.enqueue(again.pk)
    transaction.on_commit(lambda: unlink(old))


def sweep() -> int:
    """Delete archives of more than a week, and files of which no row knows (a worker died while it
    wrote). Returns how many archives there were."""
    old = list(OwnData.objects.filter(asked_at__lte=clock.now() - OwnData.KEPT))
    OwnData.objects.filter(pk__in=[row.pk for row in old]).delete()
    unlink(old)
    known = set(OwnData.objects.values_list("file", flat=True))
    for path in (settings.DATA_DIR / FOLDER).glob("*.zip"):
        with suppress(FileNotFoundError):
            if path.name not in known and time.time() - path.stat().st_mtime > LEFT:
                path.unlink()
    return len(old)


def unlink(rows: list[OwnData]) -> None:
    """Delete the files of archives that are forgotten."""
    for row in rows:
        if row.file:
            row.path.unlink(missing_ok=True)
