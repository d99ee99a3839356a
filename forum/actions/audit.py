"""Writing the audit log: part of the act, in the same transaction."""

from django.db import connection

from ..models import AuditEntry, Board, Post, Thread


def record(
    actor,
    verb: str,
    *,
    post: Post | None = None,
    thread: Thread | None = None,
    board: Board | None = None,
    member=None,
    other_thread: int | None = None,
    other_board: int | None = None,
    undoes: AuditEntry | None = None,
    reason: str = "",
    **detail,
) -> AuditEntry:
    """Add an entry. Thread and board follow from the post, the board from the thread.

    `other_thread` is the id of the debate that posts came from or went to, `other_board` that of a
    board whose row may go, `undoes` the entry that this act takes back; `detail` says what was so
    before and after, enough to undo it.
    """
    thread = thread or (post.thread if post else None)
    return AuditEntry.objects.create(
        actor=actor,
        verb=verb,
        post=post,
        thread=thread,
        board_id=board.pk if board else thread.board_id if thread else None,
        member=member,
        other_thread=other_thread,
        other_board=other_board,
        undoes=undoes,
        reason=reason,
        detail=detail,
    )


def take_names_out(entry: AuditEntry, detail: dict) -> None:
    """Set the details of an entry to what they are without the names of somebody who left, in a
    transaction that called `open_the_log`."""
    AuditEntry.objects.filter(pk=entry.pk).update(detail=detail)


def open_the_log() -> None:
    """Tell PostgreSQL's trigger that this transaction takes words out of the log, for a legal
    reason or since an account is closed; it then lets reason and detail of entries be changed, and
    nothing else."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL jonbar.erasing = 'on'")
