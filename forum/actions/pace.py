"""How fast one may write. Counted on the posts themselves, by the database's clock: exact, and
shared by all workers."""

from datetime import datetime, timedelta

from django.conf import settings

from core import clock
from core.counting import counted
from core.problems import Problem

from ..models import Post, Report, State, Thread
from ..models.visibility import moderates
from ..permissions import WAITING
from .lately import Lately

# By so much what was written may lie ahead of the clock by which it is counted. What lies further
# ahead was written before that clock was set back, and says nothing about how fast somebody writes:
# it would bind them for hours.
AHEAD = timedelta(seconds=5)


class TooFast(Problem):
    """More than the site allows in that time. The sentence says when to try again."""

    status = 429


def check_posts(lately: Lately) -> None:
    """Raise TooFast if a member wrote as many posts in the last minute as one may."""
    if lately.nth and _is_within(timedelta(minutes=1), lately.nth, lately.now):
        many = counted(settings.POSTS_PER_MINUTE, "post,posts")
        raise TooFast(f"That was {many} within a minute. Wait a minute and send it again.")


def check_starts(user) -> None:
    """Raise TooFast if `user` opened as many debates in the last hour as one may."""
    limit = settings.STARTS_PER_HOUR
    if limit and _nth_newest(Thread, user, "created_at", limit, timedelta(hours=1)):
        many = counted(limit, "debate,debates")
        raise TooFast(f"That was {many} within an hour. Please wait before you open more.")


def check_waiting(user, thread: Thread) -> None:
    """Raise TooFast if a reply of `user` waits in the thread because of its slow mode: one waits,
    not a row of them that would appear at once. The caller holds the thread's lock."""
    if not thread.slow_minutes:
        return
    waiting = Post.objects.filter(
        thread=thread, author=user, state=State.PENDING, held_until__isnull=False
    )
    if waiting.exists():
        raise TooFast(
            "This debate is in slow mode, and a reply of yours waits here already: change that "
            "one, or send this when it has appeared."
        )


def slow_until(user, thread: Thread) -> datetime | None:
    """Until when the thread's slow mode holds what `user` writes now; None if it holds nothing.
    Moderators of its board are not slowed."""
    if not thread.slow_minutes or moderates(user, thread.board_id):
        return None
    pause, now = timedelta(minutes=thread.slow_minutes), clock.now()
    last = (
        Post.objects.filter(thread=thread, author=user)
        .filter(loaded_at__gt=now - pause, loaded_at__lte=now + AHEAD)
        .exclude(state__in=WAITING)
        .order_by("-loaded_at")
        .values_list("loaded_at", flat=True)
        .first()
    )
    return last + pause if last else None


def check_reports(user) -> None:
    """Raise TooFast if `user` reported as many posts in the last day as one may."""
    limit = settings.REPORTS_PER_DAY
    if limit and _nth_newest(Report, user, "created_at", limit, timedelta(days=1), by="member"):
        many = counted(limit, "report,reports")
        raise TooFast(f"That was {many} within a day. Please wait until tomorrow.")


def _nth_newest(
    model, user, moment: str, limit: int, within: timedelta, *, by: str = "author"
) -> bool:
    """Whether the `limit`-th newest row of `user` is younger than `within`: one index step."""
    nth = (
        model.objects.filter(**{by: user})
        .order_by("-pk")
        .values_list(moment, clock.MOMENT)[limit - 1 : limit]
    )
    return any(_is_within(within, at, now) for at, now in nth)


def _is_within(within: timedelta, at: datetime, now: datetime) -> bool:
    """Whether a moment is no longer ago than that, and not of a time to come."""
    return now - within < at <= now + AHEAD
