"""Passages that are similar to a quote and not the same."""

from collections.abc import Sequence
from heapq import nlargest
from itertools import compress, islice, pairwise

from .budget import UNLIMITED, Budget
from .match import Match, Source
from .normal_form import folded_words, word_pattern

# Words of a long quote that are aligned at each of its ends when the whole is only similar.
MAX_ALIGNED = 2_000
# Sources that are aligned in full after the shared word pairs have been counted in all of them.
MAX_ALIGNED_SOURCES = 3


def _similar(length: int, changes: int, shared: float, *, named: bool) -> bool:
    """Whether a quote of `length` words is similar enough to a passage to be called altered.

    `changes` words must be added, dropped or replaced to get from one to the other; `shared` is
    the part of the quote's word pairs that stand anywhere in the source (containment, Broder 1997:
    passages put together or put in another order change many words and few pairs).

    In a source that the writer named, three changed words of five are forgiven (two of five in a
    quote of four to seven words, one in three words, case and accents in any); elsewhere half,
    and a third of a quote of fewer than twelve words. Quotes of one to three words are never
    altered out of a source that nobody named: a few common words in a row stand in many posts.

    Measured on English prose against unrelated texts of 6,000 to 30,000 characters: 12 words and
    more differ in 58 words of 100 at the least and share at most 45 pairs of 100; of quotes of
    four words 2 in 100 seem altered, of five or more 3 in 1,000 (when named, 3 and less in 100).
    """
    if length >= 8 and shared >= 0.7:
        return True
    if named:
        forgiven = 1 / 3 if length < 4 else 2 / 5 if length < 8 else 3 / 5
    else:
        forgiven = 1 / 3 if length < 12 else 1 / 2
    return changes <= forgiven * length


def most_similar(
    quoted: Sequence[str], sources: Sequence[Source], *, named: bool, budget: Budget = UNLIMITED
) -> Match | None:
    """The most similar passage of the sources if it is similar enough, as an altered match.

    Word pairs shared with the quote show where in each source to look; there the passage with the
    fewest changed words is found (`_closest`) in the most promising sources.
    """
    length = len(quoted)
    if not length or (not named and length < 4):
        return None
    pairs = set(pairwise(quoted)) if length > 1 else set(quoted)
    promising = []
    for order, source in enumerate(sources):
        budget.prepare("words", source.plain, len(source.plain))
        words = folded_words(source.plain)
        budget.spend(len(words))
        grams = pairwise(words) if length > 1 else words
        hits = list(compress(range(len(words)), map(pairs.__contains__, grams)))
        if not hits and named and 1 < length < 4:
            singles = set(quoted)
            hits = [at for at, word in enumerate(words) if word in singles]
        if hits:
            most, first = _densest(hits, length + length // 2 + 2)
            promising.append((most, -order, first, source, words))
    best = None
    for _, order, first, source, words in nlargest(MAX_ALIGNED_SOURCES, promising):
        low = max(0, first - length - 2)
        window = words[low : first + 3 * length + 4]
        budget.spend(10 * len(window) * (1 + min(length, MAX_ALIGNED) // 500) + 2 * len(words))
        start, end, changes = _align(quoted, window)
        if end > start and (best is None or (changes, -order) < best[0]):
            shared = len(pairs.intersection(pairwise(words))) / len(pairs) if length > 1 else 0
            if _similar(length, changes, shared, named=named):
                best = (changes, -order), source, low + start, low + end
    if best is None:
        return None
    _, source, first, last = best
    found = list(islice(word_pattern(source.plain).finditer(source.plain), first, last))
    start, end = found[0].start(), found[-1].end()
    return Match("altered", source.key, start, end, ((start, end),))


def _densest(hits: Sequence[int], width: int) -> tuple[int, int]:
    """The most hits within `width`, and the first of them; the earliest where several are equal."""
    most, first, low = 0, hits[0], 0
    for high, hit in enumerate(hits):
        while hit - hits[low] >= width:
            low += 1
        if high - low + 1 > most:
            most, first = high - low + 1, hits[low]
    return most, first


def _align(quoted: Sequence[str], window: Sequence[str]) -> tuple[int, int, int]:
    """The passage of the window that differs least from the quote: start, end, changed words.

    Of a very long quote only the two ends are aligned; its changes are then those of the worse.
    """
    end, changes = _closest(quoted[-MAX_ALIGNED:], window)
    # No passage so like the quote is longer than the quote and its changes.
    reach = len(window) if len(quoted) > MAX_ALIGNED else len(quoted) + changes
    back, more = _closest(quoted[:MAX_ALIGNED][::-1], window[max(0, end - reach) : end][::-1])
    if len(quoted) > MAX_ALIGNED:
        changes = max(changes, more) * len(quoted) // MAX_ALIGNED
    return end - back, end, changes


def _closest(pattern: Sequence[str], text: Sequence[str]) -> tuple[int, int]:
    """Where in `text` the passage most like `pattern` ends, and its edit distance in words.

    Myers' bit-vector algorithm (1999, in Hyyrö's form): one step per word of the text, each a few
    operations on integers of as many bits as the pattern has words. Of equal ends the first
    counts, but a replaced last word is taken in rather than left out.
    """
    places: dict[str, int] = {}
    for at, word in enumerate(pattern):
        places[word] = places.get(word, 0) | 1 << at
    full, top = (1 << len(pattern)) - 1, 1 << len(pattern) - 1
    plus, minus, score = full, 0, len(pattern)
    best_end, best = 0, score
    for end, word in enumerate(text, 1):
        here = places.get(word, 0)
        vertical = here | minus
        horizontal = (((here & plus) + plus) ^ plus) | here
        up = minus | ~(horizontal | plus) & full
        down = plus & horizontal
        if up & top:
            score += 1
        elif down & top:
            score -= 1
        if score < best or (score == best and best_end == end - 1):
            best_end, best = end, score
        plus = (down << 1 | ~(vertical | up << 1)) & full
        minus = up << 1 & vertical & full
    return best_end, best
