"""Writes a debate as a thread fixture or as Markdown, in parts, in constant memory.

A file is handed on, so it holds what everybody who sees the debate may read: posts that are
hidden, removed or waiting are not in it, whoever asks, and nothing that hangs on them alone.
Members become bylines. What a quote of a post outside of the file was taken from is not named.

Loaded into an empty forum and written again, a fixture gives the same bytes. What cannot survive
that is left out from the start: a parent that is not in the file (the reply says that nobody knows
what it answers), a quote's source whose present text does not hold the words any more, the typed
attribution of a quote, whose ids belong to this site.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC
from urllib.parse import urljoin

from django.db.models import F

from core import clock, progress
from forum.models import (
    Answer,
    ChangeOfMind,
    Divergence,
    Picture,
    PictureUse,
    Poll,
    Post,
    PostRevision,
    Question,
    Quote,
    State,
    Thread,
    Threadmark,
)
from forum.permissions import may
from forum.text import markup, quoting
from forum.text.history_dates import spoken

from .fields import (
    ANSWER,
    CHANGE,
    DIVERGENCE,
    PICTURE,
    POLL,
    POST,
    QUESTION,
    QUOTE,
    THREAD,
    THREADMARK,
)
from .fixture import FORMAT, spot_fields
from .pictures import mark_fields

PART = 200  # posts read at once
_PICTURE = re.compile(r"\]\(picture:([a-z0-9]{12})(?=[ )])")


class NotWhole(ValueError):
    """The debate cannot be written: its opening is not there for everybody. The message says so."""


def fixture(thread: Thread, *, user) -> Iterator[str]:
    """The thread fixture of a debate, in pieces of text; `user` decides whether the debate that it
    is a variant of may be named. Raises NotWhole at once."""
    _check(thread)
    return _pieces(_objects(thread, user))


def several(threads: list[Thread], *, user) -> Iterator[str]:
    """One file with the fixtures of several debates. Raises NotWhole at once."""
    for thread in threads:
        _check(thread)
    return _pieces(one for thread in threads for one in _objects(thread, user))


def _check(thread: Thread) -> None:
    opening = Post.objects.opening_of(thread.pk).first()
    if opening is None or opening.state != State.VISIBLE:
        raise NotWhole("The opening of this debate is not shown, so it cannot be taken along.")


def _pieces(objects: Iterator[dict]) -> Iterator[str]:
    """The objects as one JSON list, laid out as importing.fixture.dump does."""
    before = "[\n  "
    for one in objects:
        yield before + json.dumps(one, ensure_ascii=False, indent=2).replace("\n", "\n  ")
        before = ",\n  "
    yield "\n]\n"


def _object(model: str, **fields) -> dict:
    return {"model": model, "fields": fields}


def _objects(thread: Thread, user) -> Iterator[dict]:
    here = [thread.key]
    # What arrives while the file is written is not in it.
    last = Post.objects.filter(thread=thread).order_by("-number").values_list("number", flat=True)
    newest = last.exclude(number=None).first() or 0
    yield _object(
        THREAD,
        key=thread.key,
        format=FORMAT,
        version=thread.fixture_version or thread.version,
        board=[thread.board.slug],
        title=thread.title,
        kind=thread.kind,
        source=thread.source,
        policy=thread.policy,
        own_answer=thread.own_answer,
        variant_of=_variant_of(thread, user),
    )
    for post in progress.track(_posts(thread, newest), "posts written", newest):
        parent, basis = _answered(post)
        yield _object(
            POST,
            key=post.key,
            thread=here,
            parent=parent and [parent],
            parent_basis=str(basis),
            byline=post.writer,
            written_at=post.written_at and post.written_at.astimezone(UTC).isoformat(),
            format=post.body.revision.format,
            text=_text(post.body.revision),
            lane=post.lane,
            stance=post.stance,
        )
    yield from _quotes(thread, newest)
    for row in Divergence.objects.filter(thread=thread).order_by("order"):
        yield _object(
            DIVERGENCE,
            thread=here,
            change=row.change,
            actor=row.actor,
            place=row.place,
            edtf=row.edtf,
            by_editor=row.by_editor,
            **spot_fields(row.spot),
        )
    for question in Question.objects.filter(thread=thread, stands=True).order_by("order"):
        yield _object(QUESTION, thread=here, text=question.text)
    yield from _argued(thread, newest)
    for picture in pictures_of(thread, newest):
        yield _object(
            PICTURE,
            thread=here,
            key=picture.key,
            file=f"{picture.sha256}.{picture.kind}",
            alt=picture.alt,
            credit=picture.credit,
            source=picture.source,
            **mark_fields(picture),
        )


def pictures_of(thread: Thread, newest: int | None = None) -> list[Picture]:
    """The pictures that the present texts of visible posts show, those that are ready; in the order
    of the posts, up to number `newest`."""
    uses = PictureUse.objects.filter(
        thread=thread,
        post__state=State.VISIBLE,
        post__number__isnull=False,
        revision=F("post__body__revision"),
        picture__state=Picture.State.READY,
    ).select_related("picture")
    if newest is not None:
        uses = uses.filter(post__number__lte=newest)
    found = {use.picture_id: use.picture for use in uses.order_by("post__number", "pk")}
    return list(found.values())


def _variant_of(thread: Thread, user) -> list[str] | None:
    other = thread.variant_of
    if other:
        return [other.key] if may(user, "see thread", other) else None
    return [thread.variant_key] if thread.variant_key else None


def _posts(thread: Thread, last: int) -> Iterator[Post]:
    """The visible posts, in parts by number: a step of an index for each."""
    first = 1
    while first <= last:
        rows = list(
            Post.objects.filter(thread=thread, state=State.VISIBLE)
            .select_related("author", "body__revision", "parent")
            .numbered(first, min(first + PART - 1, last))
        )
        yield from rows
        first += PART


def _answered(post: Post) -> tuple[str | None, str]:
    """The key of the post answered, and on what that rests."""
    parent = post.parent
    if parent is None:
        return None, post.parent_basis
    stands = parent.state == State.VISIBLE and parent.thread_id == post.thread_id
    if not stands or parent.number >= post.number:
        return None, Post.Basis.UNKNOWN
    basis = post.parent_basis
    if basis == Post.Basis.QUOTE and not _quotes_its_parent(post):
        basis = Post.Basis.EDITOR
    return parent.key, basis


def _quotes_its_parent(post: Post) -> bool:
    quotes = Quote.objects.filter(revision=post.body.revision_id, source_post=post.parent_id)
    return any(_holds(quote) for quote in quotes.select_related("source_post__body__revision"))


def _text(revision: PostRevision) -> str:
    if revision.format == PostRevision.Format.MARKDOWN:
        return markup.without_attributions(revision.source)
    return revision.source


def _quotes(thread: Thread, last: int) -> Iterator[dict]:
    """The quotes in the present texts of visible posts."""
    first = 1
    while first <= last:
        upto = min(first + PART - 1, last)
        rows = (
            Quote.objects.filter(
                post__thread=thread,
                post__state=State.VISIBLE,
                post__number__gte=first,
                post__number__lte=upto,
                revision_id=F("post__body__revision_id"),
            )
            .select_related("post", "revision", "source_post__body__revision")
            .order_by("post__number", "ordinal")
        )
        for quote in rows:
            more = {}
            if quote.revision.format == PostRevision.Format.PLAIN:
                more["paragraphs"] = list(quote.revision.quoted[quote.ordinal - 1])
            source = quote.source_post if _in_file(quote) and _holds(quote) else None
            yield _object(
                QUOTE,
                post=[quote.post.key],
                ordinal=quote.ordinal,
                **more,
                source_post=source and [source.key],
                nested=_nested(quote),
                stance=quote.stance,
                reason=quote.reason,
            )
        first += PART


def _in_file(quote: Quote) -> bool:
    source = quote.source_post
    return (
        source is not None
        and source.thread_id == quote.post.thread_id
        and source.state == State.VISIBLE
        and (source.number or 0) < (quote.post.number or 0)
    )


def _holds(quote: Quote) -> bool:
    """Whether the words stand in the source's present text, so that a check finds them there."""
    assert quote.source_post is not None  # see _in_file
    words = quoting.Source(1, quote.source_post.body.revision.plain)
    found = quoting.find(quote.words, [words], named=1)
    return found.verdict != Quote.Verdict.UNVERIFIABLE


