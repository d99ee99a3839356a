"""What a member has read and folded in a thread."""

from django.conf import settings
from django.db import models

from .threads import Thread


class ReadMark(models.Model):
    """The numbers a member has read in a thread, as ranges ("1-40,45-60"), and the posts whose
    branches are folded."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="read_marks",
        db_index=False,
    )
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="read_marks")
    ranges = models.TextField(default="")
    count = models.PositiveIntegerField(default=0, help_text="How many numbers the ranges hold.")
    folded = models.JSONField(default=list, help_text="Ids of posts whose replies are folded.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "thread"], name="read_mark_unique")]

    def __str__(self) -> str:
        return self.ranges
