"""What is to go out to members by mail, and when each of them wants it."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from .notices import Notice


class Rhythm(models.TextChoices):
    """When a member wants to be told by mail."""

    NOW = "now", "At once"
    DAY = "day", "Once a day"
    WEEK = "week", "Once a week"
    NEVER = "never", "Never"


# Of a topic (forum/mailing/topics.py), for who chose nothing; at once if it is not named.
USUALLY: dict[str, Rhythm] = {"watched": Rhythm.DAY}


class MailSettings(models.Model):
    """What one member chose, and whether the address takes mail. No row: as usual."""

    member = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="mail_settings",
    )
    rhythms = models.JSONField(default=dict, help_text="By topic, where it is chosen.")
    # The address from which mail came back for good: none is sent there. Another one is written to.
    bounced = models.CharField(max_length=254, blank=True)
    bounced_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = "choices of mail"

    def __str__(self) -> str:
        return f"mail of member {self.pk}"

    def rhythm(self, topic: str) -> str:
        """When the member wants mail about notices of this topic."""
        chosen = self.rhythms.get(topic)
        return chosen if chosen in Rhythm.values else USUALLY.get(topic, Rhythm.NOW)


class MailQuerySet(models.QuerySet):
    def unsettled(self) -> "MailQuerySet":
        """What is still to be sent, or found to be needed no more."""
        return self.filter(settled_at=None)


class Mail(models.Model):
    """That one notice is to be told by mail. Those that go out in one message share its number,
    which is the id of the first of them."""

    class Outcome(models.TextChoices):
        SENT = "sent", "Sent"
        READ = "read", "Read on the site before"
        UNSEEN = "unseen", "Not to be seen any more"
        STOPPED = "stopped", "The member wants no such mail, or has no confirmed address"
        REFUSED = "refused", "The mail server refused the address"
        UNCERTAIN = "uncertain", "The worker died twice while sending; perhaps sent"

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    notice = models.OneToOneField(Notice, on_delete=models.CASCADE, related_name="mail")
    rhythm = models.CharField(max_length=5, choices=Rhythm.choices)
    due_at = models.DateTimeField()
    message = models.BigIntegerField(null=True)
    begun = models.PositiveSmallIntegerField(
        default=0, help_text="How often it was given to a mail server that did not say no."
    )
    settled_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=9, choices=Outcome.choices, blank=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["member", "due_at"], condition=Q(settled_at__isnull=True), name="mail_due"
            ),
            models.Index(
                fields=["message"], condition=Q(message__isnull=False), name="mail_message"
            ),
            models.Index(
                fields=["settled_at"], condition=Q(settled_at__isnull=False), name="mail_settled"
            ),
        ]

    def __str__(self) -> str:
        return f"mail about notice {self.notice_id}"
