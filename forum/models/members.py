"""What binds a member: warnings and suspensions in force, and what moderators note for each other.

Rows say what holds now; what was done and taken back stands in the audit log. The columns of
`accounts.User` that pages read (suspended_until, approval_until) are kept from these rows.
"""

from django.conf import settings
from django.db import models

from accounts.models import User
from core.counting import counted

from .moderation import AuditEntry


class Member(User):  # type: ignore[django-manager-missing]  # mptt has no stubs
    """An account as the moderators' desk shows it: how it stands, not its address or password."""

    class Meta:
        proxy = True
        verbose_name = "standing of a member"
        verbose_name_plural = "standing of members"


class Warning(models.Model):
    """Points that a moderator gave, with the reason in `entry`; they count until they expire."""

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="warnings"
    )
    points = models.PositiveSmallIntegerField()
    entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="warning")
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return counted(self.points, "point,points")


class Suspension(models.Model):
    """A measure with an end: the member may not write, or what they write waits for approval."""

    class Measure(models.TextChoices):
        SILENCE = "silence", "May not write"
        APPROVAL = "approval", "What they write waits for approval"

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="suspensions"
    )
    measure = models.CharField(max_length=8, choices=Measure.choices, default=Measure.SILENCE)
    entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="suspension")
    ends_at = models.DateTimeField()
    warning = models.ForeignKey(
        Warning,
        on_delete=models.CASCADE,
        null=True,
        related_name="suspensions",
        help_text="Its points brought this about; it goes with the warning.",
    )

    def __str__(self) -> str:
        return f"{self.get_measure_display()} until {self.ends_at:%Y-%m-%d %H:%M}"


class Note(models.Model):
    """What moderators tell each other about a member. Nobody else reads it."""

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notes"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    text = models.CharField(max_length=1000)
    written_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.text[:60]
