"""What goes along when posts change their place: every row that repeats an address, in one place.

`reassign_rows` is called with the threads locked and with `tree.Placement` rows that say where each
post stands now. What belongs to posts by id needs nothing; what finds them follows by a job.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import Count, Max, Q

from .. import tree
from ..models import Draft, PassageKey, PictureUse, Post, State, Thread, Threadmark
from ..search import index
from . import arguments, cases, notices
from .drafts import label_for
from .reassigned_marks import Marks

# What names both a post and its thread.
REPEATS = (PassageKey, PictureUse, Threadmark)


def reassign_rows(
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
    raises the site version, last in the act.

    Returns what undoing the act needs besides the posts' own places: marks that were made, or say
    more because of twins, drafts that lead elsewhere, when threads had their last word.
    """
    last_words = {pk: thread.last_post_at.isoformat() for pk, thread in threads.items()}
    marks = Marks(threads, placements, twins or {})
    tree.rearrange(placements)
    for model in REPEATS:
        for source, target in {
            (row.came_from[0], row.thread_id) for row in placements if row.was[0] != row.thread_id
        }:
            # Not by a join, for which Django reads all rows of the thread a second time.
            there = Post.objects.filter(thread_id=target).values("pk")
            model.objects.filter(thread_id=source, post__in=there).update(thread_id=target)
    for thread in threads.values():
        thread.numbering += 1
        recount(thread)
        index.write_thread.enqueue(thread.pk)
    if len({thread.board_id for thread in threads.values()}) > 1:
        cases.follow(*threads.values())
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
