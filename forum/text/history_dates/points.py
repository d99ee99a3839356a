"""What dates are made of: points, spans, months; and which day a number stands for."""

from dataclasses import dataclass

MAX_LENGTH = 100
# Stand for "no bound": beyond every day of a nine-digit year, inside 64 bits.
EARLIEST = -(10**12)
LATEST = 10**12
# Ends every refusal.
TRY = "Try 1888, c. 1888, 1936-39, spring 1936, 480 BC."

APPROXIMATE, UNCERTAIN = 1, 2
MARKS = ("", "~", "?", "%")
OPEN = ("", "..")
MONTHS = (
    "January February March April May June July August September October November December".split()
)
SPRING, WINTER = 21, 24


class NotADate(ValueError):
    """Says in a sentence or two, for the person who typed it, why a text is no date."""


@dataclass(frozen=True, slots=True)
class Point:
    """One EDTF date: a year, a month (1 to 12) or season (21 to 24) in it, a day; and its doubt."""

    year: int
    month: int = 0
    day: int = 0
    doubt: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """From the start of one point to the end of another; a single date has the same one twice."""

    start: Point
    end: Point


@dataclass(frozen=True, slots=True)
class OpenSpan:
    """All from one point on (`onward`), or all up to it; `far` is what EDTF writes at the other
    end: ".." where there is none (after, before), "" where nobody knows it (since, until)."""

    point: Point
    far: str
    onward: bool


def season_months(season: int) -> tuple[int, int]:
    """First and last month; winter ends in the 14th, which is February."""
    first = 3 * (season - SPRING) + 3
    return first, first + 2


def months_of(point: Point) -> tuple[int, int]:
    """First and last month of a point, counted from January of the year 0."""
    if point.month > 12:
        first, last = season_months(point.month)
    else:
        first, last = (point.month, point.month) if point.month else (1, 12)
    return point.year * 12 + first - 1, point.year * 12 + last - 1


def month_length(year: int, month: int) -> int:
    """How many days a month (1 to 12) of an astronomical year has."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def civil(number: int) -> tuple[int, int, int]:
    """Year, month and day of a day's number: `day` backwards."""
    era, in_era = divmod(number + 305, 146_097)
    year = (in_era - in_era // 1460 + in_era // 36_524 - in_era // 146_096) // 365
    in_year = in_era - (365 * year + year // 4 - year // 100)
    month = (5 * in_year + 2) // 153
    in_month = in_year - (153 * month + 2) // 5 + 1
    year += era * 400
    return (year, month + 3, in_month) if month < 10 else (year + 1, month - 9, in_month)