def _nested(quote: Quote) -> list[list[str]]:
    if not quote.nested:
        return []
    keys = Post.objects.filter(
        pk__in=quote.nested,
        thread=quote.post.thread_id,
        state=State.VISIBLE,
        number__lt=quote.post.number,
    )
    known = dict(keys.values_list("pk", "key"))
    return [[known[pk]] for pk in quote.nested if pk in known]


def _argued(thread: Thread, last: int) -> Iterator[dict]:
    """Answers, changed minds, marks and polls of visible posts."""
    here = {"post__thread": thread, "post__state": State.VISIBLE, "post__number__lte": last}
    answers = Answer.objects.filter(question__thread=thread, question__stands=True, **here)
    for row in answers.select_related("question", "post").order_by(
        "question__order", "post__number"
    ):
        yield _object(
            ANSWER,
            post=[row.post.key],
            question=row.question.text,
            passage=row.passage,
            verdict=row.verdict,
        )
    minds = ChangeOfMind.objects.filter(**here).select_related("post")
    for mind in minds.order_by("post__number", "was", "now", "reason", "pk"):
        change = {"was": mind.was, "now": mind.now, "reason": mind.reason}
        yield _object(CHANGE, post=[mind.post.key], **change)
    for mark in (
        Threadmark.objects.story_of(thread.pk).filter(post__number__lte=last).select_related("post")
    ):
        yield _object(THREADMARK, post=[mark.post.key], category=mark.category, label=mark.label)
    now = clock.now()
    polls = Poll.objects.filter(post__has_poll=True, **here).select_related("post")
    for poll in polls.order_by("post__number"):
        results = {"voters": poll.voters, "counts": poll.counts} if poll.closed(now) else {}
        yield _object(
            POLL,
            post=[poll.post.key],
            question=poll.question,
            choices="\n".join(poll.choices),
            kind=poll.kind,
            most=poll.most,
            is_open=poll.is_open,
            closes_at=poll.closes_at and poll.closes_at.astimezone(UTC).isoformat(),
            **results,
        )


