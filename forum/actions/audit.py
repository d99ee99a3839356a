"""Writing the audit log: part of the act, in the same transaction."""

from ..models import AuditEntry, Board, Post, Thread


def record(
    actor,
    verb: str,
    *,
    post: Post | None = None,
    thread: Thread | None = None,
    board: Board | None = None,
    member=None,
    reason: str = "",
    **detail,
) -> AuditEntry:
    """Add an entry. Thread and board follow from the post, the board from the thread."""
    thread = thread or (post.thread if post else None)
    return AuditEntry.objects.create(
        actor=actor,
        verb=verb,
        post=post,
        thread=thread,
        board_id=board.pk if board else thread.board_id if thread else None,
        member=member,
        reason=reason,
        detail=detail,
    )
