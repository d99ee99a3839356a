"""Checks everything in the forum that is derived from something else, and heals it on request.

What people wrote, what they answered and in which order it arrived is the truth and is never
changed: where that is contradictory it is told, and left to people. Everything else (labels of
trees, numbers, counters, HTML, columns of quotes, index of passages, read marks) follows from it.

Threads are taken one by one, each under its own lock, so the forum stays open. What is held in
memory does not grow with a thread, but for the labels of a thread that are wrong: writing them anew
takes about 90 MB for 100,000 posts.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from django.db.models import QuerySet

from core import progress

from ..models import Post, Thread
from . import processes
from .faults import Fault
from .labels import check_boards
from .members import check_cases, check_members
from .pictures import check_pictures
from .readers import check_marks
from .search_index import check_words
from .texts import check_texts
from .threads import check_thread

__all__ = ["Fault", "check"]

BATCH = 500
PART = 500  # posts, about, of the debates that are looked at before it is said how far it is


def check(
    *,
    fix: bool = False,
    quick: bool = False,
    thread_id: int | None = None,
    compared: Counter | None = None,
    jobs: int = 1,
    after: int = 0,
    reached: Callable[[int], None] | None = None,
) -> Iterator[Fault]:
    """Go through the forum, or one thread, and yield each Fault as it is found (and healed).

    `quick` trusts stored HTML of the current renderer and skips older texts, which saves rendering
    everything once more; of the exact and shortened quotes it compares a tenth, another one each
    day, with the words they were taken from. `compared` is given how many "quotes" were, of "all".

    `jobs` processes look at debates at once: then no transaction may be open. `reached` is called
    with the id of a debate each time that it and all before it are through; `after` that one a
    check that was interrupted goes on. Raises processes.Ended if a process was.
    """
    compared = Counter() if compared is None else compared

    def look(pk: int, compared: Counter) -> Iterator[Fault]:
        yield from check_thread(pk, fix=fix)
        yield from check_texts(pk, fix=fix, quick=quick, compared=compared)
        yield from check_marks(pk, fix=fix)
        yield from check_words(pk, fix=fix, quick=quick)

    if thread_id is not None:
        _begin(Post.objects.filter(thread=thread_id))
        yield from look(thread_id, compared)
        return
    if not after:
        yield from check_boards(fix=fix)
    _begin(Post.objects.filter(thread__gt=after))
    for part, faults, counted in _looked_at(_parts(after), look, jobs):
        yield from faults
        compared.update(counted)
        if reached is not None:
            reached(part[-1])
    yield from check_members(fix=fix)
    yield from check_cases(fix=fix)
    yield from check_pictures(fix=fix, quick=quick)


def _looked_at(
    parts: Iterator[list[int]], look: processes.Work, jobs: int
) -> Iterator[tuple[list[int], Iterable[Fault], Counter]]:
    """Each part with its faults, and with what was counted once these were taken."""
    if jobs > 1:
        yield from processes.each_part(parts, look, jobs)
        return
    for part in parts:
        counted: Counter[str] = Counter()
        yield part, _faults_of(part, look, counted), counted


def _faults_of(part: list[int], look: processes.Work, counted: Counter) -> Iterator[Fault]:
    for pk in part:
        yield from look(pk, counted)


def _begin(posts: QuerySet[Post]) -> None:
    progress.begin("posts checked", posts.count() if progress.is_shown() else None)


def _parts(after: int) -> Iterator[list[int]]:
    """The ids of all debates after this one, in order, some at a time."""
    last = after
    part: list[int] = []
    posts = 0
    rows = Thread.objects.order_by("pk").values_list("pk", "numbered")
    while found := list(rows.filter(pk__gt=last)[:BATCH]):
        for pk, numbered in found:
            part.append(pk)
            posts += numbered + 1
            if posts >= PART:
                yield part
                part, posts = [], 0
        last = found[-1][0]
    if part:
        yield part
