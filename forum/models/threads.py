"""Threads: one debate each."""

from django.conf import settings
from django.db import models
from django.utils.functional import cached_property
from django.utils.text import slugify

from .boards import Board


class State(models.TextChoices):
    """Whether a thread or a post stands. What is not visible keeps its place and number."""

    VISIBLE = "visible", "Visible"
    PENDING = "pending", "Waiting for approval"
    HIDDEN = "hidden", "Hidden"
    REMOVED = "removed", "Removed"
    # Waited for approval and was not let in: has no number, its author and moderators read it.
    REJECTED = "rejected", "Not approved"
    # A thread that is being loaded in parts: there for nobody, moderators included.
    LOADING = "loading", "Being loaded"
    # A thread that went into another one: its row stays so that its addresses lead there.
    MERGED = "merged", "Merged into another debate"


# What threads are in that are there for nobody, moderators included.
NOWHERE = (State.LOADING, State.MERGED)


class ThreadQuerySet(models.QuerySet["Thread"]):
    def get_by_natural_key(self, key: str) -> "Thread":
        return self.get(key=key)

    def older_than(self, moment: str, at, pk: int) -> "ThreadQuerySet":
        """Those after (`at`, `pk`) in a list ordered by `moment`, newest first: no OFFSET."""
        # Databases seek by the plain bound; the other tells debates of one moment apart.
        return self.filter(
            models.Q(**{f"{moment}__lt": at}) | models.Q(**{moment: at, "pk__lt": pk}),
            **{f"{moment}__lte": at},
        )

    def down_to(self, moment: str, at, pk: int) -> "ThreadQuerySet":
        """Those up to (`at`, `pk`) and itself in such a list."""
        return self.filter(
            models.Q(**{f"{moment}__gt": at}) | models.Q(**{moment: at, "pk__gte": pk}),
            **{f"{moment}__gte": at},
        )


