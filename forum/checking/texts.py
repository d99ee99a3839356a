"""Texts and what follows from them: HTML, columns of quotes, the index of passages.

Texts are rendered outside every lock; what is wrong is written under the thread's lock, if the post
still has the text that was looked at.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256

from django.db import transaction

from core import progress
from core.counting import counted
from forum import tree
from forum.text import markup, quoting

from ..actions.composing import passage_keys
from ..actions.following import follow_source, followed_passage, match_of
from ..actions.locking import PostMoved, locked_post
from ..actions.rendering import html_again, recompose, stored_html
from ..models import NOWHERE, PassageKey, Post, PostBody, PostRevision, Quote, Thread
from .faults import Fault

BATCH = 50  # posts in memory at once; each may have many texts of 60,000 characters
KEYS = 500
SAMPLE = 10  # of so many quotes a quick check compares one
# Columns of a quote that follow from its source.
_PLACE = ("source_post_id", "source_passage", "whole", "cut_start", "cut_end")
FROM_SOURCE = (*_PLACE, "verdict", "parts", "beside", "stands")


@dataclass(slots=True)
class _Batch:
    """Some posts of a thread with all that is derived from their texts."""

    thread_id: int
    posts: list[Post]
    quick: bool
    compared: Counter
    revisions: dict[int, list[PostRevision]] = field(default_factory=dict)
    bodies: dict[int, PostBody] = field(default_factory=dict)
    quotes: dict[int, list[Quote]] = field(default_factory=dict)  # by revision
    sources: dict[int, PostRevision] = field(default_factory=dict)
    current: dict[int, PostRevision] = field(default_factory=dict)  # by post quoted
    htmls: dict[int, str] = field(default_factory=dict)  # of sources, by revision


def check_texts(thread_id: int, *, fix: bool, quick: bool, compared: Counter) -> Iterator[Fault]:
    """The texts of one thread, some posts at a time. `compared` counts what is (see check)."""
    if not Thread.objects.filter(pk=thread_id).exclude(state__in=NOWHERE).exists():
        return
    last, more = 0, True
    while more:
        rows = Post.objects.filter(thread_id=thread_id, pk__gt=last).order_by("pk")
        posts = list(rows[:BATCH])
        batch = _Batch(thread_id, posts, quick, compared)
        _read(batch)
        for post in posts:
            yield from _check_post(batch, post, fix=fix)
        yield from _check_keys(batch, fix=fix)
        progress.advance(len(posts))
        if more := len(posts) == BATCH:
            last = posts[-1].pk
    yield from _check_stray_keys(thread_id, fix=fix)


def _read(batch: _Batch) -> None:
    ids = [post.pk for post in batch.posts]
    for revision in PostRevision.objects.filter(post__in=ids).order_by("number"):
        batch.revisions.setdefault(revision.post_id, []).append(revision)
    batch.bodies = PostBody.objects.in_bulk(ids)
    rows = list(Quote.objects.filter(revision__post__in=ids).order_by("ordinal"))
    for quote in rows:
        batch.quotes.setdefault(quote.revision_id, []).append(quote)
    batch.sources = PostRevision.objects.in_bulk({q.source_revision_id for q in rows} - {None})
    for quote in rows:
        quote.source_revision = batch.sources.get(quote.source_revision_id or 0)
    quoted = {revision.post_id for revision in batch.sources.values()}
    batch.current = {
        body.post_id: body.revision
        for body in PostBody.objects.filter(pk__in=quoted).select_related("revision")
    }


def _check_post(batch: _Batch, post: Post, *, fix: bool) -> Iterator[Fault]:
    """One post: its texts are told, what follows from them is healed."""
    revisions = batch.revisions.get(post.pk, [])
    numbers = [revision.number for revision in revisions]
    if numbers != list(range(1, len(numbers) + 1)) or not numbers:
        yield _left(batch, "revisions", f"post {post.pk} has the texts {numbers}")
    if not revisions:
        return
    for revision in revisions:
        is_last = revision is revisions[-1]
        if sha256(revision.source.encode()).hexdigest() != revision.sha256:
            sentence = f"text {revision.number} of post {post.pk} is not the one that was summed"
            yield _left(batch, "sums", sentence)
            continue  # nothing is derived from words that may be somebody else's
        if batch.quick and not is_last:
            continue
        rendered = None
        quotes = batch.quotes.get(revision.pk, ())
        if not (batch.quick and _body_stands(batch.bodies.get(post.pk), revisions)):
            try:
                rendered = recompose(revision)
            except markup.MarkupError as error:
                sentence = f"text {revision.number} of post {post.pk} cannot be rendered: {error}"
                yield _left(batch, "texts", sentence)
                continue
            spans = [[p.start, p.end] for p in rendered.passages]
            if (revision.plain, revision.passages) != (rendered.plain, spans):
                sentence = f"text {revision.number} of post {post.pk}: its plain words are others"
                yield _left(batch, "texts", sentence)
                is_last = False  # nothing to draw it from
        for quote in quotes:
            yield from _check_quote(batch, post, quote, rendered, fix=fix)
        if rendered is not None and is_last:
            html = _rendered(batch, rendered, quotes)
            yield from _check_body(batch, post, revisions, html, fix=fix)


def _rendered(batch: _Batch, rendered: markup.Rendered, quotes: Sequence[Quote]) -> str:
    """The HTML of a text whose quotes are right. Their sources are rendered for it: what is stored
    of them may be what is wrong."""
    for source in (quote.source_revision for quote in quotes):
        if source is not None and source.pk not in batch.htmls:
            batch.htmls[source.pk] = html_again(source)
    return stored_html(rendered, quotes, batch.htmls)


def _body_stands(body: PostBody | None, revisions: Sequence[PostRevision], html=None) -> bool:
    """Whether the HTML is of the last text, by this renderer."""
    last = revisions[-1]
    return (
        body is not None
        and (body.revision_id, body.revision_number) == (last.pk, last.number)
        and body.edited_at == (last.created_at if last.number > 1 else None)
        and body.renderer == markup.RENDERER_VERSION
        and (body.html == html if html is not None else bool(body.html))
    )


def _check_body(
    batch: _Batch, post: Post, revisions: list[PostRevision], html: str, *, fix: bool
) -> Iterator[Fault]:
    if _body_stands(batch.bodies.get(post.pk), revisions, html):
        return
    last = revisions[-1]
    if fix:
        with transaction.atomic():
            if not _locked(post):
                return
            newest = PostRevision.objects.filter(post=post).order_by("-number").first()
            if newest is None or newest.pk != last.pk:
                return  # edited since, and rendered by that
            PostBody.objects.update_or_create(
                post=post,
                defaults={
                    "revision": last,
                    "revision_number": last.number,
                    "edited_at": last.created_at if last.number > 1 else None,
                    "html": html,
                    "renderer": markup.RENDERER_VERSION,
                },
            )
            tree.raise_version(post.thread_id)
    yield _fault(batch, "HTML", f"post {post.pk} shows something else than its last text", fix)


def _check_quote(
    batch: _Batch, post: Post, quote: Quote, rendered: markup.Rendered | None, *, fix: bool
) -> Iterator[Fault]:
    """What of a quote follows from its place, its span and its source. Words and verdict are kept
    as they were judged, but for exact words over a quote that stands in the source: an older judge
    did not see it, and they are shortened."""
    right: dict = {"post_id": post.pk}
    if rendered is not None:
        block = next((b for b in rendered.quotes if b.ordinal == quote.ordinal), None)
        if block is None:
            yield _left(batch, "quotes", f"quote {quote.pk} stands nowhere in its text")
            return
        right["passage"] = block.passage
    source = batch.sources.get(quote.source_revision_id or 0)
    if (source is None) != (quote.verdict == Quote.Verdict.UNVERIFIABLE):
        yield _left(batch, "quotes", f"quote {quote.pk} is {quote.verdict}, against its source")
    elif source is None:
        right["source_post_id"] = None
    elif not 0 <= (quote.start or 0) < (quote.end or 0) <= len(source.plain):
        yield _left(batch, "quotes", f"quote {quote.pk}: its span lies outside its source")
    else:
        yield from _compare(batch, quote, source)
        right |= _from_source(quote, source, batch.current.get(source.post_id))
    wrong = {name: value for name, value in right.items() if getattr(quote, name) != value}
    if not wrong:
        return
    was = {name: getattr(quote, name) for name in wrong}
    for name, value in wrong.items():
        setattr(quote, name, value)  # its post is drawn from what is right
    if fix:
        # If its source was edited since we looked, that has led the quote on already.
        with transaction.atomic():
            if not _locked(post):
                return
            Quote.objects.filter(pk=quote.pk, **was).update(**wrong)
            tree.raise_version(post.thread_id)
    sentence = f"quote {quote.pk}: {', '.join(sorted(wrong))} do not follow from its source"
    yield _fault(batch, "quotes", sentence, fix)


def _compare(batch: _Batch, quote: Quote, source: PostRevision) -> Iterator[Fault]:
    """Whether an exact or shortened quote says what its pinned text says in that place. A quick
    check looks at some of them, at others each day."""
    shortened = quote.verdict == Quote.Verdict.SHORTENED
    if not shortened and quote.verdict != Quote.Verdict.EXACT:
        return
    batch.compared["all"] += 1
    if batch.quick and (quote.pk + date.today().toordinal()) % SAMPLE:
        return
    batch.compared["quotes"] += 1
    spans = quote.parts if shortened else [[quote.start or 0, quote.end or 0]]
    if not quoting.says(quote.words, source.plain, spans, shortened=shortened):
        sentence = f"quote {quote.pk} is {quote.verdict}, but its source says something else there"
        yield _left(batch, "quotes", sentence)


def _from_source(
    quote: Quote, source: PostRevision, current: PostRevision | None
) -> dict[str, object]:
    """The columns of a quote that follow from its source, whose text is `current` by now."""
    match = quoting.over_quotes(match_of(quote), source.passages)
    right = copy(quote)
    right.verdict, right.source_post_id = match.verdict, source.post_id
    if match.verdict != quote.verdict:
        right.parts = [list(part) for part in match.parts]
    follow_source(right, current or source)
    if current is not None:
        right.source_passage = followed_passage(source, quote.start or 0, quote.end or 0, current)
    return {name: getattr(right, name) for name in FROM_SOURCE}


def _check_keys(batch: _Batch, *, fix: bool) -> Iterator[Fault]:
    """The thread's index finds the words of each post's last text."""
    wanted = {}
    for post in batch.posts:
        # A post that waits is found once it stands: others must not learn of it by quoting.
        if post.number is not None and (revisions := batch.revisions.get(post.pk)):
            for row in passage_keys(post, revisions[-1].plain):
                wanted[row.key, post.pk] = row
    keys = sorted({key for key, _ in wanted})
    ids = {post.pk for post in batch.posts}
    for at in range(0, len(keys), KEYS):
        for key, pk in PassageKey.objects.filter(
            thread_id=batch.thread_id, key__in=keys[at : at + KEYS], post_id__in=ids
        ).values_list("key", "post_id"):
            wanted.pop((key, pk), None)
    if missing := list(wanted.values()):
        if fix:
            with transaction.atomic():
                tree.lock(batch.thread_id)
                # A post may have left since: a key kept here would be in its way back.
                here = Post.objects.filter(thread=batch.thread_id).in_bulk(ids)
                rows = [row for row in missing if row.post_id in here]
                PassageKey.objects.bulk_create(rows, ignore_conflicts=True)
        posts = counted(len({row.post_id for row in missing}), "post is,posts are")
        yield _fault(batch, "passages", f"{posts} missing in the index of passages", fix)


def _check_stray_keys(thread_id: int, *, fix: bool) -> Iterator[Fault]:
    """The thread's index names its own posts only."""
    own = Post.objects.filter(thread_id=thread_id).values("pk")
    strays = PassageKey.objects.filter(thread_id=thread_id).exclude(post_id__in=own)
    if strays.exists():
        if fix:
            with transaction.atomic():
                tree.lock(thread_id)
                strays.delete()
        sentence = "the index of passages names posts of other threads"
        yield Fault(thread_id, "passages", sentence, healed=fix)


def _locked(post: Post) -> bool:
    """Lock the thread of a post; false if it went elsewhere since it was read, where the next check
    finds it."""
    try:
        locked_post(post)
    except PostMoved:
        return False
    return True


def _left(batch: _Batch, kind: str, sentence: str) -> Fault:
    return Fault(batch.thread_id, kind, sentence, healable=False)


def _fault(batch: _Batch, kind: str, sentence: str, fix: bool) -> Fault:
    return Fault(batch.thread_id, kind, sentence, healed=fix)
