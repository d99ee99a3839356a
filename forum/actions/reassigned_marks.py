"""Read marks when posts change their place: what was read stays read, under other numbers."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from accounts.models import User

from .. import tree
from ..models import ReadMark, Thread
from . import read_state


class Marks:
    """Keeps read what was read. Made before posts are moved; `write` stores what follows.

    A member without a mark has read what had arrived at a moment (see `reading.seen`); numbers go
    by arrival before and after, so that needs no row as long as no other thread had a mark.
    """

    def __init__(
        self,
        threads: Mapping[int, Thread],
        placements: Sequence[tree.Placement],
        twins: Mapping[int, int],
    ) -> None:
        self.threads = threads
        self.arrived: dict[int, list] = defaultdict(list)  # by old thread, in order of numbers
        self.now_arrived: dict[int, list] = defaultdict(list)
        self.home = {row.pk: row.thread_id for row in placements}
        rows = {row.pk: row for row in placements}
        moves = list[tuple[tuple[int, int], tuple[int, int]]]()
        old = [row for row in placements if row.came_from[1] is not None]
        for row in sorted(old, key=lambda row: row.came_from):
            source, number = row.came_from
            self.arrived[source].append(row.arrived)
            if row.number is not None and number is not None:
                moves.append(((source, number), (row.thread_id, row.number)))
        self.ways = Ways(moves)
        # Who has read a double has read the post that stays for it.
        kept = [(rows[double].came_from, rows[one]) for double, one in twins.items()]
        self.ways_of_doubles = Ways(
            ((source, number), (row.thread_id, row.number))
            for (source, number), row in sorted(kept, key=lambda pair: pair[0])
            if number is not None and row.number is not None
        )
        new = [row for row in placements if row.number is not None]
        for row in sorted(new, key=lambda row: (row.thread_id, row.number)):
            self.now_arrived[row.thread_id].append(row.arrived)
        # Held until the act is done: reading goes on by the new numbers.
        marks = ReadMark.objects.select_for_update(no_key=True).order_by("pk")
        self.marks: dict[int, dict[int, ReadMark]] = defaultdict(dict)
        for mark in marks.filter(thread__in=threads):
            self.marks[mark.user_id][mark.thread_id] = mark

    def write(self, unmake: Container[int]) -> dict:
        """Store the marks. Returns the ids of those that had to be made, and [id, ranges, ranges
        now] of those that say more because of a double."""
        changed, made = list[ReadMark](), list[ReadMark]()
        needless, more = list[int](), list[tuple[ReadMark, str, str]]()
        since = {
            pk: until or joined
            for pk, until, joined in User.objects.filter(pk__among=self.marks).values_list(
                "pk", "read_until", "date_joined"
            )
        }
        for user_id, mine in self.marks.items():
            known: dict[int, str] = {}
            folded: dict[int, list[int]] = defaultdict(list)
            for source in self.threads:
                mark = mine.get(source)
                known[source] = (
                    mark.ranges if mark else _until(self.arrived[source], since[user_id])
                )
                # The mark in an emptied thread only rests there.
                for pk in mark.folded if mark and self.arrived[source] else ():
                    folded[self.home.get(pk, source)].append(pk)
            read, doubles = self.ways.mapped(known), self.ways_of_doubles.mapped(known)
            for target in self.now_arrived:
                there = read.get(target, [])
                alone = read_state.columns(united(there))["ranges"]
                ranges = read_state.columns(united(there + doubles.get(target, [])))
                default = _until(self.now_arrived[target], since[user_id])
                mark, fresh = mine.get(target), ranges["ranges"] == default
                if mark is None and (folded[target] or not fresh):
                    mark = ReadMark(
                        user_id=user_id,
                        thread_id=target,
                        folded=folded[target][-read_state.MAX_FOLDED :],
                        **ranges,
                    )
                    made.append(mark)
                elif mark and mark.pk in unmake and not folded[target] and fresh:
                    needless.append(mark.pk)
                elif mark is not None:
                    mark.ranges, mark.count = ranges["ranges"], ranges["count"]
                    mark.folded = folded[target][-read_state.MAX_FOLDED :]
                    changed.append(mark)
                if mark is not None and ranges["ranges"] != alone:
                    more.append((mark, alone, ranges["ranges"]))
        ReadMark.objects.filter(pk__among=needless).delete()
        # Not bulk_update, which makes an expression of each value of each row.
        ReadMark.objects.bulk_create(
            changed,
            batch_size=500,
            update_conflicts=True,
            unique_fields=["pk"],
            update_fields=["ranges", "count", "folded"],
        )
        return {
            "marks": [mark.pk for mark in ReadMark.objects.bulk_create(made)],
            "more_read": [[mark.pk, alone, now] for mark, alone, now in more],
        }


class Piece:
    """Numbers of one thread that went to another one, in order: `olds` before and `news` now, and
    in `starts` where the numbers of now run on: what stayed behind when every tenth post was taken
    out is one run, however it lay before."""

    def __init__(self) -> None:
        self.olds, self.news, self.starts = list[int](), list[int](), list[int]()

    def add(self, old: int, new: int) -> None:
        """Add a pair that is behind all others, in both numbers."""
        if not self.news or new != self.news[-1] + 1:
            self.starts.append(len(self.news))
        self.olds.append(old)
        self.news.append(new)

    def count(self, first: int, last: int) -> int:
        """How many of the numbers of now are among these."""
        return bisect_right(self.news, last) - bisect_left(self.news, first)

    def runs(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Those of them that are among these, as ranges."""
        at, end = bisect_left(self.news, first), bisect_right(self.news, last)
        run = bisect_right(self.starts, at)
        while at < end:
            stop = min(self.starts[run] if run < len(self.starts) else end, end)
            yield self.news[at], self.news[stop - 1]
            at, run = stop, run + 1


