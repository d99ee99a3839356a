"""What is kept how long: one table, shown at /privacy/ and carried out by `manage.py sweep`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Session, User
from core import clock, progress
from core.counting import counted
from forum.actions import gone_pictures, notices

from ..models import (
    AuditEntry,
    Case,
    Draft,
    GuestReport,
    Mail,
    Notice,
    OwnData,
    Post,
    Submission,
    Thread,
)
from . import asking

# A page that was left open so long is not sent any more. Until then its token keeps a form that is
# sent a second time from making a second post.
TOKENS_KEPT = timedelta(days=90)
MAILS_KEPT = timedelta(days=90)  # what came of them; the notices stay
TURNED_AWAY_KEPT = timedelta(days=30)  # in which they may write to whoever runs the site
AT_ONCE = 1_000  # rows of one statement


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of thing: `what` it is and `until` when it is kept, in words; `name` and `sweep`
    where something is to be done about it: how many are swept out that are older than `now`."""

    what: str
    until: str
    name: str = ""
    sweep: Callable[[datetime], int] | None = None


def table() -> tuple[Kept, ...]:
    """Everything about people that is kept, in the order in which a member meets it."""
    unconfirmed, drafts = settings.UNCONFIRMED_KEPT_DAYS, settings.DRAFTS_KEPT_DAYS
    read, guests = settings.NOTICES_KEPT_DAYS, settings.GUEST_ADDRESSES_KEPT_DAYS
    return (
        Kept(
            "Accounts",
            "Until they are closed; then the person goes and what was written stays.",
        ),
        Kept(
            "Accounts whose address was never confirmed and that nobody ever signed in to",
            _days(unconfirmed) if _confirms() else "As other accounts.",
            "unconfirmed accounts",
            _unconfirmed if _confirms() and unconfirmed else None,
        ),
        Kept(
            "Accounts that were not let in, with what they wrote to be let in",
            _days(TURNED_AWAY_KEPT.days),
            "accounts that were turned away",
            _turned_away,
        ),
        Kept("What members wrote to be let in", "As long as the account."),
        Kept("Names of closed accounts", "As a hash, so that nobody is given them again."),
        Kept(
            "Sessions, with the browser in words",
            "Until one signs out, or they end by themselves.",
            "sessions",
            lambda now: _gone(Session.objects.filter(expire_date__lt=now)),
        ),
        Kept(
            "Network addresses",
            "In the server's log of failed sign-ins, as long as the operator keeps that log."
            if settings.LOG_ADDRESSES
            else "Not kept: rates are counted under them for at most a day.",
        ),
        Kept("Posts, debates and their revisions", "For good, also under a closed account."),
        Kept(
            "Words erased for a legal reason",
            "Not at all; backups from before hold them until they are deleted.",
        ),
        Kept(
            "Drafts",
            f"{counted(drafts, 'day,days')} after one last wrote in them."
            if drafts
            else _days(drafts),
            "drafts",
            _drafts if drafts else None,
        ),
        Kept(
            "Numbers of forms that were sent",
            _days(TOKENS_KEPT.days),
            "tokens",
            lambda now: _gone(Submission.objects.filter(created_at__lt=now - TOKENS_KEPT)),
        ),
        Kept(
            "Notices of what others wrote, once they are read",
            _days(read),
            "notices",
            _notices if read else None,
        ),
        Kept("Notices of what moderators did", "As long as the account."),
        Kept(
            "What came of mails",
            _days(MAILS_KEPT.days),
            "mails",
            lambda now: _gone(Mail.objects.filter(settled_at__lt=now - MAILS_KEPT)),
        ),
        Kept(
            "Files with all data of a member, which that member asked for",
            _days(OwnData.KEPT.days),
            "archives of own data",
            lambda now: asking.sweep(),
        ),
        Kept(
            "Pictures in posts, until they are erased",
            "As long as the posts; what no post and no draft shows, a day.",
            "pictures",
            lambda now: gone_pictures.sweep(),
        ),
        Kept("Bookmarks, what one watches, what one has read", "As long as the account."),
        Kept("Reports, and what was decided", "For good: they are part of the log."),
        Kept(
            "Name and address of who reported without an account",
            f"{counted(guests, 'day,days')} after the decision." if guests else "For good.",
            "addresses of guests",
            _guests if guests else None,
        ),
        Kept("What moderators note about a member", "As long as the account."),
        Kept("The log of moderation", "For good."),
    )


