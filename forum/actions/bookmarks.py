"""Posts that a member keeps to find again, and the days on which they want to be reminded."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from core.tasks import task
from forum.mailing import queueing

from ..models import Bookmark, Notice, Post
from ..models.bookmarks import MAX_NOTE
from ..permissions import require
from . import notices
from .composing import Unacceptable

REMIND_AT = time(8)  # in the member's own time zone
FARTHEST = 10  # years


def found(user: User, post: Post) -> Bookmark | None:
    """The bookmark of `user` on a post, if there is one."""
    return Bookmark.objects.filter(member=user, post=post).first()


def keep(*, user: User, post: Post, note: str = "", remind_on: date | None = None) -> Bookmark:
    """Keep a post to find it again, with a note and perhaps a day on which to be reminded; kept
    before, it has these from now on. Raises permissions.Refused (NotThere) for what `user` may not
    read, Unacceptable with what to do about the note or the day."""
    require(user, "use account")
    require(user, "see post", post)
    note = " ".join(note.split())
    if len(note) > MAX_NOTE or not note.isprintable():
        raise Unacceptable(f"The note is one line of at most {MAX_NOTE} characters.")
    today = timezone.now().astimezone(_zone(user)).date()
    if remind_on and not today < remind_on <= today.replace(year=today.year + FARTHEST, day=1):
        raise Unacceptable(f"Choose a day from tomorrow on, within {FARTHEST} years.")
    with transaction.atomic():
        made, _ = Bookmark.objects.update_or_create(
            member=user, post=post, defaults={"note": note, "remind_on": remind_on}
        )
        if remind_on:
            _remind_later(user, made.pk, remind_on)
    return made


def drop(*, user: User, bookmark_id: int) -> None:
    """Keep a post no longer; nothing happens where it is not kept, or by somebody else."""
    require(user, "use account")
    Bookmark.objects.filter(member=user, pk=bookmark_id).delete()


@task
def remind(bookmark_id: int, day: str) -> None:
    """Tell a member of the post that they wanted to be reminded of on this day (ISO), unless they
    chose another one meanwhile. Where the post is not to be seen the notice waits with it."""
    with transaction.atomic():
        rows = Bookmark.objects.select_for_update(no_key=True)
        row = rows.filter(pk=bookmark_id, remind_on=day).first()
        if row is None or row.remind_on is None:
            return
        member = row.member
        if _moment(member, row.remind_on) > timezone.now():  # they live farther west by now
            _remind_later(member, row.pk, row.remind_on)
            return
        Bookmark.objects.filter(pk=row.pk).update(remind_on=None)
        notice = Notice.objects.create(
            member=member, post_id=row.post_id, kind=Notice.Kind.REMINDER, sentence=row.note
        )
        queueing.queue([notice])
        notices.recount(member.pk)


def _zone(member: User) -> ZoneInfo:
    return ZoneInfo(member.time_zone or settings.TIME_ZONE)


def _moment(member: User, day: date) -> datetime:
    return datetime.combine(day, REMIND_AT, _zone(member))


def _remind_later(member: User, bookmark_id: int, day: date) -> None:
    remind.using(run_after=_moment(member, day)).enqueue(bookmark_id, day.isoformat())
