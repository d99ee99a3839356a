"""What of a quote follows from its source: where its words stand there, then and now."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence

from forum.text import quoting

from ..models import Post, PostRevision, Quote
from .rendering import marks_of

AT_ONCE = 500  # quotes that one statement changes


def match_of(quote: Quote) -> quoting.Match:
    """Where the words of a quote stand in its source, as it was judged."""
    parts = tuple((a, b) for a, b in quote.parts)
    if not parts and quote.start is not None and quote.end is not None:
        parts = ((quote.start, quote.end),)
    return quoting.Match(quote.verdict, quote.source_revision_id, quote.start, quote.end, parts)


def follow_source(
    quote: Quote, current: PostRevision, htmls: Mapping[int, str] | None = None
) -> None:
    """Set what of a judged quote follows from its source, whose text is `current` by now; `htmls`
    are texts that were rendered just now, by revision."""
    pinned, match = quote.source_revision, match_of(quote)
    # A judged quote has a source, and words that stand somewhere in it.
    assert pinned is not None and match.start is not None and match.end is not None
    quote.whole = quoting.is_whole(match, pinned.plain)
    quote.cut_start, quote.cut_end = quoting.cut_ends(pinned.plain, match.start, match.end)
    if found := quoting.beside(match, quote.words, pinned.plain):
        marks = marks_of(quote.source_post, pinned, htmls)
        found = quoting.beside(match, quote.words, pinned.plain, marks) if marks else found
    quote.beside = found
    quote.stands = stands_in(pinned, match.parts, current)


def stands_in(pinned: PostRevision, parts: Sequence[Sequence[int]], current: PostRevision) -> bool:
    """Whether these spans of a source's text stand in its current one."""
    if pinned.pk == current.pk:
        return True
    return quoting.still_stands([pinned.plain[a:b] for a, b in parts], current.plain)


def passage_at(revision: PostRevision, start: int) -> int:
    """The ¶ number (from 1) of the passage that holds the words at `start` of the plain text."""
    number = max(bisect_right([first for first, _ in revision.passages], start), 1)
    # A quote block is an empty span: the words begin in the last passage that is not empty.
    while number > 1 and len(set(revision.passages[number - 1])) == 1:
        number -= 1
    return number


def followed_passage(pinned: PostRevision, start: int, end: int, current: PostRevision) -> int:
    """The ¶ number in the `current` text of a post where the words that were quoted from its text
    `pinned` stand; where they do not stand any more, the one with the same number, or the last."""
    if current.pk == pinned.pk:
        return passage_at(pinned, start)
    words = pinned.plain[start:end]
    if quoting.still_stands([words], current.plain):
        new = quoting.Source(current.pk, current.plain)
        return passage_at(current, quoting.find(words, [new], named=1).start or 0)
    return min(passage_at(pinned, start), len(current.passages) or 1)


def follow_edit(post: Post, revision: PostRevision) -> None:
    """Let links and backlinks lead to the passage of the post's new text in which the words quoted
    stand; where they do not stand any more, which is noted, to the one with the same number, or the
    last."""
    found = defaultdict(list)
    columns = ("pk", "source_revision_id", "parts", "start", "end", "source_passage", "stands")
    for pk, pinned, parts, start, end, *was in Quote.objects.filter(source_post=post).values_list(
        *columns
    ):
        spans = tuple((a, b) for a, b in parts) or ((start, end),)
        found[pinned, start, end, spans].append((pk, was))
    texts = PostRevision.objects.in_bulk({pinned for pinned, *_ in found})
    changed: defaultdict[tuple, list[int]] = defaultdict(list)
    for (pinned, start, end, spans), rows in found.items():
        passage = followed_passage(texts[pinned], start, end, revision)
        now = [passage, stands_in(texts[pinned], spans, revision)]
        changed[tuple(now)] += [pk for pk, was in rows if was != now]
    for (passage, stands), ids in changed.items():
        for at in range(0, len(ids), AT_ONCE):
            part = Quote.objects.filter(pk__in=ids[at : at + AT_ONCE])
            part.update(source_passage=passage, stands=stands)
