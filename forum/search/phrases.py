"""Posts of a debate in which words stand side by side, the earliest first: whose words they are.

Bounded whatever the words are. Where few posts hold all of them, the index of words gives these;
words that many posts hold stand early in the debate or are looked for no further.
"""

from collections.abc import Iterable

from forum.models import Thread

from . import probes
from .match import Limits, Match, Side
from .words import stems

WORDS = 32  # of all phrases together; more make no difference to where they stand
ASKED = 8  # words by which it is told how many posts hold all of them: the longest are the rarest
FEW = 1_000  # posts that are looked through for the phrases, wherever they stand


def earliest(phrases: Iterable[str], thread: Thread, limit: int) -> list[int]:
    """The ids of the earliest posts of a debate, at most `limit`, in whose own words all `phrases`
    stand, as stems: a hint, to be checked against the texts. Two statements."""
    sides: list[Side] = []
    room = WORDS
    for phrase in phrases:
        if words := tuple(stems(phrase)[:room]):
            sides.append(Side(words))
            room -= len(words)
    if not sides:
        return []
    longest = sorted({word for side in sides for word in side.words}, key=lambda w: (-len(w), w))
    here = Limits([thread.pk])
    tag = [Side((f"=t{thread.pk}",))]
    some = probes.Posts(Match([tag, *([Side((word,))] for word in longest[:ASKED])]), here)
    few = len(some.some(FEW)) < FEW
    visible = probes.Posts(Match([tag, *([side] for side in sides)]), here)
    return [hit.pk for hit in visible.earliest(limit, among_all=few)]
