"""The archives of their own data that members asked for."""

from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import models

FOLDER = "own-data"


class OwnData(models.Model):
    """One archive of all that the forum keeps of a member: asked for, then made by the worker.
    Its file lies in the data folder under a name that nobody can guess, for a week."""

    KEPT = timedelta(days=7)

    member = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="own_data"
    )
    asked_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True)
    file = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0, help_text="In bytes.")

    class Meta:
        verbose_name = "archive of a member's data"
        verbose_name_plural = "archives of members' data"

    def __str__(self) -> str:
        return f"data of member {self.member_id}"

    @property
    def path(self) -> Path:
        """Where the file lies, once there is one."""
        return settings.DATA_DIR / FOLDER / self.file
