"""The rows of a debate that is loaded: posts with their texts and quotes, written in parts."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

from core.inserting import insert_rows, new_row
from forum import tree
from forum.actions import elsewhere
from forum.actions.composing import Composed
from forum.actions.judging import quote_row
from forum.actions.rendering import stored_html
from forum.actions.sources import signed
from forum.models import PassageKey, Picture, PictureUse, Post, PostRevision, Quote, Thread
from forum.search import index as search_index
from forum.text import quoting

from . import Rejected
from .fixture import ThreadFixture
from .posts import Contribution, ImportedQuote

# One part of a load holds up other writers for its transaction, on SQLite all of them: about
# 0.3 s for either of these on a slow machine.
PART_POSTS = 250
PART_CHARACTERS = 500_000
# SQLite has no queue: who waits for the lock asks again, at the latest after 0.1 s. A shorter
# pause between parts could shut others out for as long as the load takes.
PAUSE = 0.12
# Keys asked for in one query.
BATCH = 500


@dataclass(slots=True)
class Loaded:
    """What a load did: how many posts it added to which thread, and what it left alone."""

    thread: Thread
    added: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Item:
    """One post on its way in: made before the lock, but for what only the lock can tell."""

    index: int
    post: Contribution
    row: Post
    text: Composed
    keys: list[int]

    def arrive(self, thread: Thread, number: int, now: datetime) -> None:
        """Give the post its thread, its number and the moment of its arrival.

        Each arrives a microsecond after the one before it, so that the order of arrival is never
        in doubt, wherever posts are moved.
        """
        self.row.thread, self.row.number = thread, number
        self.row.loaded_at = now + timedelta(microseconds=number)


def item(fixture: ThreadFixture, index: int, pk: int, thread: Thread) -> Item:
    """The row of one post of a fixture, with all that is written for it."""
    post = fixture.posts[index]
    row = new_row(
        Post,
        id=pk,
        thread_id=thread.pk,
        parent_basis=post.basis,
        key=post.key,
        byline=post.byline,
        lane=post.lane,
        stance=post.stance,
        origin_id=thread.pk,
        written_at=post.written_at,
    )
    keys = [signed(key) for key in quoting.paragraph_keys(post.rendered.plain)]
    return Item(index, post, row, _composed(post), keys)


def _composed(post: Contribution) -> Composed:
    return Composed(
        source=post.text,
        format=post.format,
        rendered=post.rendered,
        quotes=[],
        html=post.rendered.html,
        quoted=post.quoted,
    )


class Written(NamedTuple):
    """The ids of a post that is written, of its thread and of its text."""

    post: int
    thread: int
    revision: int


class Writer:
    """Writes the texts, HTML and quotes of posts whose rows are written, part by part."""

    def __init__(self, fixture: ThreadFixture, pictures: Mapping[str, Picture]) -> None:
        self.posts = fixture.posts
        self.pictures = pictures
        self.fixture = fixture
        self.ids: dict[int, int] = {}
        # Posts of this load that are quoted. Their texts are in the spool.
        self.written: dict[int, Written] = {}
        # Those that are quoted in the part at hand: their rows, and their HTML by revision.
        self._rows: dict[int, tuple[Post, PostRevision]] = {}
        self._htmls: dict[int, str] = {}

    def write(
        self,
        part: Sequence[Item],
        now: datetime,
        sources: dict[int, tuple[Post, list[PostRevision]]] | None = None,
    ) -> None:
        """Write what belongs to the rows of `part`.

        `sources` are quoted posts that were here before, with the texts they had.
        """
        self._rows, self._htmls = {}, {}
        revisions = [item.text.revision(item.row, 1, editor=None, now=now) for item in part]
        ids = tree.new_ids(len(revisions), PostRevision)
        for item, revision, pk in zip(part, revisions, ids, strict=True):
            revision.pk = pk
            if item.index in self.fixture.quoted:
                self.written[item.index] = Written(item.row.pk, item.row.thread_id, revision.pk)
                self._hold(item.index, item.row, revision, item.post)
            if item.index in self.fixture.nested:
                self.ids[item.index] = item.row.pk
        for item, revision in zip(part, revisions, strict=True):
            item.text.quotes = [
                self._quote(quote, sources or {}, now) for quote in item.post.quotes
            ]
            item.text.quotes_of(revision)
            item.text.html = stored_html(item.text.rendered, item.text.quotes, self._htmls)
        insert_rows(*revisions)
        insert_rows(*(item.text.body(row) for item, row in zip(part, revisions, strict=True)))
        PictureUse.objects.bulk_create(
            PictureUse(
                picture=self.pictures[key],
                post=item.row,
                revision=revision,
                thread_id=item.row.thread_id,
            )
            for item, revision in zip(part, revisions, strict=True)
            for key in item.text.rendered.pictures
            if key in self.pictures
        )
        quotes = [quote for item in part for quote in item.text.quotes]
        insert_rows(*quotes)
        _write_keys(part)
        insert_rows(
            *(
                search_index.made_of(
                    item.row, revision, item.text.html, (q.verdict for q in item.text.quotes)
                )
                for item, revision in zip(part, revisions, strict=True)
            )
        )
        # Other threads show the backlink.
        threads = {item.row.pk: item.row.thread_id for item in part}
        elsewhere.touch(
            quote.source_post.thread_id
            for quote in quotes
            if quote.source_post and quote.source_post.thread_id != threads[quote.post_id]
        )

    def _source(self, index: int | None, now: datetime) -> tuple[Post, PostRevision] | None:
        """The rows of a post of this load that is written, for a quote of it: made once more, for
        one part, since those of all that are quoted would be the most of what a load holds."""
        if index is None or index not in self.written:
            return None
        if index not in self._rows:
            written, post = self.written[index], self.posts[index]
            row = new_row(Post, id=written.post, thread_id=written.thread)
            revision = _composed(post).revision(row, 1, editor=None, now=now)
            revision.pk = written.revision
            self._hold(index, row, revision, post)
        return self._rows[index]

    def _hold(self, index: int, row: Post, revision: PostRevision, post: Contribution) -> None:
        self._rows[index] = row, revision
        self._htmls[revision.pk] = post.rendered.html

    def _quote(
        self,
        quote: ImportedQuote,
        sources: dict[int, tuple[Post, list[PostRevision]]],
        now: datetime,
    ) -> Quote:
        """The row of one quote; judged again if its source has a history of its own here."""
        match, source, current = quote.match, self._source(quote.source, now), None
        if source is None and quote.source in sources:
            post, texts = sources[quote.source]
            match = quoting.find(
                quote.block.words,
                [quoting.Source(text.pk, text.plain) for text in texts],
                named=len(texts),
            )
            source = next(((post, text) for text in texts if text.pk == match.key), None)
            current = texts[-1]
        row = quote_row(
            ordinal=quote.block.ordinal,
            passage=quote.block.passage,
            words=quote.block.words,
            match=match,
            source=source,
            current=current,
            nested=[self.ids[index] for index in quote.nested if index in self.ids],
            reason=quote.reason,
        )
        row.stance = quote.stance
        return row


def _write_keys(part: Sequence[Item]) -> None:
    """Write the keys of the paragraph index. They are many and narrow: through the model they
    would hold the lock longer than everything else together."""
    head = f"INSERT INTO {PassageKey._meta.db_table} (thread_id, key, post_id)"
    rows = [(item.row.thread_id, key, item.row.pk) for item in part for key in item.keys]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            arrays = [f"{{{','.join(map(str, column))}}}" for column in zip(*rows, strict=True)]
            lists = ", ".join(["%s::bigint[]"] * 3)
            cursor.execute(f"{head} SELECT * FROM UNNEST({lists})", arrays or ["{}"] * 3)
        else:
            cursor.executemany(f"{head} VALUES (%s, %s, %s)", rows)


def parts_of(
    fixture: ThreadFixture, ids: Mapping[int, int], thread: Thread
) -> Iterator[list[Item]]:
    """Make the posts at the places that `ids` names, in parts that are quickly written, and let
    others write in between, while the next part is made."""
    part: list[Item] = []
    size = 0
    written = None  # when the part before was
    for index, pk in ids.items():
        length = len(fixture.posts[index].text)
        if part and (len(part) == PART_POSTS or size + length > PART_CHARACTERS):
            if written is not None:
                let_others_write(written)
            yield part
            written = time.monotonic()
            part, size = [], 0
        part.append(item(fixture, index, pk, thread))
        size += length
    if part:
        if written is not None:
            let_others_write(written)
        yield part


def let_others_write(since: float | None = None) -> None:
    """Give way between two parts, where nothing was locked `since` then: SQLite has one writer at a
    time."""
    if connection.vendor == "sqlite":
        time.sleep(PAUSE if since is None else max(0.0, since + PAUSE - time.monotonic()))


def posts_here(fixture: ThreadFixture, *, with_revision: bool = False) -> dict[str, Post]:
    """The posts of the fixture that are in this forum already, wherever, by key."""
    return posts_by_key(fixture.posts.keys, with_revision=with_revision)


def posts_by_key(keys: Sequence[str], *, with_revision: bool = False) -> dict[str, Post]:
    """The posts with these keys, wherever they are, by key."""
    found = Post.objects.select_related("thread__board")
    if with_revision:
        found = found.select_related("thread__board", "body__revision")
    return {
        post.key: post
        for at in range(0, len(keys), BATCH)
        for post in found.filter(key__in=keys[at : at + BATCH])
    }


def key_taken(fixture: ThreadFixture, key: str) -> Rejected:
    """The refusal of a fixture whose post has the key of a post elsewhere."""
    post = fixture.posts[fixture.posts.keys.index(key)]
    return fixture.reject(f"another debate has a post with the key {key!a}.", post)


def moment_of(contribution: Contribution, now: datetime) -> datetime:
    """When a post counts as written; a date in the future would stay on top of every list."""
    return min(contribution.written_at or now, now)
