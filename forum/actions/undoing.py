"""Taking an act of moderation back: from the audit log, the desk, or where it was done.

`undo` brings back what was so before the act, or refuses with a sentence where the world has moved
on. The log keeps both entries. The one act that cannot be taken back erases words.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from accounts.models import new_edition

from .. import tree
from ..models import (
    Answer,
    AuditEntry,
    Board,
    Divergence,
    Post,
    Question,
    Quote,
    ReadMark,
    State,
    Thread,
    slug_for,
)
from ..models.visibility import moderates
from ..permissions import Refused, require
from . import (
    arguments,
    cases,
    debate,
    moderation,
    moving,
    notices,
    posts,
    reading,
    threadmarks,
    variants,
    words,
)
from .audit import record
from .carrying import carry, quoted_elsewhere, return_drafts
from .merging import count_cards, point

# Acts that move posts between threads: they are taken back in the opposite order.
MOVING = ("split", "move branch", "merge", "merge duplicates")


def undo(*, user, entry: AuditEntry, reason: str = "") -> AuditEntry:
    """Take back the act that `entry` records and return the entry of that.

    Raises permissions.Refused where the act cannot be taken back, was already, or where what
    followed it is in the way; then nothing was changed.
    """
    if entry.verb not in ACTS:
        raise Refused("This act cannot be undone.")
    try:
        with transaction.atomic():
            ids = {entry.thread_id}
            if entry.verb in MOVING:
                ids |= {entry.other_thread}
            try:
                threads = {row.pk: row for row in tree.lock(*ids)}
            except Thread.DoesNotExist:
                raise Refused("The debate is not here any more.") from None
            for thread in threads.values():
                if thread.state != State.MERGED:
                    require(user, "moderate", thread)
                elif entry.verb not in MOVING or not moderates(user, thread.board_id):
                    raise Refused("This debate went into another one since.")
            if AuditEntry.objects.filter(undoes=entry).exists():
                raise Refused("This act was undone already.")
            if entry.verb in MOVING:
                _refuse_out_of_order(entry, ids)
            ACTS[entry.verb](entry, threads)
            done = record(
                user,
                "undo",
                post=entry.post,
                thread=Thread.objects.get(pk=entry.thread_id),
                undoes=entry,
                reason=reason,
                act=entry.verb,
            )
            told = entry.notices.select_related("member").order_by("member_id")
            for member in {notice.member for notice in told}:
                notices.tell(member, entry=done, said="An act that you were told of was undone.")
            cases.undone(entry, done)
            new_edition()
    except IntegrityError:
        # Somebody else undid it since we asked.
        if AuditEntry.objects.filter(undoes=entry).exists():
            raise Refused("This act was undone already.") from None
        raise
    return done


def may_be_undone(entry: AuditEntry) -> bool:
    """Whether a page offers to take this act back: it is one that can be, and was not yet."""
    return entry.verb in ACTS and not AuditEntry.objects.filter(undoes=entry).exists()


def _refuse_out_of_order(entry: AuditEntry, ids: set[int]) -> None:
    later = (
        AuditEntry.objects.filter(
            Q(thread__in=ids) | Q(other_thread__in=ids),
            pk__gt=entry.pk,
            verb__in=MOVING,
            undone_by__isnull=True,
        )
        .order_by("-pk")
        .first()
    )
    if later is not None:
        raise Refused(
            f"Posts of these debates were moved again since ({later.verb}, "
            f"{later.created_at:%Y-%m-%d %H:%M}). Undo that first."
        )


# --- Posts and threads that stand or do not ---------------------------------------------------


def _post_state(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    post = Post.objects.get(pk=entry.post_id)
    thread = threads[entry.thread_id]
    if post.thread_id != thread.pk:
        raise Refused("The post is in another debate now. Act on it there.")
    if post.state != entry.detail["after"]:
        raise Refused(f"The post is {post.get_state_display().lower()} by now.")
    was = entry.detail["was"]
    before = entry.detail["before"]
    takes_number = before in (State.PENDING, State.REJECTED) and post.number is not None
    if takes_number:
        _refuse_answered(post, thread)
    posts.set_state(post, before, reason=was["reason"], withdrawn=was["withdrawn"])
    if takes_number:
        _take_number(post, was)
    _last_word(thread.pk, was["last_post_at"])


def _refuse_answered(post: Post, thread: Thread) -> None:
    """An approved post can wait again as long as nothing came after it."""
    if post.number != thread.numbered:
        raise Refused("Others were posted after it. Hide it instead.")
    if Quote.objects.filter(source_post=post).exists() or post.children.exists():
        raise Refused("It was answered or quoted since. Hide it instead.")


def _take_number(post: Post, was: dict) -> None:
    """Uproot a post that waits again, and let it have come when it first did."""
    (thread,) = tree.lock(post.thread_id)
    rows = tree.standing(thread.pk)
    row = next(row for row in rows if row.pk == post.pk)
    row.number = None
    carry({thread.pk: thread}, rows)
    post.refresh_from_db()
    post.loaded_at = datetime.fromisoformat(was["loaded_at"])
    post.save(update_fields=["loaded_at"])


def _last_word(thread_id: int, moment: str) -> None:
    """Give a thread the moment back by which it stood in lists, if its last post is the same."""
    thread = Thread.objects.select_related("last_post").get(pk=thread_id)
    before = datetime.fromisoformat(moment)
    # Of imported posts that moment may be when they were written, not when they came.
    last = thread.last_post
    if last is not None and last.origin_id and before <= last.loaded_at:
        Thread.objects.filter(pk=thread_id).update(last_post_at=before)


def _branch(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    post = Post.objects.get(pk=entry.post_id)
    if post.thread_id != entry.thread_id:
        raise Refused("The post is in another debate now. Act on it there.")
    if post.branch_locked != entry.detail["after"]:
        raise Refused("The branch was locked or opened again since.")
    moderation.set_branch_lock(post, threads[entry.thread_id], entry.detail["before"])


def _columns(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    thread = threads[entry.thread_id]
    after = entry.detail["after"]
    if {name: getattr(thread, name) for name in after} != after:
        raise Refused("That was changed again since. Look at the debate as it is now.")
    moderation.set_columns(thread, entry.detail["before"])


def _rename(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    thread = threads[entry.thread_id]
    if thread.title != entry.detail["after"]:
        raise Refused("The debate was renamed again since.")
    title = entry.detail["before"]
    moderation.set_columns(thread, {"title": title, "slug": slug_for(title)})
    words.index(thread)


def _variant(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    before = entry.detail["before"]["variant_of_id"]
    if before and not Thread.objects.filter(pk=before, state=State.VISIBLE).exists():
        raise Refused("The debate of which it was a variant does not stand any more.")
    _columns(entry, threads)


def _move_thread(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    thread = threads[entry.thread_id]
    if thread.board_id != entry.detail["after"]:
        raise Refused("The debate was moved again since.")
    board = Board.objects.filter(pk=entry.detail["before"]).first()
    if board is None:
        raise Refused("The board that it came from is not here any more.")
    moving.check_audience(thread.posts.all(), board)
    moving.put_on_board(thread, board)


# --- Posts that changed threads ---------------------------------------------------------------


def _give_back(
    entry: AuditEntry, threads: Mapping[int, Thread], source: int, target: int
) -> Sequence[tree.Standing]:
    """Put the posts that went from `source` to `target` back to where they stood, with what
    answers them since, and return how all stand now; the caller carries them."""
    standing = tree.standing(*threads)
    rows = {row.pk: row for row in standing}
    numbers = dict(entry.detail["moved"])
    for pk in numbers:
        if pk not in rows or rows[pk].thread_id != target:
            raise Refused("Some of these posts are elsewhere by now.")
    changed = entry.detail["parents"]
    for pk, _, _, parent, basis in changed:
        if pk not in rows or (rows[pk].parent_id, rows[pk].basis) != (parent, basis):
            raise Refused("What some of these posts answer was changed since.")
    going = set(numbers)
    for row in standing:  # in order of numbers: what is answered comes first
        if row.thread_id == target and row.parent_id in going:
            going.add(row.pk)
    moving.take(standing, going, source)
    for pk, parent, basis, _, _ in changed:
        rows[pk].parent_id, rows[pk].basis = parent, basis
    _old_numbers([row for row in standing if row.thread_id == source], numbers)
    return standing


def _old_numbers(rows: Sequence[tree.Standing], numbers: Mapping[int, int | None]) -> None:
    """Number posts 1…n: those that come back as they were, the others in their order around."""
    back = {numbers[row.pk]: row for row in rows if numbers.get(row.pk) is not None}
    others = iter(
        sorted(
            (row for row in rows if row.number is not None and numbers.get(row.pk) is None),
            key=lambda row: row.number,
        )
    )
    for number in range(1, 1 + sum(row.number is not None for row in rows)):
        row = back.pop(number, None) or next(others, None)
        if row is None:
            raise Refused("Other posts of the debate went elsewhere since.")
        row.number = number


def _carry_back(
    entry: AuditEntry, threads: Mapping[int, Thread], standing: Sequence[tree.Standing]
) -> None:
    more = entry.detail["more_read"]
    unchanged = {
        pk: alone for pk, alone, now in more if ReadMark.objects.filter(pk=pk, ranges=now).exists()
    }
    carry(threads, standing, made=entry.detail["marks"])
    _read_less(unchanged, entry.detail["marks"], threads)
    return_drafts(entry.detail["drafts"])


def _read_less(
    marks: Mapping[int, str], made: Sequence[int], threads: Mapping[int, Thread]
) -> None:
    """Take from marks what they said because of doubles, where nothing was read since."""
    for mark in ReadMark.objects.filter(pk__in=marks, thread__in=threads):
        columns = reading.columns(reading.parse(marks[mark.pk]))
        if mark.pk in made and not mark.folded:
            mark.delete()
        else:
            ReadMark.objects.filter(pk=mark.pk).update(**columns)


def _split(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    old, new = threads[entry.thread_id], threads[entry.other_thread]
    moved = {pk for pk, _ in entry.detail["moved"]}
    if Post.objects.filter(thread=new).exclude(pk__in=moved).exists():
        raise Refused("Others have written in the new debate since. Merge the two debates instead.")
    standing = _give_back(entry, threads, old.pk, new.pk)
    if old.board_id != new.board_id:
        moving.check_audience(Post.objects.filter(pk__in=moved), old.board)
    _carry_back(entry, threads, standing)
    if lane := entry.detail["lane"]:
        Post.objects.filter(pk=entry.post_id, lane="").update(lane=lane)
        count_cards(old)
    _forget(new, old)
    _last_word(old.pk, entry.detail["last_post_at"][str(old.pk)])


def _forget(thread: Thread, into: Thread) -> None:
    """Let an emptied debate go: without a trace where nothing in the log names it, else as one
    that went into the other. Its addresses lead there either way."""
    if thread.state == State.VISIBLE:
        Board.objects.filter(pk=thread.board_id).update(thread_count=F("thread_count") - 1)
    variants.lead(thread, into)
    if not AuditEntry.objects.filter(thread=thread).exists():
        thread.delete()  # its posts would be in the way
    else:
        thread.state, thread.merged_into = State.MERGED, into
        thread.save(update_fields=["state", "merged_into"])


def _move_branch(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    source, target = threads[entry.thread_id], threads[entry.other_thread]
    if source.board_id != target.board_id:
        moved = [pk for pk, _ in entry.detail["moved"]]
        moving.check_audience(Post.objects.filter(pk__in=moved), source.board)
    _carry_back(entry, threads, _give_back(entry, threads, source.pk, target.pk))
    for pk, moment in entry.detail["last_post_at"].items():
        _last_word(int(pk), moment)


def _merge(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    into, thread = threads[entry.thread_id], threads[entry.other_thread]
    if thread.state != State.MERGED or thread.merged_into_id != into.pk:
        raise Refused("The debates are not as the merge left them.")
    before = entry.detail["before"]
    twins = dict(entry.detail.get("twins", ()))
    standing = _give_back(entry, threads, thread.pk, into.pk)
    thread.state, thread.merged_into = before["state"], None
    opener = before["opener"]
    into.author_id, into.byline = opener["author"], opener["byline"]
    into.created_at = datetime.fromisoformat(opener["created_at"])
    _carry_back(entry, threads, standing)
    point(dict.fromkeys(twins))
    _quote_doubles(entry.detail.get("quotes", ()), twins)
    for name, model in (("divergences", Divergence), ("questions", Question)):
        for pk, order in entry.detail["cards"][name]:
            model.objects.filter(pk=pk, thread=into).update(thread=thread, order=order)
    for answer, question in entry.detail["cards"]["answers"]:
        Answer.objects.filter(pk=answer).update(question=question)
    variants.lead_back(entry.detail.get("variants", ()), thread, into)
    count_cards(thread, into)
    for pk, moment in entry.detail["last_post_at"].items():
        _last_word(int(pk), moment)
    if thread.state == State.VISIBLE:
        Board.objects.filter(pk=thread.board_id).update(thread_count=F("thread_count") + 1)
    quoted_elsewhere(threads)


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


def _stands(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    """Posts and threads are hidden and brought back under the same words."""
    (_post_state if entry.post_id else _columns)(entry, threads)


def _stands(entry: AuditEntry, threads: Mapping[int, Thread]) -> None:
    """Posts and threads are hidden and brought back under the same words."""
    (_post_state if entry.post_id else _columns)(entry, threads)


def _put_back(function: Callable) -> Callable:
    """The undoing of an act whose own module knows how its rows lay."""
    return lambda entry, threads: function(entry, threads[entry.thread_id])


ACTS: dict[str, Callable] = {
    **dict.fromkeys(("hide", "remove", "restore"), _stands),
    **dict.fromkeys(("approve", "reject"), _post_state),
    **dict.fromkeys(("lock branch", "unlock branch"), _branch),
    **dict.fromkeys(
        (
            *("lock", "unlock", "pin", "unpin", "archive", "unarchive"),
            *("slow", "demand approval", "waive approval"),
        ),
        _columns,
    ),
    "rename": _rename,
    variants.VERB: _variant,
    "describe": _put_back(debate.put_back),
    **dict.fromkeys(("mark", "unmark"), _put_back(threadmarks.put_back)),
    "set lane": _put_back(arguments.put_back_lane),
    "tie answer": _put_back(arguments.put_back_answers),
    "move": _move_thread,
    "split": _split,
    "move branch": _move_branch,
    "merge": _merge,
    "merge duplicates": _merge,
}
