"""Dates of divergences: what people type, how it is kept, sorted and said back."""

import os
import random
import re
from calendar import isleap, monthrange
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from forum.text.history_dates import (
    EARLIEST,
    LATEST,
    HistoryDate,
    NotADate,
    day,
    parse,
    read,
    short,
    spoken,
    year_of,
)

# typed | EDTF | first day | last day | spoken | short; days with astronomical years
TABLE = """
1924 | 1924 | 1924-01-01 | 1924-12-31 | 1924 | 1924
in the year 1924 | 1924 | 1924-01-01 | 1924-12-31 | 1924 | 1924
1066 CE | 1066 | 1066-01-01 | 1066-12-31 | 1066 | 1066
536 | 0536 | 0536-01-01 | 0536-12-31 | 536 | 536
AD 30 | 0030 | 0030-01-01 | 0030-12-31 | AD 30 | AD 30
30 CE | 0030 | 0030-01-01 | 0030-12-31 | AD 30 | AD 30
A.D. 9 | 0009 | 0009-01-01 | 0009-12-31 | AD 9 | AD 9
1 BC | 0000 | 0000-01-01 | 0000-12-31 | 1 BC | 1 BC
480 BC | -0479 | -0479-01-01 | -0479-12-31 | 480 BC | 480 BC
480 B.C.E. | -0479 | -0479-01-01 | -0479-12-31 | 480 BC | 480 BC
480bce | -0479 | -0479-01-01 | -0479-12-31 | 480 BC | 480 BC
10,000 BC | -9999 | -9999-01-01 | -9999-12-31 | 10,000 BC | 10,000 BC
12,000 BC | Y-11999 | -11999-01-01 | -11999-12-31 | 12,000 BC | 12,000 BC
AD 12,000 | Y12000 | 12000-01-01 | 12000-12-31 | AD 12,000 | AD 12,000
١٩٣٦-٠٧ | 1936-07 | 1936-07-01 | 1936-07-31 | July 1936 | Jul 1936
١٩٢٤ | 1924 | 1924-01-01 | 1924-12-31 | 1924 | 1924
１９２４ | 1924 | 1924-01-01 | 1924-12-31 | 1924 | 1924
c. 1924 | 1924~ | 1922-01-01 | 1926-12-31 | about 1924 | c. 1924
ca 1924 | 1924~ | 1922-01-01 | 1926-12-31 | about 1924 | c. 1924
circa 1924 | 1924~ | 1922-01-01 | 1926-12-31 | about 1924 | c. 1924
around 1924 | 1924~ | 1922-01-01 | 1926-12-31 | about 1924 | c. 1924
~1924 | 1924~ | 1922-01-01 | 1926-12-31 | about 1924 | c. 1924
1924~ | 1924~ | 1922-01-01 | 1926-12-31 | about 1924 | c. 1924
1924? | 1924? | 1922-01-01 | 1926-12-31 | perhaps 1924 | 1924?
c. 1924? | 1924% | 1920-01-01 | 1928-12-31 | perhaps about 1924 | c. 1924?
c. 1920 | 1920~ | 1915-01-01 | 1925-12-31 | about 1920 | c. 1920
c. 1900 | 1900~ | 1890-01-01 | 1910-12-31 | about 1900 | c. 1900
c.480 BC | -0479~ | -0489-01-01 | -0469-12-31 | about 480 BC | c. 480 BC
c. 44 BC | -0043~ | -0048-01-01 | -0038-12-31 | about 44 BC | c. 44 BC
c. 1600 BC | -1599~ | -1649-01-01 | -1549-12-31 | about 1600 BC | c. 1600 BC
c. 3000 BC | -2999~ | -3099-01-01 | -2899-12-31 | about 3000 BC | c. 3000 BC
c. 66,000,000 BC | Y-65999999~ | -66659999-01-01 | -65339999-12-31 | about 66,000,000 BC | c. 66,000,000 BC
c. November 1972 | 1972-11~ | 1972-10-01 | 1972-12-31 | about November 1972 | c. Nov 1972
about 21 March 1921 | 1921-03-21~ | 1921-03-14 | 1921-03-28 | about 21 March 1921 | c. 21 Mar 1921
about spring 1936 | 1936-21~ | 1936-02-01 | 1936-06-30 | about spring 1936 | c. spring 1936
c. 1920s | 192X~ | 1915-01-01 | 1934-12-31 | about the 1920s | c. 1920s
c. 15th century | 1401~/1500~ | 1376-01-01 | 1525-12-31 | about the 15th century | c. 15th c.
1936-39 | 1936/1939 | 1936-01-01 | 1939-12-31 | between 1936 and 1939 | 1936–39
1936–1939 | 1936/1939 | 1936-01-01 | 1939-12-31 | between 1936 and 1939 | 1936–39
1936-9 | 1936/1939 | 1936-01-01 | 1939-12-31 | between 1936 and 1939 | 1936–39
1936/39 | 1936/1939 | 1936-01-01 | 1939-12-31 | between 1936 and 1939 | 1936–39
1936/1939 | 1936/1939 | 1936-01-01 | 1939-12-31 | between 1936 and 1939 | 1936–39
1936 to 1939 | 1936/1939 | 1936-01-01 | 1939-12-31 | between 1936 and 1939 | 1936–39
from 1936 until 1939 | 1936/1939 | 1936-01-01 | 1939-12-31 | between 1936 and 1939 | 1936–39
between 1936 and 1939 | 1936/1939 | 1936-01-01 | 1939-12-31 | between 1936 and 1939 | 1936–39
1898–1903 | 1898/1903 | 1898-01-01 | 1903-12-31 | between 1898 and 1903 | 1898–1903
536–541 | 0536/0541 | 0536-01-01 | 0541-12-31 | between 536 and 541 | 536–541
1918-21 | 1918/1921 | 1918-01-01 | 1921-12-31 | between 1918 and 1921 | 1918–21
1904–05 | 1904/1905 | 1904-01-01 | 1905-12-31 | between 1904 and 1905 | 1904–05
c. 1936–39 | 1936~/1939~ | 1934-01-01 | 1941-12-31 | between about 1936 and about 1939 | c. 1936–39
1936–39? | 1936?/1939? | 1934-01-01 | 1941-12-31 | between perhaps 1936 and perhaps 1939 | 1936–39?
between about 1936 and 1939 | 1936~/1939 | 1934-01-01 | 1939-12-31 | between about 1936 and 1939 | c. 1936 – 1939
480-479 BC | -0479/-0478 | -0479-01-01 | -0478-12-31 | between 480 and 479 BC | 480–479 BC
100–44 BC | -0099/-0043 | -0099-01-01 | -0043-12-31 | between 100 and 44 BC | 100–44 BC
44 BC - AD 14 | -0043/0014 | -0043-01-01 | 0014-12-31 | between 44 BC and AD 14 | 44 BC – AD 14
480 BC – 479 AD | -0479/0479 | -0479-01-01 | 0479-12-31 | between 480 BC and AD 479 | 480 BC – AD 479
AD 30–33 | 0030/0033 | 0030-01-01 | 0033-12-31 | between AD 30 and AD 33 | AD 30–33
98–117 | 0098/0117 | 0098-01-01 | 0117-12-31 | between AD 98 and 117 | AD 98–117
July 1936 - March 1939 | 1936-07/1939-03 | 1936-07-01 | 1939-03-31 | between July 1936 and March 1939 | Jul 1936 – Mar 1939
1936-07/1939 | 1936-07/1939 | 1936-07-01 | 1939-12-31 | between July 1936 and 1939 | Jul 1936 – 1939
July–September 1936 | 1936-07/1936-09 | 1936-07-01 | 1936-09-30 | between July 1936 and September 1936 | Jul–Sep 1936
15–17 March 44 BC | -0043-03-15/-0043-03-17 | -0043-03-15 | -0043-03-17 | between 15 March 44 BC and 17 March 44 BC | 15–17 Mar 44 BC
March 15–17, 1921 | 1921-03-15/1921-03-17 | 1921-03-15 | 1921-03-17 | between 15 March 1921 and 17 March 1921 | 15–17 Mar 1921
28 July – 4 August 1914 | 1914-07-28/1914-08-04 | 1914-07-28 | 1914-08-04 | between 28 July 1914 and 4 August 1914 | 28 Jul – 4 Aug 1914
spring 1936 – autumn 1937 | 1936-03/1937-11 | 1936-03-01 | 1937-11-30 | between March 1936 and November 1937 | Mar 1936 – Nov 1937
1920s–30s | 1920/1939 | 1920-01-01 | 1939-12-31 | between 1920 and 1939 | 1920–39
5th–4th century BC | -0499/-0300 | -0499-01-01 | -0300-12-31 | between 500 and 301 BC | 500–301 BC
March 1921 | 1921-03 | 1921-03-01 | 1921-03-31 | March 1921 | Mar 1921
03/1921 | 1921-03 | 1921-03-01 | 1921-03-31 | March 1921 | Mar 1921
1921-03 | 1921-03 | 1921-03-01 | 1921-03-31 | March 1921 | Mar 1921
March 44 BC | -0043-03 | -0043-03-01 | -0043-03-31 | March 44 BC | Mar 44 BC
February 5 BC | -0004-02 | -0004-02-01 | -0004-02-29 | February 5 BC | Feb 5 BC
21 March 1921 | 1921-03-21 | 1921-03-21 | 1921-03-21 | 21 March 1921 | 21 Mar 1921
the 21st of March, 1921 | 1921-03-21 | 1921-03-21 | 1921-03-21 | 21 March 1921 | 21 Mar 1921
March 21, 1921 | 1921-03-21 | 1921-03-21 | 1921-03-21 | 21 March 1921 | 21 Mar 1921
21-Mar-1921 | 1921-03-21 | 1921-03-21 | 1921-03-21 | 21 March 1921 | 21 Mar 1921
1921-03-21 | 1921-03-21 | 1921-03-21 | 1921-03-21 | 21 March 1921 | 21 Mar 1921
21.3.1921 | 1921-03-21 | 1921-03-21 | 1921-03-21 | 21 March 1921 | 21 Mar 1921
3/21/1921 | 1921-03-21 | 1921-03-21 | 1921-03-21 | 21 March 1921 | 21 Mar 1921
3.3.1921 | 1921-03-03 | 1921-03-03 | 1921-03-03 | 3 March 1921 | 3 Mar 1921
15 March 44 BC | -0043-03-15 | -0043-03-15 | -0043-03-15 | 15 March 44 BC | 15 Mar 44 BC
March 15, 44 BC | -0043-03-15 | -0043-03-15 | -0043-03-15 | 15 March 44 BC | 15 Mar 44 BC
-0043-03-15 | -0043-03-15 | -0043-03-15 | -0043-03-15 | 15 March 44 BC | 15 Mar 44 BC
spring 1936 | 1936-21 | 1936-03-01 | 1936-05-31 | spring 1936 | spring 1936
in the summer of 480 BC | -0479-22 | -0479-06-01 | -0479-08-31 | summer 480 BC | summer 480 BC
fall 1918 | 1918-23 | 1918-09-01 | 1918-11-30 | autumn 1918 | autumn 1918
winter 1941 | 1941-24 | 1941-12-01 | 1942-02-28 | winter 1941–42 | winter 1941–42
winter of 1941/42 | 1941-24 | 1941-12-01 | 1942-02-28 | winter 1941–42 | winter 1941–42
winter 218–217 BC | -0217-24 | -0217-12-01 | -0216-02-29 | winter 218–217 BC | winter 218–217 BC
winter 1 BC | 0000-24 | 0000-12-01 | 0001-02-28 | winter 1 BC – AD 1 | winter 1 BC – AD 1
1936-21 | 1936-21 | 1936-03-01 | 1936-05-31 | spring 1936 | spring 1936
1920s | 192X | 1920-01-01 | 1929-12-31 | 1920s | 1920s
192X | 192X | 1920-01-01 | 1929-12-31 | 1920s | 1920s
the early 1920s | 1920/1923~ | 1920-01-01 | 1923-12-31 | early 1920s | early 1920s
mid-1920s | 1924~/1926~ | 1924-01-01 | 1926-12-31 | mid-1920s | mid-1920s
late 1920s | 1927~/1929 | 1927-01-01 | 1929-12-31 | late 1920s | late 1920s
the 480s BC | -0488/-0479 | -0488-01-01 | -0479-12-31 | 480s BC | 480s BC
AD 40s | 004X | 0040-01-01 | 0049-12-31 | AD 40s | AD 40s
15th century | 1401/1500 | 1401-01-01 | 1500-12-31 | 15th century | 15th c.
the fifteenth century | 1401/1500 | 1401-01-01 | 1500-12-31 | 15th century | 15th c.
late 15th century | 1467~/1500 | 1467-01-01 | 1500-12-31 | late 15th century | late 15th c.
late in the 15th century | 1467~/1500 | 1467-01-01 | 1500-12-31 | late 15th century | late 15th c.
about the late 15th century | 1467~/1500 | 1467-01-01 | 1500-12-31 | late 15th century | late 15th c.
mid-15th c. | 1434~/1466~ | 1434-01-01 | 1466-12-31 | mid-15th century | mid-15th c.
late 15th century? | 1467%/1500? | 1442-01-01 | 1525-12-31 | perhaps late 15th century | late 15th c.?
5th century BC | -0499/-0400 | -0499-01-01 | -0400-12-31 | 5th century BC | 5th c. BC
-04XX | -0499/-0400 | -0499-01-01 | -0400-12-31 | 5th century BC | 5th c. BC
1st century | 0001/0100 | 0001-01-01 | 0100-12-31 | 1st century | 1st c.
early 5th c. BCE | -0499/-0467~ | -0499-01-01 | -0467-12-31 | early 5th century BC | early 5th c. BC
the 1800s | 18XX | 1800-01-01 | 1899-12-31 | 1800s | 1800s
19XX | 19XX | 1900-01-01 | 1999-12-31 | 1900s | 1900s
2nd millennium BC | -1999/-1000 | -1999-01-01 | -1000-12-31 | 2nd millennium BC | 2nd mill. BC
second half of the 1930s | 1935/1939 | 1935-01-01 | 1939-12-31 | between 1935 and 1939 | 1935–39
the end of 1941 | 1941-09~/1941-12 | 1941-09-01 | 1941-12-31 | late 1941 | late 1941
mid-July 1936 | 1936-07-11~/1936-07-20~ | 1936-07-11 | 1936-07-20 | mid-July 1936 | mid-Jul 1936
early spring 1936 | 1936-03~ | 1936-02-01 | 1936-04-30 | about March 1936 | c. Mar 1936
before 3500 BC | ../-3499 | .. | -3499-12-31 | before 3500 BC | before 3500 BC
before c. 3500 BC | ../-3499~ | .. | -3449-12-31 | before about 3500 BC | before c. 3500 BC
until March 1921 | /1921-03 | .. | 1921-03-31 | until March 1921 | until Mar 1921
before the 1920s | /1919 | .. | 1919-12-31 | until 1919 | until 1919
before spring 1936 | /1936-02 | .. | 1936-02-29 | until February 1936 | until Feb 1936
before early March 1920 | /1920-02-29 | .. | 1920-02-29 | until 29 February 1920 | until 29 Feb 1920
after 1945 | 1945/.. | 1945-01-01 | .. | after 1945 | after 1945
1945/.. | 1945/.. | 1945-01-01 | .. | after 1945 | after 1945
since 1945 | 1945/ | 1945-01-01 | .. | since 1945 | since 1945
1945 or later | 1945/ | 1945-01-01 | .. | since 1945 | since 1945
after the 15th century | 1501/ | 1501-01-01 | .. | since 1501 | since 1501
after winter 1936 | 1937-03/ | 1937-03-01 | .. | since March 1937 | since Mar 1937
"""  # noqa: E501
ROWS = [tuple(part.strip() for part in row.split(" | ")) for row in TABLE.strip().splitlines()]

