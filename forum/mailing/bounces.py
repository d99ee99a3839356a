"""Addresses from which mail comes back."""

import logging

from django.utils import timezone

from accounts.models import User

from ..models import MailSettings

log = logging.getLogger("forum.mailing")


def stop_mail(address: str) -> None:
    """Send no more notices to this address, since mail to it came back for good (no such mailbox,
    or its owner complained of spam). A member who gives another address, or presses "Write to me
    again" among the settings of mail, is written to again. An address that is nobody's is passed
    over. Called when a mail server refuses the address, and for whatever else hears of a bounce."""
    for member in User.objects.filter(email__iexact=address):
        MailSettings.objects.update_or_create(
            member=member, defaults={"bounced": member.email, "bounced_at": timezone.now()}
        )
        log.warning("mail to member %d came back: none is sent to that address", member.pk)
