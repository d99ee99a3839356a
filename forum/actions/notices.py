"""Notices of acts, and what members do with the notices that they have.

A notice of an act is written in the act's transaction, so that no crash leaves an act untold
(docs/decisions/0009). The count in the menu follows the commit: it is counted anew each time, so a
count that a crash left behind is right again with the next notice or visit. Notices of
what others write are made by jobs (`post_notices`), and an act that changes what many see has their
counts set by jobs, too.
"""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from core.tasks import task
from forum.mailing import queueing

from ..acts import ACTS
from ..models import AuditEntry, ChangeOfMind, Job, Notice, Thread
from ..models.visibility import notices_visible_to

BATCH = 100  # members whose counts one job sets
ROWS = 500  # notices that one statement writes


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
    notice = Notice.objects.create(member=member, entry=entry, kind=kind, sentence=message)
    queueing.queue([notice])
    transaction.on_commit(lambda: recount(member.pk), robust=True)
    return notice


def notify_each(members: Iterable[int], *, entry: AuditEntry, message: str) -> None:
    """Tell all these members, by their ids, of one act: `notify` for many, in as many statements
    for a thousand of them as for ten. Their counts in the menu are set by jobs."""
    ids = sorted(set(members) - {entry.actor_id})
    rows = [Notice(member_id=pk, entry=entry, kind=Notice.Kind.ACT, sentence=message) for pk in ids]
    if rows:
        queueing.queue(Notice.objects.bulk_create(rows, batch_size=ROWS))
        recount_readers.enqueue(entry=entry.pk)


def notify_of_change(change: ChangeOfMind) -> None:
    """Tell whoever wrote a post that it changed somebody's mind; call it in the transaction in
    which that was said for the first time."""
    member = change.post.author
    if member is None or change.member_id in (None, member.pk, *member.ignoring):
        return
    notice = Notice.objects.create(
        member=member, post=change.post, change=change, kind=Notice.Kind.MIND
    )
    queueing.queue([notice])
    transaction.on_commit(lambda: recount(member.pk), robust=True)


def mark_read(*, user: User, until: int, only: bool = False) -> None:
    """Count the notices of `user` up to the id `until` as read, or that one alone. What arrived
    while the page was open stays new."""
    with transaction.atomic():
        rows = Notice.objects.unread().filter(member=user)
        rows = rows.filter(pk=until) if only else rows.filter(pk__lte=until)
        rows.update(read_at=timezone.now())
        recount(user.pk)


def mark_opened(
    *,
    user: User,
    posts: Iterable[int],
    thread: Thread | None = None,
    placeholders: Iterable[int] = (),
) -> None:
    """Count as read what `user` is told of what is open: of posts that are shown; what was done to
    posts of which only placeholders stand there, and to the debate itself, if it is its page.
    `user` holds the new count. Costs nothing where nothing is unread, and writes only what was."""
    if not user.unread_notices:
        return
    posts = list(posts)
    about = Q(post__in=posts) | Q(entry__post__in=[*posts, *placeholders])
    if thread is not None:
        about |= Q(entry__post=None, entry__thread=thread)
    rows = Notice.objects.unread().filter(about, member=user)
    if ids := list(rows.values_list("pk", flat=True)):
        with transaction.atomic():
            Notice.objects.filter(pk__in=ids).update(read_at=timezone.now())
            user.unread_notices = recount(user.pk)


def miscounted() -> list[int]:
    """The ids of the members whose count in the menu is not what is there: a worker ended between
    an act and its counting, or somebody gained or lost the right to see something."""
    unread = Notice.objects.unread().filter(member=OuterRef("pk"))
    members = User.objects.filter(Q(unread_notices__gt=0) | Exists(unread))
    before = _counted_soon()  # a job may end while members are looked at
    wrong = [
        member.pk
        for member in members.order_by("pk").iterator(chunk_size=500)
        if member.unread_notices != notices_visible_to(member).unread().count()
    ]
    waiting = before | _counted_soon() if wrong else set()
    return [pk for pk in wrong if pk not in waiting]


def _counted_soon() -> set[int]:
    """The ids of the members whose counts are set by a job that waits or is under way."""
    jobs = Job.objects.filter(task=recount_readers.module_path, failed_at=None)
    found = set[int]()
    for payload in jobs.values_list("payload", flat=True):
        about = payload["kwargs"]
        rows = _unread_of(**_asked(**about)).filter(member__gt=about.get("after", 0))
        found.update(rows.values_list("member_id", flat=True))
    return found


def recount(member_id: int) -> int:
    """Set the count in the menu of one member to what is there for them to see, and give it."""
    with transaction.atomic():
        # The lock first: two acts at once would else each count without the other's notice.
        member = User.objects.select_for_update(no_key=True).get(pk=member_id)
        member.unread_notices = notices_visible_to(member).unread().count()
        member.save(update_fields=["unread_notices"])
    return member.unread_notices


# --- What becomes of posts that were told of ---------------------------------------------------


def follow_posts(*ids: int) -> None:
    """Have the counts set right of those who are told of these posts, since others see them from
    now on. To be called in the transaction of the act, after the rows of the posts are locked."""
    if _unread_of(post__in=ids).exists():
        recount_readers.enqueue(posts=list(ids))


def follow_threads(*ids: int) -> None:
    """The same for all posts of debates that others see from now on."""
    recount_readers.enqueue(threads=sorted(ids))


def follow_board(board_id: int) -> None:
    """The same for all posts of a board."""
    recount_readers.enqueue(board=board_id)


def _unread_of(**where) -> QuerySet[Notice]:
    return Notice.objects.unread().filter(**where)


def _asked(
    posts: list | None = None,
    threads: list | None = None,
    board: int | None = None,
    entry: int | None = None,
    after: int = 0,
) -> dict:
    """The notices that a job is about (called with these arguments), as `_unread_of` takes them."""
    if posts is not None:
        return {"post__in": posts}
    if threads is not None:
        return {"post__thread__in": threads}
    if entry is not None:
        return {"entry": entry}
    return {"post__thread__board": board}


@task
def recount_readers(
    posts: list | None = None,
    threads: list | None = None,
    board: int | None = None,
    entry: int | None = None,
    after: int = 0,
) -> None:
    """Set the counts of the next members, by id behind `after`, who are told of these posts or of
    this act, and leave the rest to another job."""
    rows = _unread_of(**_asked(posts, threads, board, entry))
    members = rows.filter(member__gt=after).order_by("member").values_list("member_id", flat=True)
    ids = list(members.distinct()[:BATCH])
    if len(ids) == BATCH:
        recount_readers.enqueue(
            posts=posts, threads=threads, board=board, entry=entry, after=ids[-1]
        )
    for member_id in ids:
        recount(member_id)
