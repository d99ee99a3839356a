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
  1924-01/1924-04~. `periods` says where parts meet; such an interval is spoken by its name again.
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
from dataclasses import dataclass
from functools import lru_cache

from .days import day, year_of
from .doubts import bounds
from .edtf import edtf_text, parsed
from .parsing import understood
from .periods import name_of
from .points import EARLIEST, LATEST, MAX_LENGTH, TRY, NotADate, OpenSpan
from .spelling import normal
from .wording import say, say_open, short_range

__all__ = [
    "EARLIEST",
    "LATEST",
    "MAX_LENGTH",
    "HistoryDate",
    "NotADate",
    "day",
    "parse",
    "read",
    "short",
    "spoken",
    "year_of",
]


@dataclass(frozen=True, slots=True)
class HistoryDate:
    """A date as EDTF text with its first and last day; (first, last) is the order of dates."""

    edtf: str
    first: int
    last: int


def read(text: str) -> HistoryDate:
    """The date that a person typed.

    Raises NotADate for what is no date, and for what can mean two: the message names both.
    """
    if len(text) > MAX_LENGTH:
        raise NotADate(f"A date has at most {MAX_LENGTH} characters. {TRY}")
    visible = "".join(c for c in text if unicodedata.category(c) != "Cf")
    typed = " ".join(visible.split())
    if not typed:
        raise NotADate(f"No date is given. {TRY}")
    if not typed.isprintable():
        raise NotADate(f"The date holds characters that cannot be printed. {TRY}")
    plain = normal(typed)
    if len(plain) > 2 * MAX_LENGTH:
        raise NotADate(f"A date has at most {MAX_LENGTH} characters. {TRY}")
    found = {edtf_text(span): span for span in understood(plain)}
    if len(found) > 1:
        either = " or ".join(spoken(edtf) for edtf in list(found)[:3])
        raise NotADate(f"“{typed}” can mean {either}. Type the one you mean.")
    if found:
        [(edtf, span)] = found.items()
        return HistoryDate(edtf, *bounds(span))
    if not re.search(r"\d{3}|\d (?:bc|ad)\b|\bad \d|\d (?:century|mill)", plain):
        raise NotADate(f"No year found in “{typed}”. {TRY}")
    if len(re.findall(r"\d{3,}|\d+ ?(?:bc|ad)\b|\bad \d+", plain)) > 1:
        raise NotADate(f"“{typed}” is more than one date; give each change its own. {TRY}")
    raise NotADate(f"“{typed}” cannot be read as a date. {TRY}")


def parse(edtf: str) -> HistoryDate:
    """The date of an EDTF text of level 1 without times of day; raises NotADate for any other.

    The text comes back in the one form that `read` would have written: 1920/1929 as 192X.
    """
    span = parsed(edtf)
    return HistoryDate(edtf_text(span), *bounds(span))


def spoken(edtf: str) -> str:
    """A date in words, which `read` takes for the same date; raises NotADate like `parse`."""
    span = parsed(edtf)
    if named := name_of(span):
        return named.words()
    if isinstance(span, OpenSpan):
        return say_open(span)
    if span.start == span.end:
        return say(span.start)
    first, last = span.start, span.end
    if first.year <= 0 and last.year <= 0 and not first.month and not last.month:
        return f"between {say(first).removesuffix(' BC')} and {say(last)}"
    return f"between {say(first)} and {say(last, era=first.year <= 0)}"


@lru_cache(maxsize=2_000)  # twenty stand on a page of results
def short(edtf: str) -> str:
    """A date for a narrow column: c. 1924, 1936–39, late 15th c.; raises NotADate like `parse`."""
    span = parsed(edtf)
    if named := name_of(span):
        return named.words(short=True)
    if isinstance(span, OpenSpan):
        return say_open(span, short=True)
    if span.start == span.end:
        return say(span.start, short=True)
    return short_range(span.start, span.end)