def sweep() -> dict[str, int]:
    """Delete all that the table says is kept no longer; count notices anew where a count is off,
    since a worker ended between an act and its counting. Returns how many there were of each.

    Each is a statement of its own, or some, that holds no lock of a debate, so it may run while
    people write.
    """
    now = clock.now()
    swept = {kept.name: kept.sweep(now) for kept in table() if kept.sweep is not None}
    wrong = notices.miscounted()
    for member_id in progress.track(wrong, "counts of notices set right", len(wrong)):
        notices.recount(member_id)
    return {**swept, "counts of notices": len(wrong)}


def _days(days: int) -> str:
    return f"{counted(days, 'day,days')}." if days else "As long as the account."


def _confirms() -> bool:
    return settings.CONFIRM_ADDRESS == "required"


def _gone(rows: QuerySet) -> int:
    """Delete rows, a thousand at a time, and say how many there were."""
    what = f"{rows.model._meta.verbose_name_plural} swept out"
    progress.begin(what, rows.count() if progress.is_shown() else None)
    count = 0
    while ids := list(rows.order_by().values_list("pk", flat=True)[:AT_ONCE]):
        rows.model._default_manager.filter(pk__in=ids).delete()
        count += len(ids)
        progress.advance(len(ids))
    return count


def _drafts(now: datetime) -> int:
    return _gone(Draft.objects.filter(saved_at__lt=now - timedelta(settings.DRAFTS_KEPT_DAYS)))


def _notices(now: datetime) -> int:
    written = (Notice.Kind.POST, Notice.Kind.MIND, Notice.Kind.REMINDER)
    before = now - timedelta(settings.NOTICES_KEPT_DAYS)
    return _gone(Notice.objects.filter(kind__in=written, read_at__lt=before, case=None))


def _guests(now: datetime) -> int:
    """Names and addresses; the report itself stays, and its receipt."""
    before = now - timedelta(settings.GUEST_ADDRESSES_KEPT_DAYS)
    rows = GuestReport.objects.filter(report__case__decided_at__lt=before)
    named = rows.exclude(name="", email="")
    return GuestReport.objects.filter(pk__in=named.values("pk")).update(name="", email="")


def _unconfirmed(now: datetime) -> int:
    """Accounts that nobody can have used: an administrator's word counts as a confirmation, and
    what was made by a command has signed in or has rights."""
    before = now - timedelta(settings.UNCONFIRMED_KEPT_DAYS)
    unused = User.objects.filter(
        date_joined__lt=before, last_login=None, is_staff=False, is_superuser=False, closed_at=None
    ).exclude(email="")
    return _gone_accounts(unused.exclude(emailaddress__verified=True))


def _turned_away(now: datetime) -> int:
    return _gone_accounts(User.objects.filter(turned_away_at__lt=now - TURNED_AWAY_KEPT))


def _gone_accounts(members: QuerySet) -> int:
    """Delete accounts that left no trace, with what they wrote to be let in."""
    own = OuterRef("pk")
    traces = (
        Post.objects.filter(author=own),
        Thread.objects.filter(author=own),
        AuditEntry.objects.filter(member=own),
        AuditEntry.objects.filter(actor=own),
    )
    count = _gone(members.exclude(reduce(or_, (Q(Exists(rows)) for rows in traces))))
    Case.objects.filter(kind=Case.Kind.JOIN, member=None).delete()
    return count
