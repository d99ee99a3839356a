"""What taking an act back asks: the verbs of the charter that its opposite asks, and of what.

One line for each act that can be taken back. `permissions.undo` is the rule made of them, for pages
that offer the way back and for the acts that go it; how the rows come back is in `actions.undoing`.
"""

from collections.abc import Callable, Iterator

from accounts.models import User

from .models import AuditEntry, Board, Post, State, Thread

Asked = Iterator[tuple[str, Board | Thread | Post | User | None]]


def asked(entry: AuditEntry) -> Asked:
    """Each verb that the opposite of an act asks, with the thing of which it does, or None for one
    that is not here any more. Raises KeyError for an act that cannot be taken back."""
    return OPPOSITES[entry.verb](entry)


def _of(what: str, verb: str = "moderate") -> Callable[[AuditEntry], Asked]:
    """Of the entry's post, thread or member, this verb."""
    return lambda entry: iter([(verb, getattr(entry, what))])


def _stands(entry: AuditEntry) -> Asked:
    """Posts and debates are hidden and brought back under the same words."""
    yield "moderate", entry.post or entry.thread


def _to_board(entry: AuditEntry) -> Asked:
    """The debate moves back to the board from which it came."""
    yield "moderate", entry.thread
    yield "moderate", Board.objects.filter(pk=entry.detail["before"]).first()


def _between(entry: AuditEntry) -> Asked:
    """Posts go back from one debate into the other."""
    other = Thread.objects.select_related("board").filter(pk=entry.other_thread or 0).first()
    for thread in (entry.thread, other):
        # What a merged debate left is nowhere, and yet comes back to its board.
        yield "moderate", thread.board if thread and thread.state == State.MERGED else thread


def _variant(entry: AuditEntry) -> Asked:
    yield "describe", entry.thread
    if before := entry.detail["before"]["variant_of_id"]:
        yield "see thread", Thread.objects.select_related("board").filter(pk=before).first()


def _warn(entry: AuditEntry) -> Asked:
    if entry.post is None:  # a warning in general is for moderators of all boards
        yield "suspend", entry.member
    else:
        yield "warn", entry.member
        yield "moderate", entry.post.thread.board


def _clean_up(entry: AuditEntry) -> Asked:
    """What was hidden comes back as a whole, by who may bring back each part."""
    yield "clean up", entry.member
    parts = AuditEntry.objects.parts_of(entry).filter(undone_by__isnull=True)
    for part in parts.select_related("post__thread__board", "thread__board"):
        yield from asked(part)


OPPOSITES: dict[str, Callable[[AuditEntry], Asked]] = {
    **dict.fromkeys(("hide", "remove", "restore"), _stands),
    **dict.fromkeys(
        (
            *("approve", "reject", "lock branch", "unlock branch"),
            *("close poll", "remove poll"),
        ),
        _of("post"),
    ),
    **dict.fromkeys(
        (
            *("lock", "unlock", "pin", "unpin", "archive", "unarchive"),
            *("slow", "demand approval", "waive approval"),
        ),
        _of("thread"),
    ),
    "rename": _of("thread", "rename"),
    "describe": _of("thread", "describe"),
    "variant": _variant,
    "mark": _of("post", "mark"),
    "unmark": _of("post", "mark"),
    "set lane": _of("post", "set lane"),
    "tie answer": _of("post", "tie answer"),
    "move": _to_board,
    **dict.fromkeys(("split", "move branch", "merge", "merge duplicates"), _between),
    "warn": _warn,
    "suspend": _of("member", "suspend"),
    "clean up": _clean_up,
}
