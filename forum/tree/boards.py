"""The order of boards: a small tree, kept by django-mptt."""

from django.db import transaction
from mptt.exceptions import InvalidMove

from accounts.models import raise_site_version
from forum.models import Board

from .placing import labels


def relabel_boards(*, write: bool = True) -> int:
    """Give every board its labels again, keeping the order that stands; boards that came without
    labels (a fixture's raw save) go last. Returns how many changed, or with `write` false how many
    are wrong."""
    with transaction.atomic():
        boards = list(Board.objects.select_for_update(no_key=True).order_by("pk"))
        ordered = sorted(boards, key=lambda b: (b.tree_id == 0, b.tree_id, b.lft, b.pk))
        found = labels((b.pk, b.parent_id) for b in ordered)
        roots = [b.pk for b in ordered if b.parent_id is None]
        rank = {pk: n for n, pk in enumerate(roots, 1)}
        own = {b.pk: b.tree_id for b in ordered if b.parent_id is None}
        if 0 not in own.values() and len(set(own.values())) == len(own):
            rank = own  # gaps between trees, where one moved into another, are no fault
        changed = 0
        for board in boards:
            tree_id, lft, rght, level = found[board.pk]
            new = (rank[tree_id], lft, rght, level)
            if (board.tree_id, board.lft, board.rght, board.level) != new:
                if write:
                    Board.objects.filter(pk=board.pk).update(
                        tree_id=new[0], lft=lft, rght=rght, level=level
                    )
                changed += 1
        return changed


class NoPlace(Exception):
    """A board cannot stand within itself."""


def lock_boards(*board_ids: int) -> None:
    """Lock these boards in ascending id order, or all, if none is named: a move renumbers its
    neighbours, and two at once would mix their numbers. Whoever locks threads too did so before,
    and whoever counts on boards at the end of a long act locks them at its beginning."""
    boards = Board.objects.select_for_update(no_key=True).order_by("pk")
    list((boards.filter(pk__in=board_ids) if board_ids else boards).values_list("pk"))


def plant_board(board: Board) -> None:
    """Store a new board behind its neighbours."""
    with transaction.atomic():
        lock_boards()
        board.save(force_insert=True)


def uproot_board(board: Board) -> None:
    """Delete a board that holds nothing."""
    with transaction.atomic():
        lock_boards()
        Board.objects.get(pk=board.pk).delete()


def place_board(board: Board, beside: Board, position: str) -> None:
    """Move a board to the "left" or "right" of another one or, as its "last-child", into it. Raises
    NoPlace if that stands within it."""
    with transaction.atomic():
        lock_boards()
        board, beside = Board.objects.get(pk=board.pk), Board.objects.get(pk=beside.pk)
        try:
            board.move_to(beside, position)
        except InvalidMove:
            raise NoPlace from None
        raise_site_version()


def shift_board(board: Board, way: str) -> bool:
    """Move a board one step: "up" or "down" among its neighbours, "in" to the neighbour above as
    its last, "out" behind its parent. Returns whether there was such a place."""
    with transaction.atomic():
        lock_boards()
        board = Board.objects.select_related("parent").get(pk=board.pk)
        beside, position = {
            "up": (board.get_previous_sibling, "left"),
            "down": (board.get_next_sibling, "right"),
            "in": (board.get_previous_sibling, "last-child"),
            "out": (lambda: board.parent, "right"),
        }[way]
        if (found := beside()) is None:
            return False
        board.move_to(found, position)
        raise_site_version()
        return True
