"""What is kept how long: one table, shown at /privacy/ and carried out by `manage.py sweep`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Session, User
from core import clock
from forum.actions import notices, pictures

from ..models import AuditEntry, Draft, Mail, Notice, OwnData, Post, Submission, Thread
from . import asking

# A page that was left open so long is not sent any more. Until then its token keeps a form that is
# sent a second time from making a second post.
TOKENS_KEPT = timedelta(days=90)
MAILS_KEPT = timedelta(days=90)  # what came of them; the notices stay
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
    read = settings.NOTICES_KEPT_DAYS
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
            f"{drafts:,} days after one last wrote in them." if drafts else _days(drafts),
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
            lambda now: pictures.sweep(),
        ),
        Kept("Bookmarks, what one watches, what one has read", "As long as the account."),
        Kept("Reports, and what was decided", "For good: they are part of the log."),
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
    for member_id in wrong:
        notices.recount(member_id)
    return {**swept, "counts of notices": len(wrong)}


def _days(days: int) -> str:
    return f"{days:,} days." if days else "As long as the account."


def _confirms() -> bool:
    return settings.CONFIRM_ADDRESS == "required"


def _gone(rows: QuerySet) -> int:
    """Delete rows, a thousand at a time, and say how many there were."""
    count = 0
    while ids := list(rows.order_by().values_list("pk", flat=True)[:AT_ONCE]):
        rows.model._default_manager.filter(pk__in=ids).delete()
        count += len(ids)
    return count


def _drafts(now: datetime) -> int:
    return _gone(Draft.objects.filter(saved_at__lt=now - timedelta(settings.DRAFTS_KEPT_DAYS)))


def _notices(now: datetime) -> int:
    written = (Notice.Kind.POST, Notice.Kind.MIND, Notice.Kind.REMINDER)
    before = now - timedelta(settings.NOTICES_KEPT_DAYS)
    return _gone(Notice.objects.filter(kind__in=written, read_at__lt=before, case=None))


def _unconfirmed(now: datetime) -> int:
    """Accounts that nobody can have used: an administrator's word counts as a confirmation, and
    what was made by a command has signed in or has rights."""
    before = now - timedelta(settings.UNCONFIRMED_KEPT_DAYS)
    unused = User.objects.filter(
        date_joined__lt=before, last_login=None, is_staff=False, is_superuser=False, closed_at=None
    ).exclude(email="")
    own = OuterRef("pk")
    traces = (
        Post.objects.filter(author=own),
        Thread.objects.filter(author=own),
        AuditEntry.objects.filter(member=own),
        AuditEntry.objects.filter(actor=own),
    )
    unused = unused.exclude(reduce(or_, (Q(Exists(rows)) for rows in traces)))
    return _gone(unused.exclude(emailaddress__verified=True))
