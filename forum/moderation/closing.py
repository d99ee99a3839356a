"""Closing an account, by its member or by an administrator: the person goes, the debate stays.

What was written stays where it stands, under a name that says no more than that somebody was here.
All that is about the person goes. `BECOMES` says of every way from a row to a member which of the
two it is; a test walks all models for one that is missing.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model, Q

from accounts.models import (
    ApiToken,
    ClosedName,
    Invitation,
    PastName,
    Session,
    User,
    raise_site_version,
)
from accounts.names import FORMER
from core import clock, progress
from core.tasks import task
from forum.actions.audit import open_the_log, record, take_names_out
from forum.actions.gone_pictures import drop_unneeded
from forum.own_data import asking as own_data
from forum.permissions import Refused, require

from ..models import (
    AuditEntry,
    Ballot,
    Board,
    Bookmark,
    Case,
    CaseViewer,
    Draft,
    Mail,
    MailSettings,
    Member,
    Note,
    Notice,
    ReadMark,
    Submission,
    TrustedReporter,
    Watch,
)

PAUSE = timedelta(days=14)  # in which closing can be taken back
# Beside the database, so that whoever restores an older backup learns who left since.
FILE = "closed-accounts"

GOES = "goes"
STAYS = "stays, under the account, which has no name any more"
# By model and column.
BECOMES = {
    "accounts.ApiToken.user": GOES,
    "accounts.Invitation.made_by": GOES,
    "accounts.PastName.user": GOES,
    "accounts.Session.user": GOES,
    "account.EmailAddress.user": GOES,
    "mfa.Authenticator.user": GOES,
    "socialaccount.SocialAccount.user": GOES,
    "accounts.User_groups.user": GOES,
    "accounts.User_user_permissions.user": GOES,
    "admin.LogEntry.user": STAYS,
    "forum.Answer.author": STAYS,
    "forum.AuditEntry.actor": STAYS,
    "forum.AuditEntry.member": STAYS,  # names in its details go
    "forum.Ballot.member": GOES,  # the vote stays counted, nobody's
    "forum.Board_invited.user": GOES,
    "forum.Board_moderators.user": GOES,
    "forum.Bookmark.member": GOES,
    "forum.Case.member": STAYS,  # the wish for another name goes
    "forum.CaseViewer.member": GOES,
    "forum.ChangeOfMind.member": STAYS,
    "forum.Draft.user": GOES,
    "forum.Mail.member": GOES,
    "forum.MailSettings.member": GOES,
    "forum.Note.author": STAYS,
    "forum.Note.member": GOES,
    "forum.Notice.member": GOES,  # but for one that a case answers
    "forum.OwnData.member": GOES,
    "forum.Picture.member": STAYS,  # what no post shows is swept out
    "forum.Post.author": STAYS,
    "forum.PostRevision.editor": STAYS,
    "forum.ReadMark.user": GOES,
    "forum.Report.member": STAYS,
    "forum.Submission.user": GOES,
    "forum.Suspension.member": STAYS,
    "forum.Thread.author": STAYS,
    "forum.Threadmark.marked_by": STAYS,
    "forum.TrustedReporter.member": GOES,
    "forum.Upload.user": STAYS,
    "forum.Warning.member": STAYS,
    "forum.Watch.author": GOES,
    "forum.Watch.member": GOES,
}
# In this order: a mail before the notice that it tells.
_GOING: tuple[tuple[type[Model], str], ...] = (
    *((model, "user") for model in (Session, ApiToken, PastName, EmailAddress, Authenticator)),
    (SocialAccount, "user"),
    *((model, "user") for model in (Draft, ReadMark, Submission)),
    *((model, "member") for model in (Bookmark, CaseViewer, Mail, MailSettings, Note)),
    *((model, "member") for model in (TrustedReporter, Watch)),
    (Watch, "author"),
    (Invitation, "made_by"),
    (Board.invited.through, "user"),
    (Board.moderators.through, "user"),
    (User.groups.through, "user"),
    (User.user_permissions.through, "user"),
)
# Verbs whose entries keep names in their details.
_NAMING = ("rename member", "refuse name", "name moderators", "invite")


def close_later(*, user: User) -> datetime:
    """Have the account of `user` closed in a fortnight, unless they take that back. Returns when;
    asked twice, the first moment stands. Raises permissions.Refused."""
    with transaction.atomic():
        member = _may_leave(user)
        if member.closing_at is None:
            member.closing_at = clock.now() + PAUSE
            member.save(update_fields=["closing_at"])
            close_when_due.using(run_after=member.closing_at).enqueue(
                member.pk, member.closing_at.isoformat()
            )
    return member.closing_at


def keep_open(*, user: User) -> None:
    """Take back the wish to have one's account closed."""
    require(user, "use account")
    User.objects.filter(pk=user.pk, closed_at=None).update(closing_at=None)


def close_own(*, user: User) -> None:
    """Close one's own account at once. Raises permissions.Refused."""
    with transaction.atomic():
        member = _may_leave(user)
        _close(member)
        record(member, "leave", member=member)


def close(*, user: User, member: User, reason: str) -> str:
    """Close a member's account for them, or against their will. Returns the address that it had,
    to tell them; nobody can do so later. Raises permissions.Refused."""
    require(user, "close account", member)
    if not reason.strip():
        raise Refused("Say why: it stands in the log, and the member is told.")
    with transaction.atomic():
        member = _locked(member)
        require(user, "close account", member)
        if member.closed_at:
            return ""
        address = member.email
        _close(member)
        record(user, "close account", member=member, reason=reason)
    return address


