"""What of a text is shown with a hit: some words around those that were found, marked."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from forum.text.markup import hidden_spans

from .index import visible_runs
from .match import Match, Side
from .words import folded, places, stems

AROUND = 12  # words before and behind those that are marked
MOST = 40  # words of an excerpt
LETTERS = 400  # of an excerpt whose words are not parted by blanks, at most


class Text(Protocol):
    """A text without quotes, and where its passages stand in it."""

    @property
    def plain(self) -> str: ...

    @property
    def passages(self) -> Sequence[Sequence[int]]: ...


class Excerpt(NamedTuple):
    """Pieces of a text in order, each with whether it was looked for; the number of the passage
    they stand in; and whether that goes on before and behind them."""

    pieces: list[tuple[str, bool]]
    passage: int = 0
    before: bool = False
    after: bool = False


def excerpt(revision: Text, html: str, match: Match) -> Excerpt:
    """The words of a post's current text, drawn as `html`, where most of what `match` asks for
    stands close together; its first ones if nothing of that stands in it. Never what is under a
    spoiler."""
    hidden = hidden_spans(html, plain=revision.plain, passages=revision.passages)
    sides = [side for group in match.words for side in group]
    best: tuple[int, tuple[int, int], list[str], list[int]] | None = None
    for run in visible_runs(revision.plain, revision.passages, hidden):
        own = stems(revision.plain, *run)
        if not own:
            continue
        found = _marked(own, sides)
        worth = len({own[at] for at in found})
        if best is None or worth > best[0]:
            best = (worth, run, own, found)
            if worth == len(sides):
                break
    if best is None:
        return Excerpt([])
    _, run, own, found = best
    return _cut(revision, run, len(own), found)


def marked(text: str, match: Match) -> list[tuple[str, bool]]:
    """A short text, such as a title, with what `match` asks for marked."""
    found = _marked(own := stems(text), [side for group in match.words for side in group])
    spans = places(text, 0, len(text), 0, len(own)) if found else []
    return _pieces(text, 0, len(text), [spans[at] for at in found])


def _marked(own: Sequence[str], sides: Sequence[Side]) -> list[int]:
    """Which of these words are those that are asked for, by their places."""
    found: set[int] = set()
    for side in sides:
        size, first = len(side.words), side.words[0]
        if side.prefix:
            found.update(at for at, word in enumerate(own) if folded(word).startswith(first))
            continue
        at = -1
        for _ in range(own.count(first)):
            at = own.index(first, at + 1)
            if size == 1 or tuple(own[at : at + size]) == side.words:
                found.update(range(at, at + size))
    return sorted(found)


def _cut(revision: Text, run: tuple[int, int], count: int, found: Sequence[int]) -> Excerpt:
    """Some of the `count` words of a stretch around the first of those at `found`."""
    plain = revision.plain
    first = found[0] if found else 0
    begin = max(first - AROUND, 0)
    own = places(plain, *run, begin, min(begin + MOST, count))
    while len(own) > 1 and own[-1][1] - own[0][0] > LETTERS:
        if begin + len(own) - 1 > first:
            own.pop()
        else:
            own.pop(0)
            begin += 1
    end = begin + len(own)
    a, b = own[0][0], own[-1][1]
    a = a if begin else _run_start(plain, a)
    b = b if end < count else _run_end(plain, b)
    shown = [own[at - begin] for at in found if begin <= at < end]
    passage = next((n for n, (s, e) in enumerate(revision.passages, 1) if s <= run[0] < e), 0)
    return Excerpt(_pieces(plain, a, b, shown), passage, begin > 0, end < count)


def _run_start(plain: str, at: int) -> int:
    """Signs directly before the first word (a quotation mark, a bracket) go with it."""
    while at and not plain[at - 1].isspace() and not plain[at - 1].isalnum():
        at -= 1
    return at


def _run_end(plain: str, at: int) -> int:
    while at < len(plain) and not plain[at].isspace() and not plain[at].isalnum():
        at += 1
    return at


def _pieces(
    text: str, start: int, end: int, found: Sequence[tuple[int, int]]
) -> list[tuple[str, bool]]:
    pieces, at = [], start
    for begin, stop in found:
        if begin < at:
            continue  # a second word of the same letters
        if begin > at:
            pieces.append((text[at:begin], False))
        pieces.append((text[begin:stop], True))
        at = stop
    if at < end:
        pieces.append((text[at:end], False))
    return pieces
