"""The locks of threads, and what may be written only under them: counters and versions."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from weakref import WeakKeyDictionary

from django.db import OperationalError, connection
from django.db.models import F, Field, Max
from django.db.transaction import Atomic

from core import clock
from core.compiled_queries import CompiledQuery
from core.database_answers import LOCK_TIMEOUT, sqlstate
from core.inserting import Change, for_column
from forum.models import Board, Post, Thread
from forum.permissions import NotThere

from .announcing import StillLocked


class NotLocked(RuntimeError):
    """A write that needs a thread's lock was tried without it: outside a transaction, or in one
    that holds another thread's."""


class ThreadGone(NotThere, Thread.DoesNotExist):
    """The thread is not there any more: undoing a split takes away what the split made. To whoever
    was about to write in it, the same as one that never was."""


_locked = CompiledQuery(
    "locked_threads",
    lambda ids: Thread.objects.select_for_update().filter(pk__in=ids).order_by("pk"),
    "numbers",
)
_boards = CompiledQuery(
    "boards_of_threads",
    lambda ids: Board.objects.filter(pk__in=ids).annotate(asked_at=clock.MOMENT),
    "numbers",
)


def lock(*thread_ids: int) -> list[Thread]:
    """Lock thread rows in ascending id order (so two locks never wait for each other) and return
    them fresh, with their boards. Threads are locked before everything else, see
    docs/decisions/0025.

    Raises NotLocked outside a transaction, ThreadGone if one is not there any more, and StillLocked
    if somebody held one for longer than this connection waits.
    """
    rows = lock_rows(*thread_ids)
    # Not joined to the lock: of a debate that went to another board while we waited for it,
    # PostgreSQL would compare the new row with the old board, and find nothing.
    boards = {board.pk: board for board in _boards(sorted({row.board_id for row in rows}))}
    for row in rows:
        board = boards[row.board_id]
        board_now(row, board, board.asked_at)
    return rows


def lock_rows(*thread_ids: int) -> list[Thread]:
    """The same without the boards, which the caller reads afterwards and hands to `board_now`."""
    require_transaction()
    wanted = sorted(set(thread_ids))
    try:
        rows = _locked(wanted)
    except OperationalError as error:
        if sqlstate(error) == LOCK_TIMEOUT:
            raise StillLocked(wanted, error) from error.__cause__
        raise
    if len(rows) != len(wanted):
        raise ThreadGone
    _hold(*wanted)
    return rows


def board_now(thread: Thread, board: Board | None, moment: datetime) -> None:
    """Give a thread that `lock_rows` locked its board as it is now: `board`, which was read since
    with the `moment`; without one it is asked for."""
    if board is None:
        (board,) = _boards([thread.board_id])
        moment = board.asked_at
    thread.board = board
    # What is written under the lock is of a moment since we have it: what arrives in a thread does
    # so in the order of its numbers, whichever machine's worker wrote it.
    clock.note(moment)


def hold(thread_id: int) -> None:
    """Wait for whoever holds the lock of a thread, and let nobody take it until this transaction
    ends, as a new row that names the thread does: for those who lock other rows before they write
    such a row. (SQLite has one writer.)"""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            table = Thread._meta.db_table
            cursor.execute(f"SELECT 1 FROM {table} WHERE id = %s FOR KEY SHARE", [thread_id])


@dataclass(frozen=True, slots=True)
class LockedThread:
    """The right to write a thread's counters and to number and place its posts. `lock` gives it,
    to the transaction's block that called it and to those within; it ends with that block."""

    pk: int


# By block of a transaction that is open, or of one that nobody asks of any more.
_held: WeakKeyDictionary[Atomic, set[LockedThread]] = WeakKeyDictionary()


def _hold(*thread_ids: int) -> None:
    block = connection.atomic_blocks[-1]
    _held.setdefault(block, set()).update(map(LockedThread, thread_ids))


