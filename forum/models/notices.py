"""What a member is told: acts that concern them, and what came of what they reported."""

from django.conf import settings
from django.db import models

from .moderation import AuditEntry


class NoticeQuerySet(models.QuerySet["Notice"]):
    def for_listing(self) -> "NoticeQuerySet":
        """With the entry each points at, and where that happened, in one query."""
        return self.select_related(
            "entry__thread__board", "entry__post__thread__board", "entry__post__author"
        )

    def unread(self) -> "NoticeQuerySet":
        return self.filter(read_at__isnull=True)


class Notice(models.Model):
    """Points a member at one entry of the audit log, which holds the act, its place and its reason.
    `said` names neither people nor titles: whether the place may still be named is asked of the
    charter when the notice is drawn. `accounts.User.unread_notices` counts those not read."""

    class Kind(models.TextChoices):
        ACT = "act", "What was done to something of yours"
        OUTCOME = "outcome", "What came of what you reported or answered"

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices", db_index=False
    )
    entry = models.ForeignKey(AuditEntry, on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=7, choices=Kind.choices, default=Kind.ACT)
    said = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True, help_text="The one answer of the member concerned.")
    answered_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["member", "-id"], name="notice_newest"),
            models.Index(
                fields=["member"], condition=models.Q(read_at__isnull=True), name="notice_unread"
            ),
        ]

    def __str__(self) -> str:
        return self.said