@task
def close_when_due(member_id: int, moment: str) -> None:
    """Close an account at the moment that its member chose; not if they took that back."""
    with transaction.atomic():
        user = User.objects.filter(pk=member_id, closed_at=None).first()
        if user is None or user.closing_at is None or user.closing_at.isoformat() != moment:
            return
        try:
            member = _may_leave(user)
        except Refused:  # the last administrator by now, or switched off
            User.objects.filter(pk=member_id).update(closing_at=None)
            return
        if member.closing_at != user.closing_at:
            return  # taken back while the lock was waited for
        _close(member)
        record(member, "leave", member=member)


def closed_since() -> list[User]:
    """The members with accounts in this database that were closed, as the file beside it says:
    there are some where an older backup was restored."""
    digests = set(_digests())
    members = User.objects.filter(closed_at=None).order_by("pk") if digests else User.objects.none()
    return [
        member
        for member in members.only("pk", "username").iterator()
        if ClosedName.digest_of(member.username) in digests
    ]


def keep_names() -> None:
    """Have no name given again that was closed, as the file says: an older backup knows nothing of
    accounts that were made and closed after it."""
    rows = [ClosedName(digest=digest) for digest in _digests()]
    ClosedName.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)


def close_again() -> int:
    """Close the accounts of `closed_since` once more; returns how many there were."""
    keep_names()
    members = closed_since()
    for member in progress.track(members, "accounts closed", len(members)):
        with transaction.atomic():
            member = _locked(member)
            _close(member)
            record(None, "leave", member=member)
    return len(members)


def _locked(member: User) -> User:
    return User.objects.select_for_update(no_key=True).get(pk=member.pk)


def _may_leave(user: User) -> User:
    """The locked row of who wants to leave. The last administrator may not: of two who leave at
    once the later one sees that, since all administrators' rows are locked."""
    if user.is_superuser:
        rows = User.objects.filter(is_superuser=True, is_active=True).order_by("pk")
        if len(rows.select_for_update(no_key=True)) == 1:
            raise Refused("You are the last administrator: make another one first.")
    member = _locked(user)
    require(member, "leave")
    return member


def _close(member: User) -> None:
    """Take the person out of a locked account."""
    names = [
        member.username,
        *PastName.objects.filter(user=member).values_list("username", flat=True),
    ]
    digests = [ClosedName.digest_of(name) for name in names]
    ClosedName.objects.bulk_create(
        (ClosedName(digest=digest) for digest in digests), ignore_conflicts=True
    )
    archives = own_data.drop(member)
    for model, column in _GOING:
        model._default_manager.filter(**{column: member.pk}).delete()
    Ballot.objects.filter(member=member).update(member=None)
    Notice.objects.filter(member=member, case=None).delete()
    Case.objects.filter(member=member, kind=Case.Kind.JOIN).delete()
    wishes = Case.objects.filter(member=member, kind=Case.Kind.NAME)
    wishes.open().update(decided_at=clock.now())
    wishes.update(asked_name="", asked_why="")
    name, emblem = f"{FORMER}-{member.pk}", member.emblem
    _take_names_out_of_logs(member, names, name)
    raise_site_version()  # before the name changes, see there
    _empty(member, name)
    transaction.on_commit(lambda: drop_unneeded(emblem, "png"), robust=True)
    transaction.on_commit(partial(own_data.unlink, archives))
    transaction.on_commit(partial(_note_beside, digests))


def _empty(member: User, name: str) -> None:
    """Give every column of the account the value that a new one has, but for when it began, and
    what posts and log hang on."""
    kept = {"id", "date_joined", "welcomed_at", "read_until"}
    for column in User._meta.concrete_fields:
        if column.name not in kept:
            setattr(member, column.attname, column.get_default())
    member.username, member.is_active = name, False
    member.set_unusable_password()
    member.closed_at = clock.now()
    member.save()


def _take_names_out_of_logs(member: User, names: Iterable[str], instead: str) -> None:
    """Put `instead` where a name stands in the details of the log, or in that of the desk."""
    shapes = {name.casefold() for name in names}

    def without(value):
        if isinstance(value, str):
            return instead if value.casefold() in shapes else value
        if isinstance(value, list):
            return [without(one) for one in value]
        if isinstance(value, dict):
            return {key: without(one) for key, one in value.items()}
        return value

    open_the_log()
    entries = AuditEntry.objects.filter(Q(verb__in=_NAMING) | Q(member=member)).order_by("pk")
    for entry in entries.only("pk", "detail").iterator(chunk_size=500):
        if (detail := without(entry.detail)) != entry.detail:
            take_names_out(entry, detail)
    kinds = ContentType.objects.get_for_models(User, Member, for_concrete_models=False).values()
    rows = LogEntry.objects.filter(content_type__in=kinds, object_id=str(member.pk))
    rows.update(object_repr=instead)


def _file() -> Path:
    return settings.DATA_DIR / FILE


def _digests() -> list[str]:
    try:
        return sorted(set(_file().read_text().split()))
    except FileNotFoundError:
        return []


def _note_beside(digests: Iterable[str]) -> None:
    _file().parent.mkdir(parents=True, exist_ok=True)
    with _file().open("a") as file:
        file.writelines(f"{digest}\n" for digest in digests)
