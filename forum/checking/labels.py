"""Where things stand: trees of posts and of boards, and what boards count."""

from django.db import transaction
from django.db.models import F, Q

from core.counting import counted

from .. import tree
from ..models import Board, Post, State, Thread
from .faults import Fault

CHUNK = 2000


def check_labels(thread: Thread, *, fix: bool) -> list[Fault]:
    """The labels of a locked thread's trees, numbered and waiting posts alike."""
    found = []
    if not _labels_stand(thread.pk):
        try:
            wrong = tree.relabel(thread.pk, write=fix)
            sentence = counted(
                wrong, "post has a wrong place in its tree,posts have wrong places in their trees"
            )
            found.append(Fault(thread.pk, "labels", sentence, healed=fix))
        except ValueError as error:
            found.append(Fault(thread.pk, "parents", str(error), healable=False))
    waiting = Post.objects.filter(thread=thread, number__isnull=True).exclude(
        Q(tree_id=-F("pk"), lft=1, rght=2, level=0)
    )
    if planted := waiting.count():
        sentence = counted(planted, "waiting post stands in a tree,waiting posts stand in trees")
        found.append(Fault(thread.pk, "waiting", sentence, healed=fix))
        if fix:
            tree.unplant(thread, list(waiting.values_list("pk", flat=True)))
    return found


def _labels_stand(thread_id: int) -> bool:
    """Whether a walk in the order of the labels meets every post where its parent says.

    Holds the path to the post it is at, and nothing else.
    """
    rows = (
        Post.objects.filter(thread_id=thread_id, number__isnull=False)
        .order_by("tree_id", "lft", "pk")
        .values_list("pk", "parent_id", "tree_id", "lft", "rght", "level", "number")
    )
    path: list[list[int]] = []  # [id, rght, number of the last reply met] from the root down
    at = root = 0
    for pk, parent, tree_id, lft, rght, level, number in rows.iterator(chunk_size=CHUNK):
        while path and path[-1][1] == at + 1:
            path.pop()
            at += 1
        if not path:
            if (parent, tree_id, lft, level) != (None, pk, 1, 0):
                return False
            root = pk
        else:
            above = path[-1]
            if (parent, tree_id, lft, level) != (above[0], root, at + 1, len(path)):
                return False
            if number <= above[2]:
                return False
            above[2] = number
        at = lft
        path.append([pk, rght, 0])
    while path and path[-1][1] == at + 1:
        path.pop()
        at += 1
    return not path


def check_boards(*, fix: bool) -> list[Fault]:
    """The labels of the boards, and how many debates each shows."""
    found = []
    with transaction.atomic():
        if wrong := tree.relabel_boards(write=fix):
            sentence = counted(wrong, "board has a wrong place,boards have wrong places")
            sentence += " among the boards"
            found.append(Fault(0, "boards", sentence, healed=fix))
    for pk in Board.objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            board = Board.objects.select_for_update(no_key=True).get(pk=pk)
            shown = Thread.objects.filter(board=board, state=State.VISIBLE).count()
            if board.thread_count != shown:
                counts = counted(board.thread_count, "debate,debates")
                sentence = f"board {board.slug} counts {counts}, shows {shown}"
                found.append(Fault(0, "board count", sentence, healed=fix))
                if fix:
                    Board.objects.filter(pk=pk).update(thread_count=shown)
    return found
