"""Joining by approval: what who wants to join is asked, and what becomes of it.

The account is made at once, so that name and address are theirs, but nobody signs in to it until a
moderator lets them in (accounts.stages). What they wrote is a case of the queue.
"""

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.models import User
from core.tasks import OUTSIDE, task

from ..models import Case, Page
from ..permissions import Refused
from . import cases
from .audit import record

LONGEST = 1000  # characters of an answer
QUESTION = "What brings you here?"


def question() -> str:
    """What the site asks, as HTML: its own words, or ours where it wrote none."""
    page = Page.objects.filter(kind=Page.Kind.JOINING).exclude(source="").only("html").first()
    return page.html if page else f"<p>{QUESTION}</p>"


def apply(member: User, answer: str = "") -> Case:
    """Have an account that is just being made wait for the moderators; to be called in the
    transaction in which it is made."""
    member.waits_since = timezone.now()
    member.save(update_fields=["waits_since"])
    return Case.objects.create(kind=Case.Kind.JOIN, member=member, asked_why=answer)


def decide(case: Case, *, act: str, reason: str) -> None:
    """Let in ("admit") or turn away whom a case is about, and tell them by mail. The caller holds
    the locks of member and case and writes the log. Raises Refused if the account is gone."""
    member = case.member
    if member is None or member.waits_since is None:
        raise Refused("This account does not wait any more.")
    if act == "admit":
        member.waits_since = member.turned_away_at = None
    else:
        member.turned_away_at = timezone.now()
    member.save(update_fields=["waits_since", "turned_away_at"])
    if settings.CONFIRM_ADDRESS != "off":
        mail_decision.enqueue(member.pk, act, reason)


def decide_by_hand(*, member: User, act: str, reason: str = "") -> None:
    """The same by whoever runs the server, who is in no table; also for one that was turned away.
    Raises Refused if the account does not wait."""
    with transaction.atomic():
        member = User.objects.select_for_update(no_key=True).get(pk=member.pk)
        rows = Case.objects.select_for_update(no_key=True)
        case = rows.filter(kind=Case.Kind.JOIN, member=member).order_by("-pk").first()
        if case is None:
            raise Refused("This account does not wait.")
        case.member = member
        decide(case, act=act, reason=reason)
        entry = record(None, act, member=member if act == "admit" else None, reason=reason)
        cases.close(case, entry)


@task(queue_name=OUTSIDE)
def mail_decision(member_id: int, act: str, reason: str) -> None:
    """Tell by mail what was decided."""
    member = User.objects.filter(pk=member_id).exclude(email="").first()
    if member is None:
        return
    name = "admitted" if act == "admit" else "turned_away"
    given = {"member": member, "reason": reason, "site_name": settings.SITE_NAME}
    given |= {"site_url": settings.SITE_URL}
    body = render_to_string(f"account/email/{name}_message.txt", given)
    subject = render_to_string(f"account/email/{name}_subject.txt", given).strip()
    EmailMessage(f"{subject} · {settings.SITE_NAME}", body.strip(), to=[member.email]).send()
