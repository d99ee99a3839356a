"""Telling members what concerns them, and what they do with it.

A notice is written in the transaction of the act, so that no crash leaves an act untold
(docs/decisions/0009). The count in the menu follows the commit: it is counted anew each time, so a
count that a crash left behind is right again with the next notice or visit.
"""

from django.db import transaction
from django.db.models import Count, F, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import User
from forum.mailing import queueing

from ..acts import ACTS
from ..models import AuditEntry, Notice


def notify(
    member: User | None, *, entry: AuditEntry, message: str = "", kind: str = Notice.Kind.ACT
) -> Notice | None:
    """Tell `member` of the act that `entry` records; call it in the act's transaction, after the
    entry was written. `message` is one sentence to the member, without names and titles; acts that
    say it in forum/acts.py need none.

    Nobody is told of what they did themselves, and nobody is told for who has no account here
    (a byline): then None is returned.
    """
    if member is None or member.pk == entry.actor_id:
        return None
    if not message:
        thing = "post" if entry.post_id else "thread"
        message = ACTS[entry.verb].notice.get(thing) or f"A moderator acted on your {thing}."
    notice = Notice.objects.create(member=member, entry=entry, kind=kind, said=message)
    queueing.queue([notice])
    transaction.on_commit(lambda: recount(member.pk), robust=True)
    return notice


def mark_read(*, user: User, until: int, only: bool = False) -> None:
    """Count the notices of `user` up to the id `until` as read, or that one alone. What arrived
    while the page was open stays new."""
    with transaction.atomic():
        rows = Notice.objects.unread().filter(member=user)
        rows = rows.filter(pk=until) if only else rows.filter(pk__lte=until)
        rows.update(read_at=timezone.now())
        recount(user.pk)


def miscounted() -> list[int]:
    """The ids of the members whose count in the menu is not what is there: a worker ended between
    an act and its counting."""
    mine = Notice.objects.unread().filter(member=OuterRef("pk")).order_by()
    count = mine.values("member").annotate(count=Count("pk")).values("count")
    members = User.objects.annotate(there=Coalesce(Subquery(count), 0))
    wrong = members.exclude(unread_notices=F("there"))  # type: ignore[misc]  # the stubs lose User
    return list(wrong.values_list("pk", flat=True))


def recount(member_id: int) -> None:
    """Set the count in the menu of one member to what is there."""
    with transaction.atomic():
        # The lock first: two acts at once would else each count without the other's notice.
        member = User.objects.select_for_update(no_key=True).only("pk").get(pk=member_id)
        member.unread_notices = Notice.objects.unread().filter(member=member).count()
        member.save(update_fields=["unread_notices"])
