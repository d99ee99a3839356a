"""Where things stand on drawn lines of history: numbers for SVG, no markup.

Places are percent of the width, so that lettering keeps its size at any width; heights are pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from math import floor, sqrt
from urllib.parse import urlencode

from forum.text.history_dates import EARLIEST, LATEST, day, short, spoken, year_of

RISE = 22  # pixels between our history and a branch, and between branches
# Years and their places, in percent, on lines that span all of history. Recent centuries are drawn
# wider: on an even scale the debates about them would lie on top of each other.
SCALE = ((-1999, 0.0), (500, 31.0), (1800, 64.0), (1900, 80.0), (2000, 100.0))
ERAS = (
    ("Before 500", -1999, 500),
    ("500 to 1800", 500, 1800),
    ("1800 to 1900", 1800, 1900),
    ("After 1900", 1900, 2000),
)


def percent(place: float) -> str:
    """A place as SVG takes it, never outside of the picture."""
    return f"{min(max(place, 0.0), 100.0):.1f}%"


Scale = tuple[tuple[int, float], ...]


def on_scale(year: float, scale: Scale = SCALE) -> float:
    """The place of a year on a line of history: straight between the years of the scale."""
    for (first, low), (last, high) in pairwise(scale):
        if year <= last:
            return max(low + (year - first) / (last - first) * (high - low), low)
    return scale[-1][1]


def scale_between(first: int | None, last: int | None) -> Scale:
    """The part of the line of all history, drawn as wide as the whole, that holds the eras of these
    years; None is the beginning or the end of it."""
    low = 0 if first is None else ERAS.index(era_of(first))
    high = len(ERAS) if last is None else ERAS.index(era_of(last)) + 1
    part = SCALE[min(low, high - 1) : max(low, high - 1) + 2]
    start, end = part[0][1], part[-1][1]
    return tuple((year, (x - start) / (end - start) * 100) for year, x in part)


def ticks(scale: Scale) -> list[tuple[str, str]]:
    """Places and years that are marked on the picture of a part of history."""
    years = [year for year, _ in scale]
    if len(years) == 2:
        years[1:1] = ticks_between(*years)
    return [(percent(on_scale(year, scale) * ROOM / 100), label(year)) for year in years]


def label(year: int) -> str:
    """A year as a tick says it: 1924, 480 BC, 12,000 BC."""
    if year <= 0:
        return f"{1 - year} BC" if year > -9999 else f"{1 - year:,} BC"
    return f"AD {year}" if year < 100 else str(year)


def bounds(divergence: dict) -> tuple[int, int]:
    """First and last year of a divergence; an open end takes the year of the other."""
    first, last = divergence["first"], divergence["last"]
    if first <= EARLIEST:
        first = last
    if last >= LATEST:
        last = first
    return year_of(first), year_of(last)


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch of the axis: it leaves the line at height `low` and runs on at `high`, where it
    is `bend` pixels further along; `reins` are where the bend is pulled from."""

    x: str
    low: int
    high: int
    text_y: int
    year: str
    fuzz: tuple[str, str] | None
    bend: int
    reins: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Axis:
    height: int
    base: int
    ticks: list[tuple[str, str]]
    branches: list[Branch]
    caption: str


def axis(divergences: Sequence[dict]) -> Axis | None:
    """The forking axis of a card, or None without divergences. Takes dicts of `Thread.card`."""
    if not divergences:
        return None
    ordered = sorted(divergences, key=lambda d: (d["first"], d["last"]))
    years = [bounds(d) for d in ordered]
    first, last = min(a for a, _ in years), max(b for _, b in years)
    # More room before than behind: the year of a branch stands left of it, and has to fit.
    low, high = first - max((last - first) * 1.1, 10), last + max((last - first) * 0.6, 8)
    place = lambda year: (year - low) / (high - low) * 100  # noqa: E731
    base = 14 + RISE * len(ordered)
    knots = _apart([place((a + b) / 2) for a, b in years])
    # On a narrow card, too, a branch is up before the next one leaves it.
    close = any(abs(later - earlier) < 14 for earlier, later in pairwise(knots))
    bend, reins = (9, (6, 3)) if close else (40, (22, 14))
    branches = []
    for n, (divergence, (a, b), x) in enumerate(zip(ordered, years, knots, strict=True)):
        y = base - RISE * n
        wide = b > a or "~" in divergence["edtf"] or "?" in divergence["edtf"]
        branches.append(
            Branch(
                x=percent(x),
                low=y,
                high=y - RISE,
                text_y=y - RISE,
                year=short(divergence["edtf"]),
                fuzz=(percent(min(place(a), x)), percent(max(place(b + 1), x))) if wide else None,
                bend=bend,
                reins=reins,
            )
        )
    caption = f"Our history from {label(round(low))} to {label(round(high))} as a straight line. "
    caption += " ".join(
        f"{'The debate departs from it' if not n else 'It departs again'}: "
        f"{spoken(divergence['edtf'])}."
        for n, divergence in enumerate(ordered)
    )
    ticks = [(percent(place(year)), label(year)) for year in ticks_between(low, high)]
    return Axis(height=base + 24, base=base, ticks=ticks, branches=branches, caption=caption)


def _apart(places: Sequence[float]) -> list[float]:
    """Places, of which each that follows another lies at least 3 percent behind it: forks of one
    moment stand beside each other, if a little off. Where the middle of a long time lies before
    that of the one before it, it stays there."""
    found = list(places[:1])
    for before, place in pairwise(places):
        found.append(max(place, found[-1] + 3) if place > before - 3 else place)
    return found


