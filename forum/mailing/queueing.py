"""When a notice is told by mail: held and gathered, in a digest, or never."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from accounts.models import User
from core import clock
from core.tasks import enqueue_many

from ..models import Mail, MailSettings, Notice, Rhythm
from .delivering import gather
from .topics import topic_of

HOLD = timedelta(minutes=5)  # who reads it on the site meanwhile gets no mail
DIGEST_AT = time(8)  # in the member's own time zone; weekly ones on Mondays
# Mail that is due later than this takes others along; no transaction that queues lasts so long.
SOON = timedelta(minutes=1)


def queue(notices: Sequence[Notice]) -> None:
    """Let these new notices be told by mail as their members wish; call it in the transaction in
    which they are written. A few queries for all of them, and a job for each member who has none
    waiting. Which mail is needed is asked again when it is sent."""
    members = User.objects.in_bulk({notice.member_id for notice in notices})
    chosen = MailSettings.objects.in_bulk(members)
    now, mails, waiting, jobs = clock.now(), [], _waiting(members), []
    for notice in notices:
        member = members[notice.member_id]
        rhythm = chosen.get(member.pk, MailSettings()).rhythm(topic_of(notice))
        if rhythm == Rhythm.NEVER or not member.email:
            continue
        due = waiting.get((member.pk, rhythm))
        if due is None:
            due = waiting[member.pk, rhythm] = due_at(rhythm, now, member.time_zone)
            jobs.append(({"member_id": member.pk}, due))
        mails.append(Mail(member=member, notice=notice, rhythm=rhythm, due_at=due))
    Mail.objects.bulk_create(mails)
    enqueue_many(gather, jobs)


def _waiting(members) -> dict[tuple[int, str], datetime]:
    """For which moment mail of these members waits already, by member and rhythm."""
    rows = Mail.objects.unsettled().filter(member__pk__among=members, message=None)
    rows = rows.filter(due_at__gt=clock.now() + SOON).order_by()
    return {(pk, rhythm): due for pk, rhythm, due in rows.values_list("member", "rhythm", "due_at")}


def due_at(rhythm: str, now: datetime, zone: str = "") -> datetime:
    """The moment for mail of this rhythm to a member who lives in `zone` (the site's if empty)."""
    if rhythm == Rhythm.NOW:
        return now + HOLD
    local = ZoneInfo(zone or settings.TIME_ZONE)
    day = (now + 2 * SOON).astimezone(local).date()
    if rhythm == Rhythm.WEEK:
        day += timedelta(days=-day.weekday() % 7)
    step = timedelta(days=7 if rhythm == Rhythm.WEEK else 1)
    due = datetime.combine(day, DIGEST_AT, local)
    while due <= now + 2 * SOON:
        due = datetime.combine(due.date() + step, DIGEST_AT, local)
    return due
