"""The front page and the boards: lists of debates."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.models import EDITION
from forum.actions import read_state
from forum.rendering import fragments

from ..models import Board, Divergence, Thread
from ..models.visibility import (
    ForReader,
    boards_visible_to,
    openings_visible_to,
    threads_visible_to,
)
from ..permissions import may, require
from .fetch import board_or_404
from .years import YEARS, read_years, within

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PER_PAGE = 30
NEWEST = 10
EXAMPLE = "example-fleets"  # key of the debate in fixtures/threads/worked-example.json
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


@dataclass(frozen=True, slots=True)
class HomePage:
    """What templates/boards/home.html is told."""

    threads: Sequence[SafeString]  # the lines of the debates answered last
    boards: Sequence[SafeString]
    example: Thread | None  # for visitors, the debate that holds one of everything


def home(request: HttpRequest) -> HttpResponse:
    """The debates answered last, and the boards; for visitors also what is different here."""
    user = request.user
    example = None
    if not user.is_authenticated:
        example = threads_visible_to(user).filter(key=EXAMPLE).first()
    page = HomePage(
        threads=fragments.thread_lines(_newest(user), user=user, board_shown=True),
        boards=fragments.board_lines(_boards(user), news=_unread_threads(user), strips=True),
        example=example,
    )
    return render(request, "boards/home.html", {"page": page})


def _threads_with_news(user, since):
    return (
        threads_visible_to(user)
        .filter(last_post_at__gt=since)
        .with_unread(user)
        .filter(unread__gt=0)  # type: ignore[misc]  # of with_unread
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DebateList:
    """What templates/boards/_list.html is told: debates filtered and ordered as asked."""

    threads: Sequence[SafeString]  # their lines
    address: str  # of all that the list could show
    start: str  # the address at which a debate is started
    may_start: bool
    order: str  # of ORDERS
    kind: str  # of Thread.Kind
    only: str  # of FILTERS
    query: str  # the parameters of the address, and those without the kind
    query_of_any_kind: str
    narrowed: bool
    later: bool  # whether it is another page than the first
    older: str  # where the next page begins
    across: "AllBoards | None" = None  # where the list is not of one board

    orders = ORDERS
    kinds = Thread.Kind.choices
    filters = FILTERS


@dataclass(frozen=True, slots=True)
class AllBoards:
    """By what else debates of all boards are chosen."""

    boards: Iterable[Board]
    chosen: str  # the slug of one of them
    years: Mapping[str, str]  # as typed, by the names of YEARS, and what is wrong with them
    errors: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BoardPage:
    """What templates/boards/board.html is told."""

    board: Board
    parent: Board | None  # as far as the reader may see it
    children: Sequence[SafeString]  # the lines of the boards within


def board(request: HttpRequest, slug: str) -> HttpResponse:
    """The debates of one board, filtered and ordered as asked, page by page."""
    board = board_or_404(request.user, slug)
    user, asked = request.user, _asked(request)
    if not (asked.narrowed or asked.cursor):
        pinned, rows = (_first_page[asked.moment, first](user, board.pk) for first in (True, False))
    else:
        threads = _narrowed(threads_visible_to(user).filter(board=board), user, asked)
        pinned = [] if asked.cursor else list(threads.filter(pinned=True))
        rows = _page(threads.filter(pinned=False), asked)
    parent = board.parent
    page = BoardPage(
        board=board,
        parent=parent if parent and may(user, "see board", parent) else None,
        children=fragments.board_lines(_children(user, board), news={}),
    )
    listed = _list(
        user,
        asked,
        rows,
        pinned=pinned,
        address=board.get_absolute_url(),
        start=f"{reverse('start')}?board={board.slug}",
        may_start=not user.is_authenticated or may(user, "start", board),
    )
    return render(request, "boards/board.html", {"page": page, "list": listed})


def debates(request: HttpRequest) -> HttpResponse:
    """All debates of all boards, filtered and ordered as asked, page by page."""
    user, asked = request.user, _asked(request)
    years = {name: request.GET.get(name, "").strip() for name in YEARS}
    limits, errors = read_years(years)
    # A divergence is words of the opening: who may not read that is not told by a list either.
    threads = openings_visible_to(user) if limits else threads_visible_to(user)
    chosen = request.GET.get("board", "")
    if chosen:
        threads = threads.filter(board__slug=chosen)
    if limits:
        dated = within(Divergence.objects.filter(thread=OuterRef("pk")), limits)
        threads = threads.filter(Exists(dated))
    rows = _page(_narrowed(threads, user, asked), asked)
    listed = _list(
        user,
        asked,
        rows,
        address=reverse("debates"),
        start=reverse("start"),
        across=AllBoards(boards_visible_to(user).in_order(), chosen, years, errors),
    )
    return render(request, "boards/debates.html", {"list": listed})


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a list of debates was asked for: its order, what it shows, and where the page begins."""

    order: str
    kind: str
    only: str
    cursor: tuple[datetime, int] | None

    @property
    def moment(self) -> str:
        return ORDERS[self.order][0]

    @property
    def narrowed(self) -> bool:
        return bool(self.kind or self.only)


