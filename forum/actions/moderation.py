"""What moderators do. Each act asks the charter, changes, and leaves its entry in the audit log."""

from django.db import transaction
from django.db.models import F

from .. import tree
from ..models import Board, Post, State, Thread
from ..permissions import Refused, require
from . import notices, posts
from .audit import record


def hide(*, user, post: Post, reason: str) -> Post:
    """Take a post out of sight; a placeholder with the reason keeps its place."""
    return _set_post(user, post, State.HIDDEN, "hide", reason)


def remove(*, user, post: Post, reason: str) -> Post:
    """Take a post out for good in the eyes of readers; it can still be restored."""
    return _set_post(user, post, State.REMOVED, "remove", reason)


def restore(*, user, post: Post, reason: str = "") -> Post:
    """Bring a hidden or removed post back to its place."""
    return _set_post(user, post, State.VISIBLE, "restore", reason)


def approve(*, user, post: Post, reason: str = "") -> Post:
    """Let a waiting post appear: it is numbered and takes its place now."""
    return _set_post(user, post, State.VISIBLE, "approve", reason)


def _set_post(user, post: Post, state: str, verb: str, reason: str) -> Post:
    if verb in ("hide", "remove") and not reason.strip():
        raise Refused("Say why: the reason is shown in the post's place.")
    with transaction.atomic():
        tree.lock(post.thread_id)
        post = Post.objects.select_related("thread__board", "author").get(pk=post.pk)
        require(user, "moderate", post)
        if verb == "approve" and post.state != State.PENDING:
            raise Refused("This post does not wait for approval.")
        if verb == "restore" and post.state == State.PENDING:
            raise Refused("This post waits for approval; approve it instead.")
        if verb in ("hide", "remove") and post.state == State.PENDING:
            raise Refused("This post waits for approval and was not seen yet.")
        if post.state != state:
            before = post.state
            posts.set_state(post, state, reason=reason if state != State.VISIBLE else "")
            entry = record(user, verb, post=post, reason=reason, before=before, after=state)
            notices.tell(post.author, entry=entry)
    return post


def lock(*, user, thread: Thread, reason: str = "") -> Thread:
    """Take no more answers in a debate."""
    return _set_thread(user, thread, "lock", reason, locked=True)


def unlock(*, user, thread: Thread, reason: str = "") -> Thread:
    """Take answers again."""
    return _set_thread(user, thread, "unlock", reason, locked=False)


def pin(*, user, thread: Thread, reason: str = "") -> Thread:
    """Keep a debate at the top of its board."""
    return _set_thread(user, thread, "pin", reason, pinned=True)


def unpin(*, user, thread: Thread, reason: str = "") -> Thread:
    """Let a debate take its ordinary place again."""
    return _set_thread(user, thread, "unpin", reason, pinned=False)


def hide_thread(*, user, thread: Thread, reason: str) -> Thread:
    """Take a whole debate out of sight."""
    if not reason.strip():
        raise Refused("Say why.")
    return _set_thread(user, thread, "hide", reason, state=State.HIDDEN)


def restore_thread(*, user, thread: Thread, reason: str = "") -> Thread:
    """Bring a hidden or removed debate back."""
    return _set_thread(user, thread, "restore", reason, state=State.VISIBLE)


def _set_thread(user, thread: Thread, verb: str, reason: str, **wanted) -> Thread:
    with transaction.atomic():
        (thread,) = tree.lock(thread.pk)
        require(user, "moderate", thread)
        before = {name: getattr(thread, name) for name in wanted}
        if before != wanted:
            for name, value in wanted.items():
                setattr(thread, name, value)
            thread.version += 1
            thread.save(update_fields=[*wanted, "version"])
            # Boards count what everybody may see.
            shown = (thread.state == State.VISIBLE) - (
                before.get("state", thread.state) == State.VISIBLE
            )
            if shown:
                Board.objects.filter(pk=thread.board_id).update(
                    thread_count=F("thread_count") + shown
                )
            entry = record(user, verb, thread=thread, reason=reason, before=before, after=wanted)
            notices.tell(thread.author, entry=entry)
    return thread
