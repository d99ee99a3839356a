"""What a list of debates asks beside their own columns: whether the opening of each stands, and how
much of it its reader has not read. Apart from models.threads, since it asks the posts."""

from django.db import models
from django.db.models.functions import Coalesce

from accounts.models import SITE_VERSION

from .posts import Post
from .read_state import ReadMark
from .threads import State, ThreadQuerySet


def opening_stands(thread: str = "pk") -> models.Expression:
    """Of a thread in a query, by its id there: its opening is not hidden or removed. An opening
    that waits does so with its debate. It is always the first number, which makes this one step of
    an index."""
    gone = Post.objects.filter(
        thread=models.OuterRef(thread), number=1, state__in=(State.HIDDEN, State.REMOVED)
    )
    return ~models.Exists(gone)


def with_opening(threads: ThreadQuerySet) -> ThreadQuerySet:
    """`threads` with `Thread.opening_stands`, for lists and pages: one index step for each row."""
    return threads.annotate(opening_stands=opening_stands())  # type: ignore[no-redef]  # declared there for readers


def whose_opening_stands(threads: ThreadQuerySet) -> ThreadQuerySet:
    """Those of `threads` whose opening is neither hidden nor removed: its own words may be shown
    to all who see the debate."""
    return threads.filter(opening_stands())


def for_listing(threads: ThreadQuerySet) -> ThreadQuerySet:
    """`threads` with all that a line of a list shows, in one query."""
    return with_opening(threads.select_related("board", "author", "last_post__author"))


def with_unread(threads: ThreadQuerySet, user) -> ThreadQuerySet:
    """`threads` with `unread`: how many numbers `user` has not read. One index step for each row
    of the page: the member's mark, or the last number that arrived before counting began."""
    if not user.is_authenticated:
        return threads.annotate(unread=models.Value(0))  # type: ignore[no-redef]  # declared there for readers
    since = user.read_until or user.date_joined
    mark = ReadMark.objects.filter(user=user, thread=models.OuterRef("pk")).values("count")
    known = (
        Post.objects.filter(
            thread=models.OuterRef("pk"), loaded_at__lte=since, number__isnull=False
        )
        .order_by("-loaded_at", "-number")
        .values("number")
    )
    return threads.annotate(  # type: ignore[no-redef]  # declared there for readers
        unread=models.F("numbered")
        - Coalesce(models.Subquery(mark[:1]), models.Subquery(known[:1]), 0)
    )


def listed_rows(threads: ThreadQuerySet, user, *more: str) -> models.QuerySet:
    """What tells whether a line of a list was drawn before, of each of `threads`: id, version, the
    site version, how much `user` has not read, who wrote last, and `more` columns."""
    return (
        with_unread(threads, user)
        .annotate(site_version=SITE_VERSION)  # type: ignore[no-redef]  # declared for readers
        .values_list("pk", "version", "site_version", "unread", "last_post__author_id", *more)
    )
