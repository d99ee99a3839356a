"""What moderation came to in each quarter of a year, counted once a day."""

from datetime import date

from django.db import models


class Quarter(models.Model):
    """The figures of one quarter, as `forum.moderation.transparency` counted them last."""

    begins = models.DateField(unique=True, help_text="Its first day, in UTC.")
    figures = models.JSONField()
    counted_at = models.DateTimeField()

    class Meta:
        ordering = ("-begins",)

    def __str__(self) -> str:
        return f"quarter from {self.begins}"

    @property
    def ends(self) -> date:
        """The first day after it."""
        return next_quarter(self.begins)


def next_quarter(begins: date) -> date:
    """The first day of the quarter after the one that begins on this day."""
    if begins.month > 9:
        return date(begins.year + 1, 1, 1)
    return date(begins.year, begins.month + 3, 1)
