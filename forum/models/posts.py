"""Posts: narrow rows for the tree, their texts and HTML in tables of their own."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.expressions import RawSQL
from mptt.managers import TreeManager
from mptt.models import MPTTModel, TreeForeignKey

from .threads import State, Thread


def new_key() -> str:
    """A key for a post or thread written here; unique and stable across sites."""
    return uuid.uuid4().hex


class Lane(models.TextChoices):
    """What a reply is about; empty for openings, and where nobody said it (imports)."""

    PREMISE = "premise", "Premise"
    CONSEQUENCE = "consequence", "Consequence"
    META = "meta", "Meta"

    @property
    def about(self) -> str:
        """What it is about, in words that need no explanation."""
        return {
            "premise": "whether it could happen",
            "consequence": "what would follow",
            "meta": "the debate itself",
        }[self]


class Stance(models.TextChoices):
    """How a reply stands to what it answers, or to what it quotes; empty if it takes none."""

    SUPPORTS = "supports", "supports"
    DISPUTES = "disputes", "disputes"
    ASKS = "asks", "asks"
    EVIDENCE = "evidence", "adds evidence"


# By parent, and not by labels: no index says which posts enclose a place in the tree, so all that
# stand before it would be read.
_ROAD = """
    WITH RECURSIVE road(id, parent_id, level) AS (
        SELECT id, parent_id, level FROM "forum_post" WHERE id = %s
        UNION SELECT up.id, up.parent_id, up.level
        FROM road JOIN "forum_post" up ON up.id = road.parent_id WHERE road.level > %s
    ) SELECT id FROM road WHERE level BETWEEN %s AND %s
"""


class PostQuerySet(models.QuerySet["Post"]):
    def for_reading(self) -> "PostQuerySet":
        """With author, text and HTML: all that a page draws but quotes, in one query."""
        return self.select_related("author", "body").annotate(
            parent_number=models.F("parent__number")
        )

    def opening_of(self, thread_id: int) -> "PostQuerySet":
        """The opening of a thread: the first of its posts, one index step at any size. That it
        answers nothing is not asked: SQLite would go through all posts of the forum that do not."""
        rows = self.filter(thread_id=thread_id, parent_basis=Post.Basis.OPENING)
        return rows.order_by("number")[:1]

    def leading_to(self, post: "Post", first: int = 0, last: int | None = None) -> "PostQuerySet":
        """A planted post and those that it hangs below in its tree, of the levels from `first` to
        `last` (its own if None). Reads as many rows as there are levels from `first` on."""
        last = post.level if last is None else last
        return self.filter(pk__in=RawSQL(_ROAD, (post.pk, first, first, last)))

    def numbered(self, first: int, last: int) -> "PostQuerySet":
        """The posts of a page, by number: an index range, at any depth of a thread.

        The limit says what numbers alone do not tell a planner that counts over all threads, each
        of which begins at 1: that few rows will come. Without it whole tables are read for them.
        """
        rows = self.filter(number__gte=first, number__lte=last).order_by("number")
        return rows[: last - first + 1]


class Post(MPTTModel):
    """One contribution. `parent` is the truth; lft, rght, level and tree_id are a cache that
    forum.tree alone writes. A pending post is not planted yet: its tree_id is minus its id."""

    class Basis(models.TextChoices):
        OPENING = "opening", "opens the debate"
        REPLY = "reply", "the writer chose it"
        QUOTE = "quote", "it quotes the post"
        EDITOR = "editor", "an editor read it so"
        UNKNOWN = "unknown", "nobody knows"

    thread = models.ForeignKey(
        Thread, on_delete=models.PROTECT, related_name="posts", db_index=False
    )
    parent = TreeForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    parent_basis = models.CharField(max_length=7, choices=Basis.choices, default=Basis.REPLY)
    key = models.CharField(max_length=100, unique=True, default=new_key, editable=False)
    number = models.PositiveIntegerField(null=True, editable=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="posts",
        db_index=False,
    )
    byline = models.CharField(max_length=80, blank=True)
    # The thread whose fixture brought it, wherever it was moved since.
    origin = models.ForeignKey(
        Thread,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
    )
    lane = models.CharField(max_length=11, choices=Lane.choices, blank=True)
    stance = models.CharField(max_length=8, choices=Stance.choices, blank=True)
    # How many members said that it changed their mind.
    minds_changed = models.PositiveIntegerField(default=0, editable=False)
    # Whether its poll is shown; a page asks for polls only where one of its posts says so.
    has_poll = models.BooleanField(default=False, editable=False)
    written_at = models.DateTimeField(null=True)
    loaded_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.VISIBLE)
    # Why it is hidden or removed, in the moderator's words; shown with the placeholder.
    state_reason = models.CharField(max_length=300, blank=True)
    withdrawn = models.BooleanField(default=False, help_text="Hidden by its own author.")
    held_until = models.DateTimeField(
        null=True,
        editable=False,
        help_text="Held by slow mode; from then on its author may let it appear.",
    )
    branch_locked = models.BooleanField(
        default=False, help_text="Neither it nor what hangs below it takes answers or edits."
    )
    # Of a post that was here twice: the one that stays. This one's address leads there.
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
    )
    lft = models.PositiveIntegerField(default=0, editable=False)
    rght = models.PositiveIntegerField(default=0, editable=False)
    level = models.PositiveIntegerField(default=0, editable=False)
    tree_id = models.BigIntegerField(default=0, editable=False)

    # The default manager must not order: mptt's makes values().annotate() group wrongly.
    objects = PostQuerySet.as_manager()
    tree = TreeManager()

    class Meta:
        default_manager_name = "objects"
        base_manager_name = "objects"
        constraints = [
            models.UniqueConstraint(fields=["thread", "number"], name="post_number_unique"),
            # A tripwire: two roots never share a tree, however many are planted at once.
            models.UniqueConstraint(
                fields=["tree_id"], condition=models.Q(parent__isnull=True), name="post_root_unique"
            ),
            models.UniqueConstraint(
                fields=["tree_id", "lft"],
                deferrable=models.Deferrable.DEFERRED,
                name="post_place_unique",
            ),
        ]
        indexes = [
            # SQLite alone has it: PostgreSQL has the one above (migration 0055).
            models.Index(fields=["tree_id", "lft"], name="post_tree_order"),
            models.Index(fields=["thread", "loaded_at", "number"], name="post_arrival"),
            models.Index(
                fields=["thread"], condition=models.Q(state=State.PENDING), name="post_waiting"
            ),
            # The desk asks for those of one state, which are few; a post that stands has no row.
            models.Index(
                fields=["state", "-id"],
                condition=~models.Q(state=State.VISIBLE),
                name="post_not_visible",
            ),
            models.Index(
                fields=["thread"],
                condition=models.Q(branch_locked=True),
                name="post_branch_locked",
            ),
            models.Index(fields=["author", "-id"], name="post_by_author"),
            models.Index(fields=["thread", "lane", "number"], name="post_lane"),
            # What the outline of a debate is made of.
            models.Index(
                fields=["thread", "number"], condition=~models.Q(stance=""), name="post_stance"
            ),
            # The roots of a thread, in order: what the tree pages are cut from.
            models.Index(
                fields=["thread", "number"],
                condition=models.Q(parent__isnull=True),
                name="post_roots",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number} by {self.writer}" if self.number else f"pending, by {self.writer}"

    def natural_key(self) -> tuple[str]:
        return (self.key,)

    def get_absolute_url(self) -> str:
        return f"/posts/{self.pk}/"

    @property
    def writer(self) -> str:
        """The name to show: a member's, a byline, or that the member left."""
        return self.author.username if self.author else self.byline or "Unnamed member"

    @property
    def is_opening(self) -> bool:
        return self.parent_basis == self.Basis.OPENING


