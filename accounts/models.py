"""The member: one account, its name and its reading habits."""

import hashlib
from datetime import datetime
from importlib import import_module
from typing import ClassVar
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.functions import Coalesce
from django.utils.crypto import salted_hmac
from django.utils.functional import cached_property

from core import clock

from .names import check_name, skeleton
from .passwords import is_too_long


def check_time_zone(value: str) -> None:
    """Raise ValidationError unless `value` is an IANA time zone that this machine knows."""
    if value and value not in available_timezones():
        raise ValidationError(f"“{value}” is no time zone we know. Try Europe/Madrid or UTC.")


class SiteVersion(models.Model):
    """One row, whose number rises with every act that may show on any page of the site: a member's
    new name, a board made or moved. Pages kept for visitors carry the number they were drawn
    under. What shows on the pages of one debate raises that debate's version instead."""

    number = models.PositiveBigIntegerField(default=0)

    class Meta:
        db_table = "accounts_edition"

    def __str__(self) -> str:
        return str(self.number)


def raise_site_version() -> None:
    """Raise the number of the site version: no page drawn until now is shown again once this
    transaction stands. For rare acts only, and last in them: the row is locked until the commit,
    and every other such act waits for it. An act that changes a member's name calls it before:
    PostgreSQL looks at the accounts that another act names when that one commits, with this row
    locked, and would wait for the new name while that waits here."""
    with transaction.atomic():
        while not SiteVersion.objects.filter(pk=1).update(number=models.F("number") + 1):
            SiteVersion.objects.bulk_create([SiteVersion(pk=1)], ignore_conflicts=True)


# For a query to bring the number along.
SITE_VERSION = Coalesce(models.Subquery(SiteVersion.objects.filter(pk=1).values("number")), 0)


