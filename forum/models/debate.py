"""What makes it alternate history: where a thread leaves history, what its opening asks, who
answers it, and whose mind was changed."""

from collections.abc import Sequence

from django.conf import settings
from django.db import models

from .posts import Post
from .threads import Thread


class DivergenceQuerySet(models.QuerySet["Divergence"]):
    def between(self, first: int, last: int) -> "DivergenceQuerySet":
        """Those that may have happened within these days (both counted)."""
        return self.filter(first_day__lte=last, last_day__gte=first)

    def after(self, first: int, last: int, pk: int) -> "DivergenceQuerySet":
        """Those behind one in the order of `by_date`: a seek, no OFFSET."""
        later = models.Q(first_day=first, last_day=last, pk__gt=pk)
        later |= models.Q(first_day=first, last_day__gt=last)
        return self.filter(models.Q(first_day__gt=first) | later)

    def by_column(
        self, ages: Sequence[tuple[int, int, int]], *, earliest: int, latest: int
    ) -> dict[int, int]:
        """How many fall into each column of a picture: `ages` follow one another, each with its
        first day, the first day behind it, and into how many columns it is cut. A column is known
        by its place from 0 on; the first and the last take what lies outside. Dates without a
        beginning or an end begin at `earliest`, end at `latest`. One query."""
        # As on the picture of single ones: the middle, and the other end of an open one.
        middle = models.Case(
            models.When(first_day__lte=earliest, then=models.F("last_day")),
            models.When(last_day__gte=latest, then=models.F("first_day")),
            default=(models.F("first_day") + models.F("last_day")) / 2,
        )
        inside, before = [models.When(middle__lt=ages[0][0], then=models.Value(0))], 0
        for start, end, cut in ages:
            place = (models.F("middle") - start) * cut / (end - start) + before
            inside.append(models.When(middle__lt=end, then=place))
            before += cut
        column = models.Case(
            *inside, default=models.Value(before - 1), output_field=models.BigIntegerField()
        )
        rows = self.annotate(middle=middle).annotate(column=column).order_by()
        return dict(rows.values_list("column").annotate(models.Count("pk")))

    def by_date(self) -> "DivergenceQuerySet":
        return self.order_by("first_day", "last_day", "pk")


class Divergence(models.Model):
    """One point of divergence: what changes, who, where and when.

    The date is kept as EDTF text and as the first and last day that it may mean (see
    forum.text.history_dates), so that it sorts and is searched, BCE included.
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


class QuestionQuerySet(models.QuerySet["Question"]):
    def unanswered(self) -> "QuestionQuerySet":
        """Those that stand and have no standing answer, newest first."""
        return self.filter(stands=True, answer_count=0).order_by("-pk")


class Question(models.Model):
    """Something that the opening asks, in its own words.

    One that was answered is never deleted: taken from the card, it only stands no more, and with
    it come its answers when it is put there again.
    """

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="questions")
    order = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=500)
    stands = models.BooleanField(default=True)
    answer_count = models.PositiveIntegerField("answers", default=0, editable=False)
    disputed_count = models.PositiveIntegerField("disputed", default=0, editable=False)

    objects = QuestionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["thread", "order"],
                condition=models.Q(stands=True),
                name="question_order_unique",
            ),
            models.UniqueConstraint(fields=["thread", "text"], name="question_text_unique"),
        ]
        indexes = [
            models.Index(
                fields=["-id"],
                condition=models.Q(stands=True, answer_count=0),
                name="question_unanswered",
            )
        ]

    def __str__(self) -> str:
        return self.text


class Answer(models.Model):
    """Ties a post, or one of its passages, to a question of the debate in which it stands.

    It counts while the post is visible and stands in the question's debate; `Thread.card` and
    the question's counters follow it (forum.actions.description).
    """

    class Verdict(models.TextChoices):
        AGREES = "agrees", "agrees"
        DISPUTES = "disputes", "disputes"

    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="answers")
    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="answers")
    passage = models.PositiveSmallIntegerField(
        default=0, help_text="The ¶ number of the passage that answers; 0 is the whole post."
    )
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="Who tied it.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["question", "post"], name="answer_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()}, passage {self.passage}"


class ChangeOfMind(models.Model):
    """A member says that a reply changed what they think of the debate's case."""

    class View(models.TextChoices):
        FOR = "for", "for it"
        UNDECIDED = "undecided", "undecided"
        AGAINST = "against", "against it"

    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="changes_of_mind")
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="changes_of_mind",
    )
    was = models.CharField("from", max_length=9, choices=View.choices)
    now = models.CharField("to", max_length=9, choices=View.choices)
    reason = models.CharField(max_length=500)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "changes of mind"
        constraints = [
            models.UniqueConstraint(fields=["post", "member"], name="change_of_mind_unique"),
            models.CheckConstraint(
                condition=~models.Q(was=models.F("now")), name="change_of_mind_changes"
            ),
        ]

    def __str__(self) -> str:
        return f"from {self.get_was_display()} to {self.get_now_display()}"
