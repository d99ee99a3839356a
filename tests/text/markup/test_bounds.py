"""No text takes long to read: work is counted in calls, which is the same on every machine.

Seconds are told, not judged. JONBAR_LONG=1 counts for every hostile source.
"""

import cProfile
import time
from contextlib import suppress

from forum.text.markup import MarkupError, render
from tests.text.markup.hostile import HOSTILE
from tests.text.markup.soundness import LONG

# About a tenth of a second where these lines were written; 200 ms are promised.
MOST_CALLS = 1_000_000
# Those that take the most, one of each kind.
WORST = {
    "lists 9 deep",
    "links open",
    "reference unfinished",
    "URLs",
    "stars and letters",
    "tables",
}


def calls(source: str, format: str) -> int:
    """How many functions are called to read or to refuse a source."""
    profile = cProfile.Profile()
    with suppress(MarkupError):
        profile.runcall(render, source, format=format)
    return sum(entry.callcount for entry in profile.getstats())


def test_work_is_bounded_and_grows_with_the_text(record_property):
    sources = [one for one in HOSTILE if LONG or one[0] in WORST]
    assert {name for name, *_ in sources} >= WORST
    wrong, slowest = [], (0.0, "")
    for name, format, source in sources:
        whole, half = calls(source, format), calls(source[: len(source) // 2], format)
        if whole > MOST_CALLS:
            wrong.append(f"{name}: {whole:,} calls")
        if whole > 2.5 * half + 100_000:
            wrong.append(f"{name}: {whole:,} calls, {half:,} for half of it")
        began = time.process_time()
        with suppress(MarkupError):
            render(source, format=format)
        slowest = max(slowest, (time.process_time() - began, name))
    assert wrong == []
    told = f"{len(sources)} sources, the slowest ({slowest[1]}) in {slowest[0] * 1000:.0f} ms"
    record_property("measured", told)
