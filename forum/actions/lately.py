"""What a member wrote last: by that a reply is known that is sent a second time, one that repeats
an earlier one, and whoever writes too fast. A reply asks all three of one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import NamedTuple

from django.conf import settings
from django.db.models import Q, Subquery

from core.compiled_queries import CompiledQuery

from ..models import Post, PostRevision, State, Thread

RECENT = 5  # of a member's posts that a new one is compared with


class _Written(NamedTuple):
    post_id: int
    thread_id: int
    parent_id: int | None
    basis: str
    state: str
    sha256: str
    plain: str
    created_at: datetime
    nth: datetime | None


@dataclass(frozen=True, slots=True)
class Lately:
    """What `written_lately` found, newest first."""

    rows: Sequence[_Written]
    now: datetime
    since: datetime

    @property
    def texts(self) -> list[str]:
        """The plain texts of the last posts that are no older than REPEAT_MINUTES, as they stand
        and as they stood."""
        return [row.plain for row in self.rows if row.created_at > self.since]

    @property
    def nth(self) -> datetime | None:
        """When the post arrived that is so far back as POSTS_PER_MINUTE lets pass; None if there is
        none, or no limit."""
        return self.rows[0].nth if self.rows else None

    def same_reply(self, source: str, thread: Thread, parent: Post | None) -> int | None:
        """The id of the member's newest post, if it is this very reply. A form that the back button
        fetched anew has another token, so the token cannot tell that it is sent a second time."""
        last = max(self.rows, key=lambda row: row.post_id, default=None)
        if last is None or last.basis == Post.Basis.OPENING:
            return None
        answered = None if parent is None or parent.is_opening else parent.pk
        text = sha256(source.encode()).hexdigest()
        stands = last.state in (State.VISIBLE, State.PENDING)
        same = (last.thread_id, last.parent_id, last.sha256) == (thread.pk, answered, text)
        return last.post_id if stands and same else None


@cache
def _written(limit: int) -> CompiledQuery:
    """`limit`: how many posts back a moment is asked for."""

    def build(user_id: int, since: datetime):
        posts = Post.objects.filter(author=user_id).order_by("-pk")
        nth = posts.values("loaded_at")
        nth = nth[limit - 1 : limit] if limit else nth.none()
        last = posts.values("body__revision")[:1]
        return (
            PostRevision.objects.filter(post__in=posts.values("pk")[:RECENT])
            .filter(Q(created_at__gt=since) | Q(pk=Subquery(last)))
            .order_by("-post_id", "-pk")  # the newest post before all later texts of others
            .values_list(
                *("post_id", "post__thread_id", "post__parent_id", "post__parent_basis"),
                *("post__state", "sha256", "plain", "created_at"),
                Subquery(nth),
            )[: 2 * RECENT]
        )

    return CompiledQuery("written_lately", build, "number", "moment")


def written_lately(user) -> Lately:
    """What `user` wrote in their last posts within REPEAT_MINUTES, and the newest of these whenever
    it was; in one statement."""
    now = user.now
    since = now - timedelta(minutes=settings.REPEAT_MINUTES)
    rows = _written(settings.POSTS_PER_MINUTE)(user.pk, since)
    return Lately([_Written(*row) for row in rows], now, since)
