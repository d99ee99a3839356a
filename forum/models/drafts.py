"""Drafts: what was typed and not posted yet, kept on the server."""

from django.conf import settings
from django.db import models


class Draft(models.Model):
    """One text on its way. `target` is the address of the form it belongs to, such as
    "/threads/12/reply/?to=34". Two tabs at one form keep two drafts."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts", db_index=False
    )
    token = models.UUIDField(help_text="The token of the form that wrote it.")
    target = models.CharField(max_length=80)
    label = models.CharField(max_length=200, help_text="What it answers, to find it in a list.")
    text = models.TextField(blank=True)
    title = models.CharField(max_length=200, blank=True)
    fields = models.JSONField(
        default=dict, help_text="What else the form held: a list of texts for each field's name."
    )
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "token"], name="draft_form_unique")]
        indexes = [models.Index(fields=["user", "target", "-saved_at"], name="draft_newest")]

    def __str__(self) -> str:
        # Without its text: the desk names drafts, and nobody has published them.
        return self.label or "A draft"
