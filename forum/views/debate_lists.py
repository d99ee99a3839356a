"""Lists of debates, of one board or of all: what is asked for, the rows, what the page is told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest
from django.utils.safestring import SafeString

from forum.rendering import fragments
from forum.text.history_dates import HistoryDate

from ..models import Board, Divergence, Post, Thread
from ..models.threads import ThreadQuerySet
from ..models.visibility import boards_visible_to, openings_visible_to, threads_visible_to
from .years import YEARS, read_years, within

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PER_PAGE = 30
LOOKED_AT = 1_000  # debates among which one page looks for those that fit
ORDERS = {"answer": ("last_post_at", "Newest answer"), "newest": ("created_at", "Newest debate")}
FILTERS = {
    "unread": "Unread",
    "mine": "In which I wrote",
    "opened": "Opened by me",
    "unanswered": "Unanswered",
    "answered": "Answered",
}
ANSWERED: Mapping[str, Mapping[str, int]] = {
    "unanswered": {"reply_count": 0},
    "answered": {"reply_count__gt": 0},
}
OWN = ("unread", "mine", "opened")  # of these, what only members have


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
    looked_at: int  # among how many debates this page looked, if there are more behind them
    across: "AllBoards | None" = None  # where the list is not of one board
    nothing: str = ""  # what is said where there is no debate, if not that none was opened yet

    orders = ORDERS
    kinds = Thread.Kind.choices
    filters = FILTERS
    own = OWN


@dataclass(frozen=True, slots=True)
class AllBoards:
    """By what else debates of all boards are chosen."""

    boards: Iterable[Board]
    chosen: str  # the slug of one of them
    years: Mapping[str, str]  # as typed, by the names of YEARS, and what is wrong with them
    errors: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
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


def asked_for(request: HttpRequest) -> Asked:
    """What the address asks for; raises Http404 for an order, kind or filter that there is not."""
    order = request.GET.get("order", "answer")
    kind = request.GET.get("kind", "")
    only = request.GET.get("only", "")
    if order not in ORDERS or (kind and kind not in Thread.Kind.values):
        raise Http404
    if (only and only not in FILTERS) or (only in OWN and not request.user.is_authenticated):
        raise Http404
    return Asked(order, kind, only, cursor(request.GET.get("before")))


def chosen_threads(user, *, board: str, limits: Mapping[str, HistoryDate]) -> ThreadQuerySet:
    """The debates that `user` sees, in the board of this slug if one is named, and within `limits`
    (see `read_years`) if there are any. A divergence is words of the opening: who may not read that
    is not told by a list either."""
    threads = openings_visible_to(user) if limits else threads_visible_to(user)
    if board:
        threads = threads.filter(board__slug=board)
    if limits:
        dated = within(Divergence.objects.filter(thread=OuterRef("pk")), limits)
        threads = threads.filter(Exists(dated))
    return threads


def across_boards(request: HttpRequest) -> tuple[ThreadQuerySet, AllBoards]:
    """The debates of all boards, or of that in the address, and of the years there, as far as the
    reader sees them; and what the list is told of that choice."""
    user = request.user
    years = {name: request.GET.get(name, "").strip() for name in YEARS}
    limits, errors = read_years(years)
    board = request.GET.get("board", "")
    threads = chosen_threads(user, board=board, limits=limits)
    return threads, AllBoards(boards_visible_to(user).in_order(), board, years, errors)


def narrowed(threads, user, asked: Asked):
    """Those of `threads` that are the reader's own if `asked` says so, in its order; which of them
    fit besides is left to `page_of`."""
    threads = threads.order_by(f"-{asked.moment}", "-pk")
    if asked.only == "opened":
        return threads.filter(author=user)
    if asked.only == "mine":
        written = Post.objects.filter(author=user, number__isnull=False)
        return threads.filter(pk__in=written.values("thread"))
    return threads


def all_of(rows, user, asked: Asked):
    """Those of these rows of `narrowed` that fit; they must be few: what is pinned, or of one
    author."""
    if asked.kind:
        rows = rows.filter(kind=asked.kind)
    if asked.only == "unread":
        return _new_to(user, rows).filter(unread__gt=0)
    if asked.only in ANSWERED:
        return rows.filter(**ANSWERED[asked.only])
    return rows


def page_of(rows, user, asked: Asked, size: int = PER_PAGE) -> tuple[list, str]:
    """The rows of the page, and one more if there are further ones; and where the next page begins
    if this one ends before, or "". Of what may fit seldom a page shows those among the next
    LOOKED_AT: who has read nearly all of a large forum, or asks for a rare kind, would wait while
    all of it is asked for the rest."""
    if asked.cursor:
        rows = rows.older_than(asked.moment, *asked.cursor)
    end = ""
    if asked.kind or asked.only == "unread" or asked.only in ANSWERED:
        looked = _new_to(user, rows) if asked.only == "unread" else rows
        last = looked.values_list(asked.moment, "pk")[LOOKED_AT - 1 : LOOKED_AT + 1]
        if len(last) > 1:
            # Before the other bound: SQLite seeks by the first.
            rows = rows.down_to(asked.moment, *last[0])
            end = cursor_of(*last[0])
    return list(all_of(rows, user, asked)[: size + 1]), end


def _new_to(user, rows):
    """Those answered since `user` counts what is new."""
    return rows.filter(last_post_at__gt=user.read_until or user.date_joined)


def _query(chosen: dict) -> str:
    """The parameters of an address, without those that are empty."""
    return urlencode({name: value for name, value in chosen.items() if value})


def listed(
    user,
    asked: Asked,
    rows: list,
    *,
    address: str,
    start: str,
    may_start: bool = True,
    pinned: Sequence[tuple] = (),
    end: str = "",
    across: AllBoards | None = None,
    nothing: str = "",
) -> DebateList:
    """The list of the debates of these `rows`, which are one more than it shows if there are
    further ones; with the `end` of `page_of`."""
    older = end
    if len(rows) > PER_PAGE:
        end = ""
        rows = rows[:PER_PAGE]
        pk, *_, at = rows[-1]
        older = cursor_of(at, pk)
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
        looked_at=LOOKED_AT if end else 0,
        across=across,
        nothing=nothing,
    )


def cursor_of(at: datetime, pk: int) -> str:
    """Where the page behind this debate begins."""
    return f"{(at - EPOCH) // timedelta(microseconds=1)}-{pk}"


def cursor(text: str | None) -> tuple[datetime, int] | None:
    """Where an older page begins: (moment, id), or None for the first page. Raises Http404."""
    if not text:
        return None
    moment, _, pk = text.partition("-")
    if not (moment.isdecimal() and pk.isdecimal() and len(text) < 40):
        raise Http404
    try:
        return EPOCH + timedelta(microseconds=int(moment)), int(pk)
    except OverflowError:
        raise Http404 from None
