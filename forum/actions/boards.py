"""What happens to boards: who makes, changes, orders and removes them, and who is invited."""

from collections.abc import Iterable

from django.db import transaction

from accounts.models import User, raise_site_version

from .. import tree
from ..models import AuditEntry, Board
from ..permissions import Refused, require
from . import notices
from .audit import record

# What may be said of a board, apart from its place and the people it names.
FIELDS = (
    *("name", "slug", "description", "audience", "starters", "answerers", "read_only"),
    *("own_answer_needed", "divergence_needed", "questions_needed", "policy_needed"),
    *("approve_first", "hide_after_reports", "first_year", "last_year"),
)


def make(*, user, board: Board, reason: str = "") -> Board:
    """Plant an unsaved board behind its neighbours. Raises permissions.Refused."""
    require(user, "administer")
    with transaction.atomic():
        tree.plant_board(board)
        _record(user, "make board", board, reason)
        raise_site_version()
    return board


def _record(user, verb: str, board: Board, reason: str = "", **detail) -> None:
    """Write of a board that may be taken out again: by id alone, with what it was called."""
    detail = {"name": board.name, "audience": board.audience, **detail}
    record(user, verb, other_board=board.pk, reason=reason, **detail)


def change(*, user, board: Board, reason: str = "", **wanted) -> Board:
    """Give fields of a board other values; returns it as it stands. Every page of its debates, and
    every quote of them elsewhere, is drawn anew: who may see it may have changed.

    Raises permissions.Refused, and KeyError for what is no field of FIELDS.
    """
    require(user, "administer")
    if strange := set(wanted) - set(FIELDS):
        raise KeyError(*strange)
    with transaction.atomic():
        board = Board.objects.select_for_update(no_key=True).get(pk=board.pk)
        before = {name: getattr(board, name) for name in wanted}
        after = {name: value for name, value in wanted.items() if value != before[name]}
        if after:
            # Past mptt's save, which would write the labels that it read.
            Board.objects.filter(pk=board.pk).update(**after)
            board.refresh_from_db(fields=list(after))
            was = {name: before[name] for name in after}
            record(user, "change board", board=board, reason=reason, before=was, after=after)
            if "audience" in after:
                notices.follow_board(board.pk)
            raise_site_version()
    return board


def name_moderators(*, user, board: Board, members: Iterable[User], reason: str = "") -> None:
    """Let exactly these members look after a board; who is dropped and moderates nothing else may
    not enter the desk any more. Raises permissions.Refused, also for somebody who may not enter
    it."""
    require(user, "administer")
    wanted = [member.pk for member in members]
    with transaction.atomic():
        board = Board.objects.select_for_update(no_key=True).get(pk=board.pk)
        before = list(board.moderators.values_list("pk", flat=True))
        # Locked and read anew: another board may drop the same member at this moment.
        concerned = User.objects.select_for_update(no_key=True).filter(pk__in=[*before, *wanted])
        members = [member for member in concerned.order_by("pk") if member.pk in wanted]
        for member in members:
            if not member.is_staff:
                raise Refused(f"{member} may not enter the desk.")
        _name(user, board, "moderators", "appoint", members, reason)
        User.objects.leave_desk({*before} - {*wanted})


def invite(*, user, board: Board, members: Iterable[User], reason: str = "") -> None:
    """Let exactly these members read a board for invited members, besides its moderators; who is
    named anew or no longer is told so. Raises permissions.Refused."""
    require(user, "invite", board)
    _name(user, board, "invited", "invite", list(members), reason)


def _name(user, board: Board, field: str, verb: str, members: list[User], reason: str) -> None:
    with transaction.atomic():
        board = Board.objects.select_for_update(no_key=True).get(pk=board.pk)
        if verb == "invite":
            require(user, "invite", board)
        named = getattr(board, field)
        before, after = set(named.all()), set(members)
        if before == after:
            return
        named.set(after)
        entry = record(
            user,
            verb,
            board=board,
            reason=reason,
            named=sorted(member.username for member in after - before),
            dropped=sorted(member.username for member in before - after),
        )
        sentences = {
            "invite": ("You were invited to a board.", "You are not invited to a board any more."),
            "appoint": ("You look after a board now.", "You do not look after a board any more."),
        }[verb]
        for sentence, people in zip(sentences, (after - before, before - after), strict=True):
            for member in people:
                notices.notify(member, entry=entry, message=sentence)
        raise_site_version()  # answers known by their mark say what those named see


def move_beside(*, user, board: Board, beside: Board, position: str) -> None:
    """Put a board before ("left") or behind ("right") another one, or into it ("last-child").
    Raises permissions.Refused, also where it would stand within itself."""
    require(user, "administer")
    if position not in ("left", "right", "last-child"):
        raise Refused("A board stands before, behind or within another one.")
    try:
        with transaction.atomic():
            before = _order()
            tree.place_board(board, beside, position)
            _record_order(user, board, before)
    except tree.NoPlace:
        raise Refused("A board cannot stand within itself.") from None


def shift(*, user, board: Board, way: str) -> bool:
    """Move a board one step "up" or "down" among its neighbours, "in" to the one above it or "out"
    behind the one that holds it; whether there was room to. Raises permissions.Refused."""
    require(user, "administer")
    with transaction.atomic():
        before = _order()
        there = tree.shift_board(board, way)
        _record_order(user, board, before)
    return there


def _order() -> list[list]:
    """[id, level] of all boards in order, locked: two moves at once do not tell of each other."""
    tree.lock_boards()
    return [list(row) for row in Board.objects.in_order().values_list("pk", "level")]


def _record_order(user, board: Board, before: list[list]) -> None:
    if (after := _order()) != before:
        _record(user, "place board", board, before=before, after=after)


def remove(*, user, board: Board) -> None:
    """Take a board out for good. Raises permissions.Refused if it holds debates or boards, or if
    the log tells of it."""
    require(user, "administer")
    if why := stays(board):
        raise Refused(why)
    with transaction.atomic():
        _record(user, "remove board", board)
        moderators = list(board.moderators.values_list("pk", flat=True))
        tree.uproot_board(board)
        User.objects.leave_desk(moderators)
        raise_site_version()


def stays(board: Board) -> str:
    """Why a board cannot be taken out; empty if it can."""
    if board.threads.exists() or board.children.exists():
        return "This board holds debates or boards. Hide it or make it read only instead."
    if AuditEntry.objects.filter(board=board).exists():
        return "The moderation log tells of this board. Hide it or make it read only instead."
    return ""
