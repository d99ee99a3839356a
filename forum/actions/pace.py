"""How fast one may write. Counted on the posts themselves: exact, and shared by all workers."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from ..models import Post, Thread


class TooFast(Exception):
    """More than the site allows in that time. The message says when to try again."""


def check_posts(user) -> None:
    """Raise TooFast if `user` wrote as many posts in the last minute as one may."""
    limit = settings.POSTS_PER_MINUTE
    if limit and _nth_newest(Post, user, "loaded_at", limit, timedelta(minutes=1)):
        raise TooFast(f"That was {limit} posts within a minute. Wait a minute and send it again.")


def check_starts(user) -> None:
    """Raise TooFast if `user` opened as many debates in the last hour as one may."""
    limit = settings.STARTS_PER_HOUR
    if limit and _nth_newest(Thread, user, "created_at", limit, timedelta(hours=1)):
        raise TooFast(f"That was {limit} debates within an hour. Please wait before you open more.")


def _nth_newest(model, user, moment: str, limit: int, within: timedelta) -> bool:
    """Whether the `limit`-th newest row of `user` is younger than `within`: one index step."""
    nth = (
        model.objects.filter(author=user)
        .order_by("-pk")
        .values_list(moment, flat=True)[limit - 1 : limit]
    )
    return any(at > timezone.now() - within for at in nth)
