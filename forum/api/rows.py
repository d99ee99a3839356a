"""Rows of the forum in the shapes of the answers. Nothing is asked of the charter here but by what
draws a post for a reader; what comes in was found through it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from forum.actions.posts import base_of
from forum.rendering.polls import PollShown
from forum.rendering.posts import PostEntry, render_posts
from forum.rendering.quotes import judged, shown_status

from ..models import Board, Divergence, Post, Question, Quote, Thread
from ..permissions import may, verbs
from .shapes import (
    BoardShape,
    DivergenceShape,
    LineShape,
    PollShape,
    PostShape,
    PreviewQuoteShape,
    QuestionShape,
    QuoteShape,
    SourceShape,
    ThreadShape,
)


def boards(rows: Sequence[Board]) -> list[BoardShape]:
    """Boards; one that stands in a board that is not among them stands in none."""
    slugs = {board.pk: board.slug for board in rows}
    return [
        BoardShape(
            slug=board.slug,
            name=board.name,
            description=board.description,
            parent=slugs.get(board.parent_id) if board.parent_id else None,
            audience=board.audience,
            read_only=board.read_only,
            threads=board.thread_count,
        )
        for board in rows
    ]


def line(thread: Thread) -> LineShape:
    """A debate of a list, read with its board and author."""
    return LineShape(**_line(thread))


def _line(thread: Thread) -> dict:
    return {
        "id": thread.pk,
        "address": thread.get_absolute_url(),
        "title": thread.title,
        "board": thread.board.slug,
        "kind": thread.kind,
        "policy": thread.policy,
        "state": thread.state,
        "opener": thread.opener,
        "member": thread.author.username if thread.author else None,
        "created_at": thread.created_at,
        "last_post_at": thread.last_post_at,
        "replies": thread.reply_count,
        "unread": max(vars(thread).get("unread") or 0, 0),
        "open": thread.open and not thread.board.read_only,
        "pinned": thread.pinned,
        "archived": thread.archived,
    }


def thread(
    thread: Thread,
    *,
    user,
    variant_of: int | None,
    divergences: Iterable[Divergence],
    questions: Iterable[Question],
) -> ThreadShape:
    """A debate by itself. `variant_of` is a debate that `user` sees; what the opening says besides
    its text is left out where they may not read the opening."""
    reads_opening = may(user, "see opening", thread)
    return ThreadShape(
        **_line(thread),
        numbered=thread.numbered,
        own_answer=thread.own_answer if reads_opening else "",
        divergences=[divergence(row, thread) for row in divergences] if reads_opening else [],
        questions=[question(row, thread) for row in questions] if reads_opening else [],
        lanes=thread.lane_counts,
        variant_of=variant_of,
        may=sorted(verbs(user, thread)),
    )


def divergence(row: Divergence, thread: Thread) -> DivergenceShape:
    """A divergence of `thread`."""
    return DivergenceShape(
        thread=thread.pk,
        title=thread.title,
        change=row.change,
        actor=row.actor,
        place=row.place,
        edtf=row.edtf,
        by_editor=row.by_editor,
    )


def question(row: Question, thread: Thread) -> QuestionShape:
    """A question that the opening of `thread` asks."""
    return QuestionShape(
        id=row.pk,
        thread=thread.pk,
        title=thread.title,
        text=row.text,
        answers=row.answer_count,
        disputed=row.disputed_count,
    )


def posts(rows: Sequence[Post], *, user) -> list[PostShape]:
    """Posts as `user` reads them: words, quotes and verdicts as on a page. They come from
    `for_reading()` with their revision, thread and board."""
    entries = render_posts(rows, user=user)
    quotes = judged([entry.post for entry in entries if not entry.gone], user)
    return [_post(entry, quotes) for entry in entries]


def _post(entry: PostEntry, quotes: Mapping[int, list[tuple[Quote, str]]]) -> PostShape:
    post = entry.post
    place: dict[str, Any] = {
        "id": post.pk,
        "thread": post.thread_id,
        "number": post.number,
        "parent": post.parent_id,
        "basis": post.parent_basis,
        "level": post.level,
        "state": post.state,
        "gone": entry.gone,
    }
    if entry.gone:
        return PostShape(**place)
    revision = post.body.revision
    return PostShape(
        **place,
        writer=post.writer,
        member=post.author.username if post.author else None,
        ignored=entry.ignored,
        lane=post.lane,
        stance=post.stance,
        minds_changed=post.minds_changed,
        written_at=post.written_at,
        loaded_at=post.loaded_at,
        edited_at=post.body.edited_at,
        revision=post.body.revision_number,
        plain=revision.plain,
        passages=[tuple(span) for span in revision.passages],
        html=str(entry.html),
        quotes=[quote(row, status) for row, status in quotes.get(revision.pk, ())],
        poll=_poll(entry.poll) if entry.poll else None,
        may=sorted(entry.verbs),
        base=base_of(revision) if "edit" in entry.verbs else None,
    )


def _poll(shown: PollShown) -> PollShape:
    poll = shown.poll
    numbers = {"voters": poll.voters, "counts": poll.counts} if shown.results else {}
    return PollShape(
        question=poll.question,
        choices=poll.choices,
        most=poll.most,
        open=poll.is_open,
        closes_at=poll.closes_at,
        chosen=[place for place, choice in enumerate(shown.choices) if choice.mine],
        **numbers,
    )


def quote(row: Quote, status: str) -> QuoteShape:
    """A quote with the word that its reader is shown for it."""
    return QuoteShape(
        ordinal=row.ordinal,
        passage=row.passage,
        words=row.words,
        status=status,
        stance=row.stance,
        whole=row.whole,
        source=_source(row) if status != "unverifiable" else None,
    )


def preview_quote(row: Quote, user) -> PreviewQuoteShape:
    """A quote that is not stored, with the word that `user` would be shown for it."""
    status = shown_status(row, user)
    known = status != "unverifiable"
    return PreviewQuoteShape(
        ordinal=row.ordinal,
        passage=row.passage,
        words=row.words,
        status=status,
        post=row.source_post_id if known else None,
    )


def _source(row: Quote) -> SourceShape | None:
    if row.source_post is None:
        return None
    return SourceShape(
        post=row.source_post.pk,
        number=row.source_post.number,
        revision=row.source_revision_number,
        passage=row.source_passage,
        start=row.start,
        end=row.end,
        parts=[tuple(part) for part in row.parts],
    )