class SkeletonField(models.CharField):
    """The name as the eye sees it, kept beside `username` at every write, `loaddata` included."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        value = skeleton(model_instance.username)  # type: ignore[attr-defined]  # stands on accounts only
        setattr(model_instance, self.attname, value)
        return value


def _shaped_like(rows: models.QuerySet, beginning: str) -> models.QuerySet:
    shape = skeleton(beginning)
    return (
        rows.filter(skeleton__startswith=shape).order_by("skeleton", "pk") if shape else rows.none()
    )


class PastNames(models.Manager["PastName"]):
    """Finds past names."""

    def shaped_like(self, beginning: str):
        """Those that begin so, or with what looks so; in order."""
        return _shaped_like(self.all(), beginning)


class Members(UserManager["User"]):
    """Creates members. The address given on the command line counts as known."""

    def create_superuser(self, username, email=None, password=None, **extra_fields):
        """Make an administrator whose address needs no confirmation: without mail nobody could
        ever log in to confirm it."""
        user = super().create_superuser(username, email, password, **extra_fields)
        if user.email:
            user.set_address(user.email, known=True)
        return user

    def leave_desk(self, ids) -> None:
        """Close the desk to those of the members with these ids who moderate nothing any more. To
        be called in the transaction that took a right from them: their rows are locked, so that of
        two such acts at once the later one sees what is left."""
        rows = self.filter(pk__in=ids).order_by("pk")
        ids = [member.pk for member in rows.select_for_update(no_key=True)]
        idle = self.filter(pk__in=ids, is_superuser=False, is_moderator=False)
        idle.filter(is_staff=True, moderated_boards__isnull=True).update(is_staff=False)

    def named(self, name: str):
        """The member whose name this is, in whatever case, as a queryset: found by the index of
        skeletons, which no other name of the same letters misses."""
        return self.filter(skeleton=skeleton(name), username__iexact=name)

    def once_named(self, name: str):
        """The members who had this name before, as a queryset."""
        past = PastName.objects.filter(skeleton=skeleton(name), username__iexact=name)
        return self.filter(pk__in=past.values("user"))

    def look_alike(self, name: str):
        """The members whose name is or was `name`, or looks like it, as a queryset."""
        wanted = skeleton(name)
        # A name that somebody gave up stays theirs: nobody else speaks under it.
        past = PastName.objects.filter(skeleton=wanted).values("user")
        return self.filter(models.Q(skeleton=wanted) | models.Q(pk__in=past))

    def shaped_like(self, beginning: str):
        """The members whose name begins so, or with what looks so; in order of their names."""
        return _shaped_like(self.all(), beginning)

    def is_taken(self, name: str, *, by_other_than: int | None = None) -> bool:
        """Whether `name` cannot be given: it is or was another member's, looks like one, or was
        that of an account that is closed. `by_other_than` is the id of a member whose own names
        stay free for them."""
        alike = self.look_alike(name).exclude(pk=by_other_than)
        return alike.exists() or ClosedName.of(name).exists()

    def look_alike_all(self, names):
        """The members whose names are among `names`, or look like one of them, as a queryset."""
        return self.filter(skeleton__in={skeleton(name) for name in names})


class User(AbstractUser):  # type: ignore[django-manager-missing]  # mptt has no stubs
    """A member. `is_moderator` reaches all boards; boards name their own moderators besides;
    `is_superuser` is an administrator; `is_staff` only opens the admin's door."""

    class Theme(models.TextChoices):
        AUTO = "auto", "As my system"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    class View(models.TextChoices):
        FLAT = "flat", "Flat, in order of arrival"
        TREE = "tree", "Tree, by who answers whom"

    class Written(models.TextChoices):
        EVERYTHING = "all", "Tell me of everything in it"
        ANSWERS = "answers", "Tell me of what answers me"
        NOTHING = "", "Do not watch it"

    PAGE_SIZES = (10, 20, 50)

    # Django takes a None for a field that is not wanted.
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    username = models.CharField(
        "name",
        max_length=30,
        unique=True,
        validators=[check_name],
        error_messages={"unique": "This name is taken."},
    )
    skeleton = SkeletonField(
        max_length=120,
        unique=True,
        editable=False,
        default="",
        error_messages={"unique": "This name looks too much like another member's."},
    )
    is_moderator = models.BooleanField("moderator of all boards", default=False)
    about = models.CharField("about me", max_length=300, blank=True)
    # The SHA-256 of the small picture beside the name, "" without one (forum.actions.emblems).
    emblem = models.CharField(max_length=64, blank=True, default="", editable=False)
    theme = models.CharField(max_length=5, choices=Theme.choices, default=Theme.AUTO)
    view = models.CharField("debates open", max_length=4, choices=View.choices, default=View.FLAT)
    posts_per_page = models.PositiveSmallIntegerField(
        choices=[(n, str(n)) for n in PAGE_SIZES], default=20
    )
    time_zone = models.CharField(
        max_length=50, default="", blank=True, validators=[check_time_zone]
    )
    # Since when this is no new member any more; forum.actions.members.welcome writes it.
    welcomed_at = models.DateTimeField(null=True, blank=True, editable=False)
    explain_terms = models.BooleanField(
        "explain the words of the trade where they stand in posts", default=True
    )
    # What had arrived by then counts as read (a new member starts with nothing unread).
    read_until = models.DateTimeField(null=True, blank=True, editable=False)

    # How far the primary's log was at the member's last write; kept where replicas are read from.
    last_write = models.CharField(max_length=20, blank=True, default="", editable=False)

    # Ids of members whose posts, quotes and mentions this member folds away. On the row itself: it
    # is asked on every page, and the row is at hand.
    ignoring = models.JSONField(default=list, blank=True, editable=False)

    # What binds this member just now, kept by forum.moderation.sanctions: until when one may not
    # write, why, and until when what one writes waits for approval.
    suspended_until = models.DateTimeField(null=True, blank=True, editable=False)
    suspended_for = models.CharField(max_length=300, blank=True, editable=False)
    approval_until = models.DateTimeField(null=True, blank=True, editable=False)

    # The member asked that the account be closed then, and can still take that back; and since when
    # it is closed (forum.moderation.closing).
    closing_at = models.DateTimeField(null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)

    # The member asked to join and was not let in yet, or was turned away then: nobody signs in to
    # such an account (accounts.stages, forum.actions.joining).
    waits_since = models.DateTimeField(null=True, blank=True, editable=False)
    turned_away_at = models.DateTimeField(null=True, blank=True, editable=False)

    # The link by which the member joined, if by one.
    invitation = models.ForeignKey(
        "Invitation",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="guests",
    )

    watch_written = models.CharField(
        "a debate in which I write",
        max_length=7,
        choices=Written.choices,
        default=Written.ANSWERS,
        blank=True,
    )
    # How many notices wait to be read: kept here for the same reason.
    # Signed into the addresses of the member's own feeds: with another one, or none, the old ones
    # lead nowhere.
    feed_number = models.BigIntegerField(null=True, blank=True, default=None, editable=False)
    unread_notices = models.PositiveIntegerField(default=0, editable=False)

    objects: ClassVar[Members] = Members()

    # Which boards name this member as a moderator or invite them: asked once for each request, by
    # those who know of boards.
    _moderated_board_ids: frozenset[int] | None = None
    _invited_board_ids: frozenset[int] | None = None
    asked_at: datetime | None = None  # clock.MOMENT of the query, see `now`

    class Meta:
        verbose_name = "member"
        # Every file of an emblem that is fetched, or that might go, is looked for.
        indexes = [models.Index(fields=["emblem"], name="member_emblem")]

    def __str__(self) -> str:
        return self.username

    def clean(self) -> None:
        """Raise ValidationError if the name looks like another member's."""
        super().clean()
        # A name that its form refused already is not there any more.
        if self.username and type(self).objects.is_taken(self.username, by_other_than=self.pk):
            raise ValidationError(
                {"username": "This name is taken, or looks too much like another member's."}
            )

    def check_password(self, raw_password: str | None) -> bool:
        """Whether this is the member's password; one that nobody can have is not hashed."""
        return not is_too_long(raw_password or "") and super().check_password(raw_password)

    @cached_property
    def address_known(self) -> bool:
        """Whether the address was confirmed. accounts.backend brings the answer with the member of
        a session, so that no page asks a second time."""
        from allauth.account.models import EmailAddress

        return EmailAddress.objects.filter(user=self, verified=True).exists()

    @property
    def confirmed(self) -> bool:
        """Whether this member has done what the site asks of an address."""
        return settings.CONFIRM_ADDRESS != "required" or self.address_known

    @cached_property
    def two_step(self) -> bool:
        """Whether signing in takes a second step; recovery codes alone are none."""
        from allauth.mfa.models import Authenticator

        kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
        return Authenticator.objects.filter(user=self, type__in=kinds).exists()

    @property
    def now(self) -> datetime:
        """The moment at which this member was read, by the database's clock. It is asked where the
        query did not bring it along, as those of sessions do."""
        return self.asked_at or clock.now()

    @property
    def is_new(self) -> bool:
        """Whether this is a new member: one of whom fewer than NEW_MEMBER_POSTS posts have
        appeared. Nobody is new on a site that sets it to 0, nor who may enter the desk."""
        return bool(settings.NEW_MEMBER_POSTS) and self.welcomed_at is None and not self.is_staff

    @property
    def suspended(self) -> bool:
        """Whether this member may read but not write just now."""
        return self.suspended_until is not None and self.suspended_until > self.now

    @property
    def watched(self) -> bool:
        """Whether what this member writes waits for approval just now."""
        return self.approval_until is not None and self.approval_until > self.now

    def set_address(self, email: str, *, known: bool):
        """Make `email` the one address of this member and return its EmailAddress row; `known`
        says that somebody vouches for it, so that no link needs to be opened. Raises
        ValidationError if it is known as another member's."""
        # allauth's models need the user model, so they cannot be imported before it exists.
        from allauth.account.models import EmailAddress

        email = email.lower()
        others = EmailAddress.objects.filter(email=email, verified=True).exclude(user=self)
        if known and others.exists():
            raise ValidationError({"email": "Another account has this address."})
        with transaction.atomic():
            EmailAddress.objects.filter(user=self).delete()
            address = EmailAddress.objects.create(
                user=self, email=email, verified=known, primary=True
            )
            self.email = email
            self.save(update_fields=["email"])
        return address


