"""Lists of divergences: the form that narrows them, and the cursor by which they go on."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404, HttpRequest

from forum.text.history_dates import HistoryDate

from ..models import Divergence, Thread
from ..models.debate import DivergenceQuerySet
from ..models.visibility import openings_visible_to
from .years import YEARS, read_years, within

NARROWER = ("place", "kind", "board")
FILTERS = (*YEARS, *NARROWER)


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The divergences that a list is narrowed to: what was typed, the dates that it means, what is
    wrong with those, and the rows."""

    asked: Mapping[str, str]
    limits: Mapping[str, HistoryDate]
    errors: Mapping[str, str]
    rows: DivergenceQuerySet

    def query(self, *names: str, **more: str) -> str:
        """What was typed, of all fields or of these, for an address."""
        asked = {name: self.asked[name] for name in names or FILTERS if self.asked[name]}
        return urlencode({**asked, **{name: value for name, value in more.items() if value}})


def narrowed(request: HttpRequest) -> Narrowed:
    """Divergences as the form of the timeline and of the map asks for them. Raises Http404 for a
    kind that there is not."""
    asked = {name: request.GET.get(name, "").strip() for name in FILTERS}
    if asked["kind"] and asked["kind"] not in Thread.Kind.values:
        raise Http404
    limits, errors = read_years(asked)
    return Narrowed(asked, limits, errors, chosen_divergences(request.user, asked, limits))


def chosen_divergences(
    user, asked: Mapping[str, str], limits: Mapping[str, HistoryDate]
) -> DivergenceQuerySet:
    """The divergences within `limits` (see `read_years`), narrowed to the place, kind and board in
    `asked`, each empty for any, as far as `user` may read them: they are words of the opening
    (permissions.see_opening)."""
    rows = within(Divergence.objects.filter(thread__in=openings_visible_to(user)), limits)
    if asked["place"]:
        rows = rows.filter(place__icontains=asked["place"][:120])
    if asked["kind"]:
        rows = rows.filter(thread__kind=asked["kind"])
    if asked["board"]:
        rows = rows.filter(thread__board__slug=asked["board"])
    return rows


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
