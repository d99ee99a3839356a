"""Finds words in all their spellings, and blackens them. No database.

The same words may be typed in other cases and forms of the same letters (NFKD), with soft hyphens
or zero-width characters in between, as percent signs of an address, as character references, or
with signs of markup or an address between them ("Anna Example", "anna-example", "Anna%20Example").
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from urllib.parse import unquote

BLACK = "█"
# Letters of a phrase that stands for no other words when it is written as one.
JOINED = 10
# Runs of words that somebody does not write twice by chance.
RUN = 6
SHORT = 3  # words of a sentence in a quote
# What a database cannot see through, as a class of its own regular expressions: every text that
# holds one of these is looked at here. JSON may be stored with its letters escaped.
VEILED = (
    "[%&\\\\\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uff01-\uffee\u0300-\u036f]"
)
_ESCAPED = re.compile(r"(?:%[0-9A-Fa-f]{2})+|&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]\w{1,30});")
_TOKEN = re.compile(rf"{BLACK}+|\w+")
_STOP = re.compile(r"[.!?…\n]+")
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
_WORD = re.compile(r"\w+")
# Between two words of a phrase: signs and blanks, or the rest of a link. Within one: markup.
_BETWEEN = r"(?:\]\([^)\s]{0,300}\)|[\W_])"
_WITHIN = r"[*_~`|\\]{0,4}"
QUOTED = re.compile(r"^[ \t]*>.*$|\[quote\b.*?(?:\[/quote\]|\Z)", re.MULTILINE | re.DOTALL | re.I)
ATTRIBUTION = re.compile(r"\[/?quote\b[^\]]*\]?", re.I)


def pattern(phrases: Iterable[str]) -> re.Pattern:
    """What finds these phrases in a folded text (`holds`, `blackened`)."""
    found = set()
    for phrase in phrases:
        words = _WORD.findall(_fold(phrase)[0])
        least = 0 if sum(map(len, words)) >= JOINED else 1
        if words:
            between = _BETWEEN + f"{{{least},9}}"
            found.add(between.join(_WITHIN.join(map(re.escape, word)) for word in words))
    return re.compile("|".join(sorted(found, key=len, reverse=True)) or r"(?!)")


def holds(text: str, searched: re.Pattern) -> bool:
    """Whether the text holds what `pattern` made this of, in whatever spelling."""
    return bool(searched.search(_fold(text)[0]))


def blackened(text: str, searched: re.Pattern) -> str:
    """The text with these words blackened: each letter and digit, nothing else; of what is written
    as an escape, the whole of it."""
    folded, spans = _fold(text)
    out = None
    for match in searched.finditer(folded):
        out = out or list(text)
        for at in range(match.start(), match.end()):
            start, end = (at, at + 1) if spans is None else spans[at]
            if unicodedata.category(folded[at])[0] in "LMN":
                out[start:end] = [BLACK] + [""] * (end - start - 1)
    return "".join(out) if out else text


def all_black(text: str) -> str:
    """The text with every letter and digit blackened."""
    return _WORD.sub(lambda word: BLACK * len(word[0]), text)


def blackened_as(typed: str, erased: str) -> str:
    """A text that somebody goes on typing, made of one that was erased meanwhile: what is black in
    `erased` is blackened in it, also where it was moved. What else was typed stays."""
    if BLACK not in erased:
        return typed
    places = list(_TOKEN.finditer(typed))
    mine, theirs = [one[0] for one in places], _TOKEN.findall(erased)
    hidden: set[int] = set()
    loose: set[int] = set()
    unmatched: list[list[str]] = []
    for how, a, b, c, d in SequenceMatcher(None, mine, theirs).get_opcodes():
        runs_of_black = [list(run) for black, run in groupby(theirs[c:d], _is_black) if black]
        if how == "replace" and runs_of_black:
            theirs_alone = len(runs_of_black) == 1 and len(runs_of_black[0]) == d - c
            found = _of_sizes(mine[a:b], runs_of_black[0]) if theirs_alone else []
            # Beside words as long as those that were erased, all else was typed anew.
            hidden.update(a + n for n in found or range(b - a))
        elif how in ("replace", "delete"):
            loose.update(range(a, b))
        elif how == "insert":
            unmatched += runs_of_black
    for run in unmatched:
        hidden.update({*_of_sizes(mine, run)} & loose)
    phrases = [
        " ".join(mine[n] for _, n in run)
        for _, run in groupby(enumerate(sorted(hidden)), lambda pair: pair[1] - pair[0])
    ]
    return blackened(typed, pattern(phrases)) if phrases else typed


def black_where(quoted: str, erased: str) -> str:
    """Words that somebody took from a text before it was erased, with what is black in that
    blackened; as they are, if the text does not hold them one after the other."""
    mine, theirs = list(_TOKEN.finditer(quoted)), _TOKEN.findall(erased)
    sizes = "".join(chr(len(one[0])) for one in mine)
    all_sizes = "".join(chr(len(one)) for one in theirs)
    at = all_sizes.find(sizes) if sizes else -1
    while at >= 0:
        there = theirs[at : at + len(mine)]
        pairs = list(zip(mine, there, strict=True))
        if BLACK in "".join(there) and all(
            _is_black(other) or one[0].casefold() == other.casefold() for one, other in pairs
        ):
            out = list(quoted)
            for one, other in pairs:
                if _is_black(other):
                    out[one.start() : one.end()] = BLACK * len(one[0])
            return "".join(out)
        at = all_sizes.find(sizes, at + 1)
    return quoted


def _of_sizes(words: Sequence[str], run: Sequence[str]) -> list[int]:
    """Where words stand that are, one after the other, as long as those of `run`."""
    sizes, wanted = [len(one) for one in words], [len(one) for one in run]
    starts = range(len(words) - len(run) + 1)
    found = [at for at in starts if sizes[at : at + len(run)] == wanted]
    return [n for at in found for n in range(at, at + len(run))]


def _is_black(token: str) -> bool:
    return token[0] == BLACK


def words_of(text: str) -> list[str]:
    """The words of a text, folded, in order."""
    return _WORD.findall(_fold(text)[0])


def runs(text: str) -> set[tuple[str, ...]]:
    """Every run of RUN words of a text."""
    words = words_of(text)
    return {tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1)}


def sentences_within(text: str, known: Sequence[list[str]]) -> list[str]:
    """The sentences of a text, of at least SHORT words, that stand in one of the `known` texts
    (`words_of`) word for word."""
    texts = [f" {' '.join(words)} " for words in known]
    said = [words_of(sentence) for sentence in _STOP.split(text)]
    told = [" ".join(words) for words in said if len(words) >= SHORT]
    return [one for one in told if any(f" {one} " in text for text in texts)]


def quoted_in(source: str) -> str:
    """What a source in Markdown quotes: the lines behind ">" and what stands in quote tags."""
    return "\n".join(ATTRIBUTION.sub(" ", part) for part in QUOTED.findall(source))


def _fold(text: str) -> tuple[str, Sequence[tuple[int, int]] | None]:
    """The text without case, veils and escapes, and where each of its characters stands in the
    text; None: at the same place."""
    if text.isascii() and "%" not in text and "&" not in text:
        return text.lower(), None
    folded: list[str] = []
    spans: list[tuple[int, int]] = []
    at = 0
    for match in _ESCAPED.finditer(text):
        _take(folded, spans, ((c, n, n + 1) for n, c in enumerate(text[at : match.start()], at)))
        _take(folded, spans, _unescaped(match))
        at = match.end()
    _take(folded, spans, ((c, n, n + 1) for n, c in enumerate(text[at:], at)))
    return "".join(folded), spans


def _take(folded: list[str], spans: list[tuple[int, int]], signs) -> None:
    for sign, start, end in signs:
        if sign in _BLANK or unicodedata.category(sign) == "Cf" or "\ufe00" <= sign <= "\ufe0f":
            continue
        for one in unicodedata.normalize("NFKD", sign).casefold():
            folded.append(one)
            spans.append((start, end))


def _unescaped(match: re.Match) -> list[tuple[str, int, int]]:
    """The characters of an escape, each with where it stands."""
    start, end, said = match.start(), match.end(), match[0]
    if said[0] == "&":
        return [(sign, start, end) for sign in html.unescape(said)]
    signs = unquote(said, errors="replace")
    if "\ufffd" in signs:
        return [(sign, n, n + 1) for n, sign in enumerate(said, start)]
    found = []
    for sign in signs:
        end = start + 3 * len(sign.encode())
        found.append((sign, start, end))
        start = end
    return found
