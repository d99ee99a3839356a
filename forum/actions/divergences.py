"""One divergence as somebody gives it: what changes, when, by whom, and where on the map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from django.db.models import Field

from core.columns import longest
from core.counting import counted
from forum.models import Divergence
from forum.text import places
from forum.text.history_dates import HistoryDate, NotADate, read

from .composing import Unacceptable


class AmbiguousPlace(Unacceptable):
    """A name means several places: `found` are those to choose among."""

    def __init__(self, place: str, found: Sequence[places.Found]) -> None:
        super().__init__(f"“{place}” is the name of several places. Choose one below.")
        self.found = found


@dataclass(frozen=True, slots=True)
class DivergenceInput:
    """A divergence as somebody gives it, its date read and its place found."""

    change: str
    date: HistoryDate
    actor: str = ""
    place: str = ""
    by_editor: bool = False
    spot: places.Spot | None = None


def read_divergence(
    *, change: str, when: str, actor: str = "", place: str = "", spot: str = ""
) -> DivergenceInput:
    """Read one divergence out of what was typed; where `spot` does not say where it lies (or that
    it stands on no map), its place is looked up. Raises Unacceptable with what to do; where a name
    means several places, AmbiguousPlace."""
    change, actor, place = (" ".join(text.split()) for text in (change, actor, place))
    if not change:
        raise Unacceptable("Say what changes.")
    for text, field in ((change, "change"), (actor, "actor"), (place, "place")):
        most = longest(Divergence, field)
        column = cast(Field, Divergence._meta.get_field(field))
        name = str(column.verbose_name).capitalize()
        if len(text) > most:
            raise Unacceptable(f"“{name}” holds at most {counted(most, 'character,characters')}.")
        if not text.isprintable():
            raise Unacceptable(f"“{name}” holds characters that cannot be shown.")
    try:
        date = read(when)
    except NotADate as error:
        raise Unacceptable(str(error)) from error
    return DivergenceInput(change, date, actor, place, spot=_spot(place, spot.strip()))


def _spot(place: str, typed: str) -> places.Spot | None:
    if typed.lower() == places.NOWHERE:
        return None
    if typed:
        try:
            return places.read_spot(typed)
        except places.NotAPlace as error:
            raise Unacceptable(str(error), field="spot") from error
    found = places.find(place)
    if len(found) > 1:
        raise AmbiguousPlace(place, found)
    return found[0].spot if found else None


def spot_to_type(divergence: Mapping) -> str:
    """What a form says of where a divergence of a card lies: nothing where its place alone says
    it, so that another place is looked up."""
    spot = kept_spot(divergence)
    if spot == places.meant(divergence["place"]):
        return ""
    return str(spot or places.NOWHERE)


def kept_spot(divergence: Mapping) -> places.Spot | None:
    """Where a divergence of a card lies; None where it stands on no map."""
    return places.Spot(*divergence["spot"]) if "spot" in divergence else None
