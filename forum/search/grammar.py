"""What somebody typed into the search field, understood: words, phrases, beginnings of words and
filters. Pure: what a name or a board means is asked of the database by whoever searches.

    franco "sea lion" -hitler zoll* by:member-a board:antiquity pod:1900..1945 sort:best

All terms must hold; a "-" directly before one negates it. A value with blanks stands in quotation
marks. A term that holds several words (1914-18, and/or, 東京) is a phrase. An unknown filter is
read as words, and told; a filter whose value cannot be read is an error, so that nobody takes the
answer to another question for theirs.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

import regex

from forum.text.history_dates import EARLIEST, LATEST, NotADate, read

from .words import folded, stems

MOST_LETTERS = 200
MOST_TERMS = 12
MOST_IN_PHRASE = 8
LEAST_IN_PREFIX = 3

_TERM = regex.compile(
    r'(?P<minus>[-−])?(?:(?P<key>[A-Za-z]+):(?!//))?(?:["“”](?P<quoted>[^"“”]*)(?:["“”]|\Z)|(?P<bare>\S+))?'
)
_DAY = regex.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_AGO = regex.compile(r"(\d{1,4})([dwmy])")
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}


class Phrase(NamedTuple):
    """Words side by side; one word is a phrase of one. Of a `prefix` the single word is the
    beginning of what is looked for, and `stem` the word it may be itself."""

    words: tuple[str, ...]
    typed: str
    prefix: bool = False
    stem: str = ""


class Filter(NamedTuple):
    """A filter and what its value says: names as typed, ids and days as numbers, dates as dates.
    `typed` is the whole term, by which it can be taken away."""

    key: str
    value: tuple
    typed: str
    negated: bool = False


@dataclass(slots=True)
class Query:
    """What was understood. With `errors` nothing is to be searched; `notes` say what was read
    otherwise than it may have been meant."""

    text: str
    wanted: list[Phrase] = field(default_factory=list)
    unwanted: list[Phrase] = field(default_factory=list)
    filters: list[Filter] = field(default_factory=list)
    best: bool = False
    notes: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def of(self, key: str) -> list[Filter]:
        """The filters with this key."""
        return [one for one in self.filters if one.key == key]

    def without(self, typed: str) -> str:
        """The text without one of its terms."""
        return " ".join(f" {self.text} ".replace(f" {typed} ", " ", 1).split())

    @property
    def empty(self) -> bool:
        """Whether nothing is asked."""
        return not (self.wanted or self.unwanted or self.filters)


class _Unread(Exception):
    """A value that a filter cannot take; the sentence says what it takes."""


def parse(text: str, *, today: date) -> Query:
    """Read what was typed; `today` is the reader's, from which "30d" counts."""
    text = " ".join(text.replace("\0", " ").split())
    query = Query(text[:MOST_LETTERS])
    if len(text) > MOST_LETTERS:
        query.notes.append(f"Only the first {MOST_LETTERS} characters were looked at.")
    count = 0
    for term in _TERM.finditer(query.text):
        if not term[0].strip():
            continue
        if count == MOST_TERMS:
            query.notes.append(f"Only the first {MOST_TERMS} terms were looked at.")
            break
        count += _take(query, term, today)
    negative = query.unwanted or any(one.negated for one in query.filters)
    if negative and not query.wanted and not any(_narrow(one) for one in query.filters):
        query.errors.append("Say also what the posts shall hold, not only what they shall not.")
    return query


def _narrow(one: Filter) -> bool:
    """Whether a filter says by itself which posts are meant."""
    return (
        one.key not in UNTAGGED and not one.negated and one.value[0] not in ("title", "divergence")
    )


def _take(query: Query, term, today: date) -> bool:
    """Put a term where it belongs; false for one that says nothing."""
    typed, negated = term[0], bool(term["minus"])
    key = (term["key"] or "").lower()
    value = term["quoted"] if term["quoted"] is not None else term["bare"] or ""
    if key in FILTERS:
        try:
            if negated and key in UNNEGATED:
                raise _Unread(f"“{typed}” cannot be negated. Leave the “-” out.")
            if not value.strip():
                raise _Unread(f"Say something behind “{key}:”: {FILTERS[key].takes}.")
            found = FILTERS[key].read(value.strip(), today)
        except _Unread as error:
            query.errors.append(str(error))
            return True
        if key == "sort":
            query.best = found == ("best",)
        else:
            query.filters.append(Filter(key, found, typed, negated))
        return True
    if key:
        query.notes.append(
            f"“{key}:” is no filter and was looked for as words. "
            f"Filters are {', '.join(f'{name}:' for name in FILTERS)}."
        )
        value = typed.lstrip("-−")
    return _take_words(query, typed, value, negated, quoted=term["quoted"] is not None)


def _take_words(query: Query, typed: str, value: str, negated: bool, *, quoted: bool) -> bool:
    found = stems(value)
    if not found:
        return False
    phrase = Phrase(tuple(found[:MOST_IN_PHRASE]), typed)
    if len(found) > MOST_IN_PHRASE:
        query.notes.append(f"Of “{typed}” only the first {MOST_IN_PHRASE} words were looked for.")
    if value.endswith("*") and not quoted and len(found) == 1:
        beginning = folded(value)
        if len(beginning) < LEAST_IN_PREFIX:
            query.errors.append(f"“{typed}”: at least {LEAST_IN_PREFIX} letters before the “*”.")
        elif negated or any(one.prefix for one in query.wanted):
            query.notes.append(f"“{typed}” was looked for as a whole word: one “*” is read.")
        else:
            phrase = Phrase((beginning,), typed, prefix=True, stem=found[0])
    (query.unwanted if negated else query.wanted).append(phrase)
    return True


