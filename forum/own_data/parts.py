"""Which rows are a member's own data, and which rows that name a member are not.

Every way from a row to a member stands in one of the two lists; a test walks all models for one
that stands in neither.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.admin.models import LogEntry
from django.db.models import Model, Q

from accounts.models import ApiToken, Invitation, PastName, Session, User

from ..acts import PRIVATE
from ..models import (
    Answer,
    AuditEntry,
    Ballot,
    Board,
    Bookmark,
    Case,
    ChangeOfMind,
    Draft,
    Mail,
    MailSettings,
    Notice,
    Picture,
    Post,
    PostRevision,
    ReadMark,
    Report,
    Suspension,
    Thread,
    Threadmark,
    Upload,
    Warning,
    Watch,
)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one table: those whose column `member` is the member, without some columns (what
    opens an account, and what others did)."""

    name: str
    model: type[Model]
    member: str = "member"
    without: tuple[str, ...] = ()
    only: Q = field(default_factory=Q)

    def rows(self, member: User) -> Iterator[dict[str, Any]]:
        """Each row as its columns by name, the oldest first, a thousand at a time."""
        columns = [
            column.attname
            for column in self.model._meta.concrete_fields
            if column.name not in self.without
        ]
        rows = self.model._default_manager.filter(self.only, **{self.member: member.pk})
        yield from rows.order_by("pk").values(*columns).iterator(chunk_size=1000)


# Of where a post stands in its tree the file of posts says enough without.
_TREE = ("lft", "rght", "level", "tree_id")
PARTS = (
    Part("account", User, "pk", without=("password", "feed_number", "last_write")),
    Part("earlier names", PastName, "user"),
    Part("addresses", EmailAddress, "user"),
    Part("second steps", Authenticator, "user", without=("data",)),
    Part("accounts elsewhere to sign in by", SocialAccount, "user"),
    Part("sessions", Session, "user", without=("session_key", "session_data")),
    Part("tokens of programs", ApiToken, "user", without=("digest",)),
    Part("invitations", Invitation, "made_by"),
    Part("debates", Thread, "author", without=("card", "branch_locks")),
    Part("posts", Post, "author", without=_TREE),
    Part(
        "edits",
        PostRevision,
        "editor",
        without=("source", "quoted", "plain", "passages", "posts_named"),
    ),
    Part("answers to questions", Answer, "author"),
    Part("changes of mind", ChangeOfMind, "member"),
    Part("votes", Ballot),
    Part("threadmarks", Threadmark, "marked_by"),
    Part("drafts", Draft, "user"),
    Part("uploaded debates", Upload, "user"),
    Part("bookmarks", Bookmark),
    Part("pictures", Picture),
    Part("watching", Watch),
    Part("what was read", ReadMark, "user"),
    Part("notices", Notice),
    Part("choices of mail", MailSettings),
    Part("mails", Mail),
    Part("reports", Report),
    Part("names asked for", Case, only=Q(kind=Case.Kind.NAME), without=("decision",)),
    Part("answers on joining", Case, only=Q(kind=Case.Kind.JOIN), without=("decision",)),
    Part("warnings", Warning),
    Part("suspensions", Suspension),
    # As the page of one's own standing tells it: what was done, not by whom.
    Part("what was done", AuditEntry, without=("actor", "detail"), only=~Q(verb__in=PRIVATE)),
    Part("own acts", AuditEntry, "actor", without=("detail",)),
    Part("boards moderated", Board.moderators.through, "user"),
    Part("boards invited to", Board.invited.through, "user"),
    Part("work at the desk", LogEntry, "user"),
    Part("groups", User.groups.through, "user"),
    Part("permissions", User.user_permissions.through, "user"),
)
# By model and column.
NOT_GIVEN = {
    "forum.Submission.user": "numbers of forms that were sent, which go after ninety days",
    "forum.CaseViewer.member": "who looks at a case, for ten minutes",
    "forum.Note.member": "what moderators write to each other; an administrator answers who asks",
    "forum.Note.author": "about other people; an administrator answers who asks",
    "forum.Watch.author": "who watches a member is the watcher's own affair",
    "forum.OwnData.member": "the archive itself",
    "forum.TrustedReporter.member": "the site's own list; its mark stands at each report",
}
