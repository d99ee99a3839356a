"""Notices of what others wrote: whom a post concerns, who watches, and whose count follows.

All of it is done by the worker, in jobs that are written in the transaction of the act (docs/
decisions/0032). Each job is one transaction, which ends the job with what it wrote: however often a
worker dies, everybody is told once. Nobody is told of what they may not see, of their own doing, or
of what somebody wrote whom they ignore.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F, Model, Q

from accounts.models import User
from accounts.names import skeleton
from core.tasks import rows_of, task
from forum.mailing import queueing
from forum.text.quoting.normal_form import folded_words

from ..models import Answer, Divergence, Notice, Post, Quote, Reason, State, Thread, Watch
from ..models.visibility import readers_of
from ..models.watches import effective

BATCH = 500  # members whom one job tells: some 50 ms, in which nobody else writes on SQLite
MENTION = re.compile(r"<!--@([^>]+?)-->")
_Level = Watch.Level
_NOT_ANSWERS = (_Level.MUTED, _Level.THREADMARKS)


# --- What acts call, in their transaction -----------------------------------------------------


def news_of(post: Post) -> list[Model]:
    """The rows, to be written with a new post, that have all told who are concerned or watch."""
    return rows_of(notify_of_post, post.pk) if post.author_id else []


def notify_of_new(post: Post) -> None:
    """The same for a post that is there already, and appears now."""
    if post.author_id:
        notify_of_post.enqueue(post.pk)


def notify_of_change(post: Post) -> None:
    """Have those told whom a post concerns and who were not told of it yet: its text was changed,
    or it is shown again."""
    if post.author_id:
        notify_of_post.enqueue(post.pk, watchers=False)


def notify_of_threadmark(post: Post) -> None:
    """Have those told who watch the story of a debate: one of its posts got a threadmark."""
    notify_watchers.enqueue(post.pk, news=Reason.MARK.value)


def notify_of_divergences(thread: Thread) -> None:
    """Have those told who watch the stretch of history that a debate leaves by now."""
    if thread.author_id and (opening := Post.objects.opening_of(thread.pk).first()):
        notify_watchers.enqueue(opening.pk, news=Reason.STRETCH.value)


# --- The jobs ---------------------------------------------------------------------------------


@task
def notify_of_post(post_id: int, watchers: bool = True) -> None:
    """Tell whom a post concerns: whom it answers, quotes or mentions, and whoever asked what it
    answers. With `watchers`, its author watches the debate from now on, if they wish so, and those
    are told who watch already, by further jobs."""
    with transaction.atomic():
        post = _held(post_id)
        if post is None:
            return
        if watchers:
            _watch_written(post)
            notify_watchers.enqueue(post_id)
            if post.is_opening:
                notify_watchers.enqueue(post_id, news=Reason.STRETCH.value)
        people = _concerned(post)
        deciding = _deciding(_around(post), people)
        reasons = {
            pk: _Found(reasons)
            for pk, reasons in people.items()
            if pk not in deciding or deciding[pk].level not in _NOT_ANSWERS
        }
        _write(post, reasons)


@task
def notify_watchers(post_id: int, news: str = "", after: int = 0) -> None:
    """Tell the next members, by id behind `after`, who watch where a post stands, and leave the
    rest to another job. `news` says of what alone they are told: "mark", that it tells the story
    on; "stretch", that its debate leaves history; otherwise that it is there."""
    with transaction.atomic():
        post = _held(post_id)
        if post is None:
            return
        around = _around(post)
        if news == Reason.STRETCH:
            members, watches = _watching_history(post, after)
        else:
            members, watches = _watching_place(post, around, after)
        if len(members) == BATCH:
            notify_watchers.enqueue(post_id, news=news, after=members[-1])
        deciding = _deciding(around, members)
        reasons = {}
        for pk, mine in watches.items():
            if found := _why(post, news, mine, deciding.get(pk)):
                reasons[pk] = found
        _write(post, reasons)


# --- Who ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    reasons: Sequence[str]
    watch: int | None = None


def _held(post_id: int) -> Post | None:
    """The post, if those who see its debate read it. Whoever hides it waits for this transaction,
    so that its notices are counted as what becomes of it asks (`notices.follow_posts`)."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            table = Post._meta.db_table
            cursor.execute(f"SELECT 1 FROM {table} WHERE id = %s FOR KEY SHARE", [post_id])
    rows = Post.objects.select_related("thread__board", "author", "body")
    post = rows.filter(state=State.VISIBLE, thread__state=State.VISIBLE, pk=post_id).first()
    return post if post and post.author and post.number is not None else None