def require_lock(*thread_ids: int) -> None:
    """Raise NotLocked unless this transaction locked (or made) all these threads. Asked by whoever
    writes, of the thread that is written: a post may have left the one that was locked for it."""
    require_transaction()
    held = set().union(*(_held.get(block, ()) for block in connection.atomic_blocks))
    for pk in thread_ids:
        if LockedThread(pk) not in held:
            raise NotLocked(f"thread {pk} is written without its lock")


def make_thread(thread: Thread) -> Thread:
    """Write the row of a new thread and return it. Nobody else sees it until this transaction
    stands, so it is as good as locked."""
    require_transaction()
    thread.save(force_insert=True)
    _hold(thread.pk)
    return thread


def save_thread(thread: Thread, *columns: str, quiet: bool = False) -> None:
    """Write columns of a locked thread (all, if none is named) under a new version, so that no page
    drawn until now is shown again. `quiet`: all that happened is that a post came, so that the
    others may be shown as they were drawn (decision 0049). Raises NotLocked."""
    require_lock(thread.pk)
    own = ("version", "quiet")
    every = [
        field.name
        for field in Thread._meta.concrete_fields
        if not field.primary_key and field.name not in own
    ]
    fields = [cast(Field, Thread._meta.get_field(name)) for name in columns or every]
    values = {field.attname: getattr(thread, field.attname) for field in fields}
    # Counted by the database: another row object may have been saved in this transaction.
    Thread.objects.filter(pk=thread.pk).update(
        **values, version=F("version") + 1, quiet=F("quiet") + int(quiet)
    )
    thread.version += 1
    thread.quiet += quiet


def thread_change(thread: Thread, *columns: str, quiet: bool = False) -> Change:
    """What `save_thread` sends for these columns, for whoever writes new rows with it."""
    require_lock(thread.pk)
    fields = [cast(Field, Thread._meta.get_field(name)) for name in columns]
    values = [for_column(Thread, field.name, getattr(thread, field.attname)) for field in fields]
    thread.version += 1
    thread.quiet += quiet
    given = "".join(f'"{field.column}" = %s, ' for field in fields)
    return Change(
        f'UPDATE "{Thread._meta.db_table}" SET {given}"version" = "version" + 1,'
        ' "quiet" = "quiet" + %s WHERE "id" = %s',
        [*values, for_column(Thread, "quiet", int(quiet)), for_column(Thread, "id", thread.pk)],
    )


def raise_version(*thread_ids: int) -> None:
    """Let the pages of locked threads be drawn anew. Raises NotLocked."""
    require_lock(*thread_ids)
    Thread.objects.filter(pk__in=thread_ids).update(version=F("version") + 1)


def count_on_board(thread: Thread, by: int, *, board_id: int | None = None) -> None:
    """Add to (or take from) the debates that the board of a locked thread shows, or those of
    another board that it comes to or leaves, and so the divergences that it shows. Raises
    NotLocked."""
    require_lock(thread.pk)
    if by:
        board = Board.objects.filter(pk=board_id or thread.board_id)
        version = F("divergences_version") + 1
        board.update(thread_count=F("thread_count") + by, divergences_version=version)


def raise_divergences(thread: Thread) -> None:
    """Let the divergences that a board shows be counted anew: those of a locked thread are others,
    or lie elsewhere, or its opening, whose words they are, came to sight or went out of it. What
    changes `count_on_board` or raises the site version does so already. Raises NotLocked."""
    require_lock(thread.pk)
    board = Board.objects.filter(pk=thread.board_id)
    board.update(divergences_version=F("divergences_version") + 1)


def last_number(thread: Thread) -> int:
    """The highest number of a locked thread, by its posts: what its `numbered` must say."""
    require_lock(thread.pk)
    return Post.objects.filter(thread=thread).aggregate(last=Max("number"))["last"] or 0


def require_transaction() -> None:
    """Raise NotLocked outside a transaction."""
    if not connection.in_atomic_block:
        raise NotLocked("posts are placed inside a transaction that holds the thread's lock")
