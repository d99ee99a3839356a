"""Where quoted words stand, and how faithfully: the one question behind every verdict."""

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice, pairwise

from .altered import most_similar
from .budget import UNLIMITED, Budget, TooMuch
from .match import TOO_MUCH, UNVERIFIABLE, Match, Source
from .normal_form import ELLIPSIS, folded_words, normal_form, original_offset
from .tokens import cuts, in_whole, may_cut

# A typed ellipsis separates parts; nobody writes more of them than this in one quote, and the
# number of searches grows with it.
MAX_GAPS = 64
# Characters without a blank before a place, after which its words are not looked for from there.
FAR = 400


@lru_cache(maxsize=4)
def _marked(text: str) -> tuple[str, list[int]]:
    """`text` with a line feed (no normal form holds one) wherever it may be cut, and the cuts."""
    known = cuts(text)
    return "\n" + "\n".join(text[a:b] for a, b in pairwise(known)) + "\n", known


def _stands(needle: str, text: str, at: int = 0, budget: Budget = UNLIMITED) -> int:
    """Where `needle` first stands in `text` in whole words, from `at` on; -1 if nowhere.

    Both in normal form. Plain search first; where it meets more fragments of words than are worth
    trying (the needle "a", a periodic text) the search is done on marked texts, in which the first
    hit is the answer, so that the time stays linear.
    """
    if not needle:
        return -1
    budget.spend(len(text) // 100)
    for _ in range(8 + 4_096 // len(needle)):
        budget.spend(50)
        at = text.find(needle, at)
        if at < 0:
            return -1
        if " " not in text[max(0, at - FAR) : at]:
            budget.spend(5 * len(text))  # all of such a text is read to find its words
        if may_cut(text, at) and may_cut(text, at + len(needle)):
            return at
        at += 1
    budget.spend(5 * len(text))
    marked, known = _marked(text)
    first = bisect_left(known, at)
    if first == len(known):
        return -1
    found = marked.find(_marked(needle)[0], known[first] + first)
    return -1 if found < 0 else known[marked.count("\n", 0, found)]


def _parts(words: str) -> list[str]:
    """The parts of quoted words, in normal form, between the ellipses typed into them."""
    gaps = list(islice(ELLIPSIS.finditer(words), MAX_GAPS + 1))
    if not gaps or len(gaps) > MAX_GAPS:
        return []
    edges = [0, *(edge for gap in gaps for edge in gap.span()), len(words)]
    pieces = (words[a:b].strip() for a, b in zip(edges[::2], edges[1::2], strict=True))
    return [piece for piece in pieces if piece]


def _in_order(parts: Sequence[str], text: str, budget: Budget = UNLIMITED) -> list[tuple[int, int]]:
    """Where all the parts stand one after the other, each as early as it can; empty if not."""
    spans: list[tuple[int, int]] = []
    at = 0
    for part in parts:
        start = _stands(part, text, at, budget)
        if start < 0:
            return []
        at = start + len(part)
        if spans and ELLIPSIS.fullmatch(text[spans[-1][1] : start].strip()):
            # The ellipsis is the source's own: nothing was left out here.
            spans[-1] = (spans[-1][0], at)
        else:
            spans.append((start, at))
    return spans


def find(
    words: str, sources: Sequence[Source], named: int = 0, budget: Budget = UNLIMITED
) -> Match:
    """Find the passage that `words` quote, and say how faithfully.

    The first `named` sources were named by the writer. Exact in any source beats shortened in any,
    which beats altered; among equals the earlier source wins, then the earlier position.

    *Exact* is a run of whole words of the source, up to the normal form. *Shortened* is several
    such runs in the source's order with typed ellipses (… ... […] [...] (…) (...)) between or
    around them. *Altered* is similar only: see `_similar` for where the line is drawn. Everything
    else, and a quote without words, is *unverifiable*, and so is what would take more steps than
    `budget` has left (`Match.stopped` says so). Nothing is raised.
    """
    try:
        return _find(words, sources, named, budget)
    except TooMuch:
        return TOO_MUCH


def _find(words: str, sources: Sequence[Source], named: int, budget: Budget) -> Match:
    needle = normal_form(words)
    for source in sources:
        budget.prepare("normal form", source.plain, len(source.plain) // 5)
        start = _stands(needle, normal_form(source.plain), budget=budget)
        if start >= 0:
            budget.spend(len(source.plain) // 5)
            return _match("exact", source, [(start, start + len(needle))])
    if parts := _parts(needle):
        for source in sources:
            if spans := _in_order(parts, normal_form(source.plain), budget):
                budget.spend(len(spans) * len(source.plain) // 5)
                return _match("shortened", source, spans)
    quoted = [folded for folded in folded_words(ELLIPSIS.sub(" ", words)) if folded]
    similar = most_similar(quoted, sources[:named], named=True, budget=budget) or most_similar(
        quoted, sources[named:], named=False, budget=budget
    )
    if similar is None or similar.start is None or similar.end is None:
        return UNVERIFIABLE
    plain = next(source.plain for source in sources if source.key == similar.key)
    budget.spend(len(plain) + 5 * len(words))
    start, end = in_whole(words, plain, similar.start, similar.end)
    return Match("altered", similar.key, start, end, ((start, end),))


def _match(verdict: str, source: Source, spans: list[tuple[int, int]]) -> Match:
    """A match at these spans of the source's normal form."""
    parts = tuple(
        (original_offset(source.plain, a), original_offset(source.plain, b)) for a, b in spans
    )
    return Match(verdict, source.key, parts[0][0], parts[-1][1], parts)


def says(words: str, plain: str, spans: Sequence[Sequence[int]], *, shortened: bool) -> bool:
    """Whether quoted words are those of these spans of the source's text, one after the other, up
    to the normal form; of a `shortened` quote up to the ellipses, typed or the source's own."""
    given, pinned = [words], [plain[start:end] for start, end in spans]
    if shortened:
        given, pinned = ([ELLIPSIS.sub(" ", part) for part in side] for side in (given, pinned))
    return normal_form(" ".join(given)) == normal_form(" ".join(pinned))


def still_stands(parts: Sequence[str], plain: str) -> bool:
    """Whether the parts of a quote stand, in whole words and in this order, in `plain` (a newer
    text of the source).

    Position does not count: what was moved within its post as it is still stands.
    """
    found = map(normal_form, parts)
    return bool(parts) and bool(_in_order(list(found), normal_form(plain)))