# typed | what the refusal says of it
REFUSED = """
nonsense | No year found
the year of the three emperors | No year found in “the year of the three emperors”
spring | No year found
17th of May | No year found
March 21 | “21” alone is no year
36 | write AD 36, 36 BC
1066 and all that | cannot be read
in 1924 the revolution | cannot be read
10,000 years ago | cannot be read
-0000 | cannot be read
201X-05 | Try 1888
1936.5 | Try 1888
1900-02-29 | February 1900 has no day 29
29 February 1900 | February 1900 has no day 29
30 February | “30” alone is no year
30 February 1921 | February 1921 has no day 30
31/4/1921 | April 1921 has no day 31
29 February 4 BC | February 4 BC has no day 29
1921-13-01 | There is no “1921-13-01”
13/13/1921 | There is no month 13
1921-13 | backwards
1921-24-01 | There is no
0 BC | There is no year 0
year 0 | There is no year 0
AD 0 | There is no year 0
0s BC | No year found
00s BC | There is no year 0
0th century | counted from the 1st
AD 44 BC | not both
1939-1936 | 1939 to 1936 runs backwards
479-480 BC | 479 to 480 BC runs backwards
1936-07-18/1936-07-17 | runs backwards
1924 1936 | more than one date
1924, 1936 | more than one date
1924 and 1936 | more than one date
20s | Which century’s 20s
19245 | Is “19245” a year?
March 12,000 BC | stands alone
9,999,999,999 BC | at most nine digits
9999999th millennium | at most nine digits
turn of the 20th century | first years or its last
3/4/1921 | “3/4/1921” can mean 3 April 1921 or 4 March 1921
3.4.1921 | can mean 3 April 1921 or 4 March 1921
3-4-44 BC | can mean 3 April 44 BC or 4 March 44 BC
1904-05 | can mean between 1904 and 1905 or May 1904
1936-07-1939 | can mean between 1936 and July 1939 or between July 1936 and 1939
the 2000s | can mean between 2000 and 2009 or between 2000 and 2099
-480 | can mean 480 BC or 481 BC
44 BC – 14 | can mean between 44 and 14 BC or between 44 BC and AD 14
149–46 BC | can mean between 149 and 46 BC or between 149 and 146 BC
"""
REFUSALS = [
    ("", "No date is given"),
    (" \t\n\u200b", "No date is given"),
    ("19\x0024", "cannot be printed"),
    ("\ud800 1924", "cannot be printed"),
    *(tuple(row.split(" | ")) for row in REFUSED.strip().splitlines()),
]