def _concerned(post: Post) -> dict[int, list[str]]:
    """Whom a post concerns, by id, each with the reasons in the order of `Reason`."""
    found: dict[Reason, Iterable[int | None]] = {}
    if post.parent_id:
        found[Reason.REPLY] = [Post.objects.values_list("author", flat=True).get(pk=post.parent_id)]
    elif not post.is_opening and post.parent_basis != Post.Basis.UNKNOWN:
        found[Reason.REPLY] = [post.thread.author_id]
    if Answer.objects.filter(post=post, question__stands=True).exists():
        found[Reason.ANSWER] = [post.thread.author_id]
    quotes = Quote.objects.filter(revision=post.body.revision_id, source_post__isnull=False)
    found[Reason.QUOTE] = quotes.values_list("source_post__author", flat=True)
    if names := {skeleton(name) for name in MENTION.findall(post.body.html)}:
        named = User.objects.filter(Q(skeleton__in=names) | Q(past_names__skeleton__in=names))
        found[Reason.MENTION] = named.values_list("pk", flat=True)
    people: dict[int, list[str]] = defaultdict(list)
    for reason, ids in found.items():
        for pk in {pk for pk in ids if pk is not None}:
            people[pk].append(reason.value)
    return dict(people)


@dataclass(frozen=True, slots=True)
class _Around:
    """Where a post stands: the ids of the posts that it hangs below and its own, each with its
    depth, of its debate and of those that went into it, and of its board."""

    depth: Mapping[int, int]
    threads: Sequence[int]
    board: int

    def each(self) -> list[Q]:
        """What may be watched of it, each by an index of its own."""
        branches = [Q(post__pk__among=self.depth)]
        return [*(Q(thread=pk) for pk in self.threads), Q(board=self.board), *branches]


def _around(post: Post) -> _Around:
    # Not filtered by the debate there: SQLite would read all of its posts for that.
    above = Post.objects.leading_to(post).values_list("pk", "level", "thread")
    depth = {pk: level for pk, level, thread in above if thread == post.thread_id}
    threads, found = [], [post.thread_id]
    while found:
        threads += found
        merged = Thread.objects.filter(merged_into__in=found).exclude(pk__in=threads)
        found = list(merged.values_list("pk", flat=True))
    return _Around(depth, threads, post.thread.board_id)


def _deciding(around: _Around, members: Iterable[int]) -> dict[int, Watch]:
    """Of each of these members the watch that says how much they are told of what is written
    there; who has none is told of what concerns them."""
    places = Q(thread__in=around.threads) | Q(board=around.board) | Q(post__pk__among=around.depth)
    mine: dict[int, list[Watch]] = defaultdict(list)
    for watch in Watch.objects.filter(places, member__in=members):
        mine[watch.member_id].append(watch)
    nearest = {pk: effective(watches, around.depth) for pk, watches in mine.items()}
    return {pk: watch for pk, watch in nearest.items() if watch is not None}


def _watching_place(
    post: Post, around: _Around, after: int
) -> tuple[list[int], dict[int, list[Watch]]]:
    """The next members who watch where a post stands, or whoever wrote it, in order; each with the
    watch on its author, if they have one."""
    each = [*around.each(), Q(author=post.author_id)]
    ids = sorted({pk for one in each for pk in Watch.objects.filter(one).after(after, BATCH)})
    watches: dict[int, list[Watch]] = {pk: [] for pk in ids[:BATCH]}
    for watch in Watch.objects.filter(author=post.author_id, member__in=watches):
        watches[watch.member_id].append(watch)
    return list(watches), watches


