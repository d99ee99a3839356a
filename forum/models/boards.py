"""Boards: a small tree that moderators order in the admin."""

from django.conf import settings
from django.db import models
from mptt.models import MPTTModel, TreeForeignKey


class BoardQuerySet(models.QuerySet["Board"]):
    def get_by_natural_key(self, slug: str) -> "Board":
        return self.get(slug=slug)

    def in_order(self) -> "BoardQuerySet":
        """In the order that the moderators gave them."""
        return self.order_by("tree_id", "lft")


class Board(MPTTModel):
    """A place for debates: who may see it, start in it and answer in it. In a board that is read
    only nobody writes any more, but it is moderated still."""

    class Audience(models.TextChoices):
        """From wide to narrow."""

        PUBLIC = "public", "Everybody"
        MEMBERS = "members", "Members"
        INVITED = "invited", "Invited members"
        MODERATORS = "moderators", "Its moderators"

    class Writers(models.TextChoices):
        MEMBERS = "members", "Members"
        MODERATORS = "moderators", "Its moderators"

    class Demand(models.TextChoices):
        KIND = "kind", "As the kind of debate asks"
        ALWAYS = "always", "Always"
        NEVER = "never", "Never"

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, unique=True)
    description = models.CharField(max_length=300, blank=True)
    parent = TreeForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    audience = models.CharField(
        "who may see it", max_length=10, choices=Audience.choices, default=Audience.PUBLIC
    )
    starters = models.CharField(
        "who may start debates", max_length=10, choices=Writers.choices, default=Writers.MEMBERS
    )
    answerers = models.CharField(
        "who may answer", max_length=10, choices=Writers.choices, default=Writers.MEMBERS
    )
    read_only = models.BooleanField(
        default=False, help_text="Nobody writes here any more; moderators still moderate."
    )
    approve_first = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="Of each member so many posts are approved before the next appear at once. "
        "Empty: as the site's settings say; 0: none.",
    )
    hide_after_reports = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="Hide a post once so many members reported it, until a moderator has looked. "
        "Empty: reports hide nothing.",
    )
    # Who may read it where the audience is "invited"; otherwise the list waits for that.
    invited = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="invited_boards"
    )
    moderators = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="moderated_boards"
    )
    # What a member must give to open a debate here; moderators may leave it out.
    own_answer_needed = models.CharField(
        "an own answer is needed",
        max_length=6,
        choices=Demand.choices,
        default=Demand.KIND,
        help_text="What ifs, challenges and plausibility checks ask for one.",
    )
    divergence_needed = models.BooleanField("a divergence is needed", default=False)
    questions_needed = models.BooleanField("a question is needed", default=False)
    policy_needed = models.BooleanField(
        "the premise policy must be chosen",
        default=False,
        help_text="Otherwise a premise is open to challenge unless its author says more.",
    )
    first_year = models.SmallIntegerField(
        null=True, blank=True, help_text="Of the years it is about; -479 is 480 BC."
    )
    last_year = models.SmallIntegerField(null=True, blank=True)
    thread_count = models.PositiveIntegerField("debates", default=0, editable=False)
    # Under it and the site version counts of them are kept (docs/decisions/0060).
    divergences_version = models.PositiveIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="Goes up when the divergences change that its readers see.",
    )
    lft = models.PositiveIntegerField(default=0, editable=False)
    rght = models.PositiveIntegerField(default=0, editable=False)
    level = models.PositiveIntegerField(default=0, editable=False)
    tree_id = models.PositiveIntegerField(default=0, editable=False)

    objects = BoardQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["tree_id", "lft"], name="board_order")]

    def __str__(self) -> str:
        return self.name

    def natural_key(self) -> tuple[str]:
        return (self.slug,)

    def get_absolute_url(self) -> str:
        return f"/boards/{self.slug}/"
