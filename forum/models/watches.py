"""What members watch, and of how much in it they are told."""

from collections.abc import Iterable, Mapping

from django.conf import settings
from django.db import models
from django.db.models import Q

from .boards import Board
from .posts import Post
from .threads import Thread

MAX_PLACE = 120  # characters, as of a divergence


class WatchQuerySet(models.QuerySet):
    def after(self, member_id: int, most: int) -> list[int]:
        """The ids of the next members who watch one of these things, in order: a seek."""
        rows = self.filter(member__gt=member_id).order_by("member")
        return list(rows.values_list("member", flat=True)[:most])


class Watch(models.Model):
    """That a member watches one thing: exactly one of a board, a debate, a branch (a post and all
    below it), another member, or a stretch of history (days, and words of a place)."""

    class Level(models.TextChoices):
        EVERYTHING = "all", "everything"
        OPENINGS = "openings", "new debates only"
        ANSWERS = "answers", "only what answers me"
        THREADMARKS = "marks", "only threadmarks"
        MUTED = "muted", "nothing"

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="watches", db_index=False
    )
    board = models.ForeignKey(Board, on_delete=models.CASCADE, null=True, db_index=False)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, null=True, db_index=False)
    post = models.ForeignKey(Post, on_delete=models.CASCADE, null=True, db_index=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        related_name="watched_by",
        db_index=False,
    )
    first_day = models.BigIntegerField(null=True)
    last_day = models.BigIntegerField(null=True)
    years = models.CharField(max_length=60, blank=True, help_text="The stretch, as it is shown.")
    place = models.CharField(max_length=MAX_PLACE, blank=True)
    level = models.CharField(max_length=8, choices=Level.choices, default=Level.EVERYTHING)
    automatic = models.BooleanField(default=False, help_text="Since the member wrote there.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WatchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "watches"
        # Each begins with what is watched, so that its watchers are found in order.
        constraints = [
            *(
                models.UniqueConstraint(
                    fields=[name, "member"],
                    condition=Q(**{f"{name}__isnull": False}),
                    name=f"watch_{name}_unique",
                )
                for name in ("board", "thread", "post", "author")
            ),
            models.UniqueConstraint(
                fields=["member", "first_day", "last_day", "place"],
                condition=Q(first_day__isnull=False),
                name="watch_stretch_unique",
            ),
        ]
        indexes = [
            models.Index(fields=["member", "-id"], name="watch_newest"),
            models.Index(
                fields=["first_day", "last_day"],
                condition=Q(first_day__isnull=False),
                name="watch_stretch",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.get_level_display()}"

    @property
    def kind(self) -> str:
        """What it watches: "board", "thread", "post", "author" or "stretch"."""
        return next((kind for kind in TARGETS if getattr(self, f"{kind}_id")), "stretch")

    @property
    def levels(self) -> list[tuple[str, str]]:
        """The levels that may be chosen for it, each with its words."""
        return [(level.value, level.label) for level in LEVELS[self.kind]]


TARGETS = ("board", "thread", "post", "author")
_LEVEL = Watch.Level
LEVELS: dict[str, tuple[Watch.Level, ...]] = {
    "board": (_LEVEL.EVERYTHING, _LEVEL.OPENINGS, _LEVEL.ANSWERS, _LEVEL.MUTED),
    "thread": (_LEVEL.EVERYTHING, _LEVEL.ANSWERS, _LEVEL.THREADMARKS, _LEVEL.MUTED),
    "post": (_LEVEL.EVERYTHING, _LEVEL.ANSWERS, _LEVEL.MUTED),
    "author": (_LEVEL.EVERYTHING, _LEVEL.OPENINGS),
    "stretch": (_LEVEL.EVERYTHING,),
}


def effective(watches: Iterable[Watch], depth: Mapping[int, int]) -> Watch | None:
    """Of the watches of one member on what a post stands in, the one that decides: the nearest
    branch, else the debate, else the board. `depth` says how deep each post above it stands."""

    def nearness(watch: Watch) -> tuple[int, int]:
        return TARGETS.index(watch.kind), depth.get(watch.post_id or 0, 0)

    places = [watch for watch in watches if watch.kind in ("board", "thread", "post")]
    return max(places, key=nearness, default=None)