# What no page shows of whoever wrote a post; their name is shown with the emblem, and whether they
# are here still.
UNSHOWN = tuple(
    field.name
    for field in User._meta.concrete_fields
    if field.name not in ("id", "username", "is_active", "emblem")
)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def usable(self, now: datetime) -> "InvitationQuerySet":
        """Those by which somebody may still join, of accounts that are neither closed nor
        suspended: who is kept out does not come back by a link of their own."""
        rows = self.filter(uses_left__gt=0, ends_at__gt=now, made_by__is_active=True)
        return rows.exclude(made_by__suspended_until__gt=now)


class Invitation(models.Model):
    """A link by which some people may join (accounts.invitations); `guests` are those who did."""

    made_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    token = models.CharField(max_length=40, unique=True, editable=False)
    note = models.CharField(max_length=100, blank=True)
    uses_left = models.PositiveSmallIntegerField(default=1)
    ends_at = models.DateTimeField("holds until")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = InvitationQuerySet.as_manager()

    def __str__(self) -> str:
        return f"invitation {self.pk}"


class PastName(models.Model):
    """A name that a member gave up. Its address leads to the member; nobody else may take it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="past_names")
    username = models.CharField("name", max_length=30)
    skeleton = SkeletonField(max_length=120, editable=False, default="", db_index=True)
    until = models.DateTimeField(auto_now_add=True)

    objects = PastNames()

    def __str__(self) -> str:
        return self.username


class ClosedName(models.Model):
    """A name of an account that was closed, which nobody is given again: not the name, only a hash
    of its shape, which does not tell whose it was."""

    digest = models.CharField(max_length=64, unique=True, editable=False)

    def __str__(self) -> str:
        return self.digest

    @staticmethod
    def digest_of(name: str) -> str:
        """What is kept of a name: SHA-256 of its skeleton, in hexadecimal digits."""
        return hashlib.sha256(f"closed name {skeleton(name)}".encode()).hexdigest()

    @classmethod
    def of(cls, name: str) -> "models.QuerySet[ClosedName]":
        """The rows of names that look like this one."""
        return cls.objects.filter(digest=cls.digest_of(name))


class ApiToken(models.Model):
    """What a program shows the API in its member's name (accounts.tokens). The token itself is
    nowhere: only its hash is kept."""

    class Scope(models.TextChoices):
        READ = "read", "Read"
        WRITE = "write", "Read and write"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scope = models.CharField("may", max_length=5, choices=Scope.choices, default=Scope.READ)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField("last used", null=True, editable=False)

    def __str__(self) -> str:
        return self.name

    @property
    def writes(self) -> bool:
        """Whether a program may write with it."""
        return self.scope == self.Scope.WRITE


class Session(AbstractBaseSession):
    """One browser that is signed in (see accounts.sessions)."""

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, editable=False, related_name="sessions"
    )
    device = models.CharField(max_length=60, default="", editable=False)
    began_at = models.DateTimeField(null=True, editable=False)
    seen_at = models.DateTimeField(null=True, editable=False)

    @property
    def name(self) -> str:
        """What forms call it: nobody who reads a page learns the key that signs in."""
        return salted_hmac("accounts.session", self.session_key).hexdigest()[:20]

    def __str__(self) -> str:
        return f"session of {self.user}" if self.user_id else "session"

    @classmethod
    def get_session_store_class(cls):
        """The class that reads and writes these rows: that of SESSION_ENGINE."""
        return import_module(settings.SESSION_ENGINE).SessionStore
