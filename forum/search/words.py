"""The words by which texts are found: made here for both databases, so that both find the same.

A word is a run of letters and digits without case, marks and apostrophes, cut to its stem
(Snowball, English). No word is left out, so that phrases stay exact. Chinese, Japanese and the
scripts of Indochina, which part no words, go sign by sign.

Whatever changes what `words` gives needs a higher VERSION: rows say by which they were made, and
`manage.py index_posts` makes those of an older one anew. docs/decisions/ says why the databases'
own analysers are not asked.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple

import regex
import snowballstemmer

VERSION = 1
LONGEST = 40  # letters of a word that count
# A tsvector numbers words up to here, and keeps so many places of one word.
LAST_PLACE = 16_383
PLACES_OF_A_WORD = 255
REMEMBERED = 50_000
GAP = "="  # stands in no word: what lies before and behind it is no phrase

_APART = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_SIGN = rf"[\p{{L}}\p{{N}}\p{{M}}--[{_APART}]]"
_APOSTROPHES = "'’‘ʼʻ＇"
_UNSEEN = "\u00ad\u200c\u200d\u2060"  # soft hyphens, joiners
_WORD = regex.compile(
    rf"(?<!{_SIGN})\p{{L}}(?:\.\p{{L}}(?!{_SIGN}))+"  # U.S.S.R.
    rf"|[{_APART}]\p{{M}}*"
    rf"|{_SIGN}+(?:[{_APOSTROPHES}{_UNSEEN}]+{_SIGN}+)*",
    regex.VERSION1,
)
# The same for what is plain ASCII, three times as fast.
_ASCII_WORD = re.compile(
    r"(?<![a-zA-Z0-9])[a-zA-Z](?:\.[a-zA-Z](?![a-zA-Z0-9]))+|[a-zA-Z0-9]+(?:'+[a-zA-Z0-9]+)*"
)
_DOTTED = re.compile(r"\.[a-zA-Z]")  # in what has none, no U.S.S.R. has to be looked for
_ASCII_RUNS = re.compile(r"[a-zA-Z0-9]+(?:'+[a-zA-Z0-9]+)*")
# Of ASCII, what stands in no word as a blank, and small letters.
_BLANKED = bytes(
    ord(chr(sign).lower()) if sign < 128 and (chr(sign).isalnum() or sign == ord("'")) else 32
    for sign in range(256)
)
_RUN = regex.compile(r"[\p{L}\p{N}\p{M}]+")
_DROPPED = dict.fromkeys(map(ord, "." + _APOSTROPHES + _UNSEEN))
# What Unicode takes for letters of their own.
_LETTERS = str.maketrans(
    {"ł": "l", "đ": "d", "ð": "d", "ø": "o", "ı": "i", "ħ": "h", "ŧ": "t"}
    | {"æ": "ae", "œ": "oe", "þ": "th"}
)
_ENGLISH = regex.compile(r"[a-z]{3,}")
_stemmer = snowballstemmer.stemmer("english")


class Word(NamedTuple):
    """A word as it is looked for, and from where to where it stands in its text."""

    word: str
    start: int
    end: int


def words(text: str, start: int = 0, end: int | None = None) -> Iterator[Word]:
    """The words of a text, or of a part of it, in order. Several may stand in one place: what looks
    like one sign may be read as two words."""
    for found in _words_of(text).finditer(text, start, len(text) if end is None else end):
        for word in _known[found[0]]:
            yield Word(word, found.start(), found.end())


def stems(text: str, start: int = 0, end: int | None = None) -> list[str]:
    """The words of a text, or of a part of it, alone: much faster than with their places."""
    part = text[start:end]
    if part.isascii() and not _DOTTED.search(part):  # a fifth of the time that a pattern takes
        found = part.encode().translate(_BLANKED).decode().split()
        if "'" in part:
            found = [word for one in found if (word := one.strip("'"))]
    else:
        found = _words_of(text).findall(text, start, len(text) if end is None else end)
    return list(chain.from_iterable(map(_known.__getitem__, found)))


def places(text: str, start: int, end: int, first: int, last: int) -> list[tuple[int, int]]:
    """From where to where the words stand from the number `first` (from 0) to the one before
    `last`, of those of a part of a text."""
    signs = _words_of(text).finditer(text, start, end)
    if text.isascii():  # where each run of signs is one word, so that they can be counted off
        return [found.span() for found in islice(signs, first, last)]
    every = (found.span() for found in signs for _ in _known[found[0]])
    return list(islice(every, first, last))


def _words_of(text: str):
    if not text.isascii():
        return _WORD
    return _ASCII_WORD if _DOTTED.search(text) else _ASCII_RUNS


def folded(text: str) -> str:
    """A text's letters and digits without case and marks, in one piece and not cut to a stem: by
    which beginnings of words, and names, are looked for."""
    return "".join(_RUN.findall(_plain(text)))[:LONGEST]


class _Known(dict[str, tuple[str, ...]]):
    """What was typed, and how it is read. `lru_cache` takes twice the time, to know what was asked
    for last."""

    def __missing__(self, typed: str) -> tuple[str, ...]:
        if len(self) >= REMEMBERED:
            self.clear()
        found = self[typed] = _read(typed)
        return found


_known = _Known()


def _read(typed: str) -> tuple[str, ...]:
    bare = typed.casefold()
    if bare.endswith("s") and len(bare) > 1 and bare[-2] in _APOSTROPHES:
        bare = bare[:-2]
    return tuple(_stem(run[:LONGEST]) for run in _RUN.findall(_plain(bare)))


def _plain(text: str) -> str:
    """Without case, marks and apostrophes; digits of all scripts as 0 to 9."""
    text = text.translate(_DROPPED)
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    text = "".join(sign for sign in text if not unicodedata.combining(sign)).translate(_LETTERS)
    text = "".join(str(unicodedata.decimal(sign, sign)) for sign in text)
    return unicodedata.normalize("NFC", text)


def _stem(word: str) -> str:
    return _stemmer.stemWord(word) if _ENGLISH.fullmatch(word) else word


def placed(runs: Iterable[Iterable[str]]) -> list[str]:
    """Runs of words one behind the other, with a GAP between two. What a tsvector cannot hold is
    left out here for both databases: a word behind the last place, but not its being there, and
    the places of one word beyond a certain number."""
    every = [list(run) for run in runs]
    out: list[str] = []
    if sum(len(run) for run in every) <= PLACES_OF_A_WORD:  # then nothing can be too much
        for short in every:
            if out and out[-1] != GAP:
                out.append(GAP)
            out += short
        return out
    seen: dict[str, int] = {}
    beyond: dict[str, None] = {}
    for run in every:
        if out and out[-1] != GAP:
            out.append(GAP)
        for word in run:
            if len(out) >= LAST_PLACE:
                if word not in seen:
                    beyond[word] = None
                continue
            seen[word] = seen.get(word, 0) + 1
            out.append(word if seen[word] <= PLACES_OF_A_WORD else GAP)
    for word in beyond:
        out += (GAP, word)
    return out
