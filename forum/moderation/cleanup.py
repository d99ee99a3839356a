"""Cleaning up after one account: what it posted is reviewed on one page, hidden at once, and
brought back as a whole.

Every thing hidden has its own entry in the log, the same as if it had been hidden alone; one entry
"clean up" holds them together by the id of the batch, and is what the member is told of.
"""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from accounts.models import User, raise_site_version
from forum import tree
from forum.actions import cases, notices, posts
from forum.actions.audit import record
from forum.models import AuditEntry, Post, State, Thread
from forum.models.visibility import moderates
from forum.permissions import Refused, require

from . import states as moderation
from . import undoing

MOST = 200  # things in one batch: all of it is one transaction, which holds the debates' locks


def clean_up(
    *,
    user: User,
    member: User,
    post_ids: Collection[int] = (),
    thread_ids: Collection[int] = (),
    reason: str,
    batch: UUID,
) -> AuditEntry:
    """Hide these posts and debates of `member`, all or none, and return the entry of the batch, or
    that of the batch with this id that was made before. What waits for approval is rejected; what
    is hidden already, or somebody else's, or in boards of others is left alone.

    Raises permissions.Refused.
    """
    require(user, "clean up", member)
    reason = " ".join(reason.replace("\0", "").split())[:300]
    if not reason:
        raise Refused("Say why: the member reads the reason, and it stands in the log.")
    if len(post_ids) + len(thread_ids) > MOST:
        raise Refused(f"At most {MOST} things are cleaned up at once. Choose fewer.")
    with transaction.atomic():
        held = Post.objects.filter(pk__in=post_ids, author=member).values_list(
            "thread_id", flat=True
        )
        there = Thread.objects.filter(pk__in={*held, *thread_ids}).exclude(state=State.LOADING)
        locked = {row.pk: row for row in tree.lock(*there.values_list("pk", flat=True))}
        if locked:
            tree.lock_boards(*(row.board_id for row in locked.values()))
        if done := _batch(member, batch):
            return done
        hidden = 0
        for post in Post.objects.filter(pk__in=post_ids, author=member).order_by("pk"):
            if post.thread_id in locked and moderates(user, locked[post.thread_id].board_id):
                # Fresh: the post before may have been of the same debate.
                post.thread = Thread.objects.select_related("board").get(pk=post.thread_id)
                hidden += _hide_post(user, post, reason, batch)
        for pk in thread_ids:
            thread = locked.get(pk)
            if thread and thread.author_id == member.pk and moderates(user, thread.board_id):
                hidden += _hide_thread(user, Thread.objects.get(pk=pk), reason, batch)
        if thread_ids:
            raise_site_version()  # quotes in other debates lead to posts of these
        if not hidden:
            raise Refused("Choose what to hide; nothing of what you chose stands.")
        entry = record(
            user, "clean up", member=member, reason=reason, batch=str(batch), things=hidden
        )
        things = "thing that you posted was" if hidden == 1 else "things that you posted were"
        notices.notify(member, entry=entry, message=f"{hidden} {things} hidden.")
    return entry


def undo(*, user: User, entry: AuditEntry, reason: str = "") -> tuple[AuditEntry, list[str]]:
    """Bring back what a batch hid, as a whole: whoever may bring back each part does. Returns the
    entry of that, and in words what was left as it is because something happened to it since.
    Raises permissions.Refused."""
    if entry.verb != "clean up":
        raise Refused("This is no clean-up.")
    with transaction.atomic():
        rows = AuditEntry.objects.parts_of(entry)
        parts = list(rows.select_related("post", "thread", "undone_by").order_by("-pk"))
        # All locks first: each undoing locks the site version, after which nothing may be locked.
        undoing.lock(*parts)
        User.objects.select_for_update(no_key=True).get(pk=entry.member_id or 0)
        require(user, "undo", entry)
        if AuditEntry.objects.filter(undoes=entry).exists():
            raise Refused("This clean-up was undone already.")
        left = []
        for part in parts:
            if hasattr(part, "undone_by"):
                continue
            try:
                undoing.undo(user=user, entry=part, reason=reason)
            except Refused as error:
                left.append(f"{part.post or part.thread}: {error}")
        done = record(
            user,
            "undo clean up",
            member=entry.member,
            undoes=entry,
            reason=reason,
            left=len(left),
        )
        cases.undone(entry, done)
        notices.notify(entry.member, entry=done, message="What you posted was brought back.")
    return done, left


def _batch(member: User, batch: UUID) -> AuditEntry | None:
    return AuditEntry.objects.filter(
        member=member, verb="clean up", detail__batch=str(batch)
    ).first()


def _hide_post(user: User, post: Post, reason: str, batch: UUID) -> bool:
    """Hide one post of a locked thread, or reject it if it waits; whether there was anything to."""
    states = {State.VISIBLE: State.HIDDEN, State.PENDING: State.REJECTED}
    after = states.get(State(post.state))
    if after is None:
        return False
    before, was = post.state, moderation.state_snapshot(post)
    posts.set_state(post, after, reason=reason)
    entry = record(
        user,
        "hide" if after == State.HIDDEN else "reject",
        post=post,
        member=post.author,
        reason=reason,
        before=before,
        after=after,
        was=was,
        batch=str(batch),
    )
    cases.settle(post, entry)
    return True


def _hide_thread(user: User, thread: Thread, reason: str, batch: UUID) -> bool:
    if thread.state != State.VISIBLE:
        return False
    wanted = {"state": State.HIDDEN}
    before = {"state": thread.state}
    moderation.set_columns(thread, wanted)
    record(
        user,
        "hide",
        thread=thread,
        member=thread.author,
        reason=reason,
        before=before,
        after=wanted,
        batch=str(batch),
    )
    return True
