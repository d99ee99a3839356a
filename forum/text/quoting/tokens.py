"""Where a text may be cut: a passage begins and ends between two tokens.

A token is a word, a number with its signs and its unit, or a single mark. The ground is Unicode's
word segmentation (UAX #29): where that has no boundary, there is none here, but beside white space
and after a sentence's stop that lacks its space. What is joined beyond it, and what was decided
about scripts that are written without spaces, stands in docs/decisions/0022.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache

import regex

from .normal_form import normal_form

# A character and the marks and invisible characters attached to it (rule WB4). The zero-width
# space is among them: nobody sees a cut there.
_E = r"[\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}[\p{Cf}--\p{WB=Numeric}]]*+"
_LETTER = r"[\p{WB=ALetter}\p{WB=Hebrew_Letter}]"
_DIGIT = r"[\p{WB=Numeric}\p{No}]"
_TIE = r"[\p{WB=ExtendNumLet}--\s]"
_KATAKANA = r"\p{WB=Katakana}"

# Between two words of letters or digits: hyphens, apostrophes and what is typed for them, a power's
# caret.
_JOINER = (
    r"[\-\u2010\u2011\u00b7\u0387\u055f\u05f4\u2027'\u2018\u2019\uff07\u00b4`\u2032\u2035\uff40\^]"
)
# Between two letters: U.S., example.com. A stop between a word and one with a capital ends a
# sentence whose space was forgotten.
_STOP = r"[.:\u2024\ufe13\ufe52\ufe55\uff0e\uff1a]"
_SENTENCE = rf"(?<={_LETTER}{{2}}){_STOP}(?=\p{{Lu}}\p{{Ll}})"
_LETTERS = (
    rf"(?:{_LETTER}{_E})++(?:(?!{_SENTENCE}){_STOP}{_E}(?:{_LETTER}{_E})++)*+"
    # צה"ל and צ'
    rf"(?:(?<=\p{{WB=Hebrew_Letter}}{_E})(?:[\"']{_E}(?=\p{{WB=Hebrew_Letter}})|'{_E}))?+"
)
# km/h
_PER = r"(?:/(?:h|hr|s|sec|min|d|y|yr|a|l|kg|t|ha|k?m[²³]?)(?![\w/]))?+"

# Between two digits: 12,000 and 3.5 and 10:30 and 5/8.
_IN_NUMBER = r"[\p{WB=MidNum}\p{WB=MidNumLet}.,:/'\uff1a\u066b\ufe13\ufe55]"
_DASH = r"[\-\u2010-\u2015\u2212]"
_MINUS = r"[\-\u2010\u2011\u2013\u2212]"
# -40 and .5; where a word stands before it, it is a dash or a stop.
_SIGN = rf"(?:(?<!{_MINUS}|[\w.])(?:{_MINUS}\.?|\.)|[#§№\p{{Sm}}\p{{Sc}}])"
_OF_NUMBER = r"[%‰‱٪﹪％°′″‴\p{Sm}\p{Sc}]"
_OPERATOR = rf"[*\^∙·⋅{_OF_NUMBER[1:]}"
# 1 000 000, with whatever blank between groups of three.
_GROUPED = r"(?<!\w)\p{Nd}{1,3}+(?:\s\p{Nd}{3}(?!\p{Nd}))++"
_PLAIN = rf"(?:{_GROUPED}|(?:{_DIGIT}{_E})++)(?:{_IN_NUMBER}{_E}(?:{_DIGIT}{_E})++)*+"
_POWER = r"\s?[×∙·⋅*xX]\s?(?=10(?:\^|[⁺⁻]?[⁰¹²³⁴-⁹]))"
_NUMBER = (
    rf"{_PLAIN}(?:(?:{_POWER}|{_DASH}{_E}|(?:{_OPERATOR}{_E})++{_DASH}?+){_PLAIN})*+"
    # 1 ½; 40 % and 40 €; 40°
    rf"(?:\s[\p{{No}}--[\u2460-\u24ff]](?!\w){_E})?+(?:{_OF_NUMBER}{_E})*+"
    rf"(?:\s(?:[%‰‱٪﹪％°℃℉]|\p{{Sc}}(?!\p{{Nd}})){_E})?+"
)
_RUN = (
    rf"(?:{_LETTERS}{_PER}|(?:\p{{Sc}}{_E}){{0,3}}+{_NUMBER}|{_TIE}{_E}(?:{_KATAKANA}{_E})*+"
    rf"|(?:{_KATAKANA}{_E})++(?={_TIE}))"
)
# −$40, $ 40
_SIGNS = rf"(?:(?:{_SIGN}{_E}){{1,4}}+(?:(?<=\p{{Sc}})\s)?+(?={_DIGIT}))"
_WORD = rf"{_SIGNS}?+{_RUN}++(?:{_JOINER}{_E}{_RUN}++)*+"
# Of the scripts without spaces (Thai, Lao, Khmer, Myanmar, …) no more can be told without a
# dictionary than what cannot be parted: a vowel from its consonant, a consonant that is hung below
# another, a mark of repetition.
_ALONE = r"[\p{L}\p{Nl}&&\p{WB=Other}]"
_BEFORE = r"\p{Logical_Order_Exception}"
_AFTER = r"[[\p{InSC=Vowel_Dependent}\p{LB=CJ}\p{Lm}]&&\p{WB=Other}--\p{Logical_Order_Exception}]"
# 々 and ー are letters to Unicode: what goes on with them goes on as a word.
_REPEATED = r"(?=[\u3005\u303b[\p{WB=Katakana}&&[\p{LB=CJ}\p{Lm}]]])"
_SYLLABLE = (
    rf"(?:{_BEFORE}{_E}){{0,2}}{_ALONE}{_E}"
    rf"(?:(?<=\p{{InSC=Invisible_Stacker}}){_ALONE}{_E}|{_AFTER}{_E})*+"
    rf"(?:{_REPEATED}(?:{_WORD}|(?:{_KATAKANA}{_E})++))?+"
)
_TOKEN = regex.compile(
    # Most tokens of most texts by the short way.
    rf"(?:\s|[A-Za-z]++(?=[\s,;!?])|{_WORD}|(?:{_KATAKANA}{_E})++|{_SYLLABLE}|\p{{RI}}{_E}(?<!\u200b)\p{{RI}}{_E}|(?:\.{{2,}}+|.){_E})"
    # An emoji of several, after whatever carries the joiner.
    rf"(?:(?<=\u200d)[^\w\s\p{{RI}}\p{{WB=ALetter}}\p{{WB=Numeric}}]{_E})*+",
    regex.V1 | regex.DOTALL,
)
# A blank that no token holds: those with blanks in them go on with a digit, a sign, or ×.
_BLANK = regex.compile(r"(?r)\s(?=[\p{L}--[xX]])", regex.V1)
# So far back a place to begin is looked for; a longer run is taken apart as a whole, once.
_NEAR = 400
# Marks so far beside a passage may belong to it.
_MARKS = 40


def tokens(text: str) -> list[str]:
    """The tokens of a text, white space included: joined they are the text again."""
    return _TOKEN.findall(text)


@lru_cache(maxsize=4)
def cuts(text: str) -> list[int]:
    """The offsets at which a passage of `text` may begin or end, in order, both ends included."""
    return [0, *(found.end() for found in _TOKEN.finditer(text))]


def may_cut(text: str, at: int) -> bool:
    """Whether a passage of `text` may begin or end at this offset."""
    known = _cuts_around(text, at, at)
    return known[bisect_left(known, at)] == at


def _cuts_around(text: str, start: int, end: int) -> list[int]:
    """Offsets, in order, at which `text` may be cut: all that lie between `start` and `end`, one at
    or before `start`, one at or after `end`."""
    blank = _BLANK.search(text, max(0, start - _NEAR), start)
    if blank is None and start > _NEAR:
        return cuts(text)
    found = [blank.start() if blank else 0]
    for token in _TOKEN.finditer(text, found[0]):
        found.append(token.end())
        if token.end() >= end:
            break
    return found


def in_whole(quoted: str, plain: str, start: int, end: int) -> tuple[int, int]:
    """The span of `plain` drawn out to where it may be cut, and over those marks beside it with
    which the words `quoted` begin and end: a full stop that both hold is no difference."""
    known = _cuts_around(plain, max(0, start - _MARKS), min(len(plain), end + _MARKS))
    first, last = bisect_right(known, start) - 1, bisect_left(known, end)
    own = [normal_form(token) for token in tokens(quoted) if not token.isspace()]
    words = [at for at, token in enumerate(own) if any(map(str.isalnum, token))]
    if words:
        before = _without_blanks(plain, known, range(first - 1, -1, -1))
        after = _without_blanks(plain, known, range(last, len(known) - 1))
        first = _over(own[: words[0]][::-1], before, first)
        last = _over(own[words[-1] + 1 :], after, last - 1) + 1
    return known[first], known[last]


def _without_blanks(
    plain: str, known: list[int], places: Iterable[int]
) -> Iterator[tuple[int, str]]:
    for place in places:
        token = plain[known[place] : known[place + 1]]
        if not token.isspace():
            yield place, normal_form(token)


def _over(marks: list[str], beside: Iterator[tuple[int, str]], edge: int) -> int:
    """The place of the farthest of the tokens beside a span that are these marks, in this order."""
    place, token = next(beside, (edge, ""))
    for mark in marks:
        if mark == token:
            edge = place
            place, token = next(beside, (edge, ""))
    return edge
