"""What moderators do. Each act asks the charter, changes, and leaves its entry in the audit log."""

from django.db import transaction

from accounts.models import raise_site_version
from forum import tree
from forum.actions import cases, notices, posts
from forum.actions.audit import record
from forum.actions.locking import locked_post
from forum.models import Post, State, Thread
from forum.permissions import Refused, require

MAX_SLOW = 7 * 24 * 60  # minutes: a slower debate is a locked one


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


def reject(*, user, post: Post, reason: str) -> Post:
    """Do not let a waiting post in; its author reads why, and keeps the text."""
    return _set_post(user, post, State.REJECTED, "reject", reason)


def _set_post(user, post: Post, state: str, verb: str, reason: str) -> Post:
    if verb in ("hide", "remove") and not reason.strip():
        raise Refused("Say why: the reason is shown in the post's place.")
    if verb == "reject" and not reason.strip():
        raise Refused("Say why: its author reads the reason.")
    with transaction.atomic():
        post = locked_post(post)
        require(user, "moderate", post)
        waits = post.state in (State.PENDING, State.REJECTED)
        if verb in ("approve", "reject") and not waits:
            raise Refused("This post does not wait for approval.")
        if verb == "restore" and waits:
            raise Refused("This post waits for approval; approve it instead.")
        if verb in ("hide", "remove") and post.number is None:
            raise Refused("This post was not seen by anybody yet; nothing is to be taken away.")
        if post.state != state:
            before, was = post.state, state_snapshot(post)
            posts.set_state(post, state, reason=reason if state != State.VISIBLE else "")
            entry = record(
                user, verb, post=post, reason=reason, before=before, after=state, was=was
            )
            notices.notify(post.author, entry=entry)
            cases.settle(post, entry)
    return post


def state_snapshot(post: Post) -> dict:
    """What a change of state takes away, besides the state: for the audit log, to undo it by."""
    return {
        "reason": post.state_reason,
        "withdrawn": post.withdrawn,
        "loaded_at": post.loaded_at.isoformat(),
        "last_post_at": post.thread.last_post_at.isoformat(),
    }


def lock_branch(*, user, post: Post, reason: str = "") -> Post:
    """Take no more answers to a post and to all that hangs below it, nor edits of them."""
    return _set_branch(user, post, "lock branch", reason, locked=True)


def unlock_branch(*, user, post: Post, reason: str = "") -> Post:
    """Take answers in a branch again."""
    return _set_branch(user, post, "unlock branch", reason, locked=False)


def _set_branch(user, post: Post, verb: str, reason: str, *, locked: bool) -> Post:
    with transaction.atomic():
        post = locked_post(post)
        require(user, "moderate", post)
        if post.number is None:
            raise Refused("This post waits for approval and has no branch yet.")
        if post.is_opening:
            raise Refused("The opening has no branch of its own; lock the debate instead.")
        if post.branch_locked != locked:
            set_branch_lock(post, post.thread, locked)
            entry = record(user, verb, post=post, reason=reason, before=not locked, after=locked)
            notices.notify(post.author, entry=entry)
    return post


def set_branch_lock(post: Post, thread: Thread, locked: bool) -> None:
    """Close or open a branch of a locked thread."""
    post.branch_locked = locked
    post.save(update_fields=["branch_locked"])
    thread.branch_locks += 1 if locked else -1
    tree.save_thread(thread, "branch_locks")


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


def archive(*, user, thread: Thread, reason: str = "") -> Thread:
    """Close a debate for good: no answers, no edits, no reports, by nobody."""
    return _set_thread(user, thread, "archive", reason, archived=True)


def unarchive(*, user, thread: Thread, reason: str = "") -> Thread:
    """Take a debate out of the archive; it goes on."""
    return _set_thread(user, thread, "unarchive", reason, archived=False)


def slow(*, user, thread: Thread, minutes: int, reason: str = "") -> Thread:
    """Let each member write once in so many minutes; 0 ends it."""
    if not 0 <= minutes <= MAX_SLOW:
        raise Refused(f"Slow mode takes whole minutes, up to {MAX_SLOW:,} (a week).")
    return _set_thread(user, thread, "slow", reason, slow_minutes=minutes)


def demand_approval(*, user, thread: Thread, reason: str = "") -> Thread:
    """Let answers wait until a moderator lets them in."""
    return _set_thread(user, thread, "demand approval", reason, approval=True)


def waive_approval(*, user, thread: Thread, reason: str = "") -> Thread:
    """Let answers appear at once again. Those that wait go on waiting."""
    return _set_thread(user, thread, "waive approval", reason, approval=False)


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
            set_columns(thread, wanted)
            entry = record(user, verb, thread=thread, reason=reason, before=before, after=wanted)
            notices.notify(thread.author, entry=entry)
            if "state" in wanted:
                raise_site_version()  # quotes in other debates lead to its posts, or no longer do
    return thread


def set_columns(thread: Thread, wanted: dict) -> None:
    """Write columns of a locked thread, with its version and its board's count."""
    was = thread.state
    for name, value in wanted.items():
        setattr(thread, name, value)
    tree.save_thread(thread, *wanted)
    # Boards count what everybody may see.
    if shown := (thread.state == State.VISIBLE) - (was == State.VISIBLE):
        tree.count_on_board(thread, shown)
    if "state" in wanted:
        notices.follow_threads(thread.pk)
