"""What makes it alternate history: where a thread leaves history, what its opening asks, who
answers it, and whose mind was changed."""

from collections.abc import Sequence
from typing import NamedTuple

from django.conf import settings
from django.db import models
from django.db.models.functions import Floor

from forum.text.places import Spot

from .posts import Post
from .threads import Thread

Box = tuple[float, float, float, float]  # south, west, north, east
CELL = (
    *("row", "column", "pk__count", "pk__min", "latitude__avg", "longitude__avg"),
    *("latitude__min", "longitude__min", "latitude__max", "longitude__max"),
)


class Cell(NamedTuple):
    """What lies in one cell of the map: how many divergences, the first of them, their middle, and
    how far they lie apart."""

    number: int
    first: int
    latitude: float
    longitude: float
    south: float
    west: float
    north: float
    east: float


def _within(box: Box) -> models.Q:
    south, west, north, east = box
    return models.Q(latitude__range=(south, north), longitude__range=(west, east))


class DivergenceQuerySet(models.QuerySet["Divergence"]):
    def between(self, first: int, last: int) -> "DivergenceQuerySet":
        """Those that may have happened within these days (both counted)."""
        return self.filter(first_day__lte=last, last_day__gte=first)

    def after(self, first: int, last: int, pk: int) -> "DivergenceQuerySet":
        """Those behind one in the order of `by_date`: a seek, no OFFSET."""
        later = models.Q(first_day=first, last_day=last, pk__gt=pk)
        later |= models.Q(first_day=first, last_day__gt=last)
        # Databases seek by the plain bound; the other tells those of one day apart.
        return self.filter(models.Q(first_day__gt=first) | later, first_day__gte=first)

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

    def lying_within(self, box: Box | None) -> "DivergenceQuerySet":
        """Those with a place on the map, in this part of it; None is all of it."""
        return self.filter(_within(box) if box else models.Q(latitude__isnull=False))

    def counted_within(self, boxes: Sequence[tuple[str, Box]]) -> dict[str, int]:
        """How many lie in each of the named parts of the map, how many "anywhere" on it, and how
        many "nowhere". One query."""
        counts = {name: models.Count("pk", filter=_within(box)) for name, box in boxes}
        return self.order_by().aggregate(
            anywhere=models.Count("latitude"),
            nowhere=models.Count("pk", filter=models.Q(latitude=None)),
            **counts,
        )

    def by_cell(self, size: float) -> list["Cell"]:
        """Where those with a place lie, counted in cells of so many degrees: as many rows as there
        are cells, however many divergences. One query."""
        rows = (
            self.filter(latitude__isnull=False)
            .annotate(
                row=Floor(models.F("latitude") / models.Value(size)),
                column=Floor(models.F("longitude") / models.Value(size)),
            )
            .order_by()
            .values("row", "column")
            .annotate(
                models.Count("pk"),
                models.Min("pk"),
                models.Avg("latitude"),
                models.Avg("longitude"),
                models.Min("latitude"),
                models.Min("longitude"),
                models.Max("latitude"),
                models.Max("longitude"),
            )
        )
        return [Cell(*row[2:]) for row in rows.values_list(*CELL)]


class Divergence(models.Model):
    """One point of divergence: what changes, who, where and when.

    The date is kept as EDTF text and as the first and last day that it may mean (see
    forum.text.history_dates), so that it sorts and is searched, BCE included.
    """

    thread = models.ForeignKey(
        Thread, on_delete=models.CASCADE, related_name="divergences", db_index=False
    )
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
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    radius = models.PositiveSmallIntegerField(
        default=0, help_text="Kilometres around the point within which it lies; 0 is the point."
    )

    objects = DivergenceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["thread", "order"], name="divergence_order_unique"),
            models.CheckConstraint(
                condition=models.Q(latitude=None, longitude=None, radius=0)
                | models.Q(
                    # A comparison with nothing would be neither true nor false, and let it in.
                    latitude__isnull=False,
                    longitude__isnull=False,
                    latitude__range=(-90, 90),
                    longitude__range=(-180, 180),
                ),
                name="divergence_spot_whole",
            ),
        ]
        indexes = [models.Index(fields=["first_day", "last_day"], name="divergence_date")]

    def __str__(self) -> str:
        return self.change

    @property
    def spot(self) -> Spot | None:
        """Where it lies on the map, None if nobody has said it so that it was found."""
        if self.latitude is None or self.longitude is None:
            return None
        return Spot(self.latitude, self.longitude, self.radius)


def spot_columns(spot: Spot | None) -> dict:
    """The columns of a divergence that keep where it lies."""
    if spot is None:
        return {"latitude": None, "longitude": None, "radius": 0}
    return {"latitude": spot.latitude, "longitude": spot.longitude, "radius": spot.radius}


class QuestionQuerySet(models.QuerySet["Question"]):
    def unanswered(self) -> "QuestionQuerySet":
        """Those that stand and have no standing answer, newest first."""
        return self.filter(stands=True, answer_count=0).order_by("-pk")


class Question(models.Model):
    """Something that the opening asks, in its own words.

    One that was answered is never deleted: taken from the card, it only stands no more, and with
    it come its answers when it is put there again.
    """

    thread = models.ForeignKey(
        Thread, on_delete=models.CASCADE, related_name="questions", db_index=False
    )
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

    question = models.ForeignKey(
        Question, on_delete=models.PROTECT, related_name="answers", db_index=False
    )
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

    post = models.ForeignKey(
        Post, on_delete=models.PROTECT, related_name="changes_of_mind", db_index=False
    )
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
