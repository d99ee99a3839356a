"""Dates of divergences: read as people write them, kept as EDTF text and bounds that sort.

EDTF is the Extended Date/Time Format of the Library of Congress, in ISO 8601-2:2019; what is
written here is its level 1. Years in EDTF are astronomical: 0000 is 1 BC, -0043 is 44 BC. Days are
numbers like `date.toordinal()`: 0001-01-01 is 1, the last day of 1 BC is 0, and so on backwards.

The calendar is a label. Every date is counted in the proleptic Gregorian calendar and none is
converted: 15 March 44 BC keeps its name, whichever calendar the source counted in.

What EDTF has no word for:
- A decade or a century is the interval of its years, written 192X or 18XX where the digits allow.
  The 15th century is 1401/1500 (and "the 1400s" are 14XX), the 480s BC are -0488/-0479.
- A part of a period is an interval with a sharp end where the period itself ends, an approximate
  one inside it: the late 15th century is 1467~/1500, the mid-1920s 1924~/1926~, early 1924
  1924-01/1924-04~. `_CUTS` says where the parts meet; such an interval is spoken by its name again.
- Intervals have no seasons at their ends: there a season is its first or last month.
- Before and after are open intervals, ../1945 and 1945/..; until and since leave the far end
  unknown, /1945 and 1945/. EDTF's intervals are closed, so the date that is named counts in.
- Seasons are those of the north. Winter is counted from December, "winter 1936" is 1936–37.

What a hyphen and two digits mean, people decide, not EDTF: 1918-21 is a range and no spring, and
1904-05 is refused, for it may be a month as well. Stored text is for `parse` and `spoken`; a form
that shows a date again shows it `spoken`.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

MAX_LENGTH = 100
# Stand for "no bound": beyond every day of a nine-digit year, inside 64 bits.
EARLIEST = -(10**12)
LATEST = 10**12

_MAX_YEAR = 999_999_999
_TRY = "Try 1888, c. 1888, 1936-39, spring 1936, 480 BC."


class NotADate(ValueError):
    """Says in a sentence or two, for the person who typed it, why a text is no date."""


@dataclass(frozen=True, slots=True)
class HistoryDate:
    """A date as EDTF text with its first and last day; (first, last) is the order of dates."""

    edtf: str
    first: int
    last: int


def day(year: int, month: int, day: int) -> int:
    """The number of a day, with an astronomical year (0 is 1 BC); raises NotADate if there is none.

    Counts in eras of 400 years (146,097 days) from the first of March, so that the leap day is
    the last of its year: the usual arithmetic of the proleptic Gregorian calendar, for any year.
    """
    if not 1 <= month <= 12:
        raise NotADate(f"There is no month {month}. {_TRY}")
    if not 1 <= day <= _month_length(year, month):
        where = f"{_MONTHS[month - 1]} {_year_text(year)}"
        raise NotADate(f"{where} has no day {day}, as the Gregorian calendar counts. {_TRY}")
    year, month = (year, month - 3) if month > 2 else (year - 1, month + 9)
    era, in_era = divmod(year, 400)
    in_year = (153 * month + 2) // 5 + day - 1
    return era * 146_097 + in_era * 365 + in_era // 4 - in_era // 100 + in_year - 305


def year_of(day: int) -> int:
    """The astronomical year of a day's number."""
    return _civil(day)[0]


def read(text: str) -> HistoryDate:
    """The date that a person typed.

    Raises NotADate for what is no date, and for what can mean two: the message names both.
    """
    if len(text) > MAX_LENGTH:
        raise NotADate(f"A date has at most {MAX_LENGTH} characters. {_TRY}")
    visible = "".join(c for c in text if unicodedata.category(c) != "Cf")
    typed = " ".join(visible.split())
    if not typed:
        raise NotADate(f"No date is given. {_TRY}")
    if not typed.isprintable():
        raise NotADate(f"The date holds characters that cannot be printed. {_TRY}")
    plain = _normal(typed)
    if len(plain) > 2 * MAX_LENGTH:
        raise NotADate(f"A date has at most {MAX_LENGTH} characters. {_TRY}")
    found = {_text(span): span for span in _understood(plain)}
    if len(found) > 1:
        either = " or ".join(spoken(edtf) for edtf in list(found)[:3])
        raise NotADate(f"“{typed}” can mean {either}. Type the one you mean.")
    if found:
        [(edtf, span)] = found.items()
        return HistoryDate(edtf, *_bounds(span))
    if not re.search(r"\d{3}|\d (?:bc|ad)\b|\bad \d|\d (?:century|mill)", plain):
        raise NotADate(f"No year found in “{typed}”. {_TRY}")
    if len(re.findall(r"\d{3,}|\d+ ?(?:bc|ad)\b|\bad \d+", plain)) > 1:
        raise NotADate(f"“{typed}” is more than one date; give each change its own. {_TRY}")
    raise NotADate(f"“{typed}” cannot be read as a date. {_TRY}")


