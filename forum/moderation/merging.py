"""Merging: a debate goes into another one, or turns out to be here twice. Its row stays, without
posts or with those that are there twice, so that its addresses lead on and the act can be undone.
"""

from collections.abc import Mapping, Sequence

from django.db import transaction

from accounts.models import raise_site_version
from forum import tree
from forum.actions import arguments, keyword_index, variants
from forum.actions.audit import record
from forum.actions.cards import write_card
from forum.actions.description import MAX_DIVERGENCES, MAX_QUESTIONS
from forum.actions.reassigning import reassign_rows
from forum.models import Answer, Divergence, Post, PostRevision, Question, Quote, State, Thread
from forum.permissions import Refused, require

from .moving import check_audience, notify_writers, reassign


def merge(*, user, thread: Thread, into: Thread, reason: str = "") -> Thread:
    """Let a debate go into another one and return that. Posts are numbered as they came; the lowest
    is the opening, the other opening answers it, and what answered that one still does.
    Divergences and questions come along as far as there is room.

    Raises permissions.Refused; then nothing was changed.
    """
    with transaction.atomic():
        thread, into, locked = _locked_pair(user, thread, into)
        placements = tree.placements(*locked)
        moving = [row for row in placements if row.thread_id == thread.pk]
        if thread.board_id != into.board_id:
            check_audience(Post.objects.filter(thread=thread), into.board)
        before = {"opener": opener(into), "state": thread.state}
        parents = reassign(placements, {row.pk for row in moving}, into.pk)
        _opened_by(into, placements)
        reassigned = reassign_rows(locked, placements)
        cards = _take_cards(thread, into)
        led = variants.redirect(thread, into)
        close_shell(thread, into)
        entry = record(
            user,
            "merge",
            thread=into,
            other_thread=thread.pk,
            reason=reason,
            before=before,
            after=into.title,
            title=thread.title,
            moved=[[row.pk, row.came_from[1]] for row in moving],
            parents=parents,
            cards=cards,
            unseen=unseen_of(thread),
            variants=led,
            **reassigned,
        )
        message = "A debate in which you wrote went into another one."
        notify_writers(moving, entry, message)
        raise_site_version()
    return into


def merge_duplicates(*, user, thread: Thread, into: Thread, reason: str = "") -> Thread:
    """Let a debate that was loaded twice go into its twin and return that. Posts with the same
    texts are one post from now on: quotes of the double are quotes of the one that stays, what
    answered the double answers that one, and the double's address leads there. Others come along.

    Raises permissions.Refused if they have no text in common; then nothing was changed.
    """
    with transaction.atomic():
        thread, into, locked = _locked_pair(user, thread, into)
        twins = _twins(thread, into)
        if not twins:
            raise Refused("No post of one debate has the text of a post of the other.")
        placements = tree.placements(*locked)
        first, last = (_began(placements, one.pk) for one in (into, thread))
        if first > last:
            raise Refused("The debate that was here first stays. Merge it the other way round.")
        moving = [row for row in placements if row.thread_id == thread.pk and row.pk not in twins]
        if thread.board_id != into.board_id:
            check_audience(Post.objects.filter(pk__among=[row.pk for row in moving]), into.board)
        before = {"opener": opener(into), "state": thread.state}
        reassign(placements, {row.pk for row in moving}, into.pk)
        _answer_twins(placements, moving, twins)
        parents = [
            [row.pk, *row.was[2:4], row.parent_id, row.basis]
            for row in placements
            if (row.parent_id, row.basis) != row.was[2:4]
        ]
        reassigned = reassign_rows(locked, placements, twins=twins)
        redirect_twins(twins)
        quotes = _requote(twins)
        cards = _take_cards(thread, into)
        led = variants.redirect(thread, into)
        close_shell(thread, into)
        entry = record(
            user,
            "merge duplicates",
            thread=into,
            other_thread=thread.pk,
            reason=reason,
            before=before,
            after=into.title,
            title=thread.title,
            moved=[[row.pk, row.came_from[1]] for row in moving],
            parents=parents,
            twins=[list(pair) for pair in twins.items()],
            quotes=quotes,
            cards=cards,
            unseen=unseen_of(thread),
            variants=led,
            **reassigned,
        )
        notify_writers(moving, entry, "A debate in which you wrote went into another one.")
        raise_site_version()
    return into


