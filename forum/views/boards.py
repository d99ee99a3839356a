"""The front page and the boards: lists of debates."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet, Subquery, Value
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.models import SITE_VERSION
from forum.actions import read_state
from forum.operations import caching
from forum.rendering import fragments

from ..models import Board, Thread
from ..models.listing import listed_rows, with_unread
from ..models.visibility import (
    ForReader,
    boards_visible_to,
    threads_visible_to,
)
from ..permissions import may, require
from .debate_lists import (
    ORDERS,
    OWN,
    PER_PAGE,
    across_boards,
    all_of,
    asked_for,
    listed,
    narrowed,
    page_of,
)
from .fetch import board_or_404, member_of
from .notices import lens_counts

NEWEST = 10
EXAMPLE = "example-fleets"  # key of the debate in fixtures/threads/worked-example.json
# As a comparison: SQLite takes no index for what Django makes of a bare True or False.
PINNED = {pinned: Q(pinned=Value(pinned)) for pinned in (True, False)}
LOOKED_AT = 500  # debates of which the front page counts those with something new


def _answered_last(user) -> QuerySet:
    rows = listed_rows(threads_visible_to(user), user)
    return rows.order_by("-last_post_at", "-pk")[:NEWEST]


_newest = ForReader("newest_threads", _answered_last, counting=True)


def _boards_in_order(user) -> QuerySet:
    boards = boards_visible_to(user).annotate(site_version=SITE_VERSION).in_order()
    if user.is_authenticated:
        return boards
    # For visitors also which debate is the example; a subquery of no row, asked once.
    example = threads_visible_to(user).filter(key=EXAMPLE)
    return boards.annotate(
        example_id=Subquery(example.values("pk")), example_slug=Subquery(example.values("slug"))
    )


_boards = ForReader("boards", _boards_in_order)


@dataclass(frozen=True, slots=True)
class HomePage:
    """What templates/boards/home.html is told."""

    threads: Sequence[SafeString]  # the lines of the debates answered last
    boards: Sequence[SafeString]
    example: Thread | None  # for visitors, the debate that holds one of everything


def _example(board: Any) -> Thread | None:
    """The debate that holds one of everything, if a visitor sees it; of `_boards_in_order`."""
    return board.example_id and Thread(pk=board.example_id, slug=board.example_slug)


def home(request: HttpRequest) -> HttpResponse:
    """The debates answered last, and the boards; for visitors also what is different here."""
    user = request.user
    rows, boards = _newest(user), _boards(user)
    example = _example(boards[0]) if boards and not user.is_authenticated else None

    def draw() -> HttpResponse:
        page = HomePage(
            threads=fragments.thread_lines(rows, user=user, board_shown=True),
            boards=fragments.board_lines(boards, news=_unread_threads(user), strips=True),
            example=example,
        )
        return render(request, "boards/home.html", {"page": page})

    if not boards:
        return draw()
    shown = (
        tuple(rows),
        tuple((board.pk, board.thread_count) for board in boards),
        example and example.get_absolute_url(),
    )
    return caching.unchanged(request, boards[0].site_version, shown, draw)


def _newest_since(user, since):
    threads = threads_visible_to(user).filter(last_post_at__gt=since)
    return (
        with_unread(threads, user)
        .order_by("-last_post_at", "-pk")
        .values_list("board_id", "unread")[:LOOKED_AT]  # type: ignore[misc]  # of with_unread
    )


_news = ForReader("threads_with_news", _newest_since, "moment", counting=True)


def _unread_threads(user) -> Counter[int]:
    """How many debates with something new each board holds, of the LOOKED_AT that were answered
    last since counting began: who has read them all pays for no more."""
    if not user.is_authenticated:
        return Counter()
    found = _news(user, user.read_until or user.date_joined)
    return Counter(board for board, unread in found if unread > 0)


def _listed(user, board_id: int, moment: str, pinned: bool):
    """The first page of a board, or what is pinned above it."""
    threads = threads_visible_to(user).filter(PINNED[pinned], board=board_id)
    rows = listed_rows(threads, user, moment).order_by(f"-{moment}", "-pk")
    return rows if pinned else rows[: PER_PAGE + 1]


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


@dataclass(frozen=True, slots=True)
class BoardPage:
    """What templates/boards/board.html is told."""

    board: Board
    parent: Board | None  # as far as the reader may see it
    children: Sequence[SafeString]  # the lines of the boards within


def board(request: HttpRequest, slug: str) -> HttpResponse:
    """The debates of one board, filtered and ordered as asked, page by page."""
    board = board_or_404(request.user, slug)
    user, asked = request.user, asked_for(request)
    if not (asked.narrowed or asked.cursor):
        pinned, rows = (_first_page[asked.moment, first](user, board.pk) for first in (True, False))
        end = ""
    else:
        here = listed_rows(threads_visible_to(user).filter(board=board), user, asked.moment)
        threads = narrowed(here, user, asked)
        pinned = [] if asked.cursor else list(all_of(threads.filter(PINNED[True]), user, asked))
        rows, end = page_of(threads.filter(PINNED[False]), user, asked)
    children = _children(user, board)

    def draw() -> HttpResponse:
        parent = board.parent
        page = BoardPage(
            board=board,
            parent=parent if parent and may(user, "see board", parent) else None,
            children=fragments.board_lines(children, news={}),
        )
        shown = listed(
            user,
            asked,
            rows,
            pinned=pinned,
            end=end,
            address=board.get_absolute_url(),
            start=f"{reverse('start')}?board={board.slug}",
            may_start=not user.is_authenticated or may(user, "start", board),
        )
        return render(request, "boards/board.html", {"page": page, "list": shown})

    shown = (
        (tuple(pinned), tuple(rows)),
        tuple((child.pk, child.thread_count) for child in children),
    )
    return caching.unchanged(request, board.site_version, shown, draw)


def debates(request: HttpRequest) -> HttpResponse:
    """All debates of all boards, filtered and ordered as asked, page by page."""
    user, asked = request.user, asked_for(request)
    threads, across = across_boards(request)
    rows, end = page_of(
        narrowed(listed_rows(threads, user, asked.moment), user, asked), user, asked
    )
    shown = listed(
        user,
        asked,
        rows,
        end=end,
        address=reverse("debates"),
        start=reverse("start"),
        across=across,
    )
    kept = lens_counts(member_of(request)) if asked.only in OWN else None
    return render(request, "boards/debates.html", {"list": shown, "kept": kept})


@require_POST
def mark_read(request: HttpRequest) -> HttpResponse:
    """Count everything as read."""
    require(request.user, "use account")
    read_state.mark_all_read(user=request.user)
    if request.POST.get("back") == "unread":
        return redirect(f"{reverse('debates')}?only=unread")
    return redirect("home")


def _children(user, board: Board) -> list[Board]:
    """The boards within a board that `user` sees."""
    if board.is_leaf_node():
        return []
    children = boards_visible_to(user).filter(parent=board)
    return list(children.annotate(site_version=SITE_VERSION).in_order())
