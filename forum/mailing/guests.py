"""Mail to people who reported without an account: a receipt, and what was decided.

Anybody can type anybody's address. So a mail holds none of the words that were typed, one address
gets few of them in a day, and all addresses together not many in an hour; what is not mailed stands
on the page of the receipt. Each is given to the mail server once: a worker that dies meanwhile
loses it rather than sends it twice.
"""

from datetime import timedelta
from smtplib import SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from core import clock
from core.tasks import OUTSIDE, task
from forum.acts import ACTS

from ..models import AuditEntry, GuestReport, Page, TrustedReporter
from .stopping import site

A_DAY = 3  # mails to one address; a trusted reporter's takes more
A_DAY_TRUSTED = 100
AN_HOUR = 60  # receipts to all addresses that the site does not trust


def key_of(guest: GuestReport) -> str:
    """What only the mail to the address of a report holds: who shows it reads mail there."""
    known = f"{guest.number} {guest.email}"
    return salted_hmac("forum.mailing.guests", known, algorithm="sha256").hexdigest()[:32]


def is_key(guest: GuestReport, key: str) -> bool:
    """Whether `key` is that of the address of a report; never of a report without one."""
    return bool(guest.email) and constant_time_compare(key_of(guest), key)


@task(queue_name=OUTSIDE)
def send_receipt(report_id: int) -> None:
    """Mail the receipt of a report to its address, if that may be written to now."""
    guest = _begin(report_id, "receipt_at")
    if guest is not None:
        more = {"key": key_of(guest), "days": settings.GUEST_ADDRESSES_KEPT_DAYS}
        _send(guest, "receipt_at", "receipt", more)


@task
def mail_outcome(case_id: int, entry_id: int) -> None:
    """Let everybody who reported a case and was mailed a receipt be told what `entry` decided."""
    rows = GuestReport.objects.filter(report__case=case_id, receipt_at__isnull=False)
    for pk in rows.exclude(email="").values_list("pk", flat=True):
        send_outcome.enqueue(pk, entry_id)


@task(queue_name=OUTSIDE)
def send_outcome(report_id: int, entry_id: int) -> None:
    """Mail what an entry decided, if it still stands and the address may be written to now."""
    entry = AuditEntry.objects.filter(pk=entry_id, cases__reports=report_id).first()
    guest = _begin(report_id, "outcome_at") if entry else None
    if guest is not None and entry is not None:
        _send(guest, "outcome_at", "outcome", outcome_of(entry))


def outcome_of(entry: AuditEntry) -> dict[str, str]:
    """What a reporter is told of a decision: what was done, why, and by whom as the log says it."""
    by = "the forum itself, by its rules" if entry.actor_id is None else "a moderator"
    if entry.actor is not None and settings.LOG_NAMES_MODERATORS:
        by = f"the moderator {entry.actor.username}"
    return {
        "outcome": ACTS[entry.verb].outcome or "The post that you reported was looked at.",
        "reason": entry.reason,
        "by": by,
    }


def _begin(report_id: int, column: str) -> GuestReport | None:
    """Note that a mail is sent now, and return its report; None if it is not to be sent."""
    with transaction.atomic():
        rows = GuestReport.objects.filter(pk=report_id)
        guest = rows.select_for_update(no_key=True).first()
        if guest is None or not _may_be_written_to(guest, column):
            return None
        setattr(guest, column, clock.now())
        guest.save(update_fields=[column])
    return guest


def _may_be_written_to(guest: GuestReport, column: str) -> bool:
    if settings.CONFIRM_ADDRESS == "off" or not guest.email:
        return False
    outcome = column == "outcome_at"
    if getattr(guest, column) and not outcome:
        return False
    if outcome and guest.confirmed_at:
        return True  # they asked for it, and said so from there
    now, trusted = clock.now(), TrustedReporter.objects.has(email=guest.email)
    day = now - timedelta(days=1)
    to_them = GuestReport.objects.filter(email=guest.email)
    sent = to_them.filter(receipt_at__gt=day).count() + to_them.filter(outcome_at__gt=day).count()
    if sent >= (A_DAY_TRUSTED if trusted else A_DAY):
        return False
    lately = Q(receipt_at__gt=now - timedelta(hours=1))
    return outcome or trusted or GuestReport.objects.filter(lately).count() < AN_HOUR


def _send(guest: GuestReport, column: str, kind: str, more: dict[str, str]) -> None:
    """Send it. Raises what the server or the way to it says against it, to be tried again, unless
    it refuses the address for good."""
    page = site() + reverse("report-receipt", args=[guest.number])
    contact = Page.objects.filter(kind=Page.Kind.CONTACT)
    context = {
        "site_name": settings.SITE_NAME,
        "number": guest.number,
        "page": page,
        "post": f"{site()}/posts/{guest.report.case.post_id}/",
        "made_at": guest.report.created_at,
        "contact": f"{site()}/contact/" if contact.exclude(source="").exists() else "",
        **more,
    }
    mail = EmailMessage(
        f"Your report {guest.number} · {settings.SITE_NAME}",
        render_to_string(f"mail/report_{kind}.txt", context),
        to=[guest.email],
        headers={"Auto-Submitted": "auto-generated"},
    )
    try:
        mail.send()
    except Exception as error:
        if isinstance(error, SMTPRecipientsRefused):
            code = max((code for code, _ in error.recipients.values()), default=0)
            if code >= 500:
                return
        GuestReport.objects.filter(pk=guest.pk).update(**{column: None})
        raise
