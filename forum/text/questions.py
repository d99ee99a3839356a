"""Finding the questions in a text: its sentences that end in a question mark. No database."""

import re
from collections.abc import Sequence

from .markup import SPOILER, passages_without_spoilers

MAX_LENGTH = 500  # a longer one is no question that could stand beside a debate

# A sentence ends at a stop with its closing marks, before white space or at the line's end. A run
# of stops is tried once, from its first: a text of nothing else would take quadratic time.
_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]]*+(?=\s|$)")
_LIST_HEAD = re.compile(r"^(?:[.•*-]|\d+[.)])\s+")
_SHORTENED = set("Mr Mrs Ms Dr Prof St Mt Gen Col Maj Capt Lt Sgt Adm Jr Sr Rev vs etc".split())


def questions_in(plain: str) -> tuple[str, ...]:
    """The sentences of a post's own words that end in "?", verbatim and in order, each once.

    A list line's head (". ", "- ", "1. ") is not part of its sentence.
    """
    found: dict[str, None] = {}
    for line in plain.splitlines():
        start = 0
        line = _LIST_HEAD.sub("", line.strip())
        for end in _END.finditer(line):
            if end[0] == "." and _goes_on(line, end.start()):
                continue
            sentence = line[start : end.end()].strip()
            start = end.end()
            if "?" in end[0] and 1 < len(sentence) <= MAX_LENGTH:
                found[sentence] = None
    return tuple(found)


def open_questions(html: str, *, plain: str, passages: Sequence[Sequence[int]]) -> tuple[str, ...]:
    """The questions in a rendered text, but for those with words under a spoiler: whatever a debate
    asks stands beside its title."""
    shown = passages_without_spoilers(html, plain=plain, passages=passages)
    found = questions_in("\n\n".join(shown))
    return tuple(text for text in found if SPOILER not in text or text in plain)


def _goes_on(line: str, stop: int) -> bool:
    """Whether a full stop ends no sentence but a word: a single letter ("the U.S. Army",
    "c. 1924"), or one that is mostly shortened ("Gen. Franco")."""
    word = re.split(r"\W", line[max(stop - 6, 0) : stop])[-1]
    return (len(word) == 1 and word.isalpha()) or word in _SHORTENED
