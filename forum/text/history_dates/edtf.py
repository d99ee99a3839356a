"""EDTF text of level 1 as a span, and a span as EDTF text."""

import re

from .days import point_at, span_between
from .points import MARKS, MAX_LENGTH, OPEN, TRY, NotADate, OpenSpan, Point, Span

EDTF_DATE = re.compile(
    r"(?:Y(-?[1-9]\d{4,8})|(?!-0000)(-?\d{4})(?:-(\d\d)(?:-(\d\d))?)?)([?~%])?", re.ASCII
)
EDTF_UNSPECIFIED = re.compile(
    r"(?!-0000)(-?)(?:(\d{4})-(\d\d|XX)-XX|(\d{4})-XX|(\d{3})X|(\d\d)XX)([?~%])?", re.ASCII
)


def parsed(edtf: str) -> Span | OpenSpan:
    """The span of an EDTF text; raises NotADate."""
    start, slash, end = edtf.partition("/")
    if not slash:
        return parsed_date(edtf)
    if start in OPEN and end in OPEN:
        raise NotADate(f"An interval needs a date at one end at least. {TRY}")
    if start in OPEN:
        return OpenSpan(_parsed_end(end), start, onward=False)
    if end in OPEN:
        return OpenSpan(_parsed_end(start), end, onward=True)
    return span_between(_parsed_end(start), _parsed_end(end))


def _parsed_end(edtf: str) -> Point:
    span = parsed_date(edtf)
    if span.start != span.end or span.start.month > 12:
        raise NotADate(f"“{edtf[:MAX_LENGTH]}” cannot be the end of an interval. {TRY}")
    return span.start


def parsed_date(edtf: str) -> Span:
    """The span of an EDTF text without a slash; raises NotADate."""
    if match := EDTF_DATE.fullmatch(edtf):
        long, year, month, in_month, mark = match.groups()
        if month == "00" or in_month == "00" or (in_month and int(month) > 12):
            raise NotADate(f"There is no “{edtf}”. {TRY}")
        doubt = MARKS.index(mark or "")
        point = point_at(int(long or year), int(month or 0), int(in_month or 0), doubt)
        return Span(point, point)
    if match := EDTF_UNSPECIFIED.fullmatch(edtf):
        sign, dated, month, monthless, tens, hundreds, mark = match.groups()
        doubt = MARKS.index(mark or "")
        if year := dated or monthless:
            at = 0 if month in (None, "XX") else int(month)
            if at > 12 or month == "00":
                raise NotADate(f"There is no month {month}. {TRY}")
            point = point_at(int(sign + year), at, 0, doubt)
            return Span(point, point)
        unit = 10 if tens else 100
        ends = sorted(int(sign + "1") * (int(tens or hundreds) * unit + at) for at in (0, unit - 1))
        return Span(Point(ends[0], doubt=doubt), Point(ends[1], doubt=doubt))
    raise NotADate(f"“{edtf[:MAX_LENGTH]}” cannot be read as EDTF of level 1. {TRY}")


def edtf_text(span: Span | OpenSpan) -> str:
    """A span as EDTF."""
    if isinstance(span, OpenSpan):
        point = _point_text(span.point)
        return f"{point}/{span.far}" if span.onward else f"{span.far}/{point}"
    start, end = span.start, span.end
    if start == end:
        return _point_text(start)
    if not start.month and not end.month and start.doubt == end.doubt and start.year <= 9999:
        # Not the year 0 and its neighbours: 000X would hold 1 BC.
        for unit in (10, 100):
            if start.year >= unit and start.year % unit == 0 and end.year == start.year + unit - 1:
                digits = f"{start.year // unit:0{5 - len(str(unit))}}"
                return digits + "X" * (len(str(unit)) - 1) + MARKS[start.doubt]
    return f"{_point_text(start)}/{_point_text(end)}"


def _point_text(point: Point) -> str:
    year = f"{'-' if point.year < 0 else ''}{abs(point.year):04}"
    if abs(point.year) > 9999:
        year = f"Y{point.year}"
    month = f"-{point.month:02}" if point.month else ""
    in_month = f"-{point.day:02}" if point.day else ""
    return year + month + in_month + MARKS[point.doubt]
