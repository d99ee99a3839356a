"""What a page shows beside a quote: what it changed, or what it left out."""

from collections.abc import Sequence
from itertools import pairwise

from .differences import difference_at
from .finding import left_out
from .match import Match

# Characters and pieces shown within a post; what is longer stands on a page of its own.
MAX_BESIDE = 300
MAX_PIECES = 20


def beside(match: Match, quoted: str, plain: str) -> list[list[str]]:
    """What was changed in an altered quote of the text `plain`, as runs of `difference`; what was
    left out of a shortened one, as ("out", text) for each gap that is not empty. Empty for others,
    and where it is longer than a page shows within a post: see `all_beside`."""
    span = 0
    if match.start is not None and match.end is not None and match.verdict == "altered":
        span = len(quoted) + match.end - match.start
    elif match.verdict == "shortened":
        span = sum(b[0] - a[1] for a, b in pairwise(match.parts))
    if span > 2 * MAX_BESIDE:
        return []
    found = all_beside(match, quoted, plain)
    small = len(found) <= MAX_PIECES and sum(len(text) for _, text in found) <= MAX_BESIDE
    return [list(one) for one in found] if small else []


def all_beside(match: Match, quoted: str, plain: str) -> Sequence[tuple[str, str]]:
    """What an altered quote changed or a shortened one left out, as `beside`, at any length."""
    if match.start is not None and match.end is not None and match.verdict == "altered":
        return difference_at(quoted, plain, match.start, match.end)
    if match.verdict == "shortened":
        return [("out", text) for text in left_out(match, plain) if text]
    return []
