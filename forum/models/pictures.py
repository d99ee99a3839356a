"""Pictures that members sent, and which texts show them."""

import re
import secrets

from django.conf import settings
from django.db import models

from forum.text.history_dates import short

from .posts import Post, PostRevision
from .threads import Thread

MAX_ALT = 1000  # characters: a map wants a paragraph
MAX_CREDIT = 200
MAX_SOURCE = 300
MAX_TITLE = 120
MAX_MOMENT = 90
MAX_LEGEND = 2000
MAX_TAG = 60
LARGE = 3000  # pixels a side: a larger map is looked at in tiles
SIGNIFICANT, ESCAPED = re.compile(r"[\\\[\]]"), r"\\\g<0>"  # in a description, to Markdown
SIGNS = "abcdefghijkmnpqrstuvwxyz23456789"  # none is taken for another


def new_picture_key() -> str:
    """A key that nobody guesses; it stands in texts and addresses."""
    return "".join(secrets.choice(SIGNS) for _ in range(12))


class Picture(models.Model):
    """What one member sent, with their words for it. The bytes are kept once, whoever sent them:
    their files are named by their sums (forum.operations.pictures)."""

    class State(models.TextChoices):
        WAITING = "waiting", "waits to be made ready"
        READY = "ready", "ready"
        REFUSED = "refused", "refused"
        ERASED = "erased", "erased"

    class Kind(models.TextChoices):
        PNG = "png", "PNG"
        JPEG = "jpeg", "JPEG"
        WEBP = "webp", "WebP"
        GIF = "gif", "GIF"

    class Shows(models.TextChoices):
        PICTURE = "picture", "a picture"
        MAP = "map", "a map"
        FLAG = "flag", "a flag or emblem"
        COVER = "cover", "a cover"

    class Tiles(models.TextChoices):
        NONE = "", "none"
        WAITING = "waiting", "wait to be cut"
        READY = "ready", "ready"

    key = models.CharField(max_length=12, unique=True, default=new_picture_key, editable=False)
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
    )
    created_at = models.DateTimeField()
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    why = models.CharField(max_length=300, blank=True, help_text="Why it was refused.")
    sent_sha256 = models.CharField(max_length=64, help_text="Of the file as it was sent.")
    sent_bytes = models.PositiveIntegerField()
    kind = models.CharField(max_length=4, choices=Kind.choices, blank=True)
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the file that is kept.")
    preview_sha256 = models.CharField(
        max_length=64,
        blank=True,
        help_text="Of the smaller one for pages, if there is one.",
    )
    bytes = models.PositiveIntegerField(default=0)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    alt = models.CharField("description", max_length=MAX_ALT, blank=True)
    credit = models.CharField(max_length=MAX_CREDIT, blank=True)
    source = models.CharField(max_length=MAX_SOURCE, blank=True)
    shows = models.CharField(max_length=7, choices=Shows.choices, default=Shows.PICTURE)
    title = models.CharField(max_length=MAX_TITLE, blank=True, help_text="Of a map, flag, cover.")
    moment = models.CharField(
        "moment of the map", max_length=MAX_MOMENT, blank=True, help_text="As it was typed."
    )
    edtf = models.CharField("as a date", max_length=60, blank=True)
    first_day = models.BigIntegerField(null=True, blank=True)
    last_day = models.BigIntegerField(null=True, blank=True)
    legend = models.TextField(blank=True)
    projection = models.CharField(max_length=MAX_TAG, blank=True)
    template = models.CharField("drawn upon", max_length=MAX_TAG, blank=True)
    tiles = models.CharField(
        max_length=7,
        choices=Tiles.choices,
        blank=True,
        default=Tiles.NONE,
        help_text="Whether it is cut into tiles, to be looked at closely.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "sent_sha256"], name="picture_sent_once"),
            models.CheckConstraint(
                condition=models.Q(shows="map", first_day__isnull=False, last_day__isnull=False)
                | ~models.Q(shows="map") & models.Q(first_day__isnull=True, last_day__isnull=True),
                name="picture_map_of_a_moment",
            ),
        ]
        indexes = [
            models.Index(fields=["member", "-id"], name="picture_newest"),
            models.Index(fields=["sent_sha256"], name="picture_sent"),
            models.Index(fields=["sha256"], name="picture_file"),
            models.Index(fields=["preview_sha256"], name="picture_preview"),
            models.Index(
                fields=["shows", "-id"],
                condition=~models.Q(shows="picture"),
                name="picture_marked",
            ),
        ]

    def __str__(self) -> str:
        # Without its words, which belong to the posts that show it.
        return f"picture {self.key}"

    def get_absolute_url(self) -> str:
        return f"/pictures/{self.key}/"

    @property
    def file(self) -> str:
        """The address of the whole picture; it changes with what it holds."""
        return f"/pictures/{self.key}/{self.sha256[:16]}.{self.kind}"

    @property
    def shown(self) -> str:
        """The address of what pages show: the smaller one, or the whole."""
        if not self.preview_sha256:
            return self.file
        return f"/pictures/{self.key}/{self.preview_sha256[:16]}.webp"

    @property
    def in_tiles(self) -> str:
        """Where its tiles stand; the address changes with what it holds."""
        return f"/pictures/{self.key}/tiles/{self.sha256[:16]}/"

    @property
    def is_large(self) -> bool:
        """Whether it has more pixels a side than a page shows well."""
        return max(self.width, self.height) > LARGE

    @property
    def short_moment(self) -> str:
        """The moment of a map for a narrow column."""
        return short(self.edtf) if self.edtf else ""

    @property
    def heading(self) -> str:
        """What a map, flag or cover is called where one is chosen among others."""
        words = self.title or self.alt[:80] or f"A {self.shows} that nobody described"
        return f"{self.moment}: {words}" if self.moment else words

    @property
    def markdown(self) -> str:
        """How a text shows it."""
        return f"![{SIGNIFICANT.sub(ESCAPED, self.alt)}](picture:{self.key})"


class PictureUse(models.Model):
    """That a text shows a picture. Who may read the post may see the picture."""

    picture = models.ForeignKey(Picture, on_delete=models.PROTECT, related_name="uses")
    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="+")
    revision = models.ForeignKey(
        PostRevision, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    thread = models.ForeignKey(
        Thread,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        db_index=False,
        help_text="In which the post stands; none where a version before wrote it,"
        " until check_forum heals it.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["revision", "picture"], name="picture_use_unique")
        ]
        indexes = [models.Index(fields=["thread", "picture"], name="picture_use_of_thread")]

    def __str__(self) -> str:
        return f"{self.picture_id} in post {self.post_id}"