def counted(written):
    """The number of a day, by the standard library alone: eras of 400 years shift any year in."""
    sign, year, month, in_month = re.fullmatch(r"(-?)(\d+)-(\d\d)-(\d\d)", written).groups()
    eras, year = divmod(int(sign + year) - 1, 400)
    return date(year + 1, int(month), int(in_month)).toordinal() + eras * 146_097


def is_edtf_level_1(text):
    """The grammar of level 1 without times of day, as the Library of Congress describes it."""
    ends = text.split("/")
    if len(ends) == 2:
        bare = [each for each in ends if each in ("", "..")]
        return len(bare) < 2 and all(each in bare or _is_date(each, False) for each in ends)
    return len(ends) == 1 and _is_date(text, True)


def _is_date(text, alone):
    text = text[:-1] if text[-1:] in ("?", "~", "%") else text
    if text.startswith("Y"):
        digits = text[1:].removeprefix("-")
        return digits.isascii() and digits.isdigit() and len(digits) > 4 and digits[0] != "0"
    sign, text = ("-", text[1:]) if text.startswith("-") else ("", text)
    year, *rest = text.split("-")
    if len(year) != 4 or sign + year == "-0000":
        return False
    if year.endswith("X"):
        return alone and not rest and year.rstrip("X").isdigit() and year.count("X") <= 2
    if not all(each.isascii() and each.isdigit() for each in (year, *rest)) or len(rest) > 2:
        return False
    if any(len(each) != 2 for each in rest):
        return False
    numbers = [int(each) for each in rest]
    if len(numbers) == 2:
        # A year of the same kind that the calendar module knows.
        like = 2000 + int(sign + year) % 400
        return 1 <= numbers[0] <= 12 and 1 <= numbers[1] <= monthrange(like, numbers[0])[1]
    months = [*range(1, 13), *([21, 22, 23, 24] if alone else [])]
    return not numbers or numbers[0] in months