def parse(edtf: str) -> HistoryDate:
    """The date of an EDTF text of level 1 without times of day; raises NotADate for any other.

    The text comes back in the one form that `read` would have written: 1920/1929 as 192X.
    """
    span = _parsed(edtf)
    return HistoryDate(_text(span), *_bounds(span))


def spoken(edtf: str) -> str:
    """A date in words, which `read` takes for the same date; raises NotADate like `parse`."""
    span = _parsed(edtf)
    if named := _named(span):
        return named.words()
    if span.start == span.end:
        return _say(span.start)
    if span.start in _OPEN or span.end in _OPEN:
        return _say_open(span)
    first, last = span.start, span.end
    if first.year <= 0 and last.year <= 0 and not first.month and not last.month:
        return f"between {_say(first).removesuffix(' BC')} and {_say(last)}"
    return f"between {_say(first)} and {_say(last, era=first.year <= 0)}"


def short(edtf: str) -> str:
    """A date for a narrow column: c. 1924, 1936–39, late 15th c.; raises NotADate like `parse`."""
    span = _parsed(edtf)
    if named := _named(span):
        return named.words(short=True)
    if span.start == span.end:
        return _say(span.start, short=True)
    if span.start in _OPEN or span.end in _OPEN:
        return _say_open(span, short=True)
    return _short_range(span.start, span.end)


# Points and spans

_APPROXIMATE, _UNCERTAIN = 1, 2
_MARKS = ("", "~", "?", "%")
_OPEN = ("", "..")
_ENDS_WITH = {"..": "before", "": "until"}
_STARTS_WITH = {"..": "after", "": "since"}
_MONTHS = (
    "January February March April May June July August September October November December".split()
)
_SEASONS = ("spring", "summer", "autumn", "winter")
_SPRING, _WINTER = 21, 24


@dataclass(frozen=True, slots=True)
class _Point:
    """One EDTF date: a year, a month (1 to 12) or season (21 to 24) in it, a day; and its doubt."""

    year: int
    month: int = 0
    day: int = 0
    doubt: int = 0


@dataclass(frozen=True, slots=True)
class _Span:
    """From the start of one point to the end of another; a single date has the same one twice."""

    start: "_Point | str"
    end: "_Point | str"


def _point(year: int, month: int = 0, in_month: int = 0, doubt: int = 0) -> _Point:
    """A point that exists and that EDTF can write; raises NotADate."""
    if abs(year) > _MAX_YEAR:
        raise NotADate(f"A year has at most nine digits. {_TRY}")
    if month and abs(year) > 9999:
        raise NotADate(f"A year of five digits stands alone, without a month or season. {_TRY}")
    if in_month or (month and not _SPRING <= month <= _WINTER):
        day(year, month, in_month or 1)
    return _Point(year, month, in_month, doubt)


def _span(start: _Point, end: _Point) -> _Span:
    """From one point to another; raises NotADate if that runs backwards."""
    if start.month > 12 and start != end:
        start = replace(start, month=_season_months(start.month)[0])
    if end.month > 12 and start != end:
        years, month = divmod(_season_months(end.month)[1] - 1, 12)
        end = replace(end, year=end.year + years, month=month + 1)
    if _first(start) > _first(end) or _last(start) > _last(end):
        raise NotADate(
            f"{_say(start)} to {_say(end)} runs backwards. Write the earlier date first."
        )
    return _Span(start, end)


def _season_months(season: int) -> tuple[int, int]:
    """First and last month; winter ends in the 14th, which is February."""
    first = 3 * (season - _SPRING) + 3
    return first, first + 2


def _months(point: _Point) -> tuple[int, int]:
    """First and last month of a point, counted from January of the year 0."""
    if point.month > 12:
        first, last = _season_months(point.month)
    else:
        first, last = (point.month, point.month) if point.month else (1, 12)
    return point.year * 12 + first - 1, point.year * 12 + last - 1


def _first(point: _Point, off: int = 0) -> int:
    """First day of a point, moved back by days or else by months."""
    if point.day:
        return day(point.year, point.month, point.day) - off
    year, month = divmod(_months(point)[0] - off, 12)
    return day(year, month + 1, 1)


def _last(point: _Point, off: int = 0) -> int:
    """Last day of a point, moved on by days or else by months."""
    if point.day:
        return day(point.year, point.month, point.day) + off
    year, month = divmod(_months(point)[1] + off + 1, 12)
    return day(year, month + 1, 1) - 1


