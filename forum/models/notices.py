"""What a member is told: what others wrote that concerns them or that they watch, acts that concern
them, and what came of what they reported."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from .debate import ChangeOfMind
from .moderation import AuditEntry
from .posts import Post
from .watches import Watch


class NoticeQuerySet(models.QuerySet["Notice"]):
    def for_listing(self) -> "NoticeQuerySet":
        """With the entry each points at, without its details, and where that happened, in one
        query."""
        return self.select_related(
            "entry__thread__board", "entry__post__thread__board", "entry__post__author"
        ).defer("entry__detail")

    def unread(self) -> "NoticeQuerySet":
        return self.filter(read_at__isnull=True)


class Reason(models.TextChoices):
    """Why a member is told of a post. The first ones concern the member, the last ones are watched;
    a notice that has several is shown under the first of them."""

    REPLY = "reply", "answers you"
    ANSWER = "answer", "answers a question that you asked"
    QUOTE = "quote", "quotes you"
    MENTION = "mention", "mentions you"
    MARK = "mark", "tells the story on"
    POST = "post", "stands in a branch that you watch"
    THREAD = "thread", "stands in a debate that you watch"
    AUTHOR = "author", "is by a member whom you watch"
    STRETCH = "stretch", "leaves history in a stretch that you watch"
    BOARD = "board", "stands in a board that you watch"


class Notice(models.Model):
    """Points a member at one event: an entry of the audit log, which holds the act, its place and
    its reason; a post; that a post of theirs changed somebody's mind; or a post of which they
    wanted to be reminded. Of what is written one row for each member and post, whatever the
    `reasons`.

    `said` is, of a reminder, the member's own note. Of acts it names neither people nor titles:
    what may still be named and shown is asked of the charter when the notice is drawn
    (`models.visibility.notices_visible_to`).
    `accounts.User.unread_notices` counts those of them that are not read."""

    class Kind(models.TextChoices):
        ACT = "act", "What was done to something of yours"
        OUTCOME = "outcome", "What came of what you reported or answered"
        POST = "post", "What somebody wrote"
        MIND = "mind", "Whose mind you changed"
        REMINDER = "remind", "What you wanted to be reminded of"

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices", db_index=False
    )
    # Typed as if it was always there: whoever asks for it has the notice of an act.
    entry: "models.ForeignKey[AuditEntry | None, AuditEntry]" = models.ForeignKey(  # type: ignore[misc]
        AuditEntry, on_delete=models.PROTECT, null=True, related_name="notices"
    )
    post = models.ForeignKey(Post, on_delete=models.CASCADE, null=True, related_name="notices")
    change = models.OneToOneField(
        ChangeOfMind, on_delete=models.CASCADE, null=True, related_name="notice"
    )
    kind = models.CharField(max_length=7, choices=Kind.choices, default=Kind.ACT)
    reasons = models.CharField(max_length=80, blank=True, help_text="Of a post, with commas.")
    # Because of which watch, if of any. No constraint: a watch that is stopped is forgotten here
    # too, and thousands of notices would have to be written for it.
    watch = models.ForeignKey(
        Watch,
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    sentence = models.CharField(max_length=200, blank=True, db_column="said")
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True, help_text="The one answer of the member concerned.")
    answered_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member", "post"], condition=Q(kind="post"), name="notice_post_unique"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=("act", "outcome"), entry__isnull=False)
                | Q(kind__in=("post", "remind"), post__isnull=False)
                | Q(kind="mind", post__isnull=False, change__isnull=False),
                name="notice_has_event",
            ),
        ]
        indexes = [
            models.Index(fields=["member", "-id"], name="notice_newest"),
            models.Index(
                fields=["member"], condition=models.Q(read_at__isnull=True), name="notice_unread"
            ),
        ]

    def __str__(self) -> str:
        return self.sentence or f"{self.get_kind_display()}: {self.reasons or self.post_id}"