def steady(found):
    """What holds for every date that was read."""
    assert is_edtf_level_1(found.edtf), found.edtf
    assert EARLIEST <= found.first <= found.last <= LATEST
    assert parse(found.edtf) == found
    assert read(spoken(found.edtf)) == found
    assert short(found.edtf)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_typed_dates(row):
    typed, edtf, first, last, in_words, in_short = row
    found = read(typed)
    assert found == HistoryDate(
        edtf,
        EARLIEST if first == ".." else counted(first),
        LATEST if last == ".." else counted(last),
    )
    assert (spoken(edtf), short(edtf)) == (in_words, in_short)
    steady(found)


def test_the_table_is_as_long_as_it_claims():
    assert len({typed for typed, *_ in ROWS}) == len(ROWS) >= 70
    assert len(dict(REFUSALS)) >= 20


@pytest.mark.parametrize(("typed", "says"), REFUSALS)
def test_refusals(typed, says):
    with pytest.raises(NotADate) as refusal:
        read(typed)
    assert says in str(refusal.value)
    assert "\0" not in str(refusal.value)


def test_refusals_name_examples_that_can_be_read():
    with pytest.raises(NotADate) as refusal:
        read("nonsense")
    examples = str(refusal.value).partition("Try ")[2].removesuffix(".").split(", ")
    assert len(examples) == 5
    for each in examples:
        read(each)


