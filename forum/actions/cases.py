"""Opening and closing cases. Acts on posts call this under the thread's lock; `queue.decide` is
where a moderator decides, `reports.report` where a member asks for it."""

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from forum.mailing import guests

from .. import tree
from ..acts import ACTS
from ..models import AuditEntry, Case, Notice, Post, Thread
from ..permissions import Refused, require
from . import notices
from .composing import Unacceptable
from .locking import locked_post

MAX_ANSWER = 2000  # characters of an answer to an act
# Acts in the member's favour need no answer.
FAVOURABLE = frozenset(
    "approve,restore,unlock,unlock branch,pin,unarchive,waive approval,lift warning,"
    "lift suspension,undo".split(",")
)


def hold(post: Post, *, kind: str = Case.Kind.HELD) -> Case:
    """Put a post that waits for approval into the queue; the caller holds the thread's lock and
    wrote into `post.state_reason` why it waits."""
    made = {"member": post.author, "board_id": post.thread.board_id}
    case, _ = Case.objects.open().get_or_create(post=post, kind=kind, defaults=made)
    return case


def weigh(case_id: int, gravity: int) -> None:
    """Let a case be at least as grave as that. Two reports at once leave the graver."""
    Case.objects.filter(pk=case_id, gravity__gt=gravity).update(gravity=gravity)


def follow(*threads: Thread) -> None:
    """Let the moderators of the boards where these locked debates stand now decide what waits
    about them and their posts."""
    for thread in threads:
        for about in (Q(thread=thread), Q(post__thread=thread)):
            elsewhere = Case.objects.filter(about).exclude(board=thread.board_id)
            elsewhere.update(board=thread.board_id)


def settle(post: Post, entry: AuditEntry) -> None:
    """Close what waited about a post, since `entry` decided it, and tell whoever reported it. The
    caller holds the thread's lock."""
    for case in Case.objects.open().filter(post=post).select_related("notice__entry"):
        if case.kind == Case.Kind.APPEAL:
            if entry.verb not in ("restore", "approve"):
                continue  # another act leaves the answer to an earlier one open
            close(case, entry, message="Your answer was read: the act was taken back.")
        else:
            close(case, entry)


def close(case: Case, entry: AuditEntry, *, message: str = "") -> None:
    """Decide an open case by `entry`; `message` is what the member who answered is told."""
    case.decided_at, case.decision = timezone.now(), entry
    case.save(update_fields=["decided_at", "decision"])
    outcome = Notice.Kind.OUTCOME
    if case.kind in (Case.Kind.APPEAL, Case.Kind.NAME):
        notices.notify(case.member, entry=entry, kind=outcome, message=message)
    elif case.kind == Case.Kind.REPORT:
        message = ACTS[entry.verb].outcome or "The post that you reported was looked at."
        for report in case.reports.filter(member__isnull=False).select_related("member"):
            notices.notify(report.member, entry=entry, kind=outcome, message=message)
        if case.reports.filter(guest__isnull=False).exists():
            guests.mail_outcome.enqueue(case.pk, entry.pk)


def undone(entry: AuditEntry, by: AuditEntry) -> None:
    """Let the cases that `entry` decided wait again, since `by` undid it; whoever answered it is
    told. A post about which another case was opened meanwhile waits there."""
    for case in Case.objects.open().filter(notice__entry=entry):
        close(case, by, message="Your answer was read: the act was taken back.")
    for case in Case.objects.filter(decision=entry):
        again = Case.objects.open().filter(post=case.post, kind=case.kind)
        if case.kind != Case.Kind.APPEAL and again.exists():
            continue
        case.decided_at = case.decision = None
        case.save(update_fields=["decided_at", "decision"])


def may_answer(notice: Notice) -> bool:
    """Whether the member concerned may still answer the act that a notice tells of."""
    return (
        notice.kind == Notice.Kind.ACT
        and notice.answered_at is None
        and notice.entry.verb not in FAVOURABLE
    )


def answer(*, user: User, notice: Notice, text: str) -> Case:
    """Answer, once, an act that concerns `user`: moderators other than the one who acted read it,
    or all of them if there is no other. Members who are suspended may answer too.

    Returns the case, also if the same answer was sent before. Raises Refused for a second answer
    and for acts that take none, Unacceptable for a text that cannot be taken.
    """
    require(user, "answer act", notice)
    text = text.strip()
    if not text:
        raise Unacceptable("Write what you have to say to this.")
    if len(text) > MAX_ANSWER:
        raise Unacceptable(
            f"An answer holds at most {MAX_ANSWER:,} characters; this has {len(text):,}."
        )
    if "\0" in text:
        raise Unacceptable("The text holds characters that cannot be shown. Please retype it.")
    with transaction.atomic():
        where = _board_of(notice.entry)
        # The notice is the lock: two tabs answer one after the other.
        notice = Notice.objects.select_for_update(no_key=True).get(pk=notice.pk)
        if notice.answered_at and notice.answer == text:
            return notice.case
        if not may_answer(notice):
            raise Refused("You answered this already, or there is nothing to answer.")
        notice.answer, notice.answered_at = text, timezone.now()
        notice.save(update_fields=["answer", "answered_at"])
        entry = notice.entry
        return Case.objects.create(
            kind=Case.Kind.APPEAL,
            notice=notice,
            member=user,
            post_id=entry.post_id,
            thread_id=None if entry.post_id else entry.thread_id,
            board_id=where,
        )


def _board_of(entry: AuditEntry) -> int | None:
    """The board where that stands now which an act was about; the debate does not go to another
    one until this transaction ends."""
    if entry.post:
        return locked_post(entry.post).thread.board_id
    if entry.thread:
        return tree.lock(entry.thread.pk)[0].board_id
    return entry.board_id
