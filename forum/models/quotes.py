"""Quotes: rows, not text. The verdict is judged once; the state of the source when drawn."""

from django.db import models

from .posts import Post, PostRevision, Stance
from .threads import Thread


class Quote(models.Model):
    """One quoted passage of one revision of one post.

    `start` and `end` count characters of the source revision's plain text; `parts` holds the
    spans that are exact when words were left out; `words` are the quoted words as given.
    """

    class Verdict(models.TextChoices):
        EXACT = "exact", "exact"
        SHORTENED = "shortened", "shortened"
        ALTERED = "altered", "altered"
        UNVERIFIABLE = "unverifiable", "unverifiable"

    # As a reason: why a quote was not judged.
    TOO_MUCH = "too much to compare"

    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="quotes")
    revision = models.ForeignKey(
        PostRevision, on_delete=models.PROTECT, related_name="quotes", db_index=False
    )
    ordinal = models.PositiveSmallIntegerField(help_text="Its place among the revision's quotes.")
    passage = models.PositiveSmallIntegerField(help_text="Its ¶ number in the quoting post.")
    source_post = models.ForeignKey(
        Post, on_delete=models.PROTECT, null=True, related_name="quoted_by", db_index=False
    )
    source_revision = models.ForeignKey(
        PostRevision, on_delete=models.PROTECT, null=True, related_name="+"
    )
    source_passage = models.PositiveSmallIntegerField(
        null=True, help_text="The ¶ number where it begins in the source."
    )
    start = models.PositiveIntegerField(null=True)
    end = models.PositiveIntegerField(null=True)
    parts = models.JSONField(default=list)
    words = models.TextField()
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    whole = models.BooleanField(default=False, help_text="It quotes all of the source's words.")
    cut_start = models.BooleanField(default=False, help_text="It begins inside a sentence.")
    cut_end = models.BooleanField(default=False, help_text="It ends inside a sentence.")
    stands = models.BooleanField(
        default=True, help_text="Its words stand in the source's current text."
    )
    beside = models.JSONField(
        default=list,
        help_text="What the page shows with it: what it changed or left out, where short.",
    )
    nested = models.JSONField(
        default=list, help_text="Ids of the posts whose words stood quoted inside this quote."
    )
    stance = models.CharField(
        max_length=8,
        choices=Stance.choices,
        blank=True,
        help_text="How the reply stands to these words, where it says so of each quote.",
    )
    reason = models.CharField(
        max_length=200, blank=True, help_text="Why an import takes it for a quote."
    )

    # Of its source, where queries bring them along: its text now, the number of the one quoted.
    current_id: int
    source_revision_number: int

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["revision", "ordinal"], name="quote_place_unique")
        ]
        # Who quotes a post, in order.
        indexes = [models.Index(fields=["source_post", "id"], name="quote_of_post")]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()}: {self.words[:60]}"


class PassageKey(models.Model):
    """The thread's index of passages: which posts may hold given words (see quoting.shingle_keys).

    Only a hint: what it finds is checked against the texts, so keys of older texts may stay. There
    are several to a post: a row is nothing but its key, and the one index is that.
    """

    pk = models.CompositePrimaryKey("thread_id", "key", "post_id")
    # No constraint: it is written under the thread's lock, and as many keys as a debate has would
    # each be looked up where posts are moved.
    thread = models.ForeignKey(
        Thread, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    key = models.BigIntegerField()
    # No constraint: without an index of its own, each post deleted would have to be looked for
    # among all keys. Posts only go with what a broken load left, and their keys go first.
    post = models.ForeignKey(
        Post, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )

    def __str__(self) -> str:
        return f"{self.key} in post {self.post_id}"
