"""The front page and the boards: lists of debates."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.models import EDITION
from forum.actions import read_state
from forum.rendering import fragments

from ..models import Board, Thread
from ..models.visibility import ForReader, boards_visible_to, threads_visible_to
from ..permissions import may, require
from .fetch import board_or_404

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PER_PAGE = 30
NEWEST = 10
MAX_COUNTED = 500  # debates with something new that the front page counts
ORDERS = {"answer": ("last_post_at", "Newest answer"), "newest": ("created_at", "Newest debate")}
FILTERS = {"unread": "Unread", "unanswered": "Unanswered", "answered": "Answered"}


_newest = ForReader(
    "newest_threads",
    lambda user: threads_visible_to(user).rows(user).order_by("-last_post_at", "-pk")[:NEWEST],
    counting=True,
)
_boards = ForReader(
    "boards", lambda user: boards_visible_to(user).annotate(edition=EDITION).in_order()
)


def home(request):
    """The debates answered last, and the boards."""
    user = request.user
    boards = _boards(user)
    fresh = _unread_threads(user)
    for board in boards:
        board.fresh = fresh.get(board.pk, 0)
    return render(
        request,
        "boards/home.html",
        {
            "threads": fragments.thread_lines(_newest(user), user=user, board_shown=True),
            "boards": fragments.board_lines(boards, strips=True),
            "can_write": may(user, "write"),
        },
    )


def _threads_with_news(user, since):
    return (
        threads_visible_to(user)
        .filter(last_post_at__gt=since)
        .with_unread(user)
        .filter(unread__gt=0)
        .order_by("-last_post_at", "-pk")
        .values_list("board_id", flat=True)[:MAX_COUNTED]
    )


_news = ForReader("threads_with_news", _threads_with_news, "moment", counting=True)


def _unread_threads(user) -> Counter[int]:
    """How many debates with something new each board holds. Looks only at what was answered since
    counting began, newest first, and no further than MAX_COUNTED."""
    if not user.is_authenticated:
        return Counter()
    return Counter(_news(user, user.read_until or user.date_joined))


def _listed(user, board_id: int, moment: str, pinned: bool):
    """The first page of a board, or what is pinned above it."""
    threads = threads_visible_to(user).filter(board=board_id, pinned=pinned).rows(user, moment)
    threads = threads.order_by(f"-{moment}", "-pk")
    return threads if pinned else threads[: PER_PAGE + 1]


# By order, and whether pinned.
_first_page = {
    (moment, pinned): ForReader(
        "threads_of_board",
        lambda user, board, moment=moment, pinned=pinned: _listed(user, board, moment, pinned),
        "number",
        counting=True,
    )
    for moment, _ in ORDERS.values()
    for pinned in (True, False)
}


def board(request, slug):
    """The debates of one board, filtered and ordered as asked, page by page."""
    board = board_or_404(request.user, slug)
    order = request.GET.get("order", "answer")
    kind = request.GET.get("kind", "")
    only = request.GET.get("only", "")
    if order not in ORDERS or (kind and kind not in Thread.Kind.values):
        raise Http404
    if (only and only not in FILTERS) or (only == "unread" and not request.user.is_authenticated):
        raise Http404
    user, moment = request.user, ORDERS[order][0]
    cursor = _cursor(request.GET.get("before"))
    if not (kind or only or cursor):
        pinned, rows = (_first_page[moment, first](user, board.pk) for first in (True, False))
    else:
        threads = threads_visible_to(user).filter(board=board)
        if kind:
            threads = threads.filter(kind=kind)
        threads = threads.order_by(f"-{moment}", "-pk").rows(user, moment)
        if only == "unread":
            since = user.read_until or user.date_joined
            threads = threads.filter(last_post_at__gt=since, unread__gt=0)
        elif only:
            wanted = {"reply_count": 0} if only == "unanswered" else {"reply_count__gt": 0}
            threads = threads.filter(**wanted)
        pinned = [] if cursor else list(threads.filter(pinned=True))
        rows = threads.filter(pinned=False)
        rows = list((rows.older_than(moment, *cursor) if cursor else rows)[: PER_PAGE + 1])
    more = len(rows) > PER_PAGE
    rows = rows[:PER_PAGE]
    older = ""
    if more:
        pk, *_, at = rows[-1]
        older = f"{(at - EPOCH) // timedelta(microseconds=1)}-{pk}"
    parent = board.parent
    return render(
        request,
        "boards/board.html",
        {
            "board": board,
            "parent": parent if parent and may(user, "see board", parent) else None,
            "children": fragments.board_lines(_children(user, board)),
            "threads": fragments.thread_lines([*pinned, *rows], user=user),
            "orders": ORDERS,
            "order": order,
            "kinds": Thread.Kind.choices,
            "kind": kind,
            "filters": FILTERS,
            "only": only,
            "older": older,
            "later": bool(cursor),
            "may_start": not request.user.is_authenticated or may(request.user, "start", board),
        },
    )


@require_POST
def mark_read(request):
    """Count everything as read."""
    require(request.user, "use account")
    read_state.mark_all_read(user=request.user)
    return redirect("home")


def _children(user, board: Board) -> list[Board]:
    """The boards within a board that `user` sees."""
    if board.is_leaf_node():
        return []
    children = list(boards_visible_to(user).filter(parent=board).in_order())
    for child in children:
        child.edition, child.fresh = board.edition, 0
    return children


def _cursor(text: str | None) -> tuple[datetime, int] | None:
    """Where an older page begins: (moment, id), or None for the first page."""
    if not text:
        return None
    moment, _, pk = text.partition("-")
    if not (moment.isdecimal() and pk.isdecimal() and len(text) < 40):
        raise Http404
    try:
        return EPOCH + timedelta(microseconds=int(moment)), int(pk)
    except OverflowError:
        raise Http404 from None
