"""Sending: rows are gathered into messages, and each message goes out once.

A message is numbered before it is sent, so that one that has to be sent again is the same to the
reader's mail program. Whether it went out can be told by nobody if a worker dies between a server's
yes and our commit: it is then sent once more, and never a third time.
"""

import logging
from collections import defaultdict
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused

from django.core.mail import get_connection
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from core import clock
from core.tasks import OUTSIDE, task

from ..models import Mail, MailSettings, Rhythm
from . import bounces
from .composing import MailLine, compose, lines_of
from .topics import topic_of

MOST_LINES = 100  # of a message; a digest that is longer comes in parts
log = logging.getLogger("forum.mailing")


@task
def gather(member_id: int) -> None:
    """Put together what is due for a member: by debate what goes at once, and a digest in one
    message; each is sent by a job of its own."""
    rows = Mail.objects.unsettled().filter(member=member_id, message=None)
    # The locks first: of two gatherings at once the second finds nothing left.
    held = list(rows.select_for_update(no_key=True).order_by("pk"))
    now, messages = clock.now(), defaultdict(list)
    due = {mail.rhythm for mail in held if mail.due_at <= now}
    held = [mail for mail in held if mail.rhythm in due]  # what is held still goes along
    lines = {line.mail.pk: line for line in _current(held)}
    for mail in held:
        if line := lines.get(mail.pk):
            where = line.thread.pk if line.thread and mail.rhythm == Rhythm.NOW else None
            messages[mail.rhythm, where].append(mail.pk)
    for pks in messages.values():
        for first in range(0, len(pks), MOST_LINES):
            part = pks[first : first + MOST_LINES]
            Mail.objects.filter(pk__in=part).update(message=part[0])
            send.enqueue(part[0])


@task(queue_name=OUTSIDE)
def send(message: int) -> None:
    """Send one message, if any of its lines is still to be told. Raises what the server or the way
    to it says against it, unless it refuses the address for good."""
    lines = _to_send(message)
    if not lines:
        return
    mail = compose(lines, message)
    connection = get_connection()
    connection.open()  # a server that is away shows here, before anything was begun
    try:
        Mail.objects.filter(message=message).update(begun=F("begun") + 1)
        connection.send_messages([mail])
    except SMTPRecipientsRefused as error:
        code = max((code for code, _ in error.recipients.values()), default=0)
        if code < 500:
            _not_begun(message)
            raise
        bounces.stop_mail(mail.to[0])
        _settle([line.mail.pk for line in lines], Mail.Outcome.REFUSED)
    except (SMTPDataError, SMTPSenderRefused):
        _not_begun(message)
        raise
    else:
        _settle([line.mail.pk for line in lines], Mail.Outcome.SENT)
    finally:
        connection.close()


def _to_send(message: int) -> list[MailLine]:
    """The lines of a message that are still to be told."""
    with transaction.atomic():
        rows = list(Mail.objects.unsettled().filter(message=message).order_by("pk"))
        if rows and rows[0].begun > 1:
            log.error("message %d was begun twice and never ended: not sent again", message)
            _settle([mail.pk for mail in rows], Mail.Outcome.UNCERTAIN)
            return []
        return _current(rows)


def _current(held: list[Mail]) -> list[MailLine]:
    """What is still to be told of one member's mails; the rest is settled: it was read, may not be
    seen any more, or the member wants no mail now."""
    if not held:
        return []
    member = User.objects.get(pk=held[0].member_id)
    chosen = MailSettings.objects.filter(pk=member.pk).first() or MailSettings()
    reached = member.is_active and member.address_known and member.email != chosen.bounced
    rows = Mail.objects.filter(pk__in=[mail.pk for mail in held]).select_related("notice")
    settled, left = defaultdict(list), []
    for mail in rows.order_by("pk"):
        mail.member = member  # the one whose rights are at hand
        if mail.notice.read_at:
            settled[Mail.Outcome.READ].append(mail.pk)
        elif not reached or chosen.rhythm(topic_of(mail.notice)) == Rhythm.NEVER:
            settled[Mail.Outcome.STOPPED].append(mail.pk)
        else:
            left.append(mail)
    lines = lines_of(left)
    shown = {line.mail.pk for line in lines}
    settled[Mail.Outcome.UNSEEN] = [mail.pk for mail in left if mail.pk not in shown]
    for outcome, pks in settled.items():
        _settle(pks, outcome)
    return lines


def _settle(pks: list[int], outcome: str) -> None:
    if pks:
        rows = Mail.objects.unsettled().filter(pk__in=pks)
        rows.update(settled_at=timezone.now(), outcome=outcome)


def _not_begun(message: int) -> None:
    """The server said no: nothing went out, so trying again sends nothing twice."""
    Mail.objects.filter(message=message).update(begun=F("begun") - 1)
