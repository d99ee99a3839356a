"""What one member does about another, when a new one is new no more, and names."""

import unicodedata

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import PastName, User, raise_site_version
from accounts.names import check_name
from core.columns import longest

from ..models import Case, Post, State
from ..permissions import Refused, require
from . import notices
from .audit import record
from .composing import Unacceptable

MAX_IGNORED = 200  # kept on the member's own row, which every page reads


def ignore(*, user, other: User, ignored: bool) -> None:
    """Fold away what `other` wrote, wherever `user` meets it, or stop doing so.

    Raises permissions.Refused for oneself and past the limit.
    """
    if other.pk == user.pk:
        raise Refused("You cannot ignore yourself.")
    with transaction.atomic():
        ignoring = (
            User.objects.select_for_update(no_key=True)
            .values_list("ignoring", flat=True)
            .get(pk=user.pk)
        )
        kept = [pk for pk in ignoring if pk != other.pk]
        if ignored and len(kept) >= MAX_IGNORED:
            raise Refused(f"You ignore {MAX_IGNORED} members already.")
        user.ignoring = [*kept, other.pk] if ignored else kept
        user.save(update_fields=["ignoring"])
        user.unread_notices = notices.recount(user.pk)


def welcome(user: User) -> None:
    """Count a new member among the others once NEW_MEMBER_POSTS of their posts have appeared. To be
    called in the transaction in which one appears; asks nothing of whoever is new no more."""
    if not user.is_new:
        return
    appeared = Post.objects.filter(author=user, state=State.VISIBLE)[: settings.NEW_MEMBER_POSTS]
    if appeared.count() == settings.NEW_MEMBER_POSTS:
        user.welcomed_at = timezone.now()
        user.save(update_fields=["welcomed_at"])


def ask_for_name(*, user: User, name: str, why: str = "") -> Case:
    """Ask the administrators for another name; an earlier wish that still waits is replaced.

    Raises composing.Unacceptable with what is wrong with the name.
    """
    require(user, "write")
    name, why = _free_name(user, name), " ".join(why.replace("\0", "").split())[:300]
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        case, _ = Case.objects.open().update_or_create(
            member=user, kind=Case.Kind.NAME, defaults={"asked_name": name, "asked_why": why}
        )
    return case


def rename(*, user: User, member: User, name: str, reason: str = "") -> User:
    """Give a member another name. The old one stays theirs: its address leads to them, and nobody
    else may take it; what was written with it keeps its author.

    Raises permissions.Refused, also for a name that cannot be taken.
    """
    require(user, "rename member", member)
    try:
        with transaction.atomic():
            member = User.objects.select_for_update(no_key=True).get(pk=member.pk)
            name = _free_name(member, name)
            before, member.username = member.username, name
            if before == name:
                return member
            PastName.objects.get_or_create(user=member, username=before)
            raise_site_version()  # pages that are kept show the old one; see its order
            member.save(update_fields=["username", "skeleton"])
            entry = record(
                user, "rename member", member=member, reason=reason, before=before, after=name
            )
            notices.notify(member, entry=entry, message="You were given another name.")
    except Unacceptable as error:
        raise Refused(str(error)) from error
    except IntegrityError:
        raise Refused("This name was taken a moment ago. Please choose another.") from None
    return member


def _free_name(member: User, name: str) -> str:
    """The name in the form in which names are kept. Raises Unacceptable unless `member` may take
    it; one's own earlier names are free."""
    name = unicodedata.normalize("NFKC", name.strip())
    try:
        check_name(name)
    except ValidationError as error:
        raise Unacceptable(error.messages[0]) from error
    if len(name) > longest(User, "username"):
        raise Unacceptable("A name holds at most 30 characters.")
    if User.objects.is_taken(name, by_other_than=member.pk):
        raise Unacceptable("This name is taken, or looks too much like another member's.")
    return name


def forget_two_step(*, member: User, reason: str = "") -> bool:
    """Take two-step login off an account whose owner lost app, keys and codes; only whoever keeps
    the site's machine does, by command. The member is told, and the log of the desk tells of it,
    not that of the public: an account without its second step is the weaker for being named.

    Returns whether there was anything to take off.
    """
    with transaction.atomic():
        gone, _ = Authenticator.objects.filter(user=member).delete()
        if gone:
            entry = record(None, "forget two steps", member=member, reason=reason)
            notices.notify(
                member, entry=entry, message="Two-step login was taken off your account."
            )
    return bool(gone)
