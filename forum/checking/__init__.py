"""Checks everything in the forum that is derived from something else, and heals it on request.

What people wrote, what they answered and in which order it arrived is the truth and is never
changed: where that is contradictory it is told, and left to people. Everything else (labels of
trees, numbers, counters, HTML, columns of quotes, index of passages, read marks) follows from it.

Threads are taken one by one, each under its own lock, so the forum stays open. What is held in
memory does not grow with a thread, but for the labels of a thread that are wrong: writing them anew
takes about 90 MB for 100,000 posts.
"""

from collections import Counter
from collections.abc import Iterator

from ..models import Thread
from .faults import Fault
from .labels import check_boards
from .members import check_cases, check_members
from .pictures import check_pictures
from .readers import check_marks
from .texts import check_texts
from .threads import check_thread
from .words import check_words

__all__ = ["Fault", "check"]

BATCH = 500


def check(
    *,
    fix: bool = False,
    quick: bool = False,
    thread_id: int | None = None,
    compared: Counter | None = None,
) -> Iterator[Fault]:
    """Go through the forum, or one thread, and yield each Fault as it is found (and healed).

    `quick` trusts stored HTML of the current renderer and skips older texts, which saves rendering
    everything once more; of the exact and shortened quotes it compares a tenth, another one each
    day, with the words they were taken from. `compared` is given how many "quotes" were, of "all".
    """
    compared = Counter() if compared is None else compared
    if thread_id is None:
        yield from check_boards(fix=fix)
    for pk in [thread_id] if thread_id is not None else _thread_ids():
        yield from check_thread(pk, fix=fix)
        yield from check_texts(pk, fix=fix, quick=quick, compared=compared)
        yield from check_marks(pk, fix=fix)
        yield from check_words(pk, fix=fix, quick=quick)
    if thread_id is None:
        yield from check_members(fix=fix)
        yield from check_cases(fix=fix)
        yield from check_pictures(fix=fix, quick=quick)


def _thread_ids() -> Iterator[int]:
    last = 0
    while ids := list(
        Thread.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]
    ):
        yield from ids
        last = ids[-1]