@pytest.mark.parametrize(
    "typed",
    ["3/4/1921", "1904-05", "the 2000s", "-480", "44 BC – 14", "149–46 BC", "480 BC to 479"],
)
def test_each_of_two_readings_can_be_typed(typed):
    with pytest.raises(NotADate) as refusal:
        read(typed)
    named = re.search(r"can mean (.+)\. Type", str(refusal.value))[1].split(" or ")
    assert len({read(each) for each in named}) == 2


def test_length():
    assert read("1924" + " " * 96).edtf == "1924"
    for text in ("1924" + " " * 97, "1" * 101, "ﷺ" * 100):
        with pytest.raises(NotADate, match="at most 100 characters"):
            read(text)


def test_invisible_characters_are_passed_over():
    assert read("\u200e1936\u200f–\u206039\u00ad").edtf == "1936/1939"


def test_order():
    """Dates in the order of a list: by their first day, then by their last."""
    typed = """
    before 3500 BC | c. 66,000,000 BC | 12,000 BC | 10,000 BC | 3rd millennium BC | c. 1600 BC
    c. 1180 BC | 5th century BC | early 480s BC | 480 BC | 480-479 BC | summer 480 BC | March 44 BC
    15 March 44 BC | 16 March 44 BC | 1 BC | December 1 BC | winter 1 BC | AD 1
    1 January AD 2 | AD 9 | 536–541 | 1066 | 15th century | late 15th century | the 1800s | 1848–49
    early 1920s | 1920s | c. 1924 | 1924 | 1936-39 | spring 1936 | July 1936 | 1962 | AD 12,000
    """
    typed = [each.strip() for line in typed.strip().splitlines() for each in line.split("|")]
    dates = [read(each) for each in typed]
    assert sorted(dates, key=lambda found: (found.first, found.last)) == dates