class Thread(models.Model):  # type: ignore[django-manager-missing]  # mptt has no stubs
    """A debate. Its counters and `version` change only under its row lock (see forum.tree)."""

    class Kind(models.TextChoices):
        WI = "WI", "What if"
        AHC = "AHC", "Challenge"
        PC = "PC", "Plausibility check"
        DBWI = "DBWI", "Double-blind what if"
        TL = "TL", "Timeline"
        DISCUSSION = "discussion", "Discussion"

    class Policy(models.TextChoices):
        OPEN = "open", "Open to challenge"
        GRANTED = "granted", "Granted for argument’s sake"

    board = models.ForeignKey(
        Board, on_delete=models.PROTECT, related_name="threads", db_index=False
    )
    title = models.CharField(max_length=160)
    slug = models.SlugField(max_length=80, allow_unicode=True, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.WI)
    policy = models.CharField(
        "the premise is", max_length=7, choices=Policy.choices, default=Policy.OPEN
    )
    own_answer = models.TextField(
        max_length=2000, blank=True, help_text="What its author thinks follows, and why."
    )
    key = models.CharField(
        max_length=100,
        unique=True,
        editable=False,
        help_text="Names the thread across sites and in fixtures.",
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="threads"
    )
    byline = models.CharField(max_length=80, blank=True)
    source = models.CharField(
        max_length=200, blank=True, help_text="Where an imported thread comes from."
    )
    fixture_version = models.PositiveIntegerField(null=True, editable=False)
    variant_of = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="variants", editable=False
    )
    # Of a loaded thread: the key of the one that it is a variant of, while that is not here.
    variant_key = models.CharField(max_length=100, blank=True, editable=False, db_index=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.VISIBLE)
    locked = models.BooleanField(default=False)
    closed_by_author = models.BooleanField(default=False, editable=False)
    pinned = models.BooleanField(default=False)
    archived = models.BooleanField(
        default=False, help_text="No answers, edits or reports, not even by moderators."
    )
    slow_minutes = models.PositiveSmallIntegerField(
        "slow mode", default=0, help_text="Minutes between two posts of one member; 0 is off."
    )
    approval = models.BooleanField(
        default=False, help_text="Answers wait until a moderator lets them in."
    )
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="merged",
        help_text="Where its posts went; its addresses lead there.",
    )
    created_at = models.DateTimeField()
    last_post_at = models.DateTimeField()
    last_post = models.ForeignKey(
        "forum.Post", on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    # Numbers run to `numbered`; placeholders keep theirs, so it never falls but by split or merge.
    numbered = models.PositiveIntegerField(default=0, editable=False)
    reply_count = models.PositiveIntegerField("replies", default=0, editable=False)
    branch_locks = models.PositiveIntegerField(
        default=0, editable=False, help_text="How many of its posts close the branch below them."
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    # Whoever raises the version and not this has all posts of the debate drawn anew.
    quiet = models.PositiveIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="How many of its versions came by a new post alone.",
    )
    # What was read is kept by number: who read them before a split or merge read others.
    numbering = models.PositiveIntegerField(
        default=1, editable=False, help_text="Goes up when its posts are numbered anew."
    )
    card = models.JSONField(
        default=dict,
        editable=False,
        help_text="Its divergences, and its questions with their answers, laid out to show.",
    )
    lane_counts = models.JSONField(
        default=dict, editable=False, help_text="Standing replies by lane."
    )

    # What queries bring along where they are asked for it.
    unread: int | None  # by one member
    site_version: int  # of the site
    has_variants: bool
    has_maps: bool
    marked: bool  # whether it has threadmarks

    objects = ThreadQuerySet.as_manager()

    # The labels of the branches that are locked, asked once (permissions.in_locked_branch).
    _locked_spans: list[tuple[int, int, int]] | None = None

    class Meta:
        indexes = [
            models.Index(fields=["board", "-pinned", "-last_post_at", "-id"], name="thread_active"),
            models.Index(fields=["board", "-pinned", "-created_at", "-id"], name="thread_newest"),
            models.Index(fields=["-last_post_at", "-id"], name="thread_latest"),
            models.Index(fields=["-created_at", "-id"], name="thread_opened_last"),
        ]

    def __str__(self) -> str:
        return self.title

    def natural_key(self) -> tuple[str]:
        return (self.key,)

    def get_absolute_url(self) -> str:
        return f"/threads/{self.pk}/{self.slug}/"

    @property
    def kind_name(self) -> str:
        """What its kind is called. Lists of debates show it in each line, so it is not asked of the
        enumeration, which takes five times as long."""
        return KIND_NAMES[self.kind]

    @property
    def epoch(self) -> int:
        """Stays the same where the version rises by a new post alone, which leaves other posts as
        they are but for what `rendering.articles` asks by itself."""
        return self.version - self.quiet

    @property
    def open(self) -> bool:
        """Whether anybody may still answer."""
        return not (self.locked or self.closed_by_author or self.archived)

    @cached_property
    def opening_stands(self) -> bool:
        """Whether whoever sees the debate may read its opening, and with it the opening's own
        words: own answer, questions, divergences. Lists read it along (`listing.with_opening`)."""
        gone = self.posts.filter(number=1, state__in=(State.HIDDEN, State.REMOVED))
        return not gone.exists()

    @property
    def whole_card(self) -> dict:
        """The card, with an empty list for what it does not hold."""
        return {"divergences": [], "questions": [], **self.card}

    @property
    def shown_card(self) -> dict:
        """The card as it is shown to everybody who sees the debate, in lists and in what is handed
        on: its words are those of the opening, and go where that goes."""
        stands = bool(self.card) and self.opening_stands
        return self.whole_card if stands else {"divergences": [], "questions": []}

    @property
    def has_lanes(self) -> bool:
        """Whether replies say which lane they keep to: all but talk without a divergence does."""
        return self.kind != self.Kind.DISCUSSION

    @property
    def opener(self) -> str:
        """The name to show for who opened it: a member's, a byline, or that nobody knows."""
        return self.author.username if self.author else self.byline or "Unnamed member"


KIND_NAMES = dict(Thread.Kind.choices)
# Words that follow a debate's number in addresses of its own pages; a test compares with the urls.
NOT_A_SLUG = frozenset(
    (
        "atlas close describe epub feed fixture fold jump markdown moderate new outline read "
        "rename reply split variant watch"
    ).split()
)


def slug_for(title: str) -> str:
    """The readable part of a thread's address; never empty, and never the name of another page."""
    slug = slugify(title, allow_unicode=True)[:80].strip("-") or "debate"
    return f"{slug}-debate" if slug in NOT_A_SLUG else slug
