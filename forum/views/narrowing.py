"""Lists of divergences: the form that narrows them, how many there are, and the cursor by which
they go on."""

from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from django.db.models import Exists, Value
from django.http import Http404, HttpRequest

from accounts.models import SITE_VERSION
from forum.rendering import fragments
from forum.text.history_dates import HistoryDate

from ..models import Board, Divergence, State, Thread
from ..models.debate import DivergenceQuerySet
from ..models.threads import ThreadQuerySet
from ..models.visibility import boards_visible_to, like_any_other, openings_visible_to
from ..permissions import WAITING
from .years import YEARS, read_years, within

Counts = TypeVar("Counts", bound=Sized)

NARROWER = ("place", "kind", "board")
FILTERS = (*YEARS, *NARROWER)


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The divergences that a list is narrowed to: what was typed, the dates that it means, what is
    wrong with those, the rows, and the boards that the reader sees. `shared`: under what counts of
    them are kept, if all who see the same boards count the same, and the rows to count then."""

    asked: Mapping[str, str]
    limits: Mapping[str, HistoryDate]
    errors: Mapping[str, str]
    rows: DivergenceQuerySet
    boards: Sequence[Board]
    shared: tuple[tuple, DivergenceQuerySet] | None

    def counted(self, key: tuple, count: Callable[[DivergenceQuerySet], Counts]) -> Counts:
        """What `count` makes of the rows; `key` names what and how it counts. One query, or none
        where it was asked before and nothing changed (docs/decisions/0060)."""
        if self.shared is None:
            return count(self.rows)
        numbers, rows = self.shared
        return fragments.counts((*key, *numbers), lambda: count(rows))

    def query(self, *names: str, **more: str) -> str:
        """What was typed, of all fields or of these, for an address."""
        asked = {name: self.asked[name] for name in names or FILTERS if self.asked[name]}
        return urlencode({**asked, **{name: value for name, value in more.items() if value}})


def narrowed(request: HttpRequest) -> Narrowed:
    """Divergences as the form of the timeline and of the map asks for them. Raises Http404 for a
    kind that there is not."""
    user = request.user
    asked = {name: request.GET.get(name, "").strip() for name in FILTERS}
    if asked["kind"] and asked["kind"] not in Thread.Kind.values:
        raise Http404
    limits, errors = read_years(asked)
    rows = chosen_divergences(user, asked, limits)
    # Before anything is counted: what changes meanwhile raises a number, and what was counted
    # under the old one is never asked for again.
    boards = _boards(user)
    return Narrowed(asked, limits, errors, rows, boards, _shared(user, asked, boards))


def chosen_divergences(
    user, asked: Mapping[str, str], limits: Mapping[str, HistoryDate]
) -> DivergenceQuerySet:
    """The divergences within `limits` (see `read_years`), narrowed to the place, kind and board in
    `asked`, each empty for any, as far as `user` may read them: they are words of the opening
    (permissions.see_opening)."""
    return _chosen(openings_visible_to(user), asked, limits)


def _chosen(
    openings: ThreadQuerySet, asked: Mapping[str, str], limits: Mapping[str, HistoryDate]
) -> DivergenceQuerySet:
    rows = within(Divergence.objects.filter(thread__in=openings), limits)
    if asked["place"]:
        rows = rows.filter(place__icontains=asked["place"][:120])
    if asked["kind"]:
        rows = rows.filter(thread__kind=asked["kind"])
    if asked["board"]:
        rows = rows.filter(thread__board__slug=asked["board"])
    return rows


def _boards(user) -> list[Board]:
    """The boards that `user` sees, with the site version and whether a debate of theirs waits."""
    waits: Value | Exists = Value(False)
    if user.is_authenticated:
        waits = Exists(Thread.objects.filter(author=user, state__in=WAITING))
    return list(boards_visible_to(user).annotate(site_version=SITE_VERSION, waits=waits).in_order())


def _shared(
    user, asked: Mapping[str, str], boards: Sequence[Board]
) -> tuple[tuple, DivergenceQuerySet] | None:
    """See `Narrowed`. None for those who see more than others who see these boards, and for what
    is typed, of which there is no end."""
    if asked["place"] or any(asked[name] for name in YEARS) or not like_any_other(user):
        return None
    if asked["board"]:
        boards = [board for board in boards if board.slug == asked["board"]]
    if not boards or boards[0].waits:
        return None
    versions = tuple((board.pk, board.divergences_version) for board in boards)
    # By these boards and by nothing that is the reader's own, also if they come to see more just
    # now: others are shown what is counted.
    openings = openings_visible_to(user).filter(board__in=boards, state=State.VISIBLE)
    return (boards[0].site_version, versions, asked["kind"]), _chosen(openings, asked, {})


def after(rows: DivergenceQuerySet, text: str) -> tuple[DivergenceQuerySet, int]:
    """The rows after a cursor "first.last.id.number", and how many came before. Raises Http404."""
    if not text:
        return rows, 0
    parts = text.split(".")
    try:
        first, last, pk, number = (int(part) for part in parts)
    except ValueError:
        raise Http404 from None
    if any(len(part) > 19 for part in parts):
        raise Http404
    return rows.after(first, last, pk), number


def cursor(divergence: Divergence, number: int) -> str:
    """What `after` reads, to go on behind the n-th of a list."""
    return f"{divergence.first_day}.{divergence.last_day}.{divergence.pk}.{number}"
