"""What a member has read and folded: written only when something new was read or folded."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Exists, Subquery

from accounts.models import User
from core import clock
from core.compiled_queries import CompiledQuery
from forum import tree
from forum.models import Board, Post, ReadMark, State, Thread

MAX_FOLDED = 500  # branches that stay folded in one thread; the oldest fold opens again


def parse(ranges: str) -> list[tuple[int, int]]:
    """ "1-40,45-60" as [(1, 40), (45, 60)]: inclusive, ascending, never touching."""
    return [
        (int(first), int(last))
        for first, _, last in (part.partition("-") for part in ranges.split(",") if part)
    ]


def merge(ranges: list[tuple[int, int]], first: int, last: int) -> list[tuple[int, int]]:
    """The ranges with first..last (inclusive) added."""
    kept = [r for r in ranges if r[1] < first - 1 or r[0] > last + 1]
    touched = [r for r in ranges if r not in kept]
    joined = (min([first, *(r[0] for r in touched)]), max([last, *(r[1] for r in touched)]))
    return sorted([*kept, joined])


def contains(ranges: list[tuple[int, int]], first: int, last: int) -> bool:
    """Whether every number of first..last was read."""
    return first > last or any(a <= first and last <= b for a, b in ranges)


@dataclass(slots=True)
class Seen:
    """What a member has read (ranges of numbers) and folded (ids of posts) in one thread."""

    ranges: list[tuple[int, int]]
    folded: list[int]
    invited: bool = False  # to some board: not all members see the same then
    waiting: bool = False  # whether a post of theirs waits here

    def has(self, number: int) -> bool:
        """Whether the post with this number was read."""
        return contains(self.ranges, number, number)

    def unread(self, thread: Thread) -> int:
        """How many numbers of the thread were not read."""
        return max(thread.numbered - sum(b - a + 1 for a, b in self.ranges), 0)

    def first_unread(self, thread: Thread) -> int | None:
        """The lowest number that was not read, or None if all were."""
        expected = 1
        for first, last in self.ranges:
            if first > expected:
                break
            expected = last + 1
        return expected if expected <= thread.numbered else None


def _seen_by(user_id: int, thread_id: int, since):
    """In one query: every page of a debate asks this."""
    mark = ReadMark.objects.filter(user=user_id, thread=thread_id)
    known = Post.objects.filter(
        thread=thread_id, loaded_at__lte=since, number__isnull=False
    ).order_by("-loaded_at", "-number")
    return Thread.objects.filter(pk=thread_id).values_list(
        Subquery(mark.values("ranges")[:1]),
        Subquery(mark.values("folded")[:1]),
        Subquery(known.values("number")[:1]),
        Exists(Board.invited.through.objects.filter(user=user_id)),
        Exists(Post.objects.filter(thread=thread_id, author=user_id, state=State.PENDING)),
    )


_seen = CompiledQuery("read_mark", _seen_by, "number", "number", "moment")


def seen(user, thread: Thread) -> Seen:
    """What `user` has read in `thread`: the mark, or all that had arrived by the time since when
    the member counts what is new."""
    since = user.read_until or user.date_joined
    ((ranges, folded, last, invited, waiting),) = _seen(user.pk, thread.pk, since)
    if ranges is None:
        ranges, folded = f"1-{last}" if last else "", []
    return Seen(parse(ranges), folded, bool(invited), bool(waiting))


def mark_read(
    *,
    user,
    thread: Thread,
    numbers: Iterable[tuple[int, int]],
    known: list[tuple[int, int]] | None = None,
) -> None:
    """Remember that `user` has seen the posts of `thread` in these ranges of numbers (inclusive).
    `known` are those that the mark held a moment ago: if it still does, one statement writes it.

    Two tabs or devices may call this at once: they wait for each other and the ranges are united.
    """
    numbers = list(numbers)
    if known is not None:
        # A transaction of its own: where the mark says something else by now, it holds the row's
        # lock all the same, and who waits for an account must not hold a mark.
        with transaction.atomic():
            if _written_over(known, user, thread, _with(known, numbers)):
                _unless_renumbered(thread)
                return
    with transaction.atomic():
        mark = _locked_mark(user, thread)
        before = parse(mark.ranges)
        merged = _with(before, numbers)
        if merged != before:
            ReadMark.objects.filter(pk=mark.pk).update(**columns(merged))
            _unless_renumbered(thread)


def _unless_renumbered(thread: Thread) -> None:
    """Take the mark just written back if the numbers that were read may mean other posts since.
    Asked after the write, which waits for an act that holds the mark or its thread."""
    if not Thread.objects.filter(pk=thread.pk, numbering=thread.numbering).exists():
        transaction.set_rollback(True)


def _with(ranges: list[tuple[int, int]], numbers: Iterable[tuple[int, int]]) -> list:
    for first, last in numbers:
        ranges = merge(ranges, first, last)
    return ranges


def _written_over(known: list[tuple[int, int]], user, thread: Thread, ranges: list) -> bool:
    """Write a mark if it still says what is known of it. The row's own lock is enough: an act that
    holds it changes what it says, or the numbering that is asked afterwards."""
    with connection.cursor() as cursor:
        was, new = columns(known), columns(ranges)
        cursor.execute(REPLACE, [new["ranges"], new["count"], user.pk, thread.pk, was["ranges"]])
        return cursor.rowcount > 0


REPLACE = (
    f"UPDATE {ReadMark._meta.db_table} SET ranges = %s, count = %s"
    " WHERE user_id = %s AND thread_id = %s AND ranges = %s"
)
APPEND = f"""
    UPDATE {ReadMark._meta.db_table} SET count = count + 1, ranges = CASE
        WHEN ranges LIKE %s THEN substr(ranges, 1, length(ranges) - %s) || %s
        WHEN ranges = '' THEN %s ELSE ranges || %s END
    WHERE user_id = %s AND thread_id = %s AND count < %s
