"""Which days a point or a span holds, and whether there is such a point or span at all."""

from dataclasses import replace

from .points import (
    MONTHS,
    SPRING,
    TRY,
    WINTER,
    NotADate,
    Point,
    Span,
    civil,
    month_length,
    months_of,
    season_months,
)
from .wording import say, year_text

_MAX_YEAR = 999_999_999


def day(year: int, month: int, day: int) -> int:
    """The number of a day, with an astronomical year (0 is 1 BC); raises NotADate if there is none.

    Counts in eras of 400 years (146,097 days) from the first of March, so that the leap day is
    the last of its year: the usual arithmetic of the proleptic Gregorian calendar, for any year.
    """
    if not 1 <= month <= 12:
        raise NotADate(f"There is no month {month}. {TRY}")
    if not 1 <= day <= month_length(year, month):
        where = f"{MONTHS[month - 1]} {year_text(year)}"
        raise NotADate(f"{where} has no day {day}, as the Gregorian calendar counts. {TRY}")
    year, month = (year, month - 3) if month > 2 else (year - 1, month + 9)
    era, in_era = divmod(year, 400)
    in_year = (153 * month + 2) // 5 + day - 1
    return era * 146_097 + in_era * 365 + in_era // 4 - in_era // 100 + in_year - 305


def year_of(day: int) -> int:
    """The astronomical year of a day's number."""
    return civil(day)[0]


def point_at(year: int, month: int = 0, in_month: int = 0, doubt: int = 0) -> Point:
    """A point that exists and that EDTF can write; raises NotADate."""
    if abs(year) > _MAX_YEAR:
        raise NotADate(f"A year has at most nine digits. {TRY}")
    if month and abs(year) > 9999:
        raise NotADate(f"A year of five digits stands alone, without a month or season. {TRY}")
    if in_month or (month and not SPRING <= month <= WINTER):
        day(year, month, in_month or 1)
    return Point(year, month, in_month, doubt)


def span_between(start: Point, end: Point) -> Span:
    """From one point to another; raises NotADate if that runs backwards."""
    if start.month > 12 and start != end:
        start = replace(start, month=season_months(start.month)[0])
    if end.month > 12 and start != end:
        years, month = divmod(season_months(end.month)[1] - 1, 12)
        end = replace(end, year=end.year + years, month=month + 1)
    if first_day(start) > first_day(end) or last_day(start) > last_day(end):
        raise NotADate(f"{say(start)} to {say(end)} runs backwards. Write the earlier date first.")
    return Span(start, end)


def first_day(point: Point, off: int = 0) -> int:
    """First day of a point, moved back by days or else by months."""
    if point.day:
        return day(point.year, point.month, point.day) - off
    year, month = divmod(months_of(point)[0] - off, 12)
    return day(year, month + 1, 1)


def last_day(point: Point, off: int = 0) -> int:
    """Last day of a point, moved on by days or else by months."""
    if point.day:
        return day(point.year, point.month, point.day) + off
    year, month = divmod(months_of(point)[1] + off + 1, 12)
    return day(year, month + 1, 1) - 1
