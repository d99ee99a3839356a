"""Bringing posts back to the debates from which an act took them: splits, moved branches, merges.

Called by `undoing` with the debates locked, and asked whether nothing was moved since. Where each
post stood is in the entry; what was written there meanwhile keeps its order around them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from forum import tree
from forum.actions import read_state, variants
from forum.actions.reassigning import last_word, reassign_rows, return_drafts
from forum.models import (
    Answer,
    AuditEntry,
    Divergence,
    Post,
    Question,
    Quote,
    ReadMark,
    State,
    Thread,
)
from forum.permissions import Refused

from . import moving
from .merging import count_cards, redirect_twins, refuse_hidden


def _give_back(
    entry: AuditEntry, threads: Mapping[int, Thread], source: int, target: int
) -> Sequence[tree.Placement]:
    """Put the posts that went from `source` to `target` back to where they stood, with what
    answers them since, and return how all stand now; the caller carries them."""
    placements = tree.placements(*threads)
    rows = {row.pk: row for row in placements}
    numbers = dict(entry.detail["moved"])
    for pk in numbers:
        if pk not in rows or rows[pk].thread_id != target:
            raise Refused("Some of these posts are elsewhere by now.")
    changed = entry.detail["parents"]
    for pk, _, _, parent, basis in changed:
        if pk not in rows or (rows[pk].parent_id, rows[pk].basis) != (parent, basis):
            raise Refused("What some of these posts answer was changed since.")
    returning = set(numbers)
    for row in placements:  # in order of numbers: what is answered comes first
        if row.thread_id == target and row.parent_id in returning:
            returning.add(row.pk)
    moving.reassign(placements, returning, source)
    for pk, parent, basis, _, _ in changed:
        rows[pk].parent_id, rows[pk].basis = parent, basis
    _old_numbers([row for row in placements if row.thread_id == source], numbers)
    return placements


def _old_numbers(rows: Sequence[tree.Placement], numbers: Mapping[int, int | None]) -> None:
    """Number posts 1…n: those that come back as they were, the others in their order around."""
    back = {numbers[row.pk]: row for row in rows if numbers.get(row.pk) is not None}
    others = iter(
        sorted(
            (row for row in rows if row.number is not None and numbers.get(row.pk) is None),
            key=lambda row: row.number or 0,
        )
    )
    for number in range(1, 1 + sum(row.number is not None for row in rows)):
        row = back.pop(number, None) or next(others, None)
        if row is None:
            raise Refused("Other posts of the debate went elsewhere since.")
        row.number = number


def _reassign_rows_back(
    entry: AuditEntry, threads: Mapping[int, Thread], placements: Sequence[tree.Placement]
) -> None:
    _check_audience(threads, placements)
    more = entry.detail["more_read"]
    unchanged = {
        pk: alone for pk, alone, now in more if ReadMark.objects.filter(pk=pk, ranges=now).exists()
    }
    reassign_rows(threads, placements, made=entry.detail["marks"])
    _read_less(unchanged, entry.detail["marks"], threads)
    return_drafts(entry.detail["drafts"])


def _check_audience(threads: Mapping[int, Thread], placements: Sequence[tree.Placement]) -> None:
    """Raise Refused if what goes back to another board, with what answers it since, quotes words
    that may not be read there."""
    back = [row for row in placements if row.thread_id != row.was[0]]
    for source, target in {(row.was[0], row.thread_id) for row in back}:
        if threads[source].board_id != threads[target].board_id:
            posts = Post.objects.filter(pk__among=[row.pk for row in back])
            moving.check_audience(posts, threads[target].board)


def _read_less(
    marks: Mapping[int, str], made: Sequence[int], threads: Mapping[int, Thread]
) -> None:
    """Take from marks what they said because of doubles, where nothing was read since."""
    for mark in ReadMark.objects.filter(pk__among=marks, thread__in=threads):
        columns = read_state.columns(read_state.parse(marks[mark.pk]))
        if mark.pk in made and not mark.folded:
            mark.delete()
        else:
            ReadMark.objects.filter(pk=mark.pk).update(**columns)


def split(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    """Give the posts of a debate that was split off back, and let it go. Raises Refused where
    others have written there since."""
    old, new = threads[entry.thread_id or 0], threads[entry.other_thread or 0]
    refuse_hidden(old, new)
    moved = {pk for pk, _ in entry.detail["moved"]}
    if Post.objects.filter(thread=new).exclude(pk__among=moved).exists():
        raise Refused("Others have written in the new debate since. Merge the two debates instead.")
    placements = _give_back(entry, threads, old.pk, new.pk)
    _reassign_rows_back(entry, threads, placements)
    if lane := entry.detail["lane"]:
        Post.objects.filter(pk=entry.post_id, lane="").update(lane=lane)
        count_cards(old)
    _forget(new, old)
    last_word(old.pk, entry.detail["last_post_at"][str(old.pk)])


def _forget(thread: Thread, into: Thread) -> None:
    """Let an emptied debate go: without a trace where nothing in the log names it, else as one
    that went into the other. Its addresses lead there either way."""
    if thread.state == State.VISIBLE:
        tree.count_on_board(thread, -1)
    variants.redirect(thread, into)
    if not AuditEntry.objects.filter(thread=thread).exists():
        thread.delete()  # its posts would be in the way
    else:
        thread.state, thread.merged_into = State.MERGED, into
        tree.save_thread(thread, "state", "merged_into")


def move_branch(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    """Give a moved branch back to the debate that it came from. Raises Refused."""
    source, target = threads[entry.thread_id or 0], threads[entry.other_thread or 0]
    _reassign_rows_back(entry, threads, _give_back(entry, threads, source.pk, target.pk))
    for pk, moment in entry.detail["last_post_at"].items():
        last_word(int(pk), moment)


def merge(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    """Part two debates again that were merged, with their cards. Raises Refused."""
    into, thread = threads[entry.thread_id or 0], threads[entry.other_thread or 0]
    if thread.state != State.MERGED or thread.merged_into_id != into.pk:
        raise Refused("The debates are not as the merge left them.")
    refuse_hidden(into)
    before = entry.detail["before"]
    twins = dict(entry.detail.get("twins", ()))
    placements = _give_back(entry, threads, thread.pk, into.pk)
    thread.state, thread.merged_into = before["state"], None
    opener = before["opener"]
    into.author_id, into.byline = opener["author"], opener["byline"]
    into.created_at = datetime.fromisoformat(opener["created_at"])
    _quote_doubles(entry.detail.get("quotes", ()), twins)  # what they quote goes back with them
    _reassign_rows_back(entry, threads, placements)
    redirect_twins(dict.fromkeys(twins))
    for name, model in (("divergences", Divergence), ("questions", Question)):
        for pk, order in entry.detail["cards"][name]:
            model.objects.filter(pk=pk, thread=into).update(thread=thread, order=order)
    for answer, question in entry.detail["cards"]["answers"]:
        Answer.objects.filter(pk=answer).update(question=question)
    variants.redirect_back(entry.detail.get("variants", ()), thread, into)
    count_cards(thread, into)
    for pk, moment in entry.detail["last_post_at"].items():
        last_word(int(pk), moment)
    if thread.state == State.VISIBLE:
        tree.count_on_board(thread, 1)


def _quote_doubles(before: Sequence[Sequence], twins: Mapping[int, int]) -> None:
    """Let quotes be quotes of the doubles again from which they were taken."""
    rows = Quote.objects.in_bulk([row[0] for row in before])
    back = []
    for pk, post, revision, nested in before:
        if pk in rows and rows[pk].source_post_id == twins[post]:
            quote = rows[pk]
            quote.source_post_id, quote.source_revision_id, quote.nested = post, revision, nested
            back.append(quote)
    Quote.objects.bulk_update(back, ["source_post", "source_revision", "nested"], batch_size=500)