def _month_length(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _civil(number: int) -> tuple[int, int, int]:
    """Year, month and day of a day's number: `day` backwards."""
    era, in_era = divmod(number + 305, 146_097)
    year = (in_era - in_era // 1460 + in_era // 36_524 - in_era // 146_096) // 365
    in_year = in_era - (365 * year + year // 4 - year // 100)
    month = (5 * in_year + 2) // 153
    in_month = in_year - (153 * month + 2) // 5 + 1
    year += era * 400
    return (year, month + 3, in_month) if month < 10 else (year + 1, month - 9, in_month)


# How far a doubtful date may be off, to either side. "About" and "perhaps" reach equally far, for
# nobody says by how much they doubt; where both are said the widths add up.

_DAYS_OFF = 7  # "about 21 March": within the week
_MONTHS_OFF = 1  # "about November": October to December; a season as well
# A year: by how round its number is, since 1924 is meant more closely than 1920 or 1900; and wider
# before the year 1000 (second number), where the usual chronologies themselves differ.
_YEARS_OFF = {1000: (25, 100), 100: (10, 50), 10: (5, 10), 1: (2, 5)}
_PREHISTORY = 10_000  # years of five digits are estimates: one part in a hundred
_PERIOD_OFF = {10: 5, 100: 25, 1000: 100}  # decades, centuries, millennia as wholes


def _off(point: _Point) -> int:
    """How far a point may be off: days for a day, months for anything else."""
    times = point.doubt.bit_count()
    if point.day:
        return times * _DAYS_OFF
    if point.month:
        return times * _MONTHS_OFF
    count = _count(point.year)
    if count >= _PREHISTORY:
        return times * 12 * (count // 100)
    widths = next(widths for unit, widths in _YEARS_OFF.items() if count % unit == 0)
    return times * 12 * widths[point.year < 1000]


def _bounds(span: _Span) -> tuple[int, int]:
    """First and last day of a span, doubt included."""
    start, end = span.start, span.end
    if named := _named(span):
        # Its own approximate ends lie inside the period: only a doubt about the whole widens it.
        start, end = replace(start, doubt=named.doubt), replace(end, doubt=named.doubt)
        if named.unit in _PERIOD_OFF:
            off = 12 * named.doubt.bit_count() * _PERIOD_OFF[named.unit]
            return _first(start, off), _last(end, off)
    return (
        EARLIEST if start in _OPEN else _first(start, _off(start)),
        LATEST if end in _OPEN else _last(end, _off(end)),
    )


# Periods and their parts

# Where a period is cut into early, mid and late: after how many of its units. The early twenties
# are 1920 to 1923 to most writers, mid 1924 to 1926; the others are thirds.
_CUTS = {10: (4, 7), 100: (33, 66), 1000: (333, 666), 12: (4, 8), 3: (1, 2), 31: (10, 20)}
_PARTS = {  # which cut begins and ends it, and the doubt of its ends
    "early": (None, 0, 0, _APPROXIMATE),
    "mid": (0, 1, _APPROXIMATE, _APPROXIMATE),
    "late": (1, None, _APPROXIMATE, 0),
}
_HALVES = ("1st half", "2nd half")


def _count(year: int) -> int:
    """The number people write for a year: 44 for 44 BC."""
    return year if year > 0 else 1 - year


def _years(low: int, high: int, bc: bool) -> tuple[int, int]:
    """Two year numbers of an era as astronomical years, the earlier first."""
    return (1 - high, 1 - low) if bc else (low, high)


def _tens(count: int, unit: int, bc: bool) -> tuple[int, int]:
    """The years of the 1920s (a unit of 10) or the 1800s (100)."""
    return _years(count, count + unit - 1, bc)


def _nth(count: int, unit: int, bc: bool) -> tuple[int, int]:
    """The years of the 15th century (a unit of 100) or the 2nd millennium (1000)."""
    return _years((count - 1) * unit + 1, count * unit, bc)


def _slots(point: _Point) -> tuple[int, list[_Point]]:
    """What parts of a year, month or season are made of: unit in `_CUTS`, then months or days."""
    year, month = point.year, point.month
    if not month:
        return 12, [_Point(year, each) for each in range(1, 13)]
    if month <= 12:
        return 31, [_Point(year, month, each + 1) for each in range(_month_length(year, month))]
    first, last = _months(point)
    return 3, [_Point(at // 12, at % 12 + 1) for at in range(first, last + 1)]


def _part(part: str, unit: int, size: int) -> tuple[int, int, int, int]:
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
            for month in _MONTHS:
                name = name.replace(month, month[:3])
        elif self.doubt and not self.part:
            name = f"the {name}"
        part = "mid-" if self.part == "mid" else self.part and f"{self.part} "
        return _doubtful(part + name, self.doubt, short)


def _named(span: _Span) -> _Named | None:
    """The name of a span: the only place that gives an interval back its word."""
    start, end = span.start, span.end
    if start in _OPEN or end in _OPEN or start == end:
        return None
    if not start.month and not end.month:
        for unit, name, (low, high) in _periods(start.year):
            if (start.year, end.year) == (low, high) and start.doubt == end.doubt:
                return _Named("", unit, name, start.doubt)
            for part in _PARTS:
                first, last, *doubts = _part(part, unit, high - low + 1)
                if (start.year, end.year) == (low + first, low + last):
                    return _named_part(part, unit, name, span, doubts)
    elif start.year == end.year and bool(start.day) == bool(end.day) and start.month and end.month:
        if start.day and start.month != end.month:
            return None
        whole = _Point(start.year, start.month if start.day else 0)
        unit, slots = _slots(whole)
        for part in _PARTS:
            first, last, *doubts = _part(part, unit, len(slots))
            if (replace(start, doubt=0), replace(end, doubt=0)) == (slots[first], slots[last]):
                return _named_part(part, unit, _say(whole), span, doubts)
    return None


def _named_part(part: str, unit: int, name: str, span: _Span, doubts: list[int]) -> _Named | None:
    """The part, if the ends are as doubtful as its own are, or all of it is uncertain besides."""
    for more in (0, _UNCERTAIN):
        if [span.start.doubt, span.end.doubt] == [own | more for own in doubts]:
            return _Named(part, unit, name, more)
    return None


def _periods(year: int) -> Iterator[tuple[int, str, tuple[int, int]]]:
    """The decade, centuries and millennium that hold a year: unit, name, first and last year."""
    count, bc = _count(year), year <= 0
    for unit in (10, 100):
        number = count // unit * unit
        # The 1900s are a century and the 2000s are refused: neither is a name for ten years.
        if number % (10 * unit):
            name = _era(f"{number:{_COMMA[number > 9999]}}s", number, bc)
            yield unit, name, _tens(number, unit, bc)
    for unit, name in ((100, "century"), (1000, "millennium")):
        number = (count - 1) // unit + 1
        era = " BC" if bc else ""
        yield unit, f"{_ordinal(number)} {name}{era}", _nth(number, unit, bc)


# Words

_COMMA = ("", ",")


def _era(text: str, count: int, bc: bool) -> str:
    """A number of years with its era, where it would not be taken for a year without."""
    if bc:
        return f"{text} BC"
    return text if 100 <= count <= 9999 else f"AD {text}"


def _year_text(year: int, era: bool = False) -> str:
    """A year as people write it; `era` asks for the AD of a year that could do without."""
    count = _count(year)
    text = _era(f"{count:{_COMMA[count > 9999]}}", count, year <= 0)
    return f"AD {text}" if era and text.isdecimal() else text


def _ordinal(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def _doubtful(text: str, doubt: int, short: bool) -> str:
    about, perhaps = doubt & _APPROXIMATE, doubt & _UNCERTAIN
    if short:
        return f"{'c. ' if about else ''}{text}{'?' if perhaps else ''}"
    return f"{'perhaps ' if perhaps else ''}{'about ' if about else ''}{text}"


def _say(point: _Point, short: bool = False, era: bool = False) -> str:
    """A point in words."""
    year = _year_text(point.year, era)
    if point.month == _WINTER:
        year = _short_range(_Point(point.year), _Point(point.year + 1))
    if point.month > 12:
        year = f"{_SEASONS[point.month - _SPRING]} {year}"
    elif point.month:
        month = _MONTHS[point.month - 1]
        year = f"{month[:3] if short else month} {year}"
    return _doubtful(f"{point.day} {year}" if point.day else year, point.doubt, short)


def _say_open(span: _Span, short: bool = False) -> str:
    if span.start in _OPEN:
        return f"{_ENDS_WITH[span.start]} {_say(span.end, short)}"
    return f"{_STARTS_WITH[span.end]} {_say(span.start, short)}"


def _short_range(start: _Point, end: _Point) -> str:
    """Two points with a dash, what they share said once."""
    if start.doubt != end.doubt or (start.year > 0) != (end.year > 0):
        return f"{_say(start, True)} – {_say(end, True, era=start.year <= 0)}"
    doubt, first, last = start.doubt, replace(start, doubt=0), replace(end, doubt=0)
    left, right = _say(first, True), _say(last, True)
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
            left = left.removesuffix(f" {_year_text(first.year)}")
            dash = " – " if first.day or last.day else "–"
    else:
        dash = " – "
    return _doubtful(f"{left}{dash}{right}", doubt, True)


# EDTF

_EDTF_DATE = re.compile(
    r"(?:Y(-?[1-9]\d{4,8})|(?!-0000)(-?\d{4})(?:-(\d\d)(?:-(\d\d))?)?)([?~%])?", re.ASCII
)
_EDTF_UNSPECIFIED = re.compile(
    r"(?!-0000)(-?)(?:(\d{4})-(\d\d|XX)-XX|(\d{4})-XX|(\d{3})X|(\d\d)XX)([?~%])?", re.ASCII
)


def _parsed(edtf: str) -> _Span:
    """The span of an EDTF text; raises NotADate."""
    start, slash, end = edtf.partition("/")
    if not slash:
        return _parsed_date(edtf)
    if start in _OPEN and end in _OPEN:
        raise NotADate(f"An interval needs a date at one end at least. {_TRY}")
    first = start if start in _OPEN else _parsed_end(start)
    last = end if end in _OPEN else _parsed_end(end)
    if start in _OPEN or end in _OPEN:
        return _Span(first, last)
    return _span(first, last)


def _parsed_end(edtf: str) -> _Point:
    span = _parsed_date(edtf)
    if span.start != span.end or span.start.month > 12:
        raise NotADate(f"“{edtf[:MAX_LENGTH]}” cannot be the end of an interval. {_TRY}")
    return span.start


def _parsed_date(edtf: str) -> _Span:
    if match := _EDTF_DATE.fullmatch(edtf):
        long, year, month, in_month, mark = match.groups()
        if month == "00" or in_month == "00" or (in_month and int(month) > 12):
            raise NotADate(f"There is no “{edtf}”. {_TRY}")
        doubt = _MARKS.index(mark or "")
        point = _point(int(long or year), int(month or 0), int(in_month or 0), doubt)
        return _Span(point, point)
    if match := _EDTF_UNSPECIFIED.fullmatch(edtf):
        sign, dated, month, monthless, tens, hundreds, mark = match.groups()
        doubt = _MARKS.index(mark or "")
        if year := dated or monthless:
            at = 0 if month in (None, "XX") else int(month)
            if at > 12 or month == "00":
                raise NotADate(f"There is no month {month}. {_TRY}")
            point = _point(int(sign + year), at, 0, doubt)
            return _Span(point, point)
        unit = 10 if tens else 100
        ends = sorted(int(sign + "1") * (int(tens or hundreds) * unit + at) for at in (0, unit - 1))
        return _Span(_Point(ends[0], doubt=doubt), _Point(ends[1], doubt=doubt))
    raise NotADate(f"“{edtf[:MAX_LENGTH]}” cannot be read as EDTF of level 1. {_TRY}")


def _text(span: _Span) -> str:
    """A span as EDTF."""
    start, end = span.start, span.end
    if start == end:
        return _point_text(start)
    if start in _OPEN or end in _OPEN:
        ends = (each if each in _OPEN else _point_text(each) for each in (start, end))
        return "/".join(ends)
    if not start.month and not end.month and start.doubt == end.doubt and start.year <= 9999:
        # Not the year 0 and its neighbours: 000X would hold 1 BC.
        for unit in (10, 100):
            if start.year >= unit and start.year % unit == 0 and end.year == start.year + unit - 1:
                digits = f"{start.year // unit:0{5 - len(str(unit))}}"
                return digits + "X" * (len(str(unit)) - 1) + _MARKS[start.doubt]
    return f"{_point_text(start)}/{_point_text(end)}"


def _point_text(point: _Point) -> str:
    year = f"{'-' if point.year < 0 else ''}{abs(point.year):04}"
    if abs(point.year) > 9999:
        year = f"Y{point.year}"
    month = f"-{point.month:02}" if point.month else ""
    in_month = f"-{point.day:02}" if point.day else ""
    return year + month + in_month + _MARKS[point.doubt]


# What people type

_SEASON_CODE = {"spring": 21, "summer": 22, "autumn": 23, "fall": 23, "winter": 24}
_UNITS = {"century": 100, "millennium": 1000}
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first"
).split()
_AFTER_NTH = r"(?<=\dst|\dnd|\drd|\dth)[ -]?"
_DASHES = str.maketrans("‐‑‒–—―−’‘`", "--––––-'''")


def _word(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z])(?:{pattern})(?![a-z])")


# One spelling for each word, in this order.
_SPELLINGS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(?<!\d)\d{1,3}(?:,\d{3})+(?!\d)"), lambda found: found[0].replace(",", "")),
    (re.compile(r","), " "),
    (_word(r"b\.? ?c\.?(?: ?e\.?)?"), " bc "),
    (_word(r"a\.? ?d\.?|c\.? ?e\.?"), " ad "),
    *(
        (_word(rf"(?:{name.lower()}|{short.lower()})\.?"), f" {name[:3].lower()} ")
        for name, short in zip(
            _MONTHS, "jan feb mar apr may jun jul aug sept? oct nov dec".split(), strict=True
        )
    ),
    *((_word(name), _ordinal(at)) for at, name in reversed(list(enumerate(_ORDINALS, 1)))),
    (re.compile(rf"{_AFTER_NTH}(?:centur(?:y|ies)|cent\.?|c\.?)(?![a-z])"), " century "),
    (re.compile(rf"{_AFTER_NTH}(?:millenni(?:um|a)|mill\.?)(?![a-z])"), " millennium "),
    (_word(r"beginning|start"), "early"),
    (_word(r"middle"), "mid"),
    (_word(r"end"), "late"),
    (_word(r"the|of|in|on|years?|during|sometime"), " "),
)  # fmt: skip


def _normal(text: str) -> str:
    """A text in the one spelling that the forms below know; digits of any script as ASCII."""
    text = unicodedata.normalize("NFKC", text).lower().translate(_DASHES)
    text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    for pattern, spelling in _SPELLINGS:
        text = pattern.sub(spelling, text)
    return re.sub(r"(?<!\.)\.$", "", " ".join(text.split()))


# Single dates. Each form is a pattern for the whole text, and what to make of its groups.

_PART = r"(?:(?P<part>early|mid|late|1st half|2nd half)[ -]{0,2})?"
_YEAR = r"(?:(?P<ad>ad) )?(?P<year>\d+)(?: (?P<era>bc|ad))?"
_MONTH = rf"(?P<month>{'|'.join(name[:3].lower() for name in _MONTHS)}|{'|'.join(_SEASON_CODE)})"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_ABOUT = re.compile(
    r"(?P<about>(?:circa|ca|c)(?:\. ?| |(?=\d))|~ ?"
    r"|(?:about|around|roughly|approximately|approx)\.? )|(?:perhaps|possibly|probably|maybe) "
)
_OR_SO = re.compile(r" ?(?:(?P<mark>[?~%])|\(\?\)| (?P<about>or so|circa))$")


def _doubts(text: str) -> tuple[int, int, str]:
    """The doubt that stands before a date, the one behind it, and the date without them."""
    before = behind = 0
    while match := _ABOUT.match(text):
        before |= _APPROXIMATE if match["about"] else _UNCERTAIN
        text = text[match.end() :]
    while match := _OR_SO.search(text):
        behind |= _APPROXIMATE if match["about"] else _MARKS.index(match["mark"] or "?")
        text = text[: match.start()]
    return before, behind, text


def _stated(text: str) -> list[_Span]:
    """What a single date can mean, doubt included; raises NotADate for an impossible one."""
    before, behind, body = _doubts(text)
    spans = []
    for span in _bare(body):
        named = _named(span)
        # "About the late 1920s" says no more than "the late 1920s", whose edges are soft already.
        doubt = (before | behind) & (_UNCERTAIN if named and named.part else ~0)
        spans.append(_Span(_more(span.start, doubt), _more(span.end, doubt)))
    return spans


def _more(point: _Point, doubt: int) -> _Point:
    return replace(point, doubt=point.doubt | doubt)


def _bare(text: str) -> list[_Span]:
    """What a single date without words of doubt can mean."""

    def fitting() -> Iterator[Callable[[], list[_Span]]]:
        code = text.upper()
        if _EDTF_DATE.fullmatch(code) or _EDTF_UNSPECIFIED.fullmatch(code):
            yield lambda: [_parsed_date(code)]
        for pattern, make in _FORMS:
            if match := pattern.fullmatch(text):
                yield partial(make, match)

    return _first_found(fitting(), all_of_them=True)


def _year_of_words(digits: str, *eras: str | None) -> int:
    """The astronomical year of a number as typed and the eras around it."""
    if len(digits) > 9:
        raise NotADate(f"A year has at most nine digits. {_TRY}")
    count = int(digits)
    if not count:
        raise NotADate(f"There is no year 0: after 1 BC comes AD 1. {_TRY}")
    if not any(eras) and len(digits) < 3:
        raise NotADate(
            f"“{digits}” alone is no year: write AD {count}, {count} BC or all four digits."
        )
    if not any(eras) and len(digits) > 4:
        raise NotADate(f"Is “{digits}” a year? Then write AD {count:,} or {count:,} BC.")
    if {"ad", "bc"} <= set(eras):
        raise NotADate(f"A year is AD or BC, not both. {_TRY}")
    return 1 - count if "bc" in eras else count


def _dated(match: re.Match[str]) -> list[_Span]:
    """A year, month, season or day, or a part of it."""
    groups = match.groupdict()
    year = _year_of_words(groups["year"], groups["ad"], groups["era"])
    month = groups.get("month")
    at = 0
    if month:
        at = _SEASON_CODE.get(month) or 1 + [name[:3].lower() for name in _MONTHS].index(month)
    point = _point(year, at, int(groups.get("day") or 0))
    if not groups.get("part"):
        return [_Span(point, point)]
    _point(year, 1)  # its parts are months
    unit, slots = _slots(point)
    first, last, *doubts = _part(groups["part"], unit, len(slots))
    if first == last:
        doubts = [_APPROXIMATE, _APPROXIMATE]
    return [_Span(_more(slots[first], doubts[0]), _more(slots[last], doubts[1]))]


def _period(part: str | None, unit: int, ends: tuple[int, int]) -> _Span:
    """A period of years, or a part of it."""
    low, high = ends
    first, last, doubts = 0, high - low, [0, 0]
    if part:
        first, last, *doubts = _part(part, unit, high - low + 1)
    return _Span(_Point(low + first, doubt=doubts[0]), _Point(low + last, doubt=doubts[1]))


def _decade_or_century(match: re.Match[str]) -> list[_Span]:
    """The 1920s; the 1800s, which are the century; and the 2000s, which can be either."""
    digits, era = match["tens"], match["ad"] or match["era"]
    if len(digits) < 3 and not era:
        raise NotADate(f"Which century’s {digits}s? {_TRY}")
    _year_of_words(digits, match["ad"], match["era"] or "ad")
    count = int(digits)
    units = [10, 100] if count % 1000 == 0 else [10] if count % 100 else [100]
    return [_period(match["part"], unit, _tens(count, unit, era == "bc")) for unit in units]


def _century(match: re.Match[str]) -> list[_Span]:
    """The 5th century BC, the 2nd millennium."""
    if not (count := int(match["count"])):
        raise NotADate(f"Centuries are counted from the 1st. {_TRY}")
    unit = _UNITS[match["unit"]]
    low, high = _nth(count, unit, match["era"] == "bc")
    return [_period(match["part"], unit, (_point(low).year, _point(high).year))]


def _numeric(match: re.Match[str]) -> list[_Span]:
    """Days in digits: the year first, or last with day and month in either order."""
    first, second, third = match["first"], match["second"], match["third"]
    if len(first) > 2:
        if len(third) > 2:
            return []
        year = _year_of_words(first, match["era"])
        orders = [(int(second), int(third))]
    else:
        year = _year_of_words(third, match["era"])
        orders = [(int(second), int(first)), (int(first), int(second))]
    possible = [
        (month, in_month)
        for month, in_month in orders
        if 1 <= month <= 12 and 1 <= in_month <= _month_length(year, month)
    ]
    points = [_point(year, month, in_month) for month, in_month in possible or orders[:1]]
    return [_Span(point, point) for point in points]


def _month_in_digits(match: re.Match[str]) -> list[_Span]:
    point = _point(_year_of_words(match["year"], match["era"]), int(match["month"]))
    return [_Span(point, point)]


def _minus(match: re.Match[str]) -> list[_Span]:
    """-480: 480 BC, or as astronomers count it."""
    count = int(match["count"])
    return [_Span(point, point) for point in (_point(1 - count), _point(-count))]


def _winter(match: re.Match[str]) -> list[_Span]:
    """Winter 1936–37."""
    spans = (span for span in _ranges(match["years"]) if not span.start.month | span.end.month)
    points = [
        _point(span.start.year, _WINTER)
        for span in spans
        if (span.end.year, span.end.doubt) == (span.start.year + 1, span.start.doubt)
    ]
    return [_Span(point, point) for point in points]


def _turn(match: re.Match[str]) -> list[_Span]:
    raise NotADate(f"The turn of a century can be its first years or its last. {_TRY}")


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], list[_Span]]], ...] = tuple(
    (re.compile(pattern), make)
    for pattern, make in (
        (rf"{_PART}{_YEAR}", _dated),
        (rf"{_PART}{_MONTH}[ -]{{0,2}}{_YEAR}", _dated),
        (rf"{_PART}{_YEAR} {_MONTH}", _dated),
        (rf"{_DAY}[ -]{{0,2}}{_MONTH}[ -]{{0,2}}{_YEAR}", _dated),
        (rf"{_MONTH} {_DAY} {_YEAR}", _dated),
        (rf"{_YEAR} {_MONTH} {_DAY}", _dated),
        (rf"{_PART}(?:(?P<ad>ad) )?(?P<tens>\d+0)'?s(?: (?P<era>bc|ad))?", _decade_or_century),
        (
            rf"{_PART}(?P<count>\d{{1,7}})(?:st|nd|rd|th) (?P<unit>{'|'.join(_UNITS)})"
            r"(?: (?P<era>bc|ad))?",
            _century,
        ),
        (
            r"(?P<first>\d{1,4})(?P<sign>[./-]) ?(?P<second>\d{1,2})(?P=sign) ?(?P<third>\d{1,4})"
            r"(?: (?P<era>bc|ad))?",
            _numeric,
        ),
        (r"(?P<month>\d{1,2})[./-](?P<year>\d{4})(?: (?P<era>bc|ad))?", _month_in_digits),
        (r"-(?P<count>0*[1-9]\d{0,2})(?<!\d{4})", _minus),
        (r"winter (?P<years>[\dabcd ]+[–/-][\dabcd ]+)", _winter),
        (r"turn .*", _turn),
    )
)