class Ways:
    """Where numbers went: (thread, number) before and (thread, number) now, given in the order of
    those before."""

    def __init__(self, moves: Iterable[tuple[tuple[int, int], tuple[int, int]]]) -> None:
        # By the thread of now: pieces, each with the thread that it came from.
        self.pieces: dict[int, list[tuple[int, Piece]]] = defaultdict(list)
        last: dict[tuple[int, int], Piece] = {}
        for (source, number), (target, there) in moves:
            piece = last.get((source, target))
            if piece is None or there < piece.news[-1]:
                piece = last[source, target] = Piece()
                self.pieces[target].append((source, piece))
            piece.add(number, there)
        self.known: dict[tuple, dict[int, list[tuple[int, int]]]] = {}

    def mapped(self, ranges: Mapping[int, str]) -> dict[int, list[tuple[int, int]]]:
        """Where the numbers of these ranges, by thread, are now. Many members read the same."""
        key = tuple(sorted(ranges.items()))
        if key not in self.known:
            parsed = {source: read_state.parse(text) for source, text in ranges.items()}
            self.known[key] = {
                target: _mapped(pieces, parsed) for target, pieces in self.pieces.items()
            }
        return self.known[key]


def _mapped(
    pieces: Iterable[tuple[int, Piece]], parsed: Mapping[int, Sequence[tuple[int, int]]]
) -> list[tuple[int, int]]:
    """Where numbers are in one thread now. Between two moments at which something begins or ends to
    be read, each piece is read as a whole or not at all: where all are, that is one range, and
    nobody looks at the thousand runs of which it is made."""
    events = list[tuple[int, bool, int, Piece]]()
    for n, (source, piece) in enumerate(pieces):
        for first, last in parsed.get(source, ()):
            at, end = bisect_left(piece.olds, first), bisect_right(piece.olds, last)
            if at < end:
                events.append((piece.news[at], True, n, piece))
                events.append((piece.news[end - 1] + 1, False, n, piece))
    events.sort(key=lambda event: event[:2])
    found = list[tuple[int, int]]()
    read: dict[int, Piece] = {}
    before = 0
    for moment, begins, n, piece in events:
        if read and before < moment:
            first, last = before, moment - 1
            if sum(one.count(first, last) for one in read.values()) == moment - before:
                found.append((first, last))
            else:
                for one in read.values():
                    found += one.runs(first, last)
        before = moment
        if begins:
            read[n] = piece
        else:
            del read[n]
    return found


def _until(arrived: Sequence, since) -> str:
    """The ranges that hold what had arrived by a moment."""
    count = bisect_right(arrived, since)
    return f"1-{count}" if count else ""


def united(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same numbers as ranges that neither overlap nor touch, ascending."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found