# --- Markdown -------------------------------------------------------------------------------


def markdown(
    thread: Thread, *, address: str, images: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The debate as one Markdown text, in pieces: a heading for each post, its text as typed,
    quotes as they are marked in it; its pictures by the files that `images` names beside it by
    their keys, or by their addresses. Raises NotWhole at once."""
    _check(thread)
    return _markdown(thread, address, images or {})


def _markdown(thread: Thread, address: str, images: Mapping[str, str]) -> Iterator[str]:
    last = Post.objects.filter(thread=thread).order_by("-number").values_list("number", flat=True)
    newest = last.exclude(number=None).first() or 0
    yield f"# {_line(thread.title)}\n\n{thread.get_kind_display()}. {address}\n"
    rows = Divergence.objects.filter(thread=thread).order_by("order")
    facts = [f"- {spoken(row.edtf)}: {_line(row.change)}" for row in rows]
    if facts:
        yield "\nWhere it leaves history:\n\n" + "\n".join(facts) + "\n"
    questions = Question.objects.filter(thread=thread, stands=True).order_by("order")
    if asked := [f"- {_line(row.text)}" for row in questions]:
        yield "\nWhat it asks:\n\n" + "\n".join(asked) + "\n"
    if thread.own_answer:
        yield f"\nThe author's own answer:\n\n{thread.own_answer}\n"

    def picture(found: re.Match[str]) -> str:
        return f"]({images.get(found[1]) or urljoin(address, f'/pictures/{found[1]}/')}"

    for post in progress.track(_posts(thread, newest), "posts written", newest):
        heading = [_line(post.writer)]
        if post.written_at:
            heading.append(f"{post.written_at:%Y-%m-%d}")
        parent = post.parent
        if parent and parent.state == State.VISIBLE and parent.thread_id == thread.pk:
            heading.append(f"in reply to #{parent.number}")
        text = _PICTURE.sub(picture, _readable(post))
        yield f"\n## #{post.number}, {', '.join(heading)}\n\n{text}\n"
        if post.has_poll:
            poll = Poll.objects.get(post=post)
            choices = "\n".join(f"- {_line(one)}" for one in poll.as_lines(clock.now()))
            yield f"\nA poll: {_line(poll.question)}\n\n{choices}\n"


def _readable(post: Post) -> str:
    revision = post.body.revision
    if revision.format == PostRevision.Format.MARKDOWN:
        return _text(revision)
    named = {number for first, last in revision.quoted for number in range(first, last + 1)}
    lines = [line for line in revision.source.split("\n") if line.strip(" \t")]
    return "\n\n".join(
        f"> {line}" if number in named else line for number, line in enumerate(lines, 1)
    )


def _line(text: str) -> str:
    """Words on one line of Markdown."""
    return " ".join(text.split())
