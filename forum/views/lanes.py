"""The lanes of a debate on its page: one alone, and the doubts about a premise that is granted."""

from collections.abc import Sequence
from copy import copy

from django.http import Http404

from .. import tree
from ..models import Lane, Post, Thread


def tabs(thread: Thread) -> list[tuple[str, str, int]]:
    """The lanes to offer, (value, label, replies); none where nobody has named one."""
    counts = thread.lane_counts
    if not any(counts.values()):
        return []
    return [(value, label, counts.get(value, 0)) for value, label in Lane.choices]


def flat(request, thread: Thread, lane: str, size: int) -> dict:
    """The replies of one lane by number, from `?from=` on: a seek in an index at any depth, so that
    the thousandth page costs what the first does."""
    said = request.GET.get("from", "1")
    if not said.isdecimal() or len(said) > 9:
        raise Http404
    start = int(said)
    rows = Post.objects.filter(thread=thread, lane=lane)
    posts = list(rows.for_reading().filter(number__gte=start).order_by("number")[: size + 1])
    posts, more = posts[:size], posts[size:]
    before = []
    if start > 1:
        earlier = rows.filter(number__lt=start).order_by("-number")
        before = list(earlier.values_list("number", flat=True)[:size])
    for post in posts:
        post.line_up = post is not posts[0] or bool(before)
        post.line_down = post is not posts[-1] or bool(more)
    return {
        "posts": posts,
        "here": posts[0].pk if posts else None,
        "first": posts[0].number if posts else 0,
        "last": posts[-1].number if posts else 0,
        "lane_before": before[-1] if before else None,
        "lane_after": more[0].number if more else None,
    }


def doubts_folded(posts: Sequence[Post], first_fresh: Post | None, wanted: str) -> dict:
    """A page of a debate whose premise is granted: replies that doubt it are taken out of their
    places and put under one heading, which stands open if one of them is asked for or is where
    the unread begins."""
    doubts = [post for post in posts if post.lane == Lane.PREMISE]
    if not doubts:
        return {}
    rest = [post for post in posts if post.lane != Lane.PREMISE]
    if rest and rest[0].place is not None:
        for post in rest:  # kept for other pages as they are
            post.place = copy(post.place)
        tree.close_up(rest, {post.pk for post in doubts}, posts[-1].place)
    for post in doubts:
        post.place = None
        post.line_up, post.line_down = post is not doubts[0], post is not doubts[-1]
    return {
        "posts": rest,
        "doubts": doubts,
        "doubts_fresh": sum(post.fresh for post in doubts),
        "doubts_open": any(str(post.pk) == wanted or post is first_fresh for post in doubts),
    }
