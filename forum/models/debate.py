"""What makes it alternate history: where a thread leaves history, and what its opening asks."""

from django.db import models

from .threads import Thread


class DivergenceQuerySet(models.QuerySet):
    def between(self, first: int, last: int) -> "DivergenceQuerySet":
        """Those that may have happened within these days (both counted)."""
        return self.filter(first_day__lte=last, last_day__gte=first)

    def after(self, first: int, last: int, pk: int) -> "DivergenceQuerySet":
        """Those behind one in the order of `by_date`: a seek, no OFFSET."""
        later = models.Q(first_day=first, last_day=last, pk__gt=pk)
        later |= models.Q(first_day=first, last_day__gt=last)
        return self.filter(models.Q(first_day__gt=first) | later)

    def by_date(self) -> "DivergenceQuerySet":
        return self.order_by("first_day", "last_day", "pk")


class Divergence(models.Model):
    """One point of divergence: what changes, who, where and when.

    The date is kept as EDTF text and as the first and last day that it may mean (see
    forum.history_dates), so that it sorts and is searched, BCE included.
    """

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="divergences")
    order = models.PositiveSmallIntegerField()
    change = models.CharField("what changes", max_length=300)
    actor = models.CharField("who", max_length=120, blank=True)
    place = models.CharField("where", max_length=120, blank=True)
    edtf = models.CharField("when", max_length=60)
    first_day = models.BigIntegerField()
    last_day = models.BigIntegerField()
    by_editor = models.BooleanField(
        default=False, help_text="Dated by an editor, not by the text of the thread."
    )

    objects = DivergenceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["thread", "order"], name="divergence_order_unique")
        ]
        indexes = [models.Index(fields=["first_day", "last_day"], name="divergence_date")]

    def __str__(self) -> str:
        return self.change


class Question(models.Model):
    """Something that the opening asks, in its own words."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="questions")
    order = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=500)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["thread", "order"], name="question_order_unique")
        ]

    def __str__(self) -> str:
        return self.text
