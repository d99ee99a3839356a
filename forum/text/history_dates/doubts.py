"""How far a doubtful date may be off, to either side.

"About" and "perhaps" reach equally far, for nobody says by how much they doubt; where both are said
the widths add up.
"""

from dataclasses import replace

from .days import first_day, last_day
from .periods import name_of
from .points import EARLIEST, LATEST, OpenSpan, Point, Span
from .wording import counted

_DAYS_OFF = 7  # "about 21 March": within the week
_MONTHS_OFF = 1  # "about November": October to December; a season as well
# A year: by how round its number is, since 1924 is meant more closely than 1920 or 1900; and wider
# before the year 1000 (second number), where the usual chronologies themselves differ.
_YEARS_OFF = {1000: (25, 100), 100: (10, 50), 10: (5, 10), 1: (2, 5)}
_PREHISTORY = 10_000  # years of five digits are estimates: one part in a hundred
_PERIOD_OFF = {10: 5, 100: 25, 1000: 100}  # decades, centuries, millennia as wholes


def _off(point: Point) -> int:
    """How far a point may be off: days for a day, months for anything else."""
    times = point.doubt.bit_count()
    if point.day:
        return times * _DAYS_OFF
    if point.month:
        return times * _MONTHS_OFF
    count = counted(point.year)
    if count >= _PREHISTORY:
        return times * 12 * (count // 100)
    widths = next(widths for unit, widths in _YEARS_OFF.items() if count % unit == 0)
    return times * 12 * widths[point.year < 1000]


def bounds(span: Span | OpenSpan) -> tuple[int, int]:
    """First and last day of a span, doubt included."""
    if isinstance(span, OpenSpan):
        off = _off(span.point)
        if span.onward:
            return first_day(span.point, off), LATEST
        return EARLIEST, last_day(span.point, off)
    start, end = span.start, span.end
    if named := name_of(span):
        # Its own approximate ends lie inside the period: only a doubt about the whole widens it.
        start, end = replace(start, doubt=named.doubt), replace(end, doubt=named.doubt)
        if named.unit in _PERIOD_OFF:
            off = 12 * named.doubt.bit_count() * _PERIOD_OFF[named.unit]
            return first_day(start, off), last_day(end, off)
    return first_day(start, _off(start)), last_day(end, _off(end))
