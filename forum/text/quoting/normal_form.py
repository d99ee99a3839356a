"""Words by which texts are found again, and the normal form in which they are compared.

The words of this module are stored, as keys of passages; where a passage may begin and end is not
their matter but that of `tokens`.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain


def _any_of(codes: Sequence[int]) -> str:
    """A regular expression for one of these characters.

    The Basic Multilingual Plane has a class of its own: `re` makes a bitmap of that one alone.
    """
    edges: list[list[int]] = []
    for code in codes:
        if edges and edges[-1][1] == code - 1:
            edges[-1][1] = code
        else:
            edges.append([code, code])
    basic = "".join(f"{chr(a)}-{chr(b)}" for a, b in edges if b < 0x10000)
    other = "".join(f"{chr(a)}-{chr(b)}" for a, b in edges if b >= 0x10000)
    return rf"(?:[{basic}]|(?![\0-\uffff])[{other}])"


# Marks and invisible format characters belong to the character before them (UAX #29, rule WB4).
# The two blocks hold every one that is assigned; scanning all of Unicode would cost 0.1 s.
_BLOCKS = (range(0xAD, 0x1F000), range(0xE0000, 0xE01F0))
_KINDS = {
    code: kind
    for code in chain(*_BLOCKS)
    if (kind := unicodedata.category(chr(code))) in ("Mn", "Mc", "Me", "Cf")
}
_MARK = _any_of([code for code, kind in _KINDS.items() if kind != "Cf"])
_EXTEND = _any_of(list(_KINDS))
# Scripts written without spaces: Thai, Lao, Tibetan, Myanmar, Khmer, kana, Han. Every character
# is a word of its own there; telling real words apart would take a dictionary.
_UNSPACED = (
    r"\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_LETTER = rf"[^\W{_UNSPACED}]"
_WORD = re.compile(
    rf"{_LETTER}++(?:{_EXTEND}++{_LETTER}*+)*+|[{_UNSPACED}]{_EXTEND}*+|{_EXTEND}++{_LETTER}*+"
)
_SIMPLE_WORD = re.compile(r"\w+")
# Holds all of _EXTEND and _UNSPACED; a text without one of these has simple words only.
_NOT_SIMPLE = re.compile(
    r"[\u00ad\u0300-\u036f\u0483-\u0489\u0590-\u1dff\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    r"\u20d0-\u20ff\u2c80-\U0010ffff]"
)
ELLIPSIS = re.compile(r"[\[(]\s*(?:…|\.\s?\.\s?\.)\s*[\])]|…|\.{3,}|(?<!\S)\.\s\.\s\.(?!\S)")
_TOKEN = re.compile(r"\S+")
_MARKS = re.compile(rf"{_MARK}+")
# What may become one character in NFC: marks, and Korean vowels and finals, with what they follow.
_CLUSTER = re.compile(rf"(?s:.)(?:{_MARK}|[\u1160-\u11ff])*")
_EXTENDERS = re.compile(rf"{_EXTEND}+")


def _nfc(token: str) -> str:
    """A text without white space in NFC; as it is where more than 30 marks follow each other.

    No language needs more (UAX #15, stream-safe text), and CPython sorts them in quadratic time.
    """
    if unicodedata.is_normalized("NFC", token):
        return token
    if any(len(marks[0]) > 30 for marks in _MARKS.finditer(token)):
        return token
    return unicodedata.normalize("NFC", token)


@lru_cache(maxsize=32)
def normal_form(text: str) -> str:
    """The form in which texts are compared; see the head of this module."""
    if text.isascii():
        return " ".join(text.split())
    normalized = unicodedata.is_normalized("NFC", text)
    text = " ".join(text.split() if normalized else map(_nfc, text.split()))
    for mark in "\u2018\u2019\u201a\u201b":
        text = text.replace(mark, "'")
    for mark in "\u201c\u201d\u201e\u201f":
        text = text.replace(mark, '"')
    return text


def original_offset(plain: str, at: int) -> int:
    """The offset in `plain` of offset `at` in its normal form."""
    normal = normal_form(plain)
    token = normal.count(" ", 0, at)
    within = at - (normal.rfind(" ", 0, at) + 1)
    rest = plain.split(None, token)
    start = len(plain) - len(rest[token]) if token < len(rest) else len(plain)
    piece = plain[start:].split(None, 1)[0] if start < len(plain) else ""
    if _nfc(piece) == piece:
        return start + within
    for cluster in _CLUSTER.finditer(piece):
        within -= len(unicodedata.normalize("NFC", cluster[0]))
        if within < 0:
            return start + cluster.start()
    return start + len(piece)


def original_offsets(plain: str) -> list[int]:
    """The offset in `plain` of each character of its normal form."""
    found: list[int] = []
    for token in _TOKEN.finditer(plain):
        if found:
            found.append(token.start() - 1)
        if _nfc(token[0]) == token[0]:
            found += range(token.start(), token.end())
        else:
            for cluster in _CLUSTER.finditer(token[0]):
                size = len(unicodedata.normalize("NFC", cluster[0]))
                found += [token.start() + cluster.start()] * size
    return found


def _fold(word: str) -> str:
    """A word without case, accents and invisible characters, for finding what is similar."""
    if word.isascii():
        return word.lower()
    bare = unicodedata.normalize("NFKD", _EXTENDERS.sub("", word))
    return _EXTENDERS.sub("", bare).casefold()


@lru_cache(maxsize=32)
def folded_words(text: str) -> tuple[str, ...]:
    """The words of a text, folded, in order; one entry for each match of its word pattern."""
    if text.isascii():
        return tuple(_SIMPLE_WORD.findall(text.lower()))
    return tuple(map(_fold, word_pattern(text).findall(text)))


def word_pattern(text: str) -> re.Pattern[str]:
    """A pattern of the text's words: where it makes no difference, one five times as fast."""
    return _WORD if _NOT_SIMPLE.search(text) else _SIMPLE_WORD
