"""Reports by people without an account, and whose reports are looked at first."""

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q

from .cases import Report

# Letters and digits that nobody takes for each other, also where a number is read out.
SIGNS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def new_number() -> str:
    """A number for a receipt that nobody guesses: five groups of four signs, 99 bits."""
    return "-".join("".join(secrets.choice(SIGNS) for _ in range(4)) for _ in range(5))


class GuestReport(models.Model):
    """What belongs to a report that came from outside, without an account. Whoever has its `number`
    may look up what became of it. Name and address are dropped some time after the decision."""

    report = models.OneToOneField(
        Report, on_delete=models.CASCADE, primary_key=True, related_name="guest"
    )
    number = models.CharField(max_length=24, unique=True, default=new_number, editable=False)
    name = models.CharField(max_length=100, blank=True)
    email = models.CharField(max_length=254, blank=True, help_text="In small letters.")
    abuse = models.BooleanField(
        default=False, help_text="Of sexual abuse of children: asked for no name and no address."
    )
    confirmed_at = models.DateTimeField(
        null=True, help_text="When the link in the mail to the address was followed."
    )
    receipt_at = models.DateTimeField(null=True, help_text="When the receipt was mailed.")
    outcome_at = models.DateTimeField(null=True, help_text="When the outcome was mailed.")

    class Meta:
        indexes = [
            models.Index(
                fields=["email", "receipt_at"], condition=~Q(email=""), name="guest_email"
            ),
            models.Index(
                fields=["receipt_at"], condition=Q(receipt_at__isnull=False), name="guest_mailed"
            ),
        ]

    def __str__(self) -> str:
        return f"report {self.report_id} from outside"


class TrustedReporters(models.Manager["TrustedReporter"]):
    """Asks whose reports come first."""

    def has(self, *, member=None, email: str = "") -> bool:
        """Whether the site trusts this member, or this mail address or its domain."""
        if member is not None:
            return self.filter(member=member).exists()
        domain = email.rpartition("@")[2]
        return bool(email) and self.filter(address__in=(email, f"@{domain}")).exists()


class TrustedReporter(models.Model):
    """Somebody whose reports moderators look at first (as Art. 22 of the Digital Services Act asks
    for trusted flaggers): a member, or whoever has a mail address or one of a domain."""

    member = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="Either a member …",
    )
    address = models.CharField(
        max_length=254,
        blank=True,
        help_text="… or a mail address, or a whole domain as “@example.org”. It counts once the "
        "reporter followed the link in our mail.",
    )
    note = models.CharField(max_length=200, blank=True, help_text="Who it is, and since when.")

    objects = TrustedReporters()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(member__isnull=False, address="") | Q(member=None) & ~Q(address=""),
                name="trusted_member_or_address",
                violation_error_message="Name either a member or an address.",
            ),
            models.UniqueConstraint(
                fields=["address"], condition=~Q(address=""), name="trusted_address_unique"
            ),
        ]

    def __str__(self) -> str:
        return self.address or str(self.member)

    def clean(self) -> None:
        """Keep the address in small letters, as addresses of reports are kept."""
        self.address = self.address.strip().lower()
