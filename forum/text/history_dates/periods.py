"""Decades, centuries, millennia and the parts of a period: what they are called, where they end."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .points import APPROXIMATE, MONTHS, UNCERTAIN, OpenSpan, Point, Span, month_length, months_of
from .wording import COMMA, counted, doubtful, ordinal, say, with_era

# Where a period is cut into early, mid and late: after how many of its units. The early twenties
# are 1920 to 1923 to most writers, mid 1924 to 1926; the others are thirds.
_CUTS = {10: (4, 7), 100: (33, 66), 1000: (333, 666), 12: (4, 8), 3: (1, 2), 31: (10, 20)}
_PARTS = {  # which cut begins and ends it, and the doubt of its ends
    "early": (None, 0, 0, APPROXIMATE),
    "mid": (0, 1, APPROXIMATE, APPROXIMATE),
    "late": (1, None, APPROXIMATE, 0),
}
_HALVES = ("1st half", "2nd half")


def _years(low: int, high: int, bc: bool) -> tuple[int, int]:
    """Two year numbers of an era as astronomical years, the earlier first."""
    return (1 - high, 1 - low) if bc else (low, high)


def tens_of(count: int, unit: int, bc: bool) -> tuple[int, int]:
    """The years of the 1920s (a unit of 10) or the 1800s (100)."""
    return _years(count, count + unit - 1, bc)


def nth_of(count: int, unit: int, bc: bool) -> tuple[int, int]:
    """The years of the 15th century (a unit of 100) or the 2nd millennium (1000)."""
    return _years((count - 1) * unit + 1, count * unit, bc)


def slots_of(point: Point) -> tuple[int, list[Point]]:
    """What parts of a year, month or season are made of: unit in `_CUTS`, then months or days."""
    year, month = point.year, point.month
    if not month:
        return 12, [Point(year, each) for each in range(1, 13)]
    if month <= 12:
        return 31, [Point(year, month, each + 1) for each in range(month_length(year, month))]
    first, last = months_of(point)
    return 3, [Point(at // 12, at % 12 + 1) for at in range(first, last + 1)]


def part_of(part: str, unit: int, size: int) -> tuple[int, int, int, int]:
    """The first and last of a period's units that make a part, and the doubt of both ends."""
    if part in _HALVES:
        half = size // 2
        return (0, half - 1, 0, 0) if part == _HALVES[0] else (half, size - 1, 0, 0)
    begin, end, first_doubt, last_doubt = _PARTS[part]
    cuts = _CUTS[unit]
    first = 0 if begin is None else cuts[begin]
    last = (size if end is None else cuts[end]) - 1
    return first, last, first_doubt, last_doubt


@dataclass(frozen=True, slots=True)
class _Named:
    """A span that has a name: a period, or the part of one."""

    part: str
    unit: int
    name: str
    doubt: int

    def words(self, short: bool = False) -> str:
        """The name with its part and doubt, as `spoken` or as `short` have it."""
        name = self.name
        if short:
            name = name.replace(" century", " c.").replace(" millennium", " mill.")
            for month in MONTHS:
                name = name.replace(month, month[:3])
        elif self.doubt and not self.part:
            name = f"the {name}"
        part = "mid-" if self.part == "mid" else self.part and f"{self.part} "
        return doubtful(part + name, self.doubt, short)


def name_of(span: Span | OpenSpan) -> _Named | None:
    """The name of a span: the only place that gives an interval back its word."""
    if isinstance(span, OpenSpan) or span.start == span.end:
        return None
    start, end = span.start, span.end
    if not start.month and not end.month:
        for unit, name, (low, high) in _periods(start.year):
            if (start.year, end.year) == (low, high) and start.doubt == end.doubt:
                return _Named("", unit, name, start.doubt)
            for part in _PARTS:
                first, last, *doubts = part_of(part, unit, high - low + 1)
                if (start.year, end.year) == (low + first, low + last):
                    return _named_part(part, unit, name, span, doubts)
    elif start.year == end.year and bool(start.day) == bool(end.day) and start.month and end.month:
        if start.day and start.month != end.month:
            return None
        whole = Point(start.year, start.month if start.day else 0)
        unit, slots = slots_of(whole)
        for part in _PARTS:
            first, last, *doubts = part_of(part, unit, len(slots))
            if (replace(start, doubt=0), replace(end, doubt=0)) == (slots[first], slots[last]):
                return _named_part(part, unit, say(whole), span, doubts)
    return None


def _named_part(part: str, unit: int, name: str, span: Span, doubts: list[int]) -> _Named | None:
    """The part, if the ends are as doubtful as its own are, or all of it is uncertain besides."""
    for more in (0, UNCERTAIN):
        if [span.start.doubt, span.end.doubt] == [own | more for own in doubts]:
            return _Named(part, unit, name, more)
    return None


def _periods(year: int) -> Iterator[tuple[int, str, tuple[int, int]]]:
    """The decade, centuries and millennium that hold a year: unit, name, first and last year."""
    count, bc = counted(year), year <= 0
    for unit in (10, 100):
        number = count // unit * unit
        # The 1900s are a century and the 2000s are refused: neither is a name for ten years.
        if number % (10 * unit):
            name = with_era(f"{number:{COMMA[number > 9999]}}s", number, bc)
            yield unit, name, tens_of(number, unit, bc)
    for unit, name in ((100, "century"), (1000, "millennium")):
        number = (count - 1) // unit + 1
        era = " BC" if bc else ""
        yield unit, f"{ordinal(number)} {name}{era}", nth_of(number, unit, bc)
