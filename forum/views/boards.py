"""The front page and the boards: lists of debates."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from ..actions import reading
from ..models import Board, Thread
from ..models.visibility import boards_visible_to, threads_visible_to
from ..permissions import may, require
from ..pictures import on_scale, percent
from .fetch import board_or_404

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PER_PAGE = 30
NEWEST = 10
MAX_COUNTED = 500  # debates with something new that the front page counts
ORDERS = {"answer": ("last_post_at", "Newest answer"), "newest": ("created_at", "Newest debate")}
FILTERS = {"unread": "Unread", "unanswered": "Unanswered", "answered": "Answered"}


def home(request):
    """The debates answered last, and the boards."""
    threads = list(
        threads_visible_to(request.user)
        .for_listing()
        .with_unread(request.user)
        .order_by("-last_post_at", "-pk")[:NEWEST]
    )
    boards = list(boards_visible_to(request.user).in_order())
    fresh = _unread_threads(request.user)
    for board in boards:
        board.strip = strip(board)
        board.fresh = fresh.get(board.pk, 0)
    return render(
        request,
        "boards/home.html",
        {"threads": threads, "boards": boards, "can_write": may(request.user, "write")},
    )


def _unread_threads(user) -> Counter[int]:
    """How many debates with something new each board holds. Looks only at what was answered since
    counting began, newest first, and no further than MAX_COUNTED."""
    if not user.is_authenticated:
        return Counter()
    since = user.read_until or user.date_joined
    return Counter(
        threads_visible_to(user)
        .filter(last_post_at__gt=since)
        .with_unread(user)
        .filter(unread__gt=0)
        .order_by("-last_post_at", "-pk")
        .values_list("board_id", flat=True)[:MAX_COUNTED]
    )


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
    threads = threads_visible_to(request.user).filter(board=board).for_listing()
    threads = threads.with_unread(request.user)
    if kind:
        threads = threads.filter(kind=kind)
    if only == "unread":
        since = request.user.read_until or request.user.date_joined
        threads = threads.filter(last_post_at__gt=since, unread__gt=0)
    elif only:
        wanted = {"reply_count": 0} if only == "unanswered" else {"reply_count__gt": 0}
        threads = threads.filter(**wanted)
    moment = ORDERS[order][0]
    cursor = _cursor(request.GET.get("before"))
    pinned = [] if cursor else list(threads.filter(pinned=True).order_by(f"-{moment}", "-pk"))
    rows = threads.filter(pinned=False).order_by(f"-{moment}", "-pk")
    if cursor:
        rows = rows.older_than(moment, *cursor)
    rows = list(rows[: PER_PAGE + 1])
    more = len(rows) > PER_PAGE
    rows = rows[:PER_PAGE]
    older = ""
    if more:
        older = f"{(getattr(rows[-1], moment) - EPOCH) // timedelta(microseconds=1)}-{rows[-1].pk}"
    return render(
        request,
        "boards/board.html",
        {
            "board": board,
            "parent": boards_visible_to(request.user).filter(pk=board.parent_id).first()
            if board.parent_id
            else None,
            "children": boards_visible_to(request.user).filter(parent=board).in_order(),
            "threads": [*pinned, *rows],
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
    reading.mark_all_read(user=request.user)
    return redirect("home")


def strip(board: Board) -> dict[str, str] | None:
    """Where the years of a board lie on the line under its name, in percent; None without years."""
    if board.first_year is None and board.last_year is None:
        return None
    start = 0.0 if board.first_year is None else on_scale(board.first_year)
    end = 100.0 if board.last_year is None else on_scale(board.last_year)
    return {"start": percent(start), "end": percent(end)}


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