class PostRevision(models.Model):
    """Every text a post ever had. Append-only; only forum.actions writes it."""

    class Format(models.TextChoices):
        MARKDOWN = "markdown", "CommonMark"
        PLAIN = "plain", "Plain paragraphs, kept to the letter"

    post = models.ForeignKey(
        Post, on_delete=models.PROTECT, related_name="revisions", db_index=False
    )
    number = models.PositiveIntegerField()
    format = models.CharField(max_length=8, choices=Format.choices, default=Format.MARKDOWN)
    source = models.TextField()
    quoted = models.JSONField(
        default=list, help_text="Of a plain text: [first, last] paragraphs that are quotes."
    )
    plain = models.TextField(help_text="The post's own words, without quotes.")
    passages = models.JSONField(
        default=list, help_text="[start, end] in the plain text of each passage, in order."
    )
    posts_named = models.JSONField(
        default=dict, help_text="Ids of the posts that “#5” means in this text, by number."
    )
    sha256 = models.CharField(max_length=64, editable=False)
    editor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["post", "number"], name="revision_number_unique")
        ]

    def __str__(self) -> str:
        return f"revision {self.number}"


class PostBody(models.Model):
    """The current revision as HTML, without anything that depends on the reader."""

    post = models.OneToOneField(
        Post, on_delete=models.PROTECT, primary_key=True, related_name="body"
    )
    revision = models.ForeignKey(PostRevision, on_delete=models.PROTECT, related_name="+")
    revision_number = models.PositiveIntegerField()
    edited_at = models.DateTimeField(null=True)
    html = models.TextField()
    renderer = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name_plural = "post bodies"

    def __str__(self) -> str:
        return f"HTML of revision {self.revision_number}"


class Submission(models.Model):
    """A form's token and what came of it: the same form sent twice makes one post."""

    token = models.UUIDField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="submissions"
    )
    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.token)
