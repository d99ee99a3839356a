"""Polls: a question that a post puts to those who may vote on it, and what they chose."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import models

from .posts import Post

FEWEST, MOST = 2, 20  # choices of a poll
MAX_QUESTION = MAX_CHOICE = 200  # characters


class Poll(models.Model):
    """The poll of a post. It is shown as long as `Post.has_poll` says so, and goes wherever its
    post goes. Question and choices stay as they are from the first vote on.

    A vote locks this row and no other, so that counts and votes are of one moment.
    """

    class Kind(models.TextChoices):
        ONE = "one", "One choice"
        SEVERAL = "several", "Up to so many choices"
        APPROVED = "approved", "Every choice that one approves of"

    post = models.OneToOneField(
        Post, on_delete=models.PROTECT, primary_key=True, related_name="poll"
    )
    question = models.CharField(max_length=MAX_QUESTION)
    choices = models.JSONField(default=list, help_text="The words of each choice, in order.")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.ONE)
    most = models.PositiveSmallIntegerField(
        default=1, help_text="How many choices one member may take at most."
    )
    is_open = models.BooleanField(
        default=False, help_text="Who sees the results sees who chose what; else nobody does."
    )
    closes_at = models.DateTimeField(
        null=True, help_text="From then on nobody votes; without it, until somebody closes it."
    )
    voters = models.PositiveIntegerField(default=0, editable=False)
    counts = models.JSONField(
        default=list, editable=False, help_text="How many chose each choice, in their order."
    )
    # Of a closed poll that came with a debate from elsewhere: what was counted there, in `counts`
    # and `voters` too.
    brought = models.JSONField(default=list, editable=False)
    voters_brought = models.PositiveIntegerField(default=0, editable=False)

    def __str__(self) -> str:
        return self.question

    def closed(self, now: datetime) -> bool:
        """Whether nobody votes any more at this moment."""
        return self.closes_at is not None and self.closes_at <= now

    def percent(self, place: int) -> int:
        """In how many of a hundred votes the choice at this place was taken."""
        return round(100 * self.counts[place] / self.voters) if self.voters else 0

    def as_lines(self, now: datetime) -> list[str]:
        """The choices as lines of a text that everybody may read: with results once it is closed,
        alone before."""
        if not self.closed(now):
            return list(self.choices)
        return [
            f"{text}: {self.counts[place]} of {self.voters}, {self.percent(place)} %"
            for place, text in enumerate(self.choices)
        ]

    def tally(self, ballots: Iterable[Sequence[int]]) -> tuple[int, list[int]]:
        """How many voted, and how many took each choice, by these ballots and by what was brought
        along: what `voters` and `counts` repeat."""
        voters, counts = self.voters_brought, list(self.brought) or [0] * len(self.choices)
        for chosen in ballots:
            voters += 1
            for choice in chosen:
                counts[choice] += 1
        return voters, counts


class Ballot(models.Model):
    """What one member chose in a poll; whoever votes again changes it. Of an account that was
    deleted it stays, nobody's."""

    poll = models.ForeignKey(Poll, on_delete=models.CASCADE, related_name="ballots", db_index=False)
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    chosen = models.JSONField(default=list, help_text="The places of the choices, from 0 on.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["poll", "member"], name="ballot_unique")]
        indexes = [models.Index(fields=["poll", "-id"], name="ballot_newest")]

    def __str__(self) -> str:
        # Without who or what: where a poll is secret nobody is to know.
        return f"a vote in the poll of post {self.poll_id}"