def test_days_as_the_standard_library_counts_them():
    for number in [1, date.max.toordinal(), *random.Random(7).sample(range(1, 3_652_059), 5_000)]:
        known = date.fromordinal(number)
        assert day(known.year, known.month, known.day) == number
        assert year_of(number) == known.year


def test_days_before_the_first_of_january_1():
    """Counted one by one, backwards: year after year, month after month."""
    number = 0
    for year in range(0, -1300, -1):
        leap = isleap(year)
        lengths = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        for month in range(12, 0, -1):
            for in_month in range(lengths[month - 1], 0, -1):
                assert day(year, month, in_month) == number
                assert year_of(number) == year
                number -= 1


@given(st.integers(-(10**9), 10**9), st.integers(1, 12), st.integers(1, 28))
def test_days_of_any_year(year, month, in_month):
    number = day(year, month, in_month)
    assert number == counted(f"{year}-{month:02}-{in_month:02}")
    assert year_of(number) == year


@pytest.mark.parametrize("wrong", [(1900, 2, 29), (-3, 2, 29), (1921, 13, 1), (1921, 4, 0)])
def test_days_that_are_none(wrong):
    with pytest.raises(NotADate):
        day(*wrong)


def test_bounds_are_not_mistaken_for_days():
    assert day(-999_999_999, 1, 1) > EARLIEST
    assert day(999_999_999, 12, 31) < LATEST
    steady(read("c. 999,999,999 BC"))