"""
# The account's lock is what `mark_all_read` takes first: without it a mark could be made here of
# what was read before that, and stay.
_BEGINNING = f"""
    INSERT INTO {ReadMark._meta.db_table} (user_id, thread_id, ranges, count, folded)
    SELECT known.id, %s,
        CASE WHEN last IS NULL THEN %s WHEN last >= %s THEN %s ELSE '1-' || last || %s END,
        CASE WHEN last IS NULL THEN 1 WHEN last >= %s THEN %s ELSE last + 1 END, {{nothing}}
    FROM (
        SELECT account.id, (
            SELECT number FROM {Post._meta.db_table} WHERE thread_id = %s AND number IS NOT NULL
            AND loaded_at <= COALESCE(account.read_until, account.date_joined)
            ORDER BY loaded_at DESC, number DESC LIMIT 1
        ) AS last FROM {User._meta.db_table} account WHERE account.id = %s {{locked}}
    ) known WHERE true
    ON CONFLICT (user_id, thread_id) DO NOTHING
"""
_BEGIN = {
    "postgresql": _BEGINNING.format(
        nothing="CAST('[]' AS jsonb)",
        locked="AND NOT EXISTS (SELECT FROM appended) FOR NO KEY UPDATE SKIP LOCKED",
    ),
    "sqlite": _BEGINNING.format(nothing="'[]'", locked=""),
}
# What `mark_written` sends until one of them writes a row. PostgreSQL does both at once: each
# statement costs more than what it does.
WRITTEN = {
    "postgresql": [
        f"WITH appended AS ({APPEND} RETURNING 1), begun AS ({_BEGIN['postgresql']} RETURNING 1)"
        " SELECT FROM appended UNION ALL SELECT FROM begun"
    ],
    "sqlite": [APPEND, _BEGIN["sqlite"]],
}


def mark_written(*, user, post: Post) -> None:
    """Remember that `user` has seen the post that they are writing: it has just got the highest
    number of its thread, whose lock the caller holds. One statement; on SQLite two where the
    mark begins."""
    if post.number is None:
        raise ValueError("a post that waits has no number to be read up to")
    thread, number, before = post.thread, post.number, post.number - 1
    alone = f"{number}-{number}"
    append = [
        *(f"%-{before}", len(f"-{before}"), f"-{number}"),  # "1-40" becomes "1-41"
        *(alone, f",{alone}"),
        *(user.pk, thread.pk, number),
    ]
    begin = [
        *(thread.pk, alone, before, f"1-{number}", f",{alone}"),
        *(before, number, thread.pk, user.pk),
    ]
    statements = WRITTEN[connection.vendor]
    values = [append, begin] if len(statements) == 2 else [append + begin]
    with connection.cursor() as cursor:
        for statement, given in zip(statements, values, strict=True):
            cursor.execute(statement, given)
            if cursor.rowcount:
                return
    # Who holds the account's lock makes marks, and may be waiting for the thread's.
    transaction.on_commit(
        lambda: mark_read(user=user, thread=thread, numbers=[(number, number)]), robust=True
    )


def mark_opening(thread: Thread) -> None:
    """Remember that whoever opens a debate has seen what they write. It is new, so that nobody has
    a mark in it and nothing needs a lock."""
    if thread.author_id:
        ReadMark.objects.create(user_id=thread.author_id, thread=thread, **columns([(1, 1)]))


def fold(*, user, thread: Thread, post_id: int, folded: bool) -> None:
    """Remember that the branch under a post is folded (or not) for this member."""
    with transaction.atomic():
        mark = _locked_mark(user, thread)
        kept = [pk for pk in mark.folded if pk != post_id]
        mark.folded = [*kept, post_id][-MAX_FOLDED:] if folded else kept
        mark.save(update_fields=["folded"])


def folds_over(user, post: Post) -> bool:
    """Whether `post` stands in a branch that `user` folded."""
    folded = (
        ReadMark.objects.filter(user=user, thread=post.thread_id)
        .values_list("folded", flat=True)
        .first()
    )
    above = Post.objects.filter(
        pk__in=folded or (), tree_id=post.tree_id, lft__lt=post.lft, rght__gt=post.rght
    )
    return bool(folded) and above.exists()


def mark_all_read(*, user) -> None:
    """Count everything that has arrived by now as read."""
    with transaction.atomic():
        user.read_until = clock.now()
        user.save(update_fields=["read_until"])
        marks = ReadMark.objects.filter(user=user).order_by("pk")
        list(marks.select_for_update(no_key=True).values_list("pk"))  # as acts that carry them do
        marks.filter(folded=[]).delete()
        for mark in marks.select_related("thread"):
            everything = [(1, mark.thread.numbered)] if mark.thread.numbered else []
            for name, value in columns(everything).items():
                setattr(mark, name, value)
            mark.save(update_fields=["ranges", "count"])


def _locked_mark(user, thread: Thread) -> ReadMark:
    """The member's mark in the thread, made if need be, locked for this transaction.

    The lock is the account's row, which `mark_all_read` writes first: a mark may not be there yet,
    or be about to go. Then the mark's own, which is all that most writes of marks take.
    """
    if not ReadMark.objects.filter(user=user, thread=thread).exists():
        tree.hold(thread.pk)  # the new mark names it, and debates are locked before accounts
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    marks = ReadMark.objects.select_for_update(no_key=True)
    mark = marks.filter(user=user, thread=thread).first()
    if mark is None:
        known = columns(seen(user, thread).ranges)
        mark = ReadMark.objects.create(user=user, thread=thread, **known)
    return mark


def columns(ranges: list[tuple[int, int]]) -> dict:
    """The columns of a mark that hold these ranges."""
    return {
        "ranges": ",".join(f"{first}-{last}" for first, last in ranges),
        "count": sum(last - first + 1 for first, last in ranges),
    }
