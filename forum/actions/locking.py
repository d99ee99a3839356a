"""How every act on a post begins: its debate is locked, and the post read again. And how what a
text quotes is read again before it is stored."""

import json
from collections.abc import Iterable

from django.db import connection

from forum.text.quoting import cut_ends

from .. import tree
from ..models import Post, PostRevision, Quote, Thread
from ..models.visibility import wider
from ..permissions import Refused
from .composing import Composed, Unacceptable

_PINNED = Quote._meta.get_field("source_revision")


class PostMoved(Refused, Unacceptable):
    """A moderator took the post to another debate a moment ago. It is refused wherever an act or a
    text is, and what was typed is kept."""

    def __init__(self) -> None:
        super().__init__("This post was just moved to another debate. Look again, then try again.")


def locked_post(post: Post, *related: str) -> Post:
    """Lock the thread in which `post` was when it was read, and return the post as it is now, with
    that thread and its board, and with the rows that `related` names.

    Raises PostMoved if it went elsewhere before the lock was there: to lock that debate too would
    be to wait for locks in no order, so whoever acts looks again.
    """
    try:
        (thread,) = tree.lock(post.thread_id)
    except tree.ThreadGone:
        raise PostMoved from None
    fresh = Post.objects.select_related(*related).get(pk=post.pk)
    if fresh.thread_id != thread.pk:
        raise PostMoved
    fresh.thread = thread
    return fresh


def hold_sources(composed: Composed, thread: Thread) -> None:
    """Judge the fresh quotes of a text again, which is about to be stored in a locked debate: their
    sources were read before that lock. Until this transaction ends nobody erases words of them
    (`lock_texts`).

    Raises Unacceptable where quoted words were erased meanwhile, or their debate went to a board
    with fewer readers.
    """
    fresh = [one for one in composed.quotes if _PINNED.is_cached(one) and one.source_revision]
    if not fresh:
        return
    pinned = [one.source_revision for one in fresh if one.source_revision]
    held = _held_texts({one.pk for one in pinned})
    # In the locked debate, with the words that were read: nothing is left to judge.
    others = [one.pk for one in pinned if held.get(one.pk) != (thread.pk, one.sha256)]
    texts = {}
    if others:
        rows = PostRevision.objects.select_related("post__thread__board")
        texts = rows.in_bulk(others)
    for quote, was in zip(fresh, pinned, strict=True):
        if was.pk not in others:
            continue
        now = texts[was.pk]
        if wider(now.post.thread.board, thread.board):
            raise Unacceptable(
                f"Words from “{now.post.thread.board}” cannot be quoted here, where more people "
                "read. Say it in your own words or take the quote out."
            )
        if was.sha256 == now.sha256:
            continue
        span = slice(quote.start, quote.end)
        if len(was.plain) != len(now.plain) or was.plain[span] != now.plain[span]:
            raise Unacceptable(
                "Words that you quote were erased for a legal reason a moment ago. Look at the "
                "post again, and take the quote out."
            )
        start, end = quote.start or 0, quote.end or 0
        quote.cut_start, quote.cut_end = cut_ends(now.plain, start, end)


def _held_texts(ids: set[int]) -> dict[int, tuple[int, str]]:
    """In which thread these texts are, as of the beginning of the statement, and their sums as they
    stand. PostgreSQL lets nobody change them until this transaction ends, and many may hold them at
    once. On SQLite nobody else writes."""
    postgres = connection.vendor == "postgresql"
    named, locked = (
        ("= ANY(%s)", " FOR SHARE") if postgres else ("IN (SELECT value FROM json_each(%s))", "")
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, (SELECT thread_id FROM forum_post WHERE id = post_id), sha256"
            f" FROM forum_postrevision WHERE id {named} ORDER BY id{locked}",
            [sorted(ids) if postgres else json.dumps(sorted(ids))],
        )
        return {pk: (thread_id, summed) for pk, thread_id, summed in cursor.fetchall()}


def lock_texts(ids: Iterable[int]) -> None:
    """Lock these revisions for whoever erases words of them, after the locks of their debates: who
    quotes them (`hold_sources`) is waited for, and waits."""
    rows = PostRevision.objects.select_for_update().filter(pk__among=ids).order_by("pk")
    list(rows.values_list("pk"))
