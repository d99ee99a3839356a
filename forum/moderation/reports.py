"""Members report posts; several reports of one post are one case."""

from uuid import UUID

from django.db import transaction

from core import clock
from core.counting import counted
from forum.actions import cases, notices, pace, posts
from forum.actions.audit import record
from forum.actions.composing import Unacceptable
from forum.actions.locking import locked_post
from forum.models import Case, Post, Report, State, TrustedReporter
from forum.permissions import require

from .states import state_snapshot

MAX_TEXT = 1000
HIDDEN_BY_REPORTS = "Several members reported it; a moderator will look at it."


def report(*, user, post: Post, reason: str, text: str = "", token: UUID) -> Report:
    """Ask the moderators to look at a post, and return the report, or the one that this form or
    this member made before while the case is open.

    The post stays as it is, unless its board hides posts after so many reports. Raises
    permissions.Refused, composing.Unacceptable or pace.TooFast.
    """
    if done := _sent(token, user):
        return done
    require(user, "report", post)
    text = text_of(reason, text, most=MAX_TEXT)
    with transaction.atomic():
        post = locked_post(post, "author")
        if done := _sent(token, user):
            return done
        require(user, "report", post)
        case = case_of(post)
        if done := case.reports.filter(member=user).first():
            return done
        pace.check_reports(user)
        trusted = TrustedReporter.objects.has(member=user)
        made = Report(member=user, reason=reason, text=text, trusted=trusted, token=token)
        add(case, made)
        _hide_if_many(case, post)
    return made


def text_of(reason: str, text: str, *, most: int) -> str:
    """The text of a report as it is kept. Raises Unacceptable where reason or text will not do."""
    text = text.strip()
    if reason not in Report.Reason.values:
        raise Unacceptable("Choose what is wrong with the post.")
    if reason == Report.Reason.OTHER and not text:
        raise Unacceptable("Say in a few words what is wrong with the post.")
    if len(text) > most or "\0" in text:
        long = counted(most, "character,characters")
        raise Unacceptable(f"Please say it in plain text of at most {long}.")
    return text


def case_of(post: Post) -> Case:
    """The open case of the reports of a post, whose debate the caller holds locked."""
    made = {"member": post.author, "board_id": post.thread.board_id, "gravity": Case.UNHEEDED}
    case, _ = Case.objects.open().get_or_create(post=post, kind=Case.Kind.REPORT, defaults=made)
    return case


def add(case: Case, report: Report) -> None:
    """Write a report that belongs to this case, whose debate the caller holds locked."""
    report.case = case
    report.save()
    report.created_at = clock.now()  # not the worker's: it is counted by
    report.save(update_fields=["created_at"])
    case.report_count += 1
    case.save(update_fields=["report_count"])
    cases.weigh(case.pk, report.gravity)


def _hide_if_many(case: Case, post: Post) -> None:
    limit = post.thread.board.hide_after_reports
    if not limit or case.report_count < limit or post.state != State.VISIBLE:
        return
    if case.hid:
        return  # a moderator looked, and brought it back from the log
    if case.reports.filter(guest=None).count() < limit:
        return  # without an account, anybody could be several
    entry = record(
        None,
        "hide",
        post=post,
        reason=HIDDEN_BY_REPORTS,
        before=post.state,
        after=State.HIDDEN,
        was=state_snapshot(post),
    )
    posts.set_state(post, State.HIDDEN, reason=HIDDEN_BY_REPORTS)
    case.hid = True
    case.save(update_fields=["hid"])
    notices.notify(
        post.author,
        entry=entry,
        message="Your post was hidden because several members reported it.",
    )


def _sent(token: UUID, user) -> Report | None:
    """The report that this form made before. Raises Unacceptable if another member sent it."""
    done = Report.objects.filter(token=token).first()
    if done is not None and done.member_id != user.pk:
        raise Unacceptable("This form was used by another account. Open the page anew.")
    return done
