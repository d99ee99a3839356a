"""Quotes of others that stand within quoted words."""

from collections.abc import Sequence

from .match import Match


def over_quotes(match: Match, passages: Sequence[Sequence[int]]) -> Match:
    """A match whose parts do not reach over a quote that stands in the source.

    `passages` are start and end of each passage in the source's text, the same for a
    quote, whose words are nobody's own there. Words from before and after one are two parts with
    something between them, so an exact match over one is a shortened one.
    """
    if match.verdict not in ("exact", "shortened"):
        return match
    borders = []
    last = None
    for start, end in passages:
        if start < end:
            if last is not None:
                borders.append((last, start))
            last = None
        elif start:
            last = start
    parts = []
    for start, end in match.parts:
        for before, after in borders:
            if start < before and after < end:
                parts.append((start, before))
                start = after
        parts.append((start, end))
    if len(parts) == len(match.parts):
        return match
    return match._replace(verdict="shortened", parts=tuple(parts))


def is_whole(match: Match, plain: str) -> bool:
    """Whether a match repeats all words of its source's text."""
    if match.verdict not in ("exact", "shortened") or not match.parts:
        return False
    edges = [0, *(edge for part in match.parts for edge in part), len(plain)]
    gaps = zip(edges[::2], edges[1::2], strict=True)
    return not any(plain[start:end].strip() for start, end in gaps)
