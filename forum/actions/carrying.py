"""What goes along when posts change their place: every row that repeats an address, in one place.

`carry_rows` is called with the threads locked and with `tree.Placement` rows that say where each
post stands now. What belongs to posts by id needs nothing; what finds them follows by a job.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import Count, Max, Q

from accounts.models import User

from .. import tree
from ..models import Draft, PassageKey, Post, ReadMark, State, Thread, Threadmark
from ..search import index
from . import arguments, notices, read_state
from .drafts import label_for

# What names both a post and its thread.
REPEATS = (PassageKey, Threadmark)


def carry_rows(
    threads: Mapping[int, Thread],
    placements: Sequence[tree.Placement],
    *,
    made: Sequence[int] = (),
    twins: Mapping[int, int] | None = None,
) -> dict:
    """Write where posts stand, move all that repeats their addresses, and count and save the
    locked `threads` anew, which are all that take part.

    `made` are marks that the act which is undone had to make: they go where nothing else was read
    since. Who has read a post of `twins` has read the one that it is the double of.

    Beside quotes of these posts, in whatever debate, stand their numbers, their debates and whether
    they may be named; one may be quoted just now, which nobody sees yet. So whoever calls this
    raises the site's edition, last in the act.

    Returns what undoing the act needs besides the posts' own places: marks that were made, or say
    more because of twins, drafts that lead elsewhere, when threads had their last word.
    """
    last_words = {pk: thread.last_post_at.isoformat() for pk, thread in threads.items()}
    marks = _Marks(threads, placements, twins or {})
    tree.rearrange(placements)
    for model in REPEATS:
        for source, target in {
            (row.came_from[0], row.thread_id) for row in placements if row.was[0] != row.thread_id
        }:
            model.objects.filter(thread_id=source, post__thread_id=target).update(thread_id=target)
    for thread in threads.values():
        thread.numbering += 1
        recount(thread)
        index.write_thread.enqueue(thread.pk)
    written = marks.write(frozenset(made))
    notices.follow_threads(*threads)  # which may stand on boards with other readers
    return {**written, "drafts": _redirect_drafts(threads, placements), "last_post_at": last_words}


def recount(thread: Thread) -> None:
    """Count a locked thread's posts anew and save it, under a new version."""
    planted = Post.objects.filter(thread=thread, number__isnull=False)
    visible = Q(state=State.VISIBLE)
    counted = planted.aggregate(
        numbered=Max("number"),
        replies=Count("pk", filter=visible & ~Q(parent_basis=Post.Basis.OPENING)),
        branch_locks=Count("pk", filter=Q(branch_locked=True)),
    )
    last = planted.filter(visible).order_by("-number").first()
    thread.numbered = counted["numbered"] or 0
    thread.reply_count = counted["replies"]
    thread.branch_locks = counted["branch_locks"]
    arguments.count_anew(thread)
    if last is None:
        thread.last_post_at = thread.created_at
    elif last.pk != thread.last_post_id:
        thread.last_post_at = arrival(last)
    thread.last_post = last
    tree.save_thread(thread)


def arrival(post: Post) -> datetime:
    """The moment by which a post counts in lists: an imported one was written when it was."""
    if post.origin_id and post.written_at:
        return min(post.written_at, post.loaded_at)
    return post.loaded_at


def last_word(thread_id: int, moment: str) -> None:
    """Give a thread the moment back by which it stood in lists, if its last post is the same."""
    thread = Thread.objects.select_related("last_post").get(pk=thread_id)
    before = datetime.fromisoformat(moment)
    # Of imported posts that moment may be when they were written, not when they came.
    last = thread.last_post
    if last is not None and last.origin_id and before <= last.loaded_at:
        thread.last_post_at = before
        tree.save_thread(thread, "last_post_at")


# --- Read marks -------------------------------------------------------------------------------


