"""Dates in words: years with their era, points, ranges and doubts."""

from dataclasses import replace

from .points import APPROXIMATE, MONTHS, SPRING, UNCERTAIN, WINTER, OpenSpan, Point

COMMA = ("", ",")
_ENDS_WITH = {"..": "before", "": "until"}
_STARTS_WITH = {"..": "after", "": "since"}
_SEASONS = ("spring", "summer", "autumn", "winter")


def counted(year: int) -> int:
    """The number people write for a year: 44 for 44 BC."""
    return year if year > 0 else 1 - year


def with_era(text: str, count: int, bc: bool) -> str:
    """A number of years with its era, where it would not be taken for a year without."""
    if bc:
        return f"{text} BC"
    return text if 100 <= count <= 9999 else f"AD {text}"


def year_text(year: int, era: bool = False) -> str:
    """A year as people write it; `era` asks for the AD of a year that could do without."""
    count = counted(year)
    text = with_era(f"{count:{COMMA[count > 9999]}}", count, year <= 0)
    return f"AD {text}" if era and text.isdecimal() else text


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def doubtful(text: str, doubt: int, short: bool) -> str:
    """Words with what is said of their doubt: about, perhaps, c., a question mark."""
    about, perhaps = doubt & APPROXIMATE, doubt & UNCERTAIN
    if short:
        return f"{'c. ' if about else ''}{text}{'?' if perhaps else ''}"
    return f"{'perhaps ' if perhaps else ''}{'about ' if about else ''}{text}"


def say(point: Point, short: bool = False, era: bool = False) -> str:
    """A point in words."""
    year = year_text(point.year, era)
    if point.month == WINTER:
        year = short_range(Point(point.year), Point(point.year + 1))
    if point.month > 12:
        year = f"{_SEASONS[point.month - SPRING]} {year}"
    elif point.month:
        month = MONTHS[point.month - 1]
        year = f"{month[:3] if short else month} {year}"
    return doubtful(f"{point.day} {year}" if point.day else year, point.doubt, short)


def say_open(span: OpenSpan, short: bool = False) -> str:
    """A span that is open at one end, in words."""
    words = _STARTS_WITH if span.onward else _ENDS_WITH
    return f"{words[span.far]} {say(span.point, short)}"


def short_range(start: Point, end: Point) -> str:
    """Two points with a dash, what they share said once."""
    if start.doubt != end.doubt or (start.year > 0) != (end.year > 0):
        return f"{say(start, True)} – {say(end, True, era=start.year <= 0)}"
    doubt, first, last = start.doubt, replace(start, doubt=0), replace(end, doubt=0)
    left, right = say(first, True), say(last, True)
    dash = "–"
    if not first.month and not last.month:
        if first.year <= 0:
            left = left.removesuffix(" BC")
        elif first.year >= 1000 and last.year <= 9999 and first.year // 100 == last.year // 100:
            right = right[-2:]
        else:
            right = right.removeprefix("AD ") if left.startswith("AD ") else right
    elif first.year == last.year and first.month and last.month:
        if first.day and last.day and first.month == last.month:
            left = str(first.day)
        else:
            left = left.removesuffix(f" {year_text(first.year)}")
            dash = " – " if first.day or last.day else "–"
    else:
        dash = " – "
    return doubtful(f"{left}{dash}{right}", doubt, True)