def ticks_between(low: float, high: float) -> list[int]:
    """One to six round years within a range, away from its edges."""
    span = high - low
    # "4000 BC" takes twice the room of "1924".
    most, inset = (5, span * 0.1) if low < 0 else (6, span * 0.06)
    step = next(s * 10**e for e in count() for s in (1, 2, 5) if span / (s * 10**e) <= most)
    first = (floor((low + inset) / step) + 1) * step
    years = range(first, floor(high - inset) + 1, step)
    # 500 BC is the astronomical year -499; 1 BC gives way to AD 1 where ticks are round at all.
    return [year + 1 if year <= 0 and step > 1 else year for year in years]


@dataclass(frozen=True, slots=True)
class Mark:
    """A divergence on a strip or on the picture: a knot, or a bar where the date is uncertain."""

    x: str
    fuzz: tuple[str, str] | None


def strip(first: int, last: int, era: tuple[str, int, int]) -> Mark:
    """Where the years first..last lie within an era."""
    _, low, high = era
    place = lambda year: (year - low) / (high - low) * 100  # noqa: E731
    if last > first:
        return Mark(
            percent(place((first + last) / 2)), (percent(place(first)), percent(place(last)))
        )
    return Mark(percent(place(first)), None)


@dataclass(slots=True)
class Twig:
    """A divergence on the picture of all history: where it leaves the line, how high it rises, and
    its number. Where there is no room for a number it stands with its neighbours', as "7–9"."""

    x: str
    top: int
    numbers: list[int]

    @property
    def caption(self) -> str:
        if not self.numbers:
            return ""
        first, last = min(self.numbers), max(self.numbers)
        if last - first == len(self.numbers) - 1:
            return str(first) if first == last else f"{first}–{last}"
        return f"{first} …"


LINE = 155  # where history runs, from the top of the picture
ROWS = tuple(range(19, 147, 16))  # heights for numbers, the highest first
NARROWEST = 640  # pixels: the picture is never drawn narrower, see .wide in the style sheet
ROOM = 88  # percent of the picture up to the year 2000; behind it the last numbers need some


def twigs(places: Sequence[tuple[int, float]], scale: Scale = SCALE) -> list[Twig]:
    """Lay out the picture of the timeline: `places` are numbers with the years they stand for.

    Neighbours take rows in turn, each below the one before it. Numbers never lie on one another;
    where all rows are taken, a number joins the last.
    """
    made: list[Twig] = []
    labelled: list[Twig] = []
    free = [float("-inf")] * len(ROWS)  # from which pixel on a row has room
    row = -1
    for number, year in sorted(places, key=lambda each: (on_scale(each[1], scale), each[0])):
        x = on_scale(year, scale) * ROOM / 100
        pixel = x / 100 * NARROWEST
        turns = ((row + turn) % len(ROWS) for turn in range(1, len(ROWS) + 1))
        found = next((turn for turn in turns if free[turn] <= pixel), None)
        if found is None:
            labelled[-1].numbers.append(number)
            made.append(Twig(percent(x), labelled[-1].top, []))
        else:
            row = found
            labelled.append(Twig(percent(x), ROWS[row], [number]))
            made.append(labelled[-1])
        # A label as wide as its letters, where the last twig carries it, and some air.
        at = float(labelled[-1].x.removesuffix("%")) / 100 * NARROWEST
        free[row] = at + 8 * len(labelled[-1].caption) + 10
    return made


COLUMNS = 48  # of the picture's width, where there are too many divergences for a twig each


def ages(scale: Scale) -> list[tuple[int, int, int]]:
    """The stretches of a scale as DivergenceQuerySet.by_column takes them: columns of all are about
    as wide."""
    return [
        (day(low, 1, 1), day(high, 1, 1), max(round((end - start) / 100 * COLUMNS), 1))
        for (low, start), (high, end) in pairwise(scale)
    ]


@dataclass(frozen=True, slots=True)
class Column:
    """How many leave history at one stretch of the line; `said` stands above the highest column of
    each era."""

    x: str
    top: int
    caption: str


@dataclass(frozen=True, slots=True)
class Crowd:
    """A picture of more divergences than can be drawn one by one: columns, how many there are, and
    the eras in which they lie (each with its number and the years to ask for)."""

    columns: list[Column]
    total: int
    eras: list[tuple[str, str, str]]

    @property
    def caption(self) -> str:
        """The picture in words."""
        return ", ".join(f"{name}: {number}" for name, number, _ in self.eras)


def crowd(counted: Mapping[int, int], scale: Scale = SCALE) -> Crowd:
    """Lay out how many fall into each column (see DivergenceQuerySet.by_column) of a scale. Heights
    grow with the square root, so that a few are seen beside thousands."""
    most = max(counted.values(), default=1)
    columns, eras, before = [], [], 0
    for (low, start), (high, end), (_, _, cut) in zip(scale, scale[1:], ages(scale), strict=False):
        mine = {n: counted[n] for n in range(before, before + cut) if counted.get(n)}
        highest = max(mine, key=lambda n: mine[n], default=None)
        for n, number in mine.items():
            x = (start + (n - before + 0.5) / cut * (end - start)) * ROOM / 100
            height = max(round((LINE - ROWS[0] - 12) * sqrt(number / most)), 4)
            columns.append(Column(percent(x), LINE - height, f"{number:,}" if n == highest else ""))
        if mine:
            asked = {
                "from": low if low > SCALE[0][0] else "",
                "to": high - 1 if high < 2000 else "",
            }
            years = urlencode({name: str(year) for name, year in asked.items() if year})
            eras.append((era_of(low)[0], f"{sum(mine.values()):,}", years))
        before += cut
    return Crowd(columns, sum(counted.values()), eras)


def era_of(year: int) -> tuple[str, int, int]:
    """The era of a year; the first and the last take what lies outside."""
    return next((era for era in ERAS if year < era[2]), ERAS[-1])
