"""What moderators did, and why. Append-only: PostgreSQL refuses changes by trigger."""

from django.conf import settings
from django.db import models

from .boards import Board
from .posts import Post
from .threads import Thread


class AuditEntry(models.Model):
    """One act: who did what to which thing, and why. Nothing ever changes or deletes it."""

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    verb = models.CharField(max_length=40)
    board = models.ForeignKey(Board, on_delete=models.PROTECT, null=True, related_name="+")
    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, null=True, related_name="+")
    post = models.ForeignKey(Post, on_delete=models.PROTECT, null=True, related_name="+")
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    # By id alone: undoing a split leaves no row of the debate that it had made.
    other_thread = models.BigIntegerField(
        null=True, db_index=True, help_text="The debate that posts went to or came from."
    )
    undoes = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="undone_by",
        help_text="The act that this one took back.",
    )
    reason = models.CharField(max_length=300, blank=True)
    detail = models.JSONField(default=dict, help_text="What was so before, and after.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["-created_at"], name="audit_newest")]

    def __str__(self) -> str:
        return f"{self.verb} ({self.created_at:%Y-%m-%d %H:%M})"
