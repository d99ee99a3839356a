"""The queue: what waits for a moderator's decision, and the reports that brought it there."""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone

from .boards import Board
from .moderation import AuditEntry
from .notices import Notice
from .posts import Post
from .threads import Thread

MOST_COUNTED = 100  # where a page only says how many wait


class CaseQuerySet(models.QuerySet["Case"]):
    def open(self) -> "CaseQuerySet":
        return self.filter(decided_at__isnull=True)

    def counted(self) -> int:
        """How many there are, as far as MOST_COUNTED."""
        return self[:MOST_COUNTED].count()

    def gravest_first(self) -> "CaseQuerySet":
        """By gravity; of the same the oldest first."""
        return self.order_by("gravity", "pk")

    def misplaced(self) -> "CaseQuerySet":
        """Whose `board` is not where the debate or the post stands."""
        where = Coalesce("post__thread__board_id", "thread__board_id")
        placed = self.annotate(where=where).filter(where__isnull=False)
        return placed.exclude(board=models.F("where"))

    def misweighed(self) -> models.QuerySet:
        """(id, gravity by the reports) of those whose `gravity` is another."""
        reported = Report.objects.filter(case=models.OuterRef("pk"), heeded=True)
        whens = [models.When(models.Exists(reported.filter(trusted=True)), then=Case.TRUSTED)]
        whens += [
            models.When(models.Exists(reported.filter(reason=reason)), then=gravity)
            for gravity, reason in enumerate(Report.GRAVE, Case.TRUSTED + 1)
        ]
        unheeded = models.When(~models.Exists(reported), kind=Case.Kind.REPORT, then=Case.UNHEEDED)
        weight = models.Case(
            *whens, unheeded, default=Case.ORDINARY, output_field=models.IntegerField()
        )
        wrong = self.annotate(weight=weight).exclude(gravity=models.F("weight"))
        return wrong.values_list("pk", "weight")

    def for_listing(self) -> "CaseQuerySet":
        """With what a line of the queue names, in one query."""
        return self.select_related(
            "member", "thread__board", "post__thread__board", "notice__entry", "decision"
        )


class Case(models.Model):
    """One thing that waits for a decision: a post that was reported (several reports of it are one
    case), a post that waits for approval, a member's answer to an act or wish for another name,
    somebody who wants to join.
    `decision` is the entry of the audit log that decided it. The queue is read by `board` and
    `gravity` alone: whatever takes a post to another board, or adds a report, writes them too."""

    class Kind(models.TextChoices):
        REPORT = "report", "Reports"
        FIRST = "first", "First posts"
        SLOW = "slow", "Held by slow mode"
        HELD = "held", "Held posts"
        APPEAL = "appeal", "Answers to acts"
        NAME = "name", "Names"
        JOIN = "join", "Who wants to join"

    # How grave: what trusted reporters reported, what is reported as unlawful, what attacks a
    # person, everything else, and last what only people reported whose address nobody confirmed.
    TRUSTED, UNLAWFUL, ATTACK, ORDINARY, UNHEEDED = range(5)

    kind = models.CharField(max_length=6, choices=Kind.choices)
    post = models.ForeignKey(Post, on_delete=models.PROTECT, null=True, related_name="cases")
    thread = models.ForeignKey(
        Thread,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="Of an answer to an act on a whole debate.",
    )
    board = models.ForeignKey(
        Board,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="Whose moderators decide, as things stand now; of no board those of all boards.",
    )
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="Whom it concerns.",
    )
    notice = models.OneToOneField(
        Notice, on_delete=models.PROTECT, null=True, help_text="What the member answers."
    )
    asked_name = models.CharField(max_length=30, blank=True, help_text="The name asked for.")
    asked_why = models.CharField(
        max_length=1000, blank=True, help_text="Why, or what who wants to join wrote."
    )
    gravity = models.PositiveSmallIntegerField(
        default=ORDINARY,
        db_default=ORDINARY,
        help_text="What is looked at first has the lowest.",
    )
    report_count = models.PositiveIntegerField("reports", default=0)
    hid = models.BooleanField(default=False, help_text="The reports alone hid the post.")
    opened_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)
    decision = models.ForeignKey(
        AuditEntry, on_delete=models.PROTECT, null=True, related_name="cases"
    )

    objects = CaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["post", "kind"],
                condition=models.Q(decided_at__isnull=True) & ~models.Q(kind="appeal"),
                name="case_open_unique",
            ),
            models.UniqueConstraint(
                fields=["member"],
                condition=models.Q(decided_at__isnull=True, kind="name"),
                name="case_name_unique",
            ),
        ]
        indexes = [
            models.Index(
                fields=["gravity", "id"],
                condition=models.Q(decided_at__isnull=True),
                name="case_queue",
            ),
            models.Index(
                fields=["board", "gravity", "id"],
                condition=models.Q(decided_at__isnull=True),
                name="case_queue_of_board",
            ),
        ]

    @property
    def board_now(self) -> int | None:
        """The id of the board whose moderators decide, asked of the post and not of `board`."""
        thread = self.post.thread if self.post else self.thread
        return thread.board_id if thread else self.board_id

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.opened_at:%Y-%m-%d %H:%M}"


class Report(models.Model):
    """What somebody found wrong with a post: a member, or with a GuestReport beside it somebody
    without an account. Only moderators learn who reported."""

    class Reason(models.TextChoices):
        RULE = "rule", "It breaks a rule"
        MISQUOTE = "misquote", "It misquotes"
        SPAM = "spam", "It is spam"
        TOPIC = "topic", "It is off topic"
        ATTACK = "attack", "It attacks a person"
        ILLEGAL = "illegal", "It is against the law"
        OTHER = "other", "Something else"

    GRAVE = (Reason.ILLEGAL, Reason.ATTACK)  # the gravest first; as Case.UNLAWFUL and Case.ATTACK

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reports", db_index=False)
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="reports",
        db_index=False,
    )
    reason = models.CharField(max_length=8, choices=Reason.choices)
    text = models.CharField(max_length=3000, blank=True)
    heeded = models.BooleanField(
        default=True, help_text="Whether it says how soon the case is looked at."
    )
    trusted = models.BooleanField(default=False, help_text="Made by a trusted reporter.")
    token = models.UUIDField(unique=True, help_text="The form's: sent twice it makes one report.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "member"], name="report_once_unique")
        ]
        indexes = [models.Index(fields=["member", "-id"], name="report_by_member")]

    @property
    def gravity(self) -> int:
        """How grave it makes its case."""
        if not self.heeded:
            return Case.UNHEEDED
        if self.trusted:
            return Case.TRUSTED
        grave = self.reason in self.GRAVE
        return Case.UNLAWFUL + self.GRAVE.index(self.reason) if grave else Case.ORDINARY

    def __str__(self) -> str:
        return self.get_reason_display()


class CaseViewerQuerySet(models.QuerySet["CaseViewer"]):
    def now(self, cases: Iterable[Case]) -> "CaseViewerQuerySet":
        """Who looked at these cases within the last minutes, whoever came first named first."""
        return self.filter(case__in=cases, seen_at__gt=timezone.now() - CaseViewer.FOR).order_by(
            "pk"
        )


class CaseViewer(models.Model):
    """A moderator who has a case open in the queue, so that another does not decide it too."""

    FOR = timedelta(minutes=10)  # so long somebody who opened a case is taken to look at it

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="viewers")
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    seen_at = models.DateTimeField()

    objects = CaseViewerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "case"], name="case_viewer_unique")
        ]

    def __str__(self) -> str:
        return f"{self.member} looks at case {self.case_id}"