def _locked_pair(user, thread: Thread, into: Thread) -> tuple[Thread, Thread, Mapping[int, Thread]]:
    """Both debates, locked, fresh and asked of the charter; and the two by their ids."""
    if thread.pk == into.pk:
        raise Refused("Choose another debate: this one cannot go into itself.")
    # With those that are led along, which may have lower ids.
    variant_ids = Thread.objects.filter(variant_of=thread).values_list("pk", flat=True)
    rows = tree.lock(thread.pk, into.pk, *variant_ids)
    tree.announce("merge", thread.pk, into.pk)
    locked = {row.pk: row for row in rows if row.pk in (thread.pk, into.pk)}
    tree.lock_boards(*(row.board_id for row in locked.values()))
    thread, into = locked[thread.pk], locked[into.pk]
    for one in (thread, into):
        require(user, "moderate", one)
    refuse_hidden(thread, into)
    return thread, into, locked


def refuse_hidden(*threads: Thread) -> None:
    """Raise Refused for a debate that is hidden as a whole: between it and another one posts would
    come to sight, or go out of it, by the way."""
    for thread in threads:
        if thread.state != State.VISIBLE:
            raise Refused(f"“{thread.title}” is not visible. Bring it back first.")


def opener(thread: Thread) -> dict:
    """Who opened a debate and when: for the log, since another post may come to be its opening."""
    return {
        "author": thread.author_id,
        "byline": thread.byline,
        "created_at": thread.created_at.isoformat(),
    }


def _opened_by(thread: Thread, placements: Sequence[tree.Placement]) -> None:
    """Let a debate be that of whoever wrote what is its opening now."""
    first = next(row for row in placements if row.thread_id == thread.pk and row.number == 1)
    if first.came_from[0] != thread.pk:
        post = Post.objects.get(pk=first.pk)
        thread.author_id, thread.byline = post.author_id, post.byline
        thread.created_at = min(thread.created_at, post.written_at or post.loaded_at)


def close_shell(thread: Thread, into: Thread) -> None:
    """Leave of a debate the row by which its addresses lead to the one that took it in."""
    if thread.state == State.VISIBLE:
        tree.count_on_board(thread, -1)
    thread.state, thread.merged_into = State.MERGED, into
    tree.save_thread(thread, "state", "merged_into")


# --- Divergences and questions ----------------------------------------------------------------


def _take_cards(thread: Thread, into: Thread) -> dict:
    """Let divergences and questions of a debate come along, behind those that are there, as far as
    there is room; what answers a question that both ask answers the one that stays. Returns the
    ids of those that came, with the order they had, and [answer, question] of what was tied anew.
    """
    came: dict[str, list[list]] = {"divergences": [], "questions": [], "answers": []}
    known = {(one.change, one.edtf) for one in into.divergences.all()}
    for one in list(thread.divergences.order_by("order")):
        if (one.change, one.edtf) not in known and len(known) < MAX_DIVERGENCES:
            known.add((one.change, one.edtf))
            came["divergences"].append([one.pk, one.order])
            _set_thread(Divergence, one, into)
    asked = {one.text: one for one in into.questions.all()}
    room = MAX_QUESTIONS - sum(one.stands for one in asked.values())
    for question in list(thread.questions.filter(stands=True).order_by("order")):
        if question.text in asked:
            answers = Answer.objects.filter(question=question)
            came["answers"] += [[pk, question.pk] for pk in answers.values_list("pk", flat=True)]
            answers.update(question=asked[question.text])
        elif room:
            room -= 1
            came["questions"].append([question.pk, question.order])
            _set_thread(Question, question, into)
    count_cards(thread, into)
    return came


def unseen_of(thread: Thread) -> dict[str, int]:
    """What stays with a debate that went into another one, unseen until the merge is undone: its
    own answer, and the divergences, questions and marks for which there was no room or that are
    there already."""
    return {
        "own answer": int(bool(thread.own_answer)),
        "divergence": thread.divergences.count(),
        "question": thread.questions.filter(stands=True).count(),
        "mark": thread.threadmarks.count(),
    }