def _watching_history(post: Post, after: int) -> tuple[list[int], dict[int, list[Watch]]]:
    """The next members who watch a stretch in which the post's debate leaves history, in order."""
    divergences = list(Divergence.objects.filter(thread=post.thread_id))
    when = Q(pk__in=())
    for one in divergences:
        when |= Q(first_day__lte=one.last_day, last_day__gte=one.first_day)
    rows = Watch.objects.filter(when, first_day__isnull=False)
    ids = rows.order_by().distinct().after(after, BATCH)
    watches: dict[int, list[Watch]] = defaultdict(list)
    for watch in rows.filter(member__in=ids).order_by("pk"):
        if any(leaves_in(one, watch) for one in divergences):
            watches[watch.member_id].append(watch)
    return ids, dict(watches)


def leaves_in(divergence: Divergence, watch: Watch) -> bool:
    """Whether a divergence lies in the stretch of history that is watched: its days may, and its
    place holds each of the words of the watch's place."""
    if watch.first_day is None or watch.last_day is None:
        return False
    return (
        divergence.first_day <= watch.last_day
        and divergence.last_day >= watch.first_day
        and {*folded_words(watch.place)} <= {*folded_words(divergence.place)}
    )


def _why(post: Post, news: str, watches: Sequence[Watch], deciding: Watch | None) -> _Found | None:
    """Why somebody is told who watches: `deciding` says how much of the place, `watches` are those
    on the author or on history. None if they are not."""
    level = deciding.level if deciding else None
    if news == Reason.MARK:
        if deciding is None or level not in (_Level.EVERYTHING, _Level.THREADMARKS):
            return None
        return _Found([Reason.MARK.value], deciding.pk)
    if level in _NOT_ANSWERS:
        return None
    found = []
    if (
        deciding is not None
        and news != Reason.STRETCH
        and (level == _Level.EVERYTHING or (level == _Level.OPENINGS and post.is_opening))
    ):
        found.append(deciding)
    found += [watch for watch in watches if watch.level != _Level.OPENINGS or post.is_opening]
    if not found:
        return None
    found.sort(key=lambda watch: Reason.values.index(watch.kind))
    return _Found([*dict.fromkeys(watch.kind for watch in found)], found[0].pk)


# --- Writing it --------------------------------------------------------------------------------


def _watch_written(post: Post) -> None:
    """Let the author of a new post watch its debate, as they prefer, unless they do in some way."""
    if post.author and (level := post.author.watch_written):
        row = Watch(member_id=post.author_id, thread_id=post.thread_id, level=level, automatic=True)
        Watch.objects.bulk_create([row], ignore_conflicts=True)


def _write(post: Post, reasons: Mapping[int, _Found]) -> None:
    """Write the notices of a post that are not there yet, and count them."""
    # Each account's lock: of two jobs about one post the later one sees what the other wrote.
    rows = readers_of(post.thread.board).filter(pk__in=reasons).exclude(pk=post.author_id)
    rows = rows.select_for_update(no_key=True).order_by("pk")
    ids = [
        pk for pk, ignoring in rows.values_list("pk", "ignoring") if post.author_id not in ignoring
    ]
    mine = Notice.objects.filter(kind=Notice.Kind.POST, post=post, member__in=ids)
    known = set(mine.values_list("member", flat=True))
    ids = [pk for pk in ids if pk not in known]
    new = [
        Notice(
            member_id=pk,
            post=post,
            kind=Notice.Kind.POST,
            reasons=",".join(reasons[pk].reasons),
            watch_id=reasons[pk].watch,
        )
        for pk in ids
    ]
    queueing.queue(Notice.objects.bulk_create(new))
    User.objects.filter(pk__in=ids).update(unread_notices=F("unread_notices") + 1)