@pytest.mark.parametrize(
    ("edtf", "again"),
    [
        ("1920/1929", "192X"),
        ("190X", "190X"),
        ("000X", "0000/0009"),
        ("-049X", "-0499/-0490"),
        ("2004-XX", "2004"),
        ("2004-XX-XX", "2004"),
        ("2004-07-XX", "2004-07"),
        ("1904-05", "1904-05"),
        ("1918-21", "1918-21"),
        ("1936/1936", "1936"),
        ("Y-10000/-0043-03-15~", "Y-10000/-0043-03-15~"),
        ("192X?", "192X?"),
        ("Y-99999999/Y-99999900", "Y-99999999/Y-99999900"),
    ],
)
def test_edtf_of_level_1(edtf, again):
    found = parse(edtf)
    assert found.edtf == again
    steady(found)


@pytest.mark.parametrize(
    "text",
    """
    1924~~ 24 19245 Y1924 Y01924 1XXX XXXX 1924-1 1924-3-4 1924-25 1924-00 1924-01-00 1924-02-30
    -0000 /.. ../.. / 1924/1923 1924-21/1925 192X/193X 1924/1925/1926 {1924,1925} 1924?-03 ~1924
    1924-XX-01 1924-13-XX 1924-03-01T12:00 c.1924 １９２４ 1924\n Y-10000-03 unknown/1924
    """.split(" "),
)
def test_what_is_not_edtf_of_level_1(text):
    if text.strip() == text:
        assert not text or not is_edtf_level_1(text) or text == "1924/1923"
    with pytest.raises(NotADate):
        parse(text)


def test_every_name_of_a_period_is_read_back():
    """Parts and wholes of decades, centuries, millennia, years and months, with every doubt."""
    names = [
        *(f"{number}s{era}" for era in ("", " BC") for number in (110, 1100, 1920, 1900, 9990)),
        *(f"{number}s{era}" for era in (" BC", " AD") for number in (10, 90)),
        *(f"{number} century{era}" for era in ("", " BC") for number in ("1st", "3rd", "20th")),
        *(f"{number} millennium{era}" for era in ("", " BC") for number in ("1st", "2nd")),
        *("1924", "44 BC", "AD 9", "February 1924", "March 44 BC"),
    ]
    seen = {}
    for name in names:
        for part in ("", "early ", "mid-", "late "):
            for doubt in ("", "c. ", "perhaps "):
                found = read(doubt + part + name)
                steady(found)
                if not (part and doubt == "c. "):
                    assert found.edtf not in seen, (doubt + part + name, seen[found.edtf])
                    seen[found.edtf] = doubt + part + name
                    if part:
                        assert part.strip() in spoken(found.edtf)
        whole, *parts = (read(part + name) for part in ("", "early ", "mid-", "late "))
        assert parts[0].first == whole.first
        assert parts[2].last == whole.last
        assert [each.last + 1 for each in parts[:2]] == [each.first for each in parts[1:]]