def count_cards(*threads: Thread) -> None:
    """Count answers and lanes of locked threads anew, lay their cards out and save both, and find
    them by the words of the divergences that they have now."""
    for thread in threads:
        arguments.count_anew(thread)
        write_card(thread)
        tree.save_thread(thread, "card", "lane_counts")
        keyword_index.index(thread)


def _set_thread(model, row, thread: Thread) -> None:
    last = model.objects.filter(thread=thread).order_by("-order").first()
    row.thread, row.order = thread, last.order + 1 if last else 1
    row.save(update_fields=["thread", "order"])


# --- Doubles ----------------------------------------------------------------------------------


def _began(placements: Sequence[tree.Placement], thread_id: int):
    return next(row.arrived for row in placements if row.came_from == (thread_id, 1))


def _twins(thread: Thread, into: Thread) -> dict[int, int]:
    """Which posts of `thread` are in `into` as well: post id -> id there. All texts that the one
    ever had must stand among those of the other; where several do, it is the one with the same
    number, or else the first."""
    there: dict[tuple, list[int]] = {}
    numbers: dict[int, int] = {}
    for pk, number, *text in _texts(into):
        there.setdefault(tuple(text), []).append(pk)
        numbers[pk] = number
    candidates: dict[int, list[int]] = {}
    mine: dict[int, int] = {}
    for pk, number, *text in _texts(thread):
        found = there.get(tuple(text), [])
        candidates[pk] = [one for one in candidates.get(pk, found) if one in found]
        mine[pk] = number
    twins: dict[int, int] = {}
    taken: set[int] = set()
    for pk in sorted(mine, key=mine.__getitem__):
        free = [one for one in candidates[pk] if one not in taken]
        if free:
            best = min(free, key=lambda one: (numbers[one] != mine[pk], numbers[one]))
            twins[pk] = best
            taken.add(best)
    return twins


def _texts(thread: Thread):
    """(post, number, hash, format) of every text of the numbered, visible posts of a debate."""
    return (
        PostRevision.objects.filter(
            post__thread=thread, post__number__isnull=False, post__state=State.VISIBLE
        )
        .order_by("post__number", "number")
        .values_list("post_id", "post__number", "sha256", "format")
    )


def _answer_twins(
    placements: Sequence[tree.Placement], moving: Sequence[tree.Placement], twins: Mapping[int, int]
) -> None:
    """What answered a double answers the post that stays for it."""
    rows = {row.pk: row for row in placements}
    openings = {row.was[0]: row.pk for row in placements if row.was[3] == Post.Basis.OPENING}
    for row in moving:
        above, basis = row.was[2:4]
        if above is None and basis not in (Post.Basis.UNKNOWN, Post.Basis.OPENING):
            above = openings[row.was[0]]
        if above in twins:
            one = rows[twins[above]]
            row.parent_id = None if one.basis == Post.Basis.OPENING else one.pk
            row.basis = basis


def redirect_twins(twins: Mapping[int, int | None]) -> None:
    """Let the addresses of doubles lead to the posts that stay for them (None: to themselves)."""
    rows = [Post(pk=pk, merged_into_id=one) for pk, one in twins.items()]
    Post.objects.bulk_update(rows, ["merged_into"], batch_size=500)


def _requote(twins: Mapping[int, int]) -> list[list]:
    """Let quotes of doubles be quotes of the same texts of the posts that stay, except in doubles.
    Returns [id, source post, source revision, nested] as they were."""
    texts = {
        (post_id, sha, form): pk
        for pk, post_id, sha, form in PostRevision.objects.filter(
            post__pk__among=twins.values()
        ).values_list("pk", "post_id", "sha256", "format")
    }
    quotes = list(
        Quote.objects.filter(source_post__pk__among=twins)
        .exclude(post__pk__among=twins)
        .select_related("source_revision")
        .order_by("pk")
    )
    before = []
    for quote in quotes:
        before.append([quote.pk, quote.source_post_id, quote.source_revision_id, quote.nested])
        text, double = quote.source_revision, quote.source_post_id
        assert text is not None and double is not None  # they quote `twins`, and were judged
        quote.source_post_id = twins[double]
        quote.source_revision_id = texts[twins[double], text.sha256, text.format]
        quote.nested = [twins.get(pk, pk) for pk in quote.nested]
    Quote.objects.bulk_update(quotes, ["source_post", "source_revision", "nested"], batch_size=500)
    return before