# Open ends and ranges

_OPEN_BEFORE = re.compile(
    r"(?:(?P<before>before|prior to|earlier than)|(?P<after>after|later than)"
    r"|(?P<until>until|till|up to|by)|(?P<since>since|from)) (?P<date>.+?)"
    r"(?(since)(?: onwards?)?)"
)
_OPEN_BEHIND = re.compile(
    r"(?P<date>.+?) (?:(?P<until>(?:and|or) (?:earlier|before))"
    r"|(?P<since>onwards?|(?:and|or) (?:later|after)))"
)


def _open_ended(text: str) -> list[_Span]:
    """Before, until, since and after a date."""
    match = _OPEN_BEFORE.fullmatch(text) or _OPEN_BEHIND.fullmatch(text)
    if not match:
        return []
    word = next(word for word, found in match.groupdict().items() if found and word != "date")
    return [_opened(word, span) for span in _stated(match["date"])]


def _opened(word: str, span: _Span) -> _Span:
    """A span with the far end open; a period gives way to the year, month or day beside it."""
    start, end = span.start, span.end
    if start.month > 12:
        low, high = _months(start)
        start, end = (_Point(at // 12, at % 12 + 1, doubt=start.doubt) for at in (low, high))
    if word in ("before", "until"):
        if start == end:
            return _Span(".." if word == "before" else "", end)
        return _Span("", _beside(start, _first(start) - 1) if word == "before" else end)
    if start == end:
        return _Span(start, ".." if word == "after" else "")
    return _Span(_beside(end, _last(end) + 1) if word == "after" else start, "")


def _beside(point: _Point, number: int) -> _Point:
    """The year, month or day, as the point is one, in which a day lies."""
    year, month, in_month = _civil(number)
    return _point(year, month if point.month else 0, in_month if point.day else 0, point.doubt)


_BETWEEN = re.compile(r"(between|from) ")
_SEPARATOR = re.compile(r" ?(?P<dash>[–/-]) ?| (?:to|until|till|through) | (?P<both>and) ")
_SHORT_END = re.compile(r"(\d{1,3})('?s)?( bc| ad)?")
_LONG_START = re.compile(r"(\d+)(?:'?s)?(?: bc| ad)?$")
_ERA = re.compile(r" (bc|ad)$|^(ad) ")
_BARE_AD = re.compile(r"\d{3,}(?: ad)?|ad \d+")


def _ranges(text: str) -> list[_Span]:
    """What a range can mean, wherever it can be cut in two; raises NotADate for one backwards."""
    opening = _BETWEEN.match(text)
    start = opening.end() if opening else 0
    cuts = (
        cut
        for cut in _SEPARATOR.finditer(text, start)
        if not cut["both"] or (opening and opening[1] == "between")
    )
    return _first_found(
        (
            partial(_joined, text[start : cut.start()], text[cut.end() :], cut["dash"], opening)
            for cut in cuts
        ),
        all_of_them=True,
    )


def _joined(left: str, right: str, dash: str | None, opening: object) -> list[_Span]:
    """What two texts can mean as the ends of a range, each lending the other what it lacks."""
    before, behind, left = _doubts(left)
    before_right, behind_right, right = _doubts(right)
    left_doubt, right_doubt = before | behind, before_right | behind_right
    if not opening:
        # "c. 1936–39" and "1936–39?" speak of both ends, "between about 1936 and 1939" does not.
        left_doubt, right_doubt = (
            left_doubt | (0 if behind else behind_right),
            right_doubt | (0 if before_right else before),
        )
    ways = [
        partial(_ends, lefts, rights, left_doubt, right_doubt)
        for rights in _right_ends(left, right, dash)
        for lefts in _left_ends(left, rights)
    ]
    return _first_found(ways, all_of_them=True)


def _ends(left: str, right: str, left_doubt: int, right_doubt: int) -> list[_Span]:
    return [
        _span(_more(first.start, left_doubt), _more(last.end, right_doubt))
        for first in _bare(left)
        for last in _bare(right)
    ]


def _reads(text: str) -> bool:
    try:
        return bool(_bare(text))
    except NotADate:
        return False


def _right_ends(left: str, right: str, dash: str | None) -> list[str]:
    """How the end of a range may be written out: itself, with the era or digits of the start."""
    ends = [right]
    if (era := _ERA.search(left)) and not _ERA.search(right):
        # 44 BC – 14: nobody can tell.
        ends += [f"{right} {each}" for each in {"bc": ("bc", "ad")}.get(era[1], ("ad",))]
    ends = [end for end in ends if _reads(end)]
    tail, whole = _SHORT_END.fullmatch(right), _LONG_START.search(left)
    if tail and whole and len(whole[1]) > len(tail[1]) and (dash or not ends):
        ends.append(whole[1][: -len(tail[1])] + right)
    # March 15–17, 1921
    words = left.split()[:2]
    return ends or [" ".join([*words[:many], right]) for many in range(1, len(words) + 1)]


def _left_ends(left: str, right: str) -> list[str]:
    """How the start of a range may be written out: itself, with the last words of the end."""
    words = right.split()
    ends = [left, *(" ".join([left, *words[-many:]]) for many in range(1, min(len(words), 4)))]
    ends = [end for end in ends if _reads(end)]
    # 98–117
    return ends or [f"{left} ad"] * bool(_BARE_AD.fullmatch(right))


# All ways together


def _first_found(
    ways: Iterable[Callable[[], list[_Span]]], all_of_them: bool = False
) -> list[_Span]:
    """What the first of some ways of reading finds, or what all do.

    If nothing is found, raises the first refusal, should there be one.
    """
    found: list[_Span] = []
    refusal = None
    for way in ways:
        try:
            found += way()
        except NotADate as reason:
            refusal = refusal or reason
        if found and not all_of_them:
            break
    if refusal and not found:
        raise refusal
    return found


def _interval(text: str) -> list[_Span]:
    """EDTF's own intervals."""
    start, slash, end = text.upper().partition("/")
    if slash and all(each in _OPEN or _EDTF_DATE.fullmatch(each) for each in (start, end)):
        return [_parsed(text.upper())]
    return []


def _year_and_two(text: str) -> list[_Span]:
    """1904-05, a month or a range; 1918-21, a range, for nobody types the number of a season."""
    if not re.fullmatch(r"\d{4}-\d\d ?[?~%]?", text):
        return []
    found = _first_found((partial(_ranges, text), partial(_stated, text)), all_of_them=True)
    return [span for span in found if span.start.month <= 12] or found


def _understood(text: str) -> list[_Span]:
    """All that a text can mean; raises NotADate, with the reason, for an impossible date."""
    ways = (_interval, _year_and_two, _stated, _open_ended, _ranges)
    return _first_found(partial(way, text) for way in ways)
