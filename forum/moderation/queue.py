"""Deciding what waits in the queue: each decision is an act with a reason, and closes its case."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.timesince import timesince

from accounts.models import User
from forum import tree
from forum.actions import cases, joining, members, notices
from forum.actions.audit import record
from forum.actions.locking import PostMoved
from forum.acts import ACTS
from forum.models import AuditEntry, Case, CaseViewer, State, Suspension, Thread, Warning
from forum.permissions import NotThere, Refused, may, require

from . import cleanup, sanctions, states, undoing

# What may be decided, by kind of case, the usual first.
DECISIONS: dict[str, tuple[str, ...]] = {
    Case.Kind.REPORT: ("no action", "hide", "remove", "warn"),
    Case.Kind.FIRST: ("approve", "reject"),
    Case.Kind.SLOW: ("approve", "reject"),
    Case.Kind.HELD: ("approve", "reject"),
    Case.Kind.NAME: ("rename member", "refuse name"),
    Case.Kind.APPEAL: ("uphold", "undo"),
    Case.Kind.JOIN: ("admit", "turn away"),
}
# What takes nothing from anybody, and needs no reason.
WITHOUT_REASON = ("approve", "admit")


def offered(user, case: Case, answered: AuditEntry | None) -> tuple[tuple[str, str], ...]:
    """What `user` may decide about a case, (verb, label) each: an act that was `answered` (one of
    `AuditEntry.objects.for_undo()`) is taken back by who may do its opposite."""
    undoable = answered is None or may(user, "undo", answered)
    return tuple(
        (verb, ACTS[verb].label) for verb in DECISIONS[case.kind] if verb != "undo" or undoable
    )


def decide(*, user, case: Case, act: str, reason: str = "", points: int = 0) -> Case:
    """Decide a case that waits. Whoever is concerned reads the reason, and so does the log. With
    `points` the writer is warned besides, for the post and with the same reason.

    Deciding what was just decided the same way does nothing, so that a form may be sent twice.
    Raises permissions.Refused.
    """
    reason = reason.strip()
    if act not in DECISIONS[case.kind]:
        raise Refused("Choose what to do.")
    if act not in WITHOUT_REASON and not reason:
        raise Refused("Say why: those concerned read the reason, and it stands in the log.")
    with transaction.atomic():
        locked = _lock(case, act)
        Case.objects.select_for_update(no_key=True).only("pk").get(pk=case.pk)
        case = Case.objects.select_related(
            *("post__thread__board", "post__author", "thread__board", "member")
        ).get(pk=case.pk)
        if case.post and case.post.thread_id not in locked:
            raise PostMoved
        require(user, "decide", case)
        if case.decision:
            if case.decision.actor_id == user.pk and case.decision.reason == reason:
                return case
            raise Refused(_decided(case.decision))
        _act(user, case, act, reason)
        if points or act == "warn":
            _warn(user, case, points, reason)
        case.refresh_from_db()
        if not case.decision_id:
            cases.close(
                case, _entry(user, case, act, reason), message=ACTS[act].notice.get("asker", "")
            )
    return case


def decide_all(*, user, cases: Sequence[Case], act: str, reason: str = "") -> dict[Case, str]:
    """Decide several cases alike, each for itself, as `decide` does. Returns those that were not,
    with the sentence that says why."""
    refused = {}
    for case in cases:
        try:
            decide(user=user, case=case, act=act, reason=reason)
        except NotThere:
            refused[case] = "It is not yours to decide."
        except Refused as error:
            refused[case] = str(error)
    return refused


def look_at(*, user, case: Case) -> None:
    """Note that `user` has a case open, for other moderators to see. Raises permissions.Refused."""
    require(user, "decide", case)
    now = timezone.now()
    CaseViewer.objects.filter(seen_at__lt=now - CaseViewer.FOR).delete()
    CaseViewer.objects.update_or_create(case=case, member=user, defaults={"seen_at": now})


def _decided(entry: AuditEntry) -> str:
    """By whom a case was decided, when and how: what its deciding entry says."""
    who = entry.actor.username if entry.actor else "The site"
    what = ACTS[entry.verb].label or entry.verb
    why = f" The reason given: “{entry.reason}”" if entry.reason else ""
    age = timezone.now() - entry.created_at
    ago = "just now" if age < timedelta(minutes=1) else f"{timesince(entry.created_at)} ago"
    return f"{who} decided this {ago}: “{what}”.{why}"


def _lock(case: Case, act: str) -> set[int]:
    """Lock what a decision may write, before the case itself: debates, boards, the member. Returns
    the ids of the debates."""
    thread_id = case.post.thread_id if case.post else case.thread_id or 0
    entries = []
    if act == "undo" and case.notice:
        entry = case.notice.entry
        entries = [entry]
        if entry.verb == "clean up":
            entries += AuditEntry.objects.parts_of(entry)
    there = Thread.objects.filter(pk=thread_id).values_list("pk", flat=True)
    locked = undoing.lock(*entries, besides=there)
    list(
        User.objects.select_for_update(no_key=True).filter(pk=case.member_id or 0).values_list("pk")
    )
    return set(locked)


def _act(user, case: Case, act: str, reason: str) -> None:
    """Do it; acts on posts close the case themselves, by the entry that they leave."""
    post = case.post
    if act == "no action" and case.hid and post and post.state == State.HIDDEN:
        states.restore(user=user, post=post, reason=reason)
    elif act in ("hide", "remove", "approve", "reject"):
        getattr(states, act)(user=user, post=post, reason=reason)
    elif act == "rename member" and case.member:
        members.rename(user=user, member=case.member, name=case.asked_name, reason=reason)
    elif act in ("admit", "turn away"):
        joining.decide(case, act=act, reason=reason)
    elif act == "undo" and case.notice:
        take_back(user=user, entry=case.notice.entry, reason=reason)


def _warn(user, case: Case, points: int, reason: str) -> None:
    """Warn the writer; the warning itself decides the case where nothing else does."""
    if case.kind in (Case.Kind.APPEAL, Case.Kind.NAME, Case.Kind.JOIN) or case.member is None:
        raise Refused("There is no writer to warn.")
    entry = sanctions.warn(
        user=user, member=case.member, points=points, reason=reason, post=case.post
    )
    case.refresh_from_db()
    if not case.decision_id:
        cases.close(case, entry)


def _entry(user, case: Case, act: str, reason: str) -> AuditEntry:
    """The entry of a decision that changed nothing, or nothing more: the post had been hidden by
    its reports alone, or there was nothing to change."""
    post = case.post
    stays: dict[str, Any] = {}
    if act == "hide" and post and post.state == State.HIDDEN and case.hid:
        was = states.state_snapshot(post)
        stays = {"before": post.state, "after": post.state, "was": was}
    entry = record(
        user,
        act,
        post=post,
        thread=case.thread,
        # Of a post or debate it follows from where that stands.
        board=None if post or case.thread_id else case.board,
        # An account that was turned away is deleted later, and the log stays.
        member=None if post or case.thread_id or act == "turn away" else case.member,
        reason=reason,
        **stays,
    )
    if post and stays:
        post.state_reason = reason
        post.save(update_fields=["state_reason"])
        tree.raise_version(post.thread_id)
        notices.notify(post.author, entry=entry, message="Your post stays hidden.")
    return entry


def take_back(*, user, entry: AuditEntry, reason: str) -> None:
    """Undo the act that a member answered. Raises Refused where the world has moved on, so that it
    cannot be undone."""
    if entry.verb == "warn":
        if warning := Warning.objects.filter(entry=entry).first():
            sanctions.lift_warning(user=user, warning=warning, reason=reason)
    elif entry.verb == "suspend":
        if suspension := Suspension.objects.filter(entry=entry).first():
            sanctions.lift_suspension(user=user, suspension=suspension, reason=reason)
    elif entry.verb == "clean up":
        cleanup.undo(user=user, entry=entry, reason=reason)
    else:
        undoing.undo(user=user, entry=entry, reason=reason)
