"""What a typed date can mean: single dates, open ends, ranges; all ways together."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from .days import first_day, last_day, point_at, span_between
from .edtf import EDTF_DATE, EDTF_UNSPECIFIED, parsed, parsed_date
from .periods import name_of, nth_of, part_of, slots_of, tens_of
from .points import (
    APPROXIMATE,
    MARKS,
    MONTHS,
    OPEN,
    TRY,
    UNCERTAIN,
    WINTER,
    NotADate,
    OpenSpan,
    Point,
    Span,
    civil,
    month_length,
    months_of,
)

_SEASON_CODE = {"spring": 21, "summer": 22, "autumn": 23, "fall": 23, "winter": 24}
_UNITS = {"century": 100, "millennium": 1000}

# Single dates. Each form is a pattern for the whole text, and what to make of its groups.

_PART = r"(?:(?P<part>early|mid|late|1st half|2nd half)[ -]{0,2})?"
_YEAR = r"(?:(?P<ad>ad) )?(?P<year>\d+)(?: (?P<era>bc|ad))?"
_MONTH = rf"(?P<month>{'|'.join(name[:3].lower() for name in MONTHS)}|{'|'.join(_SEASON_CODE)})"
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
        before |= APPROXIMATE if match["about"] else UNCERTAIN
        text = text[match.end() :]
    while match := _OR_SO.search(text):
        behind |= APPROXIMATE if match["about"] else MARKS.index(match["mark"] or "?")
        text = text[: match.start()]
    return before, behind, text


def _stated(text: str) -> list[Span]:
    """What a single date can mean, doubt included; raises NotADate for an impossible one."""
    before, behind, body = _doubts(text)
    spans = []
    for span in _bare(body):
        named = name_of(span)
        # "About the late 1920s" says no more than "the late 1920s", whose edges are soft already.
        doubt = (before | behind) & (UNCERTAIN if named and named.part else ~0)
        spans.append(Span(_more(span.start, doubt), _more(span.end, doubt)))
    return spans


def _more(point: Point, doubt: int) -> Point:
    return replace(point, doubt=point.doubt | doubt)


def _bare(text: str) -> list[Span]:
    """What a single date without words of doubt can mean."""

    def fitting() -> Iterator[Callable[[], list[Span]]]:
        code = text.upper()
        if EDTF_DATE.fullmatch(code) or EDTF_UNSPECIFIED.fullmatch(code):
            yield lambda: [parsed_date(code)]
        for pattern, make in _FORMS:
            if match := pattern.fullmatch(text):
                yield partial(make, match)

    return _first_found(fitting(), all_of_them=True)


def _year_of_words(digits: str, *eras: str | None) -> int:
    """The astronomical year of a number as typed and the eras around it."""
    if len(digits) > 9:
        raise NotADate(f"A year has at most nine digits. {TRY}")
    count = int(digits)
    if not count:
        raise NotADate(f"There is no year 0: after 1 BC comes AD 1. {TRY}")
    if not any(eras) and len(digits) < 3:
        raise NotADate(
            f"“{digits}” alone is no year: write AD {count}, {count} BC or all four digits."
        )
    if not any(eras) and len(digits) > 4:
        raise NotADate(f"Is “{digits}” a year? Then write AD {count:,} or {count:,} BC.")
    if {"ad", "bc"} <= set(eras):
        raise NotADate(f"A year is AD or BC, not both. {TRY}")
    return 1 - count if "bc" in eras else count


def _dated(match: re.Match[str]) -> list[Span]:
    """A year, month, season or day, or a part of it."""
    groups = match.groupdict()
    year = _year_of_words(groups["year"], groups["ad"], groups["era"])
    month = groups.get("month")
    at = 0
    if month:
        at = _SEASON_CODE.get(month) or 1 + [name[:3].lower() for name in MONTHS].index(month)
    point = point_at(year, at, int(groups.get("day") or 0))
    if not groups.get("part"):
        return [Span(point, point)]
    point_at(year, 1)  # its parts are months
    unit, slots = slots_of(point)
    first, last, *doubts = part_of(groups["part"], unit, len(slots))
    if first == last:
        doubts = [APPROXIMATE, APPROXIMATE]
    return [Span(_more(slots[first], doubts[0]), _more(slots[last], doubts[1]))]


def _period(part: str | None, unit: int, ends: tuple[int, int]) -> Span:
    """A period of years, or a part of it."""
    low, high = ends
    first, last, doubts = 0, high - low, [0, 0]
    if part:
        first, last, *doubts = part_of(part, unit, high - low + 1)
    return Span(Point(low + first, doubt=doubts[0]), Point(low + last, doubt=doubts[1]))


def _decade_or_century(match: re.Match[str]) -> list[Span]:
    """The 1920s; the 1800s, which are the century; and the 2000s, which can be either."""
    digits, era = match["tens"], match["ad"] or match["era"]
    if len(digits) < 3 and not era:
        raise NotADate(f"Which century’s {digits}s? {TRY}")
    _year_of_words(digits, match["ad"], match["era"] or "ad")
    count = int(digits)
    units = [10, 100] if count % 1000 == 0 else [10] if count % 100 else [100]
    return [_period(match["part"], unit, tens_of(count, unit, era == "bc")) for unit in units]


def _century(match: re.Match[str]) -> list[Span]:
    """The 5th century BC, the 2nd millennium."""
    if not (count := int(match["count"])):
        raise NotADate(f"Centuries are counted from the 1st. {TRY}")
    unit = _UNITS[match["unit"]]
    low, high = nth_of(count, unit, match["era"] == "bc")
    return [_period(match["part"], unit, (point_at(low).year, point_at(high).year))]


def _numeric(match: re.Match[str]) -> list[Span]:
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
        if 1 <= month <= 12 and 1 <= in_month <= month_length(year, month)
    ]
    points = [point_at(year, month, in_month) for month, in_month in possible or orders[:1]]
    return [Span(point, point) for point in points]


def _month_in_digits(match: re.Match[str]) -> list[Span]:
    point = point_at(_year_of_words(match["year"], match["era"]), int(match["month"]))
    return [Span(point, point)]


def _minus(match: re.Match[str]) -> list[Span]:
    """-480: 480 BC, or as astronomers count it."""
    count = int(match["count"])
    return [Span(point, point) for point in (point_at(1 - count), point_at(-count))]


def _winter(match: re.Match[str]) -> list[Span]:
    """Winter 1936–37."""
    spans = (span for span in _ranges(match["years"]) if not span.start.month | span.end.month)
    points = [
        point_at(span.start.year, WINTER)
        for span in spans
        if (span.end.year, span.end.doubt) == (span.start.year + 1, span.start.doubt)
    ]
    return [Span(point, point) for point in points]


def _turn(match: re.Match[str]) -> list[Span]:
    raise NotADate(f"The turn of a century can be its first years or its last. {TRY}")


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], list[Span]]], ...] = tuple(
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


def _open_ended(text: str) -> list[OpenSpan]:
    """Before, until, since and after a date."""
    match = _OPEN_BEFORE.fullmatch(text) or _OPEN_BEHIND.fullmatch(text)
    if not match:
        return []
    word = next(word for word, found in match.groupdict().items() if found and word != "date")
    return [_opened(word, span) for span in _stated(match["date"])]


def _opened(word: str, span: Span) -> OpenSpan:
    """A span with the far end open; a period gives way to the year, month or day beside it."""
    start, end = span.start, span.end
    if start.month > 12:
        low, high = months_of(start)
        start, end = (Point(at // 12, at % 12 + 1, doubt=start.doubt) for at in (low, high))
    if word in ("before", "until"):
        if start == end:
            return OpenSpan(end, ".." if word == "before" else "", onward=False)
        end = _beside(start, first_day(start) - 1) if word == "before" else end
        return OpenSpan(end, "", onward=False)
    if start == end:
        return OpenSpan(start, ".." if word == "after" else "", onward=True)
    start = _beside(end, last_day(end) + 1) if word == "after" else start
    return OpenSpan(start, "", onward=True)


def _beside(point: Point, number: int) -> Point:
    """The year, month or day, as the point is one, in which a day lies."""
    year, month, in_month = civil(number)
    return point_at(year, month if point.month else 0, in_month if point.day else 0, point.doubt)


_BETWEEN = re.compile(r"(between|from) ")
_SEPARATOR = re.compile(r" ?(?P<dash>[–/-]) ?| (?:to|until|till|through) | (?P<both>and) ")
_SHORT_END = re.compile(r"(\d{1,3})('?s)?( bc| ad)?")
_LONG_START = re.compile(r"(\d+)(?:'?s)?(?: bc| ad)?$")
_ERA = re.compile(r" (bc|ad)$|^(ad) ")
_BARE_AD = re.compile(r"\d{3,}(?: ad)?|ad \d+")


def _ranges(text: str) -> list[Span]:
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


def _joined(left: str, right: str, dash: str | None, opening: object) -> list[Span]:
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


def _ends(left: str, right: str, left_doubt: int, right_doubt: int) -> list[Span]:
    return [
        span_between(_more(first.start, left_doubt), _more(last.end, right_doubt))
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


_Found = TypeVar("_Found", Span, Span | OpenSpan)


def _first_found(
    ways: Iterable[Callable[[], Sequence[_Found]]], all_of_them: bool = False
) -> list[_Found]:
    """What the first of some ways of reading finds, or what all do.

    If nothing is found, raises the first refusal, should there be one.
    """
    found: list[_Found] = []
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


def _interval(text: str) -> list[Span | OpenSpan]:
    """EDTF's own intervals."""
    start, slash, end = text.upper().partition("/")
    if slash and all(each in OPEN or EDTF_DATE.fullmatch(each) for each in (start, end)):
        return [parsed(text.upper())]
    return []


def _year_and_two(text: str) -> list[Span]:
    """1904-05, a month or a range; 1918-21, a range, for nobody types the number of a season."""
    if not re.fullmatch(r"\d{4}-\d\d ?[?~%]?", text):
        return []
    found = _first_found((partial(_ranges, text), partial(_stated, text)), all_of_them=True)
    return [span for span in found if span.start.month <= 12] or found


def understood(text: str) -> list[Span | OpenSpan]:
    """All that a text can mean; raises NotADate, with the reason, for an impossible date."""
    ways: tuple[Callable[[str], Sequence[Span | OpenSpan]], ...]
    ways = (_interval, _year_and_two, _stated, _open_ended, _ranges)
    return _first_found(partial(way, text) for way in ways)
