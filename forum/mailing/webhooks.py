"""What a mail service tells of mails that came back: loaded only where MAIL_WEBHOOK_SECRET is set
and the extra `mail-webhooks` is installed.

django-anymail reads the forms of a dozen services and hands each event on by its signal: there is
no other way to hear of them (docs/decisions/0030).
"""

from anymail.signals import EventType, RejectReason, tracking
from django.urls import include, path

from . import bounces

# The service will not deliver there again either, or the reader calls it spam.
_FOR_GOOD = {RejectReason.INVALID, RejectReason.BOUNCED, RejectReason.SPAM}

urls = path("mail/webhooks/", include("anymail.urls"))


def hear(sender, event, esp_name, **_more) -> None:
    """Stop mail to an address from which a mail came back for good, or whose reader complained."""
    refused = event.event_type in (EventType.BOUNCED, EventType.REJECTED)
    for_good = refused and event.reject_reason in _FOR_GOOD
    if event.recipient and (for_good or event.event_type == EventType.COMPLAINED):
        bounces.stop_mail(event.recipient)


tracking.connect(hear)
