"""What of a text is shown with a hit: some words around those that were found, marked."""

from collections.abc import Container, Sequence
from dataclasses import dataclass

from forum.models import PostRevision
from forum.text.markup import hidden_spans

from .index import visible_runs
from .match import Match, Side
from .words import Word, folded, words

AROUND = 12  # words before and behind those that are marked
MOST = 40  # words of an excerpt
LETTERS = 400  # of an excerpt whose words are not parted by blanks, at most


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Pieces of a text in order, each with whether it was looked for; the number of the passage
    they stand in; and whether that goes on before and behind them."""

    pieces: list[tuple[str, bool]]
    passage: int = 0
    before: bool = False
    after: bool = False


def excerpt(revision: PostRevision, html: str, match: Match) -> Excerpt:
    """The words of a post's current text, drawn as `html`, where most of what `match` asks for
    stands close together; its first ones if nothing of that stands in it. Never what is under a
    spoiler."""
    hidden = hidden_spans(html, plain=revision.plain, passages=revision.passages)
    sides = [side for group in match.words for side in group]
    best: tuple[int, list[Word], list[Word]] | None = None
    for run in visible_runs(revision.plain, revision.passages, hidden):
        own = list(words(revision.plain, *run))
        if not own:
            continue
        marked = _marked(own, sides)
        worth = len({word.word for word in marked})
        if best is None or worth > best[0]:
            best = (worth, own, marked)
            if worth == len(sides):
                break
    if best is None:
        return Excerpt([])
    _, own, marked = best
    passage = next((n for n, (a, b) in enumerate(revision.passages, 1) if a <= own[0].start < b), 0)
    return _cut(revision.plain, own, {word.start for word in marked}, passage)


def marked(text: str, match: Match) -> list[tuple[str, bool]]:
    """A short text, such as a title, with what `match` asks for marked."""
    own = list(words(text))
    starts = {word.start for word in _marked(own, [s for group in match.words for s in group])}
    return _pieces(text, 0, len(text), [word for word in own if word.start in starts])


def _marked(own: Sequence[Word], sides: Sequence[Side]) -> list[Word]:
    found: dict[int, Word] = {}
    for side in sides:
        size = len(side.words)
        for at in range(len(own) - size + 1):
            if side.prefix:
                hit = folded(own[at].word).startswith(side.words[0])
            else:
                hit = all(own[at + n].word == word for n, word in enumerate(side.words))
            if hit:
                found |= {at + n: own[at + n] for n in range(size)}
    return [found[at] for at in sorted(found)]


def _cut(plain: str, own: Sequence[Word], starts: Container[int], passage: int) -> Excerpt:
    first = next((at for at, word in enumerate(own) if word.start in starts), 0)
    begin = max(first - AROUND, 0)
    end = min(begin + MOST, len(own))
    while end > begin + 1 and own[end - 1].end - own[begin].start > LETTERS:
        if end - 1 > first:
            end -= 1
        else:
            begin += 1
    a = own[begin].start if begin else _run_start(plain, own[0].start)
    b = own[end - 1].end if end < len(own) else _run_end(plain, own[-1].end)
    shown = [word for word in own[begin:end] if word.start in starts]
    return Excerpt(_pieces(plain, a, b, shown), passage, begin > 0, end < len(own))


def _run_start(plain: str, at: int) -> int:
    """Signs directly before the first word (a quotation mark, a bracket) go with it."""
    while at and not plain[at - 1].isspace() and not plain[at - 1].isalnum():
        at -= 1
    return at


def _run_end(plain: str, at: int) -> int:
    while at < len(plain) and not plain[at].isspace() and not plain[at].isalnum():
        at += 1
    return at


def _pieces(text: str, start: int, end: int, found: Sequence[Word]) -> list[tuple[str, bool]]:
    pieces, at = [], start
    for word in found:
        if word.start < at:
            continue  # a second word of the same letters
        if word.start > at:
            pieces.append((text[at : word.start], False))
        pieces.append((text[word.start : word.end], True))
        at = word.end
    if at < end:
        pieces.append((text[at:end], False))
    return pieces
