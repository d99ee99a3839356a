"""Threadmarks: naming the posts that tell a debate's story."""

from django.db import transaction

from .. import tree
from ..models import Post, State, Threadmark
from ..permissions import require
from .audit import record
from .composing import Unacceptable

MAX_MARKS = 1_000  # of one thread: each page of the story lists some of them
MAX_LABEL = Threadmark._meta.get_field("label").max_length


def mark(*, user, post: Post, category: str, label: str) -> Threadmark:
    """Mark a post, or give its mark another label or category, and return the mark. What a
    moderator does in a debate of somebody else's is audited.

    Raises permissions.Refused or Unacceptable; then nothing was changed.
    """
    label = check_label(label)
    if category not in Threadmark.Category.values:
        raise Unacceptable("Choose one of the categories.")
    with transaction.atomic():
        post = _locked(user, post)
        if post.state != State.VISIBLE:
            raise Unacceptable("This post does not stand, so it cannot be marked.")
        before = Threadmark.objects.filter(post=post).first()
        said = {"category": category, "label": label}
        if before and (before.category, before.label) == (category, label):
            return before
        if not before and Threadmark.objects.filter(thread=post.thread).count() >= MAX_MARKS:
            raise Unacceptable(f"A debate holds at most {MAX_MARKS:,} marks.")
        threadmark, _ = Threadmark.objects.update_or_create(
            post=post, defaults={"thread": post.thread, "marked_by": user, **said}
        )
        was = {"category": before.category, "label": before.label} if before else None
        _tell(user, post, "mark", was, said)
    return threadmark


def unmark(*, user, post: Post) -> None:
    """Take the mark off a post; nothing happens where there is none. Raises as `mark` does."""
    with transaction.atomic():
        post = _locked(user, post)
        before = Threadmark.objects.filter(post=post).first()
        if before is not None:
            before.delete()
            _tell(user, post, "unmark", {"category": before.category, "label": before.label}, None)


def check_label(label: str) -> str:
    """The label without stray white space. Raises Unacceptable with what to do."""
    label = " ".join(label.split())
    if not label:
        raise Unacceptable("Give the mark a label, such as the title of a chapter.")
    if len(label) > MAX_LABEL:
        raise Unacceptable(
            f"A label holds at most {MAX_LABEL} characters; this one has {len(label)}."
        )
    if not label.isprintable():
        raise Unacceptable("The label holds characters that cannot be shown. Please retype it.")
    return label


def _locked(user, post: Post) -> Post:
    """The post as it stands under its thread's lock, if `user` may mark it."""
    (thread,) = tree.lock(post.thread_id)
    post = Post.objects.select_related("thread__board").get(pk=post.pk)
    if post.thread_id != thread.pk:
        raise Unacceptable("This post was just moved. Open its page again.")
    post.thread = thread
    require(user, "mark", post)
    return post


def _tell(user, post: Post, verb: str, before: dict | None, after: dict | None) -> None:
    """Let the pages of the debate be drawn anew, and leave an entry if a moderator did it."""
    thread = post.thread
    thread.version += 1
    thread.save(update_fields=["version"])
    if thread.author_id != user.pk:
        record(user, verb, post=post, before=before, after=after)
