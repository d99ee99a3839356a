"""What moderators did, and why. Append-only: PostgreSQL refuses changes by trigger."""

from django.conf import settings
from django.db import models

from ..acts import OPENERS, PRIVATE
from .boards import Board
from .posts import Post
from .threads import Thread

# What of an act's details only its undoing needs: long lists, of posts that were moved and of what
# went along.
LISTS = ("moved", "parents", "marks", "more_read", "drafts", "twins", "quotes")


class _WithoutLists(models.Func):
    """The details of an entry without LISTS: the database leaves them out."""

    output_field = models.JSONField()

    def __init__(self) -> None:
        super().__init__("detail")

    def as_postgresql(self, compiler, connection, **context):
        names = ",".join(LISTS)
        template = f"(%(expressions)s - '{{{names}}}'::text[])"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_sqlite(self, compiler, connection, **context):
        paths = ", ".join(f"'$.{name}'" for name in LISTS)
        template = f"json_remove(%(expressions)s, {paths})"
        return self.as_sql(compiler, connection, template=template, **context)


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def public(self) -> "AuditEntryQuerySet":
        """What the public log tells: what was done to others. Left out are what members do with
        their own debates and posts, and notes that moderators keep for each other."""
        others = ~models.Q(actor=models.F("thread__author"))
        others |= models.Q(actor__isnull=True) | models.Q(thread__author__isnull=True)
        told = ~models.Q(verb__in=OPENERS) | others
        return self.exclude(verb__in=PRIVATE).filter(told)

    def for_listing(self) -> "AuditEntryQuerySet":
        """With all that a line of the log says, in one query, and whether it was undone."""
        return self.select_related(
            "actor", "member", "board", "thread__board", "post__thread__board", "undone_by"
        )

    def in_short(self, count: int) -> list["AuditEntry"]:
        """The first entries, for a page that lists them: the `detail` of each lacks LISTS, which
        may hold a line for each of ten thousand posts and stay in the database."""
        found: list[AuditEntry] = list(self.defer("detail").annotate(short=_WithoutLists())[:count])
        for entry in found:
            entry.detail = entry.short
        return found

    def parts_of(self, entry: "AuditEntry") -> "AuditEntryQuerySet":
        """What a clean-up hid, one entry for each thing."""
        batch = entry.detail["batch"]
        return self.filter(member=entry.member_id, detail__batch=batch).exclude(pk=entry.pk)

    def for_undo(self) -> "AuditEntryQuerySet":
        """With what its undoing asks of the charter, and whether it was undone."""
        return self.select_related("member", "thread__board", "post__thread__board", "undone_by")


class AuditEntry(models.Model):
    """One act: who did what to which thing, and why. Nothing ever changes or deletes it."""

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    verb = models.CharField(max_length=40)
    board = models.ForeignKey(
        Board, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, null=True, related_name="+")
    post = models.ForeignKey(Post, on_delete=models.PROTECT, null=True, related_name="+")
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    # By id alone: undoing a split leaves no row of the debate that it had made.
    other_thread = models.BigIntegerField(
        null=True, db_index=True, help_text="The debate that posts went to or came from."
    )
    other_board = models.BigIntegerField(
        null=True, help_text="The board that was made, placed or taken out; its row may go."
    )
    undoes = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="undone_by",
        help_text="The act that this one took back.",
    )
    reason = models.CharField(max_length=300, blank=True)
    detail = models.JSONField(default=dict, help_text="What was so before, and after.")
    created_at = models.DateTimeField(auto_now_add=True)

    short: dict  # what `in_short` brings along

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["-created_at"], name="audit_newest"),
            models.Index(fields=["board", "-id"], name="audit_of_board"),
            models.Index(fields=["verb", "-id"], name="audit_of_verb"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} ({self.created_at:%Y-%m-%d %H:%M})"
