"""What binds a member, and how it ends: warnings with points, suspensions, notes.

Nothing of this is secret: each act writes a notice, and `standing` is the member's own page of it.
Acts on one member queue at the account's row.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from core import clock
from core.columns import longest
from core.counting import counted
from forum.actions import notices
from forum.actions.audit import record
from forum.actions.composing import Unacceptable
from forum.actions.locking import locked_post
from forum.models import AuditEntry, Note, Post, Suspension, Warning
from forum.models.visibility import moderates, moderates_all
from forum.permissions import Refused, require

MAX_POINTS = 5
MAX_DAYS = 365
NOTICES = {
    Suspension.Measure.SILENCE: "You may not write for a time. Reading stays as it is.",
    Suspension.Measure.APPROVAL: "What you write waits for approval for a time.",
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """At so many points in force, this measure for so many days."""

    points: int
    measure: str
    days: int


def thresholds() -> list[Threshold]:
    """What the site does by itself when warnings add up; a threshold of 0 points does nothing."""
    known = (
        Threshold(
            settings.WARNING_APPROVAL_POINTS,
            Suspension.Measure.APPROVAL,
            settings.WARNING_APPROVAL_DAYS,
        ),
        Threshold(
            settings.WARNING_SUSPENSION_POINTS,
            Suspension.Measure.SILENCE,
            settings.WARNING_SUSPENSION_DAYS,
        ),
    )
    return [threshold for threshold in known if threshold.points and threshold.days]


def points_of(member: User) -> int:
    """The points of the warnings in force."""
    rows = Warning.objects.filter(member=member, expires_at__gt=clock.now())
    return sum(rows.values_list("points", flat=True))


def warn(
    *, user: User, member: User, points: int, reason: str, post: Post | None = None
) -> AuditEntry:
    """Warn a member, for a post or in general, and act where the points in force reach a threshold.

    Moderators of single boards warn for posts in them. Raises Refused.
    """
    reason = reason_of(reason)
    if not 1 <= points <= MAX_POINTS:
        raise Refused(f"A warning carries 1 to {MAX_POINTS} points.")
    with _locked_about(member, post) as (member, post):
        require(user, "warn", member)
        if not moderates_all(user):
            if post is None or not moderates(user, post.thread.board_id):
                raise Refused("Warn for a post in one of your boards.")
        if post is not None and post.author_id != member.pk:
            raise Refused("This post is by somebody else.")
        if done := _just_done(user, "warn", member, reason, post=post, points=points):
            return done
        now = clock.now()
        expires = now + timedelta(days=settings.WARNING_DAYS)
        entry = record(
            user,
            "warn",
            member=member,
            post=post,
            reason=reason,
            points=points,
            expires=expires.isoformat(),
        )
        warning = Warning.objects.create(
            member=member, points=points, entry=entry, expires_at=expires
        )
        message = f"You were warned: {points} point{'s' * (points > 1)}, until {_day(expires)}."
        notices.notify(member, entry=entry, message=message)
        total = points_of(member)
        for threshold in thresholds():
            if total >= threshold.points:
                _suspend(
                    None,
                    member,
                    threshold.measure,
                    now + timedelta(days=threshold.days),
                    f"Warnings of {counted(total, 'point,points')} are in force.",
                    warning=warning,
                )
        _keep(member)
    return entry


def _just_done(
    user: User, verb: str, member: User, reason: str, *, post: Post | None = None, **detail
) -> AuditEntry | None:
    """The entry of this very act, if it is the last that the log tells of the member: the form was
    sent twice. Whoever means it twice says another reason, or the second time for another post."""
    acts = AuditEntry.objects.filter(member=member, actor__isnull=False).exclude(verb="note")
    last = acts.order_by("-pk").first()
    if last is None or (last.actor_id, last.verb, last.reason) != (user.pk, verb, reason):
        return None
    same = last.post_id == (post and post.pk) and last.detail.items() >= detail.items()
    return last if same else None


def lift_warning(*, user: User, warning: Warning, reason: str) -> AuditEntry:
    """Take a warning back, with what came of its points; who might give it may."""
    reason = reason_of(reason)
    with _locked_about(warning.member, warning.entry.post) as (member, post):
        require(user, "undo", AuditEntry.objects.for_undo().get(pk=warning.entry_id))
        there = Warning.objects.filter(pk=warning.pk).first()
        if there is None:
            raise Refused("This warning was taken back already.")
        warning = there
        entry = record(
            user, "lift warning", member=member, post=post, reason=reason, points=warning.points
        )
        warning.delete()
        _keep(member)
        notices.notify(member, entry=entry, message="A warning was taken back.")
    return entry


def suspend(
    *,
    user: User,
    member: User,
    days: int,
    reason: str,
    measure: str = Suspension.Measure.SILENCE,
) -> AuditEntry:
    """Suspend a member for so many days: they read, but do not write (or what they write waits)."""
    reason = reason_of(reason)
    if measure not in Suspension.Measure.values:
        raise Refused("Choose a measure.")
    if not 1 <= days <= MAX_DAYS:
        raise Refused(f"A suspension lasts 1 to {MAX_DAYS} days.")
    with _locked(member) as member:
        require(user, "suspend", member)
        if done := _just_done(user, "suspend", member, reason, measure=measure):
            lasts = datetime.fromisoformat(done.detail["ends"]) - done.created_at
            if round(lasts / timedelta(days=1)) == days:
                return done
        ends = clock.now() + timedelta(days=days)
        entry = _suspend(user, member, measure, ends, reason)
        _keep(member)
    return entry


def lift_suspension(*, user: User, suspension: Suspension, reason: str) -> AuditEntry:
    """End a suspension at once; who might give it may."""
    reason = reason_of(reason)
    with _locked(suspension.member) as member:
        require(user, "undo", AuditEntry.objects.for_undo().get(pk=suspension.entry_id))
        if not Suspension.objects.filter(pk=suspension.pk).exists():
            raise Refused("This suspension was lifted already.")
        entry = record(
            user,
            "lift suspension",
            member=member,
            reason=reason,
            measure=suspension.measure,
            ends=suspension.ends_at.isoformat(),
        )
        suspension.delete()
        _keep(member)
        message = "A suspension was lifted."
        if suspension.measure == Suspension.Measure.SILENCE:
            message = "Your suspension was lifted: you may write again."
        notices.notify(member, entry=entry, message=message)
    return entry


def note(*, user: User, member: User, text: str) -> Note:
    """Note something about a member for other moderators."""
    require(user, "note", member)
    text = text.strip()
    if not text or len(text) > longest(Note, "text") or "\0" in text:
        raise Unacceptable("A note is plain text of at most 1,000 characters.")
    with _locked(member) as member:
        last = Note.objects.filter(member=member).order_by("-pk").first()
        if last and (last.author_id, last.text) == (user.pk, text):
            return last  # the form was sent twice
        record(user, "note", member=member)
        return Note.objects.create(member=member, author=user, text=text)


def _suspend(
    actor: User | None,
    member: User,
    measure: str,
    ends: datetime,
    reason: str,
    *,
    warning: Warning | None = None,
) -> AuditEntry:
    entry = record(
        actor, "suspend", member=member, reason=reason, measure=measure, ends=ends.isoformat()
    )
    Suspension.objects.create(
        member=member, measure=measure, entry=entry, ends_at=ends, warning=warning
    )
    notices.notify(member, entry=entry, message=NOTICES[Suspension.Measure(measure)])
    return entry


def stands(member: User) -> bool:
    """Whether the columns that pages read say what the rows say."""
    now, wanted = clock.now(), _in_force(member)
    kept = {
        name: until if until is not None and until > now else None
        for name in ("suspended_until", "approval_until")
        for until in [getattr(member, name)]
    }
    kept["suspended_for"] = member.suspended_for if kept["suspended_until"] else ""
    return kept == wanted


def restate(member: User) -> None:
    """Set those columns anew, under the account's lock."""
    with _locked(member) as member:
        _keep(member)