# --- What filters take -------------------------------------------------------------------------


def _name(value: str, today: date) -> tuple:
    return (value,)


def _words(value: str, today: date) -> tuple:
    found = tuple(stems(value)[:MOST_IN_PHRASE])
    if not found:
        raise _Unread(f"“{value}” holds no word.")
    return found


def _one_of(key: str, *values: str, several: bool = False) -> Callable[[str, date], tuple]:
    def take(value: str, today: date) -> tuple:
        given = [one.lower() for one in (value.split(",") if several else [value]) if one]
        known = {one.lower(): one for one in values}
        if not given:
            raise _Unread(f"Say something behind “{key}:”: {_listed(values)}.")
        if wrong := [one for one in given if one not in known]:
            raise _Unread(f"“{key}:{wrong[0]}” is not known. There is {_listed(values)}.")
        return tuple(known[one] for one in given)

    return take


def _listed(values) -> str:
    values = list(values)
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} and {values[-1]}"


def _within(value: str, today: date) -> tuple:
    if value.isascii() and value.isdecimal() and len(value) < 19:
        return (int(value),)
    if value.lower() in ("title", "divergence", "opening"):
        return (value.lower(),)
    raise _Unread(f"“in:{value}” is not known. There is title, opening, divergence and a number.")


def _days(value: str, today: date) -> tuple:
    """The first and the last day that a moment may mean."""
    if ago := _AGO.fullmatch(value.lower()):
        try:
            then = today - timedelta(days=int(ago[1]) * _DAYS[ago[2]])
        except OverflowError:
            then = date.min
        return (then, then)
    if day := _DAY.fullmatch(value):
        year, month, number = (int(part or 0) for part in day.groups())
        try:
            first = date(year, month or 1, number or 1)
            if number:
                return (first, first)
            after = date(year + 1, 1, 1) if not month else _month_after(year, month)
            return (first, after - timedelta(days=1))
        except (ValueError, OverflowError):
            pass
    raise _Unread(f"“{value}” is no day. Write 2025, 2025-03, 2025-03-14, or 30d for 30 days ago.")


def _month_after(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1)


def _span(value: str, today: date) -> tuple:
    """The first and the last day of a stretch of history."""
    begin, dots, end = value.partition("..")
    if not dots:
        return _history(value)
    if not begin and not end:
        raise _Unread("Say between which years: pod:1900..1945.")
    first = _history(begin)[0] if begin else EARLIEST
    last = _history(end)[1] if end else LATEST
    if first > last:
        raise _Unread(f"“pod:{value}” ends before it begins.")
    return (first, last)


def _history(value: str) -> tuple[int, int]:
    year = value.strip().removeprefix("-").removeprefix("−")
    if year != value.strip() and year.isascii() and year.isdecimal():
        value = f"{year} BC"
    try:
        found = read(value)
    except NotADate as error:
        raise _Unread(str(error)) from None
    return (found.first, found.last)


class _Taker(NamedTuple):
    read: Callable[[str, date], tuple]
    takes: str
    example: str
    means: str


KINDS = ("WI", "AHC", "PC", "DBWI", "TL", "discussion")
LANES = ("premise", "consequence", "meta")
STANCES = ("supports", "disputes", "asks", "evidence")
STATUSES = ("exact", "shortened", "altered", "edited", "removed", "unverifiable")
FILTERS = {
    "by": _Taker(_name, "a member's name, or me", "by:member-a", "written by"),
    "board": _Taker(_name, "a board", "board:antiquity", "in this board and those below it"),
    "kind": _Taker(
        _one_of("kind", *KINDS, several=True), _listed(KINDS), "kind:TL,DBWI", "kinds of debate"
    ),
    "lane": _Taker(
        _one_of("lane", *LANES), _listed(LANES), "lane:premise", "what a reply is about"
    ),
    "stance": _Taker(
        _one_of("stance", *STANCES), _listed(STANCES), "stance:disputes", "how a reply takes it"
    ),
    "in": _Taker(
        _within,
        "title, opening, divergence, or the number of a debate",
        "in:title",
        "only titles (opening, divergence, or a debate's number)",
    ),
    "has": _Taker(_one_of("has", "quote"), "quote", "has:quote", "quotes another post"),
    "is": _Taker(
        _one_of("is", "changed-mind"), "changed-mind", "is:changed-mind", "changed somebody's mind"
    ),
    "since": _Taker(
        _days, "a year, a month, a day or 30d", "since:2025-03", "written from then on"
    ),
    "until": _Taker(_days, "a year, a month, a day or 30d", "until:2025", "written up to then"),
    "pod": _Taker(
        _span, "a date of history or two", "pod:1900..1945", "the divergence may lie there"
    ),
    "place": _Taker(_words, "a place", "place:Spain", "where a divergence lies"),
    "who": _Taker(_words, "somebody", "who:Trotsky", "whom a divergence is about"),
    "question": _Taker(
        _one_of("question", "open", "answered"),
        "open or answered",
        "question:open",
        "the debate asks something that nobody has answered",
    ),
    "status": _Taker(
        _one_of("status", *STATUSES), _listed(STATUSES), "status:altered", "holds a quote so judged"
    ),
    "sort": _Taker(_one_of("sort", "newest", "best"), "newest or best", "sort:best", "best first"),
}
# What says nothing of a post that its row has as a tag, or nothing definite.
UNTAGGED = frozenset(("since", "until", "pod", "place", "who", "question", "sort"))
UNNEGATED = frozenset(("since", "until", "pod", "place", "who", "question", "status", "sort"))
