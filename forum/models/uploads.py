"""Debates on their way in: what was uploaded or pasted at the desk, being looked over."""

from django.conf import settings
from django.db import models

from .boards import Board


class Upload(models.Model):
    """One debate that is looked over before it is loaded: the objects of its fixture, as they were
    read and corrected. It goes when the debate is loaded."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    board = models.ForeignKey(Board, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200, help_text="The file's, or that it was pasted.")
    objects_read = models.JSONField("objects", default=list)
    notes = models.JSONField(default=list, help_text="What the reader did to the text.")
    token = models.UUIDField(null=True, help_text="The form's: a file sent twice is kept once.")
    part = models.PositiveSmallIntegerField(default=0, help_text="Which debate of its file.")
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "part"], name="upload_once_unique")]
        verbose_name = "debate to load"
        verbose_name_plural = "debates to load"

    def __str__(self) -> str:
        return self.name