def test_doubt_widens_to_both_sides():
    for name in ("1924", "480 BC", "March 44 BC", "15 March 44 BC", "spring 1936", "1920s", "5 BC"):
        sure, about, both = (read(each) for each in (name, f"c. {name}", f"c. {name}?"))
        assert both.first < about.first < sure.first
        assert sure.last < about.last < both.last


# Pieces of dates in any order: mostly nonsense, often nearly a date.
PIECES = st.lists(
    st.sampled_from(
        """1924 1936 44 3 12 0 21 480 0043 9999 12,000 X 192X 19XX Y-10000 BC AD B.C.E. BCE c. ca. ~
        ? % about perhaps - – / . .. , : to and between from before after until since or later the
        of in early mid late 1st half 2nd 15th 5th century centuries millennium 1920s 480s 's March
        jan Sept. may spring winter fall turn ' ( ) \0 １９ ٣ Ⅻ ² ½ \u200f \ud800 İ ﬁ""".split()
    ),
    max_size=14,
).flatmap(lambda pieces: st.sampled_from(["", " ", " "]).map(lambda glue: glue.join(pieces)))


@settings(max_examples=600, deadline=None)
@given(st.one_of(PIECES, st.text(max_size=110)))
@example("0000")
@example("9999 winter")
@example("winter 9999")
@example("before 999,999,999 BC")
def test_read_finds_a_steady_date_or_says_why_not(text):
    try:
        found = read(text)
    except NotADate as refusal:
        assert str(refusal).endswith(".")
        return
    steady(found)


YEARS = st.one_of(
    st.integers(-9999, 9999), st.integers(-120, 120), st.integers(-999_999_998, 999_999_999)
)


@st.composite
def edtf_ends(draw, alone=False):
    year = draw(YEARS)
    text = f"Y{year}" if abs(year) > 9999 else f"{'-' * (year < 0)}{abs(year):04}"
    if abs(year) <= 9999:
        month = draw(st.integers(0, 12))
        text += f"-{month:02}" if month else ""
        text += f"-{draw(st.integers(1, 28)):02}" if month and draw(st.booleans()) else ""
        if alone and not month:
            text += draw(st.sampled_from(["", "-21", "-22", "-23", "-24"]))
    return text + draw(st.sampled_from(["", "", "~", "?", "%"]))


EDTF = st.one_of(
    edtf_ends(alone=True),
    st.tuples(edtf_ends(), edtf_ends()).map("/".join),
    edtf_ends().flatmap(
        lambda end: st.sampled_from([f"../{end}", f"/{end}", f"{end}/", f"{end}/.."])
    ),
    st.from_regex(r"\A-?(\d{3}X|\d\dXX)[~?%]?\Z").filter(str.isascii),
)


@settings(max_examples=600 if os.environ.get("JONBAR_LONG") == "1" else 150, deadline=None)
@given(EDTF)
@example("1918-21")
@example("1904-05?")
@example("9999-24")
@example("-9999-24~")
@example("-0148/-0045")
@example("-0001/0005")
@example("0099-12/0100-01~")
@example("1467~/1500")
def test_all_edtf_is_spoken_and_read_back(edtf):
    assert is_edtf_level_1(edtf)
    try:
        found = parse(edtf)
    except NotADate as refusal:
        assert "backwards" in str(refusal)
        return
    steady(found)