def _asked(request: HttpRequest) -> _Asked:
    """What the address asks for; raises Http404 for an order, kind or filter that there is not."""
    order = request.GET.get("order", "answer")
    kind = request.GET.get("kind", "")
    only = request.GET.get("only", "")
    if order not in ORDERS or (kind and kind not in Thread.Kind.values):
        raise Http404
    if (only and only not in FILTERS) or (only == "unread" and not request.user.is_authenticated):
        raise Http404
    return _Asked(order, kind, only, _cursor(request.GET.get("before")))


def _narrowed(threads, user, asked: _Asked):
    """The rows of `threads` that `asked` names, in its order."""
    if asked.kind:
        threads = threads.filter(kind=asked.kind)
    threads = threads.order_by(f"-{asked.moment}", "-pk").rows(user, asked.moment)
    if asked.only == "unread":
        since = user.read_until or user.date_joined
        return threads.filter(last_post_at__gt=since, unread__gt=0)
    if asked.only:
        wanted = {"reply_count": 0} if asked.only == "unanswered" else {"reply_count__gt": 0}
        return threads.filter(**wanted)
    return threads


def _page(rows, asked: _Asked) -> list:
    """The rows of the page, and one more if there are further ones."""
    return list(
        (rows.older_than(asked.moment, *asked.cursor) if asked.cursor else rows)[: PER_PAGE + 1]
    )


def _query(chosen: dict) -> str:
    """The parameters of an address, without those that are empty."""
    return urlencode({name: value for name, value in chosen.items() if value})


def _list(
    user,
    asked: _Asked,
    rows: list,
    *,
    address: str,
    start: str,
    may_start: bool = True,
    pinned: Sequence[tuple] = (),
    across: AllBoards | None = None,
) -> DebateList:
    """The list of the debates of these `rows`, which are one more than it shows if there are
    further ones."""
    older = ""
    if len(rows) > PER_PAGE:
        rows = rows[:PER_PAGE]
        pk, *_, at = rows[-1]
        older = f"{(at - EPOCH) // timedelta(microseconds=1)}-{pk}"
    chosen = {"order": asked.order, "kind": asked.kind, "only": asked.only}
    if across:
        chosen |= {"board": across.chosen, **across.years}
    return DebateList(
        threads=fragments.thread_lines([*pinned, *rows], user=user, board_shown=across is not None),
        address=address,
        start=start,
        may_start=may_start,
        order=asked.order,
        kind=asked.kind,
        only=asked.only,
        query=_query(chosen),
        query_of_any_kind=_query({**chosen, "kind": ""}),
        narrowed=any(value for name, value in chosen.items() if name != "order"),
        later=bool(asked.cursor),
        older=older,
        across=across,
    )


@require_POST
def mark_read(request: HttpRequest) -> HttpResponse:
    """Count everything as read."""
    require(request.user, "use account")
    read_state.mark_all_read(user=request.user)
    return redirect("home")


def _children(user, board: Board) -> list[Board]:
    """The boards within a board that `user` sees."""
    if board.is_leaf_node():
        return []
    return list(boards_visible_to(user).filter(parent=board).annotate(edition=EDITION).in_order())


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
