"""Threadmarks: naming the posts that tell a debate's story."""

from typing import Any

from django.db import transaction

from core.columns import longest
from core.opened_texts import check_base

from .. import tree
from ..models import AuditEntry, Post, State, Thread, Threadmark
from ..permissions import Refused, require
from . import post_notices
from .audit import record
from .composing import Unacceptable
from .locking import locked_post

MAX_MARKS = 1_000  # of one thread: each page of the story lists some of them
MAX_LABEL = longest(Threadmark, "label")


def mark(*, user, post: Post, category: str, label: str, base: str | None = None) -> Threadmark:
    """Mark a post, or give its mark another label or category, and return the mark. What a
    moderator does in a debate of somebody else's is audited. `base` is what the form said of
    `stored_texts`.

    Raises permissions.Refused, Unacceptable or ChangedMeanwhile; then nothing was changed.
    """
    label = check_label(label)
    if category not in Threadmark.Category.values:
        raise Unacceptable("Choose one of the categories.")
    with transaction.atomic():
        post = _locked(user, post)
        if post.state != State.VISIBLE:
            raise Unacceptable("This post does not stand, so it cannot be part of the story.")
        before = Threadmark.objects.filter(post=post).first()
        content = {"category": category, "label": label}
        if before and (before.category, before.label) == (category, label):
            return before
        check_base(base, stored_texts(before))
        if not before and Threadmark.objects.filter(thread=post.thread).count() >= MAX_MARKS:
            raise Unacceptable(f"A story has at most {MAX_MARKS:,} parts.")
        threadmark, _ = Threadmark.objects.update_or_create(
            post=post, defaults={"thread": post.thread, "marked_by": user, **content}
        )
        _record(user, post, "mark", before, content)
        if before is None:
            post_notices.notify_of_threadmark(post)
    return threadmark


def stored_texts(threadmark: Threadmark | None) -> tuple[str, ...]:
    """What a form that changes a mark shows of it; there may be none yet."""
    return (threadmark.label,) if threadmark else ()


def unmark(*, user, post: Post) -> None:
    """Take the mark off a post; nothing happens where there is none. Raises as `mark` does."""
    with transaction.atomic():
        post = _locked(user, post)
        before = Threadmark.objects.filter(post=post).first()
        if before is not None:
            Threadmark.objects.filter(pk=before.pk).delete()
            _record(user, post, "unmark", before, None)


def put_back(entry: AuditEntry, thread: Thread) -> None:
    """Take back what a moderator did to the mark of a post of a locked thread. Raises
    permissions.Refused where it is not as the act left it."""
    post = Post.objects.get(pk=entry.post_id)
    if post.thread_id != thread.pk:
        raise Refused("The post is in another debate now. Act on it there.")
    now = Threadmark.objects.filter(post=post).first()
    if (_content(now) if now else None) != entry.detail["after"]:
        raise Refused("Its part in the story was changed again since, or taken out.")
    before = entry.detail["before"]
    if before is not None and post.state != State.VISIBLE:
        raise Refused("This post does not stand, so it cannot be part of the story.")
    if before is None:
        if now:
            now.delete()
    else:
        content = {**before, "thread": thread, "marked_by_id": entry.detail.get("marked_by")}
        pk = now.pk if now else entry.detail.get("mark")
        Threadmark.objects.update_or_create(pk=pk, defaults={"post": post, **content})
    tree.raise_version(thread.pk)


def check_label(label: str) -> str:
    """The label without stray white space. Raises Unacceptable with what to do."""
    label = " ".join(label.split())
    if not label:
        raise Unacceptable("Give it a label, such as the title of a chapter.")
    if len(label) > MAX_LABEL:
        raise Unacceptable(
            f"A label holds at most {MAX_LABEL} characters; this one has {len(label)}."
        )
    if not label.isprintable():
        raise Unacceptable("The label holds characters that cannot be shown. Please retype it.")
    return label


def _locked(user, post: Post) -> Post:
    """The post as it stands under its thread's lock, if `user` may mark it."""
    post = locked_post(post)
    require(user, "mark", post)
    return post


def _content(threadmark: Threadmark) -> dict:
    return {"category": threadmark.category, "label": threadmark.label}


def _record(user, post: Post, verb: str, before: Threadmark | None, after: dict | None) -> None:
    """Let the pages of the debate be drawn anew, and leave an entry if a moderator did it."""
    thread = post.thread
    tree.raise_version(thread.pk)
    if thread.author_id != user.pk:
        row: dict[str, Any] = (
            {"mark": before.pk, "marked_by": before.marked_by_id} if before else {}
        )
        was = _content(before) if before else None
        record(user, verb, post=post, before=was, after=after, **row)