def _keep(member: User) -> None:
    """Set the columns that pages read to what the rows say; the caller holds the account's lock."""
    wanted = _in_force(member)
    for name, value in wanted.items():
        setattr(member, name, value)
    member.save(update_fields=list(wanted))


def _in_force(member: User) -> dict:
    """The columns as the suspensions in force make them: the one that ends last counts."""
    last: dict[str, Suspension] = {}
    rows = Suspension.objects.filter(member=member, ends_at__gt=clock.now())
    for row in rows.select_related("entry").order_by("ends_at"):
        last[row.measure] = row
    silence, approval = map(last.get, (Suspension.Measure.SILENCE, Suspension.Measure.APPROVAL))
    return {
        "suspended_until": silence and silence.ends_at,
        "suspended_for": silence.entry.reason if silence else "",
        "approval_until": approval and approval.ends_at,
    }


@contextmanager
def _locked(member: User) -> Iterator[User]:
    """A transaction in which the account's row is locked and fresh."""
    with _locked_about(member, None) as (member, _):
        yield member


@contextmanager
def _locked_about(member: User, post: Post | None) -> Iterator[tuple[User, Post | None]]:
    """A transaction in which the account is locked and fresh, and the post that the act is about.
    Its thread is locked first, as by whoever writes a post, who then changes their account."""
    with transaction.atomic():
        post = None if post is None else locked_post(post)
        yield User.objects.select_for_update(no_key=True).get(pk=member.pk), post


def reason_of(text: str) -> str:
    """A reason on one line, as the log keeps it. Raises Refused where there is none."""
    text = " ".join(text.replace("\0", "").split())[:300]
    if not text:
        raise Refused("Say why: the member reads the reason, and it stands in the log.")
    return text


def _day(moment: datetime) -> str:
    local = timezone.localtime(moment)
    return f"{local.day} {local:%B %Y}"