class _Marks:
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
        # Runs of numbers that stay together: old thread -> [(first, last, thread, first there)]
        self.runs: dict[int, list[list]] = defaultdict(list)
        self.home = {row.pk: row.thread_id for row in placements}
        rows = {row.pk: row for row in placements}
        # Of doubles: old thread -> {number: (thread, number) of the post that stays for it}
        self.doubles: dict[int, dict[int | None, tuple[int, int | None]]] = defaultdict(dict)
        for double, one in twins.items():
            source, number = rows[double].came_from
            self.doubles[source][number] = rows[one].thread_id, rows[one].number
        old = [row for row in placements if row.came_from[1] is not None]
        for row in sorted(old, key=lambda row: row.came_from):
            source, number = row.came_from
            self.arrived[source].append(row.arrived)
            if row.number is None:
                continue
            runs = self.runs[source]
            if runs:
                first, last, target, there = runs[-1]
                if (number, row.thread_id) == (last + 1, target) and (
                    row.number == there + last + 1 - first
                ):
                    runs[-1][1] = number
                    continue
            runs.append([number, number, row.thread_id, row.number])
        new = [row for row in placements if row.number is not None]
        for row in sorted(new, key=lambda row: (row.thread_id, row.number)):
            self.now_arrived[row.thread_id].append(row.arrived)
        self.known: dict[tuple[int, str], dict[int, list[tuple[int, int]]]] = {}
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
            for pk, until, joined in User.objects.filter(pk__in=self.marks).values_list(
                "pk", "read_until", "date_joined"
            )
        }
        for user_id, mine in self.marks.items():
            read: dict[int, list[tuple[int, int]]] = defaultdict(list)
            folded: dict[int, list[int]] = defaultdict(list)
            for source in self.threads:
                mark = mine.get(source)
                known = mark.ranges if mark else _until(self.arrived[source], since[user_id])
                for target, there in self._mapped(source, known).items():
                    read[target] += there
                # The mark in an emptied thread only rests there.
                for pk in mark.folded if mark and self.arrived[source] else ():
                    folded[self.home.get(pk, source)].append(pk)
            doubles = self._doubles(mine, since[user_id])
            for target in self.now_arrived:
                alone = read_state.columns(_united(read[target]))["ranges"]
                ranges = read_state.columns(_united(read[target] + doubles.get(target, [])))
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
        ReadMark.objects.filter(pk__in=needless).delete()
        ReadMark.objects.bulk_update(changed, ["ranges", "count", "folded"], batch_size=500)
        return {
            "marks": [mark.pk for mark in ReadMark.objects.bulk_create(made)],
            "more_read": [[mark.pk, alone, now] for mark, alone, now in more],
        }

    def _doubles(self, mine: Mapping[int, ReadMark], since) -> dict[int, list[tuple[int, int]]]:
        """The numbers of posts whose doubles a member has read, by thread."""
        found: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for source, numbers in self.doubles.items():
            ranges = mine[source].ranges if source in mine else _until(self.arrived[source], since)
            for first, last in read_state.parse(ranges):
                for number in range(first, last + 1):
                    if number in numbers:
                        target, there = numbers[number]
                        if there is not None:
                            found[target].append((there, there))
        return found

    def _mapped(self, source: int, ranges: str) -> dict[int, list[tuple[int, int]]]:
        """Where numbers of an old thread are now. Many members have read the same."""
        if (source, ranges) not in self.known:
            found = defaultdict(list)
            runs = self.runs[source]
            for first, last in read_state.parse(ranges):
                at = max(bisect_right(runs, first, key=lambda run: run[0]) - 1, 0)
                for begin, end, target, there in runs[at:]:
                    if begin > last:
                        break
                    a, b = max(first, begin), min(last, end)
                    if a <= b:
                        found[target].append((there + a - begin, there + b - begin))
            self.known[source, ranges] = found
        return self.known[source, ranges]


def _until(arrived: Sequence, since) -> str:
    """The ranges that hold what had arrived by a moment."""
    count = bisect_right(arrived, since)
    return f"1-{count}" if count else ""


def _united(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same numbers as ranges that neither overlap nor touch, ascending."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


# --- Drafts -----------------------------------------------------------------------------------


def _redirect_drafts(
    threads: Mapping[int, Thread], placements: Sequence[tree.Placement]
) -> list[list]:
    """Let drafts of answers lead to where the post answered is now. Returns what they said before:
    [id, target, label, target now]."""
    rows = {row.pk: row for row in placements}
    openings = {row.was[0]: row for row in placements if row.was[3] == Post.Basis.OPENING}
    about = Q(target__startswith="/posts/")
    for thread_id in threads:
        about |= Q(target__startswith=f"/threads/{thread_id}/reply/")
    before = []
    for draft in Draft.objects.filter(about):
        address, _, to = draft.target.partition("?to=")
        edit, named = address.startswith("/posts/"), int(address.split("/")[2])
        if edit or to.isdecimal():
            row = rows.get(named if edit else int(to))
        else:
            row = openings.get(named)
        if row is None or row.was[:2] == (row.thread_id, row.number):
            continue
        thread = threads[row.thread_id]
        # An answer to the debate names no post, as long as its opening is that debate's.
        post: Post | None = Post(pk=row.pk, number=row.number)
        if not edit and not to and row.basis == Post.Basis.OPENING:
            post = None
        target = draft.target
        if not edit:
            target = f"/threads/{thread.pk}/reply/" + (f"?to={row.pk}" if post else "")
        before.append([draft.pk, draft.target, draft.label, target])
        # Not saved_at: which of two drafts is newer does not change.
        Draft.objects.filter(pk=draft.pk).update(
            target=target, label=label_for(thread, post, edit=edit)
        )
    return before


def return_drafts(before: Sequence[Sequence]) -> None:
    """Give drafts the targets and labels back that they had, where they still lead to where the
    act had led them."""
    for pk, target, label, now in before:
        Draft.objects.filter(pk=pk, target=now).update(target=target, label=label)
