"""Taking an act of moderation back: from the audit log, the desk, or where it was done.

`undo` brings back what was so before the act, or refuses with a sentence where the world has moved
on. The log keeps both entries. The one act that cannot be taken back erases words.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.models import raise_site_version
from forum import tree
from forum.actions import (
    arguments,
    cases,
    description,
    keyword_index,
    notices,
    polls,
    posts,
    threadmarks,
    variants,
)
from forum.actions.audit import record
from forum.actions.reassigning import last_word, reassign_rows
from forum.models import AuditEntry, Board, Post, Quote, State, Thread, slug_for
from forum.permissions import Refused, may, require

from . import moving, states, undoing_moves

# Acts that move posts between threads: they are taken back in the opposite order.
MOVING = ("split", "move branch", "merge", "merge duplicates")


def undo(*, user, entry: AuditEntry, reason: str = "") -> AuditEntry:
    """Take back the act that `entry` records and return the entry of that. It asks what the
    opposite act would ask, on all that it touches, of the locked rows: see `opposites`.

    Raises permissions.Refused where the act cannot be taken back, was already, or where what
    followed it is in the way; then nothing was changed.
    """
    if entry.verb not in ACTS:
        raise Refused("This act cannot be undone.")
    try:
        with transaction.atomic():
            threads = lock(entry)
            # Again: what it touches may have moved before we had the lock.
            entry = AuditEntry.objects.for_undo().get(pk=entry.pk)
            require(user, "undo", entry)
            if AuditEntry.objects.filter(undoes=entry).exists():
                raise Refused("This act was undone already.")
            if entry.verb in MOVING:
                _refuse_out_of_order(entry, set(threads))
            ACTS[entry.verb](entry, threads)
            done = record(
                user,
                "undo",
                post=entry.post,
                thread=Thread.objects.get(pk=entry.thread_id or 0),
                undoes=entry,
                reason=reason,
                act=entry.verb,
            )
            notified = entry.notices.values_list("member_id", flat=True)
            message = "An act that you were told of was undone."
            notices.notify_each(notified, entry=done, message=message)
            cases.undone(entry, done)
            raise_site_version()
    except IntegrityError:
        # Somebody else undid it since we asked.
        if AuditEntry.objects.filter(undoes=entry).exists():
            raise Refused("This act was undone already.") from None
        raise
    return done


def lock(*entries: AuditEntry, besides: Collection[int] = ()) -> dict[int, Thread]:
    """Lock what the undoing of these acts writes: their threads (and those `besides`), which are
    returned by their ids, and then the boards that count these. Raises Refused where one is not
    there any more."""
    ids = {*besides, *(entry.thread_id for entry in entries if entry.thread_id)}
    ids |= {entry.other_thread or 0 for entry in entries if entry.verb in MOVING}
    # Those that are led back, too, in one order with the others.
    led = [pk for entry in entries for pk in entry.detail.get("variants", ())]
    led += Thread.objects.filter(variant_of__in=ids).values_list("pk", flat=True)
    try:
        rows = tree.lock(*ids, *Thread.objects.filter(pk__in=led).values_list("pk", flat=True))
    except Thread.DoesNotExist:
        raise Refused("The debate is not here any more.") from None
    threads = {row.pk: row for row in rows if row.pk in ids}
    if any(entry.verb in MOVING for entry in entries):
        tree.announce("undo", *threads)
    boards = {thread.board_id for thread in threads.values()}
    boards |= {entry.detail["before"] for entry in entries if entry.verb == "move"}
    if boards:
        tree.lock_boards(*boards)
    return threads


def may_undo(user, entry: AuditEntry) -> bool:
    """Whether a page offers `user` to take this act back: it is one that can be, was not yet, and
    `user` may do its opposite. The entry is one of `AuditEntry.objects.for_undo()`."""
    return entry.verb in ACTS and not hasattr(entry, "undone_by") and may(user, "undo", entry)


def _refuse_out_of_order(entry: AuditEntry, ids: set[int]) -> None:
    later = (
        AuditEntry.objects.filter(
            Q(thread__in=ids) | Q(other_thread__in=ids),
            pk__gt=entry.pk,
            verb__in=MOVING,
            undone_by__isnull=True,
        )
        .order_by("-pk")
        .defer("detail")
        .first()
    )
    if later is not None:
        raise Refused(
            f"Posts of these debates were moved again since ({later.verb}, "
            f"{later.created_at:%Y-%m-%d %H:%M}). Undo that first."
        )


# --- Posts and threads that stand or do not ---------------------------------------------------


def _post_state(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    post = Post.objects.get(pk=entry.post_id)
    thread = threads[entry.thread_id or 0]
    if post.thread_id != thread.pk:
        raise Refused("The post is in another debate now. Act on it there.")
    if "after" not in entry.detail:  # a decision of before this was noted: it stayed hidden
        raise Refused("By this the post stayed as it was. Act on it where it stands.")
    if post.state != entry.detail["after"]:
        raise Refused(f"The post is {post.get_state_display().lower()} by now.")
    # Of a post that reports hid nothing was noted before this was: it stood as it was written.
    was = entry.detail.get("was", {"reason": "", "withdrawn": False})
    before = entry.detail["before"]
    takes_number = before in (State.PENDING, State.REJECTED) and post.number is not None
    if takes_number:
        _refuse_answered(post, thread)
    posts.set_state(post, before, reason=was["reason"], withdrawn=was["withdrawn"])
    if post.state_reason != was["reason"]:  # the state is the same: it had stayed hidden
        post.state_reason = was["reason"]
        post.save(update_fields=["state_reason"])
    if takes_number:
        _take_number(post, was)
    if "last_post_at" in was:
        last_word(thread.pk, was["last_post_at"])


def _refuse_answered(post: Post, thread: Thread) -> None:
    """An approved post can wait again as long as nothing came after it."""
    if post.number != thread.numbered:
        raise Refused("Others were posted after it. Hide it instead.")
    if Quote.objects.filter(source_post=post).exists() or post.children.exists():
        raise Refused("It was answered or quoted since. Hide it instead.")


def _take_number(post: Post, was: dict) -> None:
    """Uproot a post that waits again, and let it have come when it first did."""
    (thread,) = tree.lock(post.thread_id)
    rows = tree.placements(thread.pk)
    row = next(row for row in rows if row.pk == post.pk)
    row.number = None
    reassign_rows({thread.pk: thread}, rows)
    post.refresh_from_db()
    post.loaded_at = datetime.fromisoformat(was["loaded_at"])
    post.save(update_fields=["loaded_at"])


def _branch(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    post = Post.objects.get(pk=entry.post_id)
    if post.thread_id != entry.thread_id:
        raise Refused("The post is in another debate now. Act on it there.")
    if post.branch_locked != entry.detail["after"]:
        raise Refused("The branch was locked or opened again since.")
    states.set_branch_lock(post, threads[entry.thread_id or 0], entry.detail["before"])


def _columns(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    thread = threads[entry.thread_id or 0]
    after = entry.detail["after"]
    if {name: getattr(thread, name) for name in after} != after:
        raise Refused("That was changed again since. Look at the debate as it is now.")
    states.set_columns(thread, entry.detail["before"])


def _rename(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    thread = threads[entry.thread_id or 0]
    if thread.title != entry.detail["after"]:
        raise Refused("The debate was renamed again since.")
    title = entry.detail["before"]
    states.set_columns(thread, {"title": title, "slug": slug_for(title)})
    keyword_index.index(thread)


def _variant(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    before = entry.detail["before"]["variant_of_id"]
    if before and not Thread.objects.filter(pk=before, state=State.VISIBLE).exists():
        raise Refused("The debate of which it was a variant does not stand any more.")
    _columns(entry, threads)


def _move_thread(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    thread = threads[entry.thread_id or 0]
    if thread.board_id != entry.detail["after"]:
        raise Refused("The debate was moved again since.")
    board = Board.objects.get(pk=entry.detail["before"])
    moving.check_audience(thread.posts.all(), board)
    moving.put_on_board(thread, board)


def _stands(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    """Posts and threads are hidden and brought back under the same words."""
    (_post_state if entry.post_id else _columns)(entry, threads)


def _put_back(function: Callable) -> Callable:
    """The undoing of an act whose own module knows how its rows lay."""
    return lambda entry, threads: function(entry, threads[entry.thread_id or 0])


ACTS: dict[str, Callable] = {
    **dict.fromkeys(("hide", "remove", "restore"), _stands),
    **dict.fromkeys(("approve", "reject"), _post_state),
    **dict.fromkeys(("lock branch", "unlock branch"), _branch),
    **dict.fromkeys(
        (
            *("lock", "unlock", "pin", "unpin", "archive", "unarchive"),
            *("slow", "demand approval", "waive approval"),
        ),
        _columns,
    ),
    "rename": _rename,
    variants.VERB: _variant,
    "describe": _put_back(description.put_back),
    **dict.fromkeys(("mark", "unmark"), _put_back(threadmarks.put_back)),
    "set lane": _put_back(arguments.put_back_lane),
    "tie answer": _put_back(arguments.put_back_answers),
    **dict.fromkeys(("close poll", "remove poll"), _put_back(polls.put_back)),
    "move": _move_thread,
    "split": undoing_moves.split,
    "move branch": undoing_moves.move_branch,
    "merge": undoing_moves.merge,
    "merge duplicates": undoing_moves.merge,
}
