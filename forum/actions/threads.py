"""What happens to threads: starting, renaming, closing."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from core import clock
from core.columns import longest
from core.opened_texts import check_base

from .. import tree
from ..models import Board, Post, State, Thread, new_key, slug_for
from ..permissions import require
from . import (
    description,
    elsewhere,
    keyword_index,
    notices,
    pace,
    polls,
    posts,
    read_state,
    screening,
    variants,
)
from .audit import record
from .composing import Unacceptable, compose
from .divergences import DivergenceInput

MAX_TITLE = longest(Thread, "title")


def start(
    *,
    user,
    board: Board,
    title: str,
    kind: str,
    source: str,
    token: UUID,
    divergences: Sequence[DivergenceInput] = (),
    questions: Sequence[str] = (),
    policy: str = "",
    own_answer: str = "",
    variant_of: Thread | None = None,
    poll: polls.Asked | None = None,
    trapped: bool = False,
) -> Thread:
    """Open a debate and return it, or the one that this token opened before. `divergences` say
    where it leaves history, `questions` are those of its own that it puts beside it, `policy` is
    whether its premise may be challenged (it may, if nothing is said), `own_answer` what its
    author expects, and why, `variant_of` a debate of which it is another version, `poll` one that
    its opening puts.
    `trapped`: see screening.screen, by which it may have to wait.

    Raises permissions.Refused, composing.Unacceptable or pace.TooFast; then nothing was changed.
    """
    if done := posts.submitted(token, user):
        return done.thread
    require(user, "start", board)
    pace.check_starts(user)
    title = check_title(title)
    if kind not in Thread.Kind.values:
        raise Unacceptable("Choose the kind of debate.")
    composed = compose(user=user, board=board, source=source)
    description.check(divergences, questions)
    own_answer = description.check_own_answer(own_answer)
    if policy and policy not in Thread.Policy.values:
        raise Unacceptable("Choose whether the premise may be challenged.")
    variants.check(None, variant_of, user)
    poll = polls.check(poll) if poll else None
    beside = [title, own_answer, *description.words(divergences), *(poll.words if poll else ())]
    held = screening.screen(user, board=board, composed=composed, beside=beside, trapped=trapped)

    def write() -> Post:
        if variant_of is not None:
            tree.lock(variant_of.pk)  # which the new row names: debates before boards
        # Rights are asked again of the board as it is now; its row is locked for its counter.
        now_board = Board.objects.select_for_update(no_key=True).get(pk=board.pk)
        require(user, "start", now_board)
        for sentence in description.missing(
            user=user,
            board=now_board,
            kind=kind,
            divergences=divergences,
            questions=questions,
            policy=policy,
            answer=own_answer,
        ).values():
            raise Unacceptable(sentence)
        now = clock.now()
        thread = tree.make_thread(
            Thread(
                board=now_board,
                title=title,
                slug=slug_for(title),
                kind=kind,
                policy=policy or Thread.Policy.OPEN,
                own_answer=own_answer,
                variant_of=variant_of,
                key=new_key(),
                author=user,
                created_at=now,
                last_post_at=now,
                state=State.PENDING if held else State.VISIBLE,
            )
        )
        if divergences or questions:
            description.write(thread, divergences, questions)
            tree.save_thread(thread, "card")
        else:
            keyword_index.index(thread)
        opening = Post(thread=thread, parent_basis=Post.Basis.OPENING, author=user)
        posts.add(opening, composed, editor=user, poll=poll, held=held)
        if not held:  # boards count what everybody may see
            tree.count_on_board(thread, 1)
            read_state.mark_opening(thread)
        if variant_of is not None:
            elsewhere.touch([variant_of.pk])  # it names its variants
        return opening

    return posts.once(token, user, write).thread


def check_title(title: str) -> str:
    """The title without stray white space. Raises Unacceptable with what to do."""
    title = " ".join(title.split())
    if not title:
        raise Unacceptable("Give the debate a title.")
    if len(title) > MAX_TITLE:
        raise Unacceptable(
            f"A title holds at most {MAX_TITLE} characters; this one has {len(title)}."
        )
    if "\0" in title or not title.isprintable():
        raise Unacceptable("The title holds characters that cannot be shown. Please retype it.")
    return title


def rename(
    *, user, thread: Thread, title: str, reason: str = "", base: str | None = None
) -> Thread:
    """Give a debate another title; its address keeps working. `base` is what the form said of the
    title that it was opened with. Raises permissions.Refused, Unacceptable or ChangedMeanwhile."""
    title = check_title(title)
    with transaction.atomic():
        (thread,) = tree.lock(thread.pk)
        require(user, "rename", thread)
        if thread.title != title:
            check_base(base, [thread.title])
            screening.check_words(user, thread, [thread.title], [title])
            before, thread.title, thread.slug = thread.title, title, slug_for(title)
            tree.save_thread(thread, "title", "slug")
            keyword_index.index(thread)
            _touch_variants(thread)
            entry = record(user, "rename", thread=thread, reason=reason, before=before, after=title)
            notices.notify(thread.author, entry=entry)
    return thread


def _touch_variants(thread: Thread) -> None:
    """The debates that name this one are drawn anew."""
    named_by = list(thread.variants.values_list("pk", flat=True))
    elsewhere.touch([*named_by, thread.variant_of_id] if thread.variant_of_id else named_by)


def close(*, user, thread: Thread, closed: bool, reason: str = "") -> Thread:
    """Close one's own debate to further answers, or open it again."""
    with transaction.atomic():
        (thread,) = tree.lock(thread.pk)
        require(user, "close", thread)
        if thread.closed_by_author != closed:
            thread.closed_by_author = closed
            tree.save_thread(thread, "closed_by_author")
            record(user, "close" if closed else "reopen", thread=thread, reason=reason)
    return thread
