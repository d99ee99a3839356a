"""What goes into a comparison and what comes out of it."""

from collections.abc import Hashable
from typing import NamedTuple


class Source(NamedTuple):
    """A text that may have been quoted; `key` (a revision's id, say) is handed back unread."""

    key: Hashable
    plain: str


class Match(NamedTuple):
    """Where quoted words stand: spans are offsets in the source's own plain text, end exclusive.

    `parts` are the spans of the exact parts, or the whole span when the words were altered;
    `stopped`: it was too much to compare.
    """

    verdict: str  # "exact", "shortened", "altered" or "unverifiable"
    key: Hashable | None = None
    start: int | None = None
    end: int | None = None
    parts: tuple[tuple[int, int], ...] = ()
    stopped: bool = False


UNVERIFIABLE = Match("unverifiable")
TOO_MUCH = Match("unverifiable", stopped=True)
