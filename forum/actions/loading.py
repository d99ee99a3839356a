"""Loads thread fixtures: the only code that writes what forum.importing has read and checked.

A new thread is written in parts, each a short transaction, in a state that nobody sees; one last
transaction shows it. After a crash nothing is visible, and the next load of that key clears what
was left and begins again. What a newer version adds to a thread is written in parts too, each of
them whole: posts in order of arrival, with their numbers, trees and counters.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from .. import quoting, tree
from ..importing import Rejected
from ..importing.fixture import Contribution, ThreadFixture
from ..models import (
    AuditEntry,
    Board,
    PassageKey,
    Post,
    PostBody,
    PostRevision,
    Quote,
    State,
    Thread,
    slug_for,
)
from ..models.visibility import wider
from . import debate, elsewhere, variants
from .attaching import attach, attach_to_all, link_variants
from .composing import Composed, passage_keys, quote_row
from .rendering import stored_html

# One part of a load holds up other writers for its transaction, on SQLite all of them: about
# 0.3 s for either of these on a slow machine.
PART_POSTS = 250
PART_CHARACTERS = 500_000
# SQLite has no queue: who waits for the lock asks again, at the latest after 0.1 s. A shorter
# pause between parts could shut others out for as long as the load takes.
PAUSE = 0.12
# Posts after which the database is told to look at its tables again.
MANY = 2_000
# Keys asked for in one query.
BATCH = 500
# Posts named one by one in a note; of more the number is said.
NAMED = 5


@dataclass(slots=True)
class Loaded:
    """What a load did: how many posts it added to which thread, and what it left alone."""

    thread: Thread
    added: int = 0
    notes: list[str] = field(default_factory=list)


def _nothing(_loaded: Loaded) -> None:
    """What belongs to a load by command: nothing more."""


def load(
    fixture: ThreadFixture, *, user=None, finish: Callable[[Loaded], None] = _nothing
) -> Loaded:
    """Bring a thread, or what a newer version of it adds, into the forum. `finish` is called with
    what was done in the transaction that ends it, so that what it writes stands or falls with it.
    What it names of this forum is what `user` may see; a command (None) sees everything.

    The same or an older version writes nothing. Raises Rejected, with nothing written, if the
    fixture does not fit this forum: an unknown board, a post key that another thread has.
    """
    thread = Thread.objects.select_related("board").filter(key=fixture.key).first()
    if thread and thread.state == State.LOADING:
        _clear(thread.pk)
        thread = None
    if thread is None:
        return _load_new(fixture, user, finish)
    if why := _nothing_new(fixture, thread):
        loaded = Loaded(thread, notes=[why])
        finish(loaded)
        return loaded
    return _load_newer(fixture, thread, user, finish)


def _nothing_new(fixture: ThreadFixture, thread: Thread) -> str:
    """Why a thread that is here is left as it is; empty if the fixture may add to it."""
    if thread.fixture_version is None:
        return "It was started in this forum and is left as it is."
    if thread.fixture_version == fixture.version:
        return f"Version {fixture.version} is here already."
    if thread.fixture_version > fixture.version:
        return (
            f"Version {fixture.version} is older than version {thread.fixture_version}, "
            "which is here already."
        )
    if thread.state != State.VISIBLE:
        return f"The debate is {thread.get_state_display().lower()}: left as it is."
    return ""


def check(fixture: ThreadFixture) -> None:
    """Raise Rejected if the fixture would not fit this forum as it is now, so that of several
    threads none is loaded when one cannot be."""
    thread = Thread.objects.filter(key=fixture.key).exclude(state=State.LOADING).first()
    if thread is None:
        _check_new(fixture)
    elif thread.fixture_version is not None and thread.fixture_version < fixture.version:
        for key, post in _here(fixture).items():
            if post.origin_id != thread.pk:
                raise _taken(fixture, key)


# --- A new thread ---------------------------------------------------------------------------


def _check_new(fixture: ThreadFixture) -> Board:
    """The board for a new thread. Raises Rejected if there is none, or a post's key is taken."""
    board = Board.objects.filter(slug=fixture.board).first()
    if board is None:
        raise fixture.reject(
            f'there is no board "{fixture.board}" here. manage.py loaddata boards brings the '
            "boards that come with the forum."
        )
    for key, post in _here(fixture).items():
        # What a load of this thread that broke off has left is cleared by the next one.
        if (post.thread.key, post.thread.state) != (fixture.key, State.LOADING):
            raise _taken(fixture, key)
    return board


def _load_new(fixture: ThreadFixture, user, finish: Callable[[Loaded], None]) -> Loaded:
    board = _check_new(fixture)
    now = timezone.now()
    opening, last = fixture.posts[0], fixture.posts[-1]
    thread = Thread(
        board=board,
        title=fixture.title,
        slug=slug_for(fixture.title),
        kind=fixture.kind,
        policy=fixture.policy,
        own_answer=fixture.own_answer,
        key=fixture.key,
        byline=opening.byline,
        source=fixture.source,
        fixture_version=fixture.version,
        state=State.LOADING,
        created_at=_moment(opening, now),
        last_post_at=_moment(last, now),
    )
    loaded = Loaded(thread, added=len(fixture.posts))
    try:
        with transaction.atomic():
            tree.make_thread(thread)
            debate.write(thread, fixture.forks, fixture.questions)
            ids = tree.new_ids(len(fixture.posts))
        pairs = (
            (pk, None if post.parent is None else ids[post.parent])
            for pk, post in zip(ids, fixture.posts, strict=True)
        )
        labels = tree.labels(pairs)
        writer = _Writer(fixture)
        for part in _parts(fixture, dict(enumerate(ids)), thread):
            for item in part:
                up = fixture.posts[item.place].parent
                item.row.parent_id = None if up is None else ids[up]
                item.arrive(thread, item.place + 1, now)
                tree.place(item.row, labels[item.row.pk])
            with transaction.atomic():
                tree.lock(thread.pk)
                tree.write([item.row for item in part])
                writer.write(part, now)
        with transaction.atomic():
            _publish(fixture, thread, ids, user)
            finish(loaded)
        if len(ids) >= MANY:
            _analyse()
    except IntegrityError:
        # Somebody loaded the same keys since we looked.
        if thread.pk:
            _clear(thread.pk)
        for key in _here(fixture):
            raise _taken(fixture, key) from None
        raise fixture.reject("this thread is being loaded by another process.") from None
    except Thread.DoesNotExist:
        raise fixture.reject("another process began to load this thread anew.") from None
    return loaded


def _analyse() -> None:
    """Tell PostgreSQL how full its tables are now: until it looks by itself, it plans as if they
    were as empty as before, and asks for the pages of a large thread row by row."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for model in (Post, PostRevision, PostBody, Quote, PassageKey):
                cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")


def _publish(fixture: ThreadFixture, thread: Thread, ids: Sequence[int], user) -> None:
    """Show a thread that is complete, with its counters."""
    tree.lock(thread.pk)
    attach(fixture, thread, dict(enumerate(ids)))
    link_variants(fixture, thread, user)
    thread.state = State.VISIBLE
    thread.numbered, thread.reply_count = len(ids), len(ids) - 1
    thread.last_post_id = ids[-1]
    counters = ("numbered", "reply_count", "last_post", "card", "lane_counts")
    tree.save_thread(thread, "state", *counters, "variant_of", "variant_key")
    tree.count_on_board(thread, 1)


def _clear(thread_id: int) -> None:
    """Delete what a load that did not come to its end has left. Nobody ever saw it."""
    while True:
        with transaction.atomic():
            try:
                (thread,) = tree.lock(thread_id)
            except Thread.DoesNotExist:
                return
            if thread.state != State.LOADING:
                return
            left = Post.objects.filter(thread=thread).order_by("-pk")
            ids = list(left.values_list("pk", flat=True)[:PART_POSTS])
            if not ids:
                thread.delete()
                return
            PassageKey.objects.filter(thread=thread, post__in=ids).delete()
            for model in (Quote, PostBody, PostRevision):
                model.objects.filter(post__in=ids).delete()
            tree.drop(ids)
        _let_others_write()


# --- A newer version ------------------------------------------------------------------------


def _load_newer(
    fixture: ThreadFixture, thread: Thread, user, finish: Callable[[Loaded], None]
) -> Loaded:
    """Add the posts that are missing; see `_Addition` for where they go."""
    loaded = Loaded(thread)
    addition = _Addition(fixture, thread)
    loaded.notes += addition.kept()
    new = [n for n, post in enumerate(fixture.posts) if post.key not in addition.here]
    ids: list[int] = []
    if new:
        with transaction.atomic():
            ids = tree.new_ids(len(new))
    for part in _parts(fixture, dict(zip(new, ids, strict=True)), thread):
        loaded.added += addition.write(part)
    loaded.notes += addition.left_out()
    with transaction.atomic():
        (thread,) = tree.lock(thread.pk)
        if (fixture.forks or fixture.questions) and not _described(thread):
            debate.write(thread, fixture.forks, fixture.questions)
            tree.save_thread(thread, "card")
        if attach_to_all(fixture, thread) or loaded.added:
            tree.save_thread(thread, "card", "lane_counts")
        if fixture.variant_of and not thread.variant_of_id and not variants.declared(thread):
            link_variants(fixture, thread, user)
            tree.save_thread(thread, "variant_of", "variant_key")
        if not addition.without:
            Thread.objects.filter(pk=thread.pk).update(fixture_version=fixture.version)
        finish(loaded)
    return loaded


def _described(thread: Thread) -> bool:
    """Whether a debate has a card, or somebody here took it away."""
    return bool(thread.card) or AuditEntry.objects.filter(thread=thread, verb="describe").exists()


class _Addition:
    """What a newer version adds to a thread that has lived on here.

    A new post follows the post it answers (the opening, if it answers that, or if nobody knows) to
    where that stands now, since moderators may have moved either. It is left out, with all that
    answers it, where that place is not open to everybody who may read the post it answers or
    quotes, or where a post that it quotes was hidden or removed here: the words would come back.
    """

    def __init__(self, fixture: ThreadFixture, thread: Thread) -> None:
        self.fixture, self.thread = fixture, thread
        self.here = _here(fixture, with_revision=True)
        for key, post in self.here.items():
            if post.origin_id != thread.pk:
                raise _taken(fixture, key)
        self.places = {post.key: place for place, post in enumerate(fixture.posts)}
        self.without: dict[str, str] = {}
        self.writer = _Writer(fixture)

    def kept(self) -> list[str]:
        """Notes on what differs here from the fixture and stays so."""
        notes = []
        thread, fixture = self.thread, self.fixture
        if (thread.title, thread.kind, thread.board.slug) != (
            fixture.title,
            fixture.kind,
            fixture.board,
        ):
            notes.append("Title, kind and board are left as they are here.")
        here, theirs = (
            debate.described(thread),
            debate.description(fixture.forks, fixture.questions),
        )
        told = ("divergences", "questions")
        if any(here[part] != theirs[part] for part in told) and _described(thread):
            notes.append("Divergences and questions are left as they are here.")
        rows = [self.here[post.key] for post in fixture.posts if post.key in self.here]
        for what, keys in (
            ("moved", [p.key for p in rows if p.thread_id != thread.pk]),
            ("edited", [p.key for p in rows if p.body.revision_number > 1]),
            ("hidden or removed", [p.key for p in rows if p.state != State.VISIBLE]),
        ):
            if keys:
                notes.append(f"{_named(keys)} {_were(keys)} {what} here and left as is.")
        other = [
            p.key
            for p in rows
            if p.body.revision_number == 1
            and p.body.revision.source != fixture.posts[self.places[p.key]].text
        ]
        if other:
            notes.append(f"{_named(other)}: the text of the new version was not taken over.")
        return notes

    def left_out(self) -> list[str]:
        """Notes on the posts that could not be added."""
        why: dict[str, list[str]] = {}
        for key, reason in self.without.items():
            why.setdefault(reason, []).append(key)
        return [f"{_named(keys)} left out: {reason}." for reason, keys in why.items()]

    def write(self, part: Sequence["_Item"]) -> int:
        """Write one part in one transaction; returns how many posts came in."""
        anchors = {self._anchor(item.post) for item in part}
        with transaction.atomic():
            # Moves take the locks of both threads. A post that was moved between this question
            # and the lock is found elsewhere below, and what follows it waits for the next load.
            ids = {self.here[key].thread_id for key in anchors if key in self.here}
            threads = {row.pk: row for row in tree.lock(self.thread.pk, *ids)}
            self._refresh(part, anchors)
            now = timezone.now()
            added = []
            for item in part:
                key = item.post.key
                if key in self.here:
                    continue  # another process loads the same version
                if reason := self._obstacle(item.post, threads):
                    self.without[key] = reason
                    continue
                self._hang(item, threads, now)
                self.here[key] = item.row
                added.append(item)
            tree.graft([item.row for item in added])
            self.writer.write(added, now, sources=self._sources(added))
            for thread in threads.values():
                mine = [item for item in added if item.row.thread_id == thread.pk]
                if mine:
                    thread.reply_count += len(mine)
                    thread.last_post = mine[-1].row
                    thread.last_post_at = max(thread.last_post_at, _moment(mine[-1].post, now))
                    tree.save_thread(thread, "numbered", "reply_count", "last_post", "last_post_at")
        return len(added)

    def _anchor(self, contribution: Contribution) -> str:
        """The key of the post that a new post follows."""
        return self.fixture.posts[contribution.parent or 0].key

    def _refresh(self, part: Sequence["_Item"], anchors: set[str]) -> None:
        """Read again, under the lock, the posts of this part and those it answers or quotes."""
        quoted = {
            self.fixture.posts[quote.source].key
            for item in part
            for quote in item.post.quotes
            if quote.source is not None
        }
        self.here.update(_by_key([*anchors, *quoted, *(item.post.key for item in part)]))

    def _obstacle(self, contribution: Contribution, threads: dict[int, Thread]) -> str:
        """Why a new post cannot be added, or nothing."""
        anchor = self.here.get(self._anchor(contribution))
        if anchor is None:
            return "what they answer was left out"
        target = threads.get(anchor.thread_id)
        if target is None or anchor.number is None:
            return "what they answer was just moved; load again"
        if target.state != State.VISIBLE:
            return "what they answer stands in a debate that is not visible"
        for quote in contribution.quotes:
            if quote.source is None:
                continue
            source = self.here.get(self.fixture.posts[quote.source].key)
            if source is None:
                return "what they quote was left out"
            hidden = source.state != State.VISIBLE or source.thread.state != State.VISIBLE
            if hidden or wider(source.thread.board, target.board):
                return "what they quote is not for everybody to read here"
        return ""

    def _hang(self, item: "_Item", threads: dict[int, Thread], now: datetime) -> None:
        """Say where a new post goes."""
        anchor = self.here[self._anchor(item.post)]
        thread = threads[anchor.thread_id]
        thread.numbered += 1
        item.arrive(thread, thread.numbered, now)
        unknown = item.post.basis == Post.Basis.UNKNOWN
        # Whether a post is the opening may have changed with a split or a merge.
        item.row.parent = None if anchor.is_opening or unknown else anchor

    def _sources(self, part: Sequence["_Item"]) -> dict[int, tuple[Post, list[PostRevision]]]:
        """The texts, oldest first, that posts which were here before ever had, by place."""
        new = {*self.writer.written, *(item.place for item in part)}
        wanted = {
            quote.source: self.here[self.fixture.posts[quote.source].key].pk
            for item in part
            for quote in item.post.quotes
            if quote.source is not None and quote.source not in new
        }
        texts: dict[int, list[PostRevision]] = {}
        for revision in PostRevision.objects.filter(post__in=wanted.values()).order_by("number"):
            texts.setdefault(revision.post_id, []).append(revision)
        return {
            place: (self.here[self.fixture.posts[place].key], texts[pk])
            for place, pk in wanted.items()
        }


# --- Rows -----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Item:
    """One post on its way in: made before the lock, but for what only the lock can tell."""

    place: int
    post: Contribution
    row: Post
    text: Composed
    keys: list[PassageKey]

    def arrive(self, thread: Thread, number: int, now: datetime) -> None:
        """Give the post its thread, its number and the moment of its arrival.

        Each arrives a microsecond after the one before it, so that the order of arrival is never
        in doubt, wherever posts are moved.
        """
        self.row.thread, self.row.number = thread, number
        self.row.loaded_at = now + timedelta(microseconds=number)


def _item(fixture: ThreadFixture, place: int, pk: int, thread: Thread) -> _Item:
    post = fixture.posts[place]
    row = Post(
        pk=pk,
        thread=thread,
        parent_basis=post.basis,
        key=post.key,
        byline=post.byline,
        lane=post.lane,
        stance=post.stance,
        origin=thread,
        written_at=post.written_at,
    )
    text = Composed(
        source=post.text,
        format=post.format,
        rendered=post.rendered,
        quotes=[],
        html=post.rendered.html,
        quoted=post.quoted,
    )
    return _Item(place, post, row, text, passage_keys(row, post.rendered.plain))


class _Writer:
    """Writes the texts, HTML and quotes of posts whose rows are written, part by part."""

    def __init__(self, fixture: ThreadFixture) -> None:
        self.posts = fixture.posts
        self.quoted = {quote.source for post in fixture.posts for quote in post.quotes}
        self.nested = {place for post in fixture.posts for q in post.quotes for place in q.nested}
        self.ids: dict[int, int] = {}
        # Posts of this load that are quoted: their rows, for the rows of the quotes.
        self.written: dict[int, tuple[Post, PostRevision]] = {}

    def write(
        self,
        part: Sequence[_Item],
        now: datetime,
        sources: dict[int, tuple[Post, list[PostRevision]]] | None = None,
    ) -> None:
        """Write what belongs to the rows of `part`.

        `sources` are quoted posts that were here before, with the texts they had.
        """
        revisions = PostRevision.objects.bulk_create(
            item.text.revision(item.row, 1, editor=None, now=now) for item in part
        )
        for item, revision in zip(part, revisions, strict=True):
            if item.place in self.quoted:
                self.written[item.place] = item.row, revision
            if item.place in self.nested:
                self.ids[item.place] = item.row.pk
        for item, revision in zip(part, revisions, strict=True):
            item.text.quotes = [self._quote(quote, sources or {}) for quote in item.post.quotes]
            item.text.quotes_of(revision)
            self._draw_quotes(item)
        PostBody.objects.bulk_create(
            item.text.body(revision) for item, revision in zip(part, revisions, strict=True)
        )
        quotes = Quote.objects.bulk_create(quote for item in part for quote in item.text.quotes)
        _write_keys(part)
        # Other threads show the backlink.
        threads = {item.row.pk: item.row.thread_id for item in part}
        elsewhere.touch(
            quote.source_post.thread_id
            for quote in quotes
            if quote.source_post_id and quote.source_post.thread_id != threads[quote.post_id]
        )

    def _quote(self, quote, sources: dict[int, tuple[Post, list[PostRevision]]]) -> Quote:
        """The row of one quote; judged again if its source has a history of its own here."""
        match, source, current = quote.match, self.written.get(quote.source), None
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
            nested=[self.ids[place] for place in quote.nested if place in self.ids],
            reason=quote.reason,
        )
        row.stance = quote.stance
        return row

    def _draw_quotes(self, item: _Item) -> None:
        """Let the quotes of a post show their sources, which were rendered for the same load."""
        htmls = {
            self.written[quote.source][1].pk: self.posts[quote.source].rendered.html
            for quote in item.post.quotes
            if quote.source in self.written
        }
        item.text.html = stored_html(item.text.rendered, item.text.quotes, htmls)


def _write_keys(part: Sequence[_Item]) -> None:
    """Write the keys of the paragraph index. They are many and narrow: through the model they
    would hold the lock longer than everything else together."""
    table = PassageKey._meta.db_table
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} (thread_id, key, post_id) VALUES (%s, %s, %s)",
            [(item.row.thread_id, key.key, key.post_id) for item in part for key in item.keys],
        )


def _parts(fixture: ThreadFixture, ids: Mapping[int, int], thread: Thread) -> Iterator[list[_Item]]:
    """Make the posts at the places that `ids` names, in parts that are quickly written, and let
    others write in between."""
    part: list[_Item] = []
    size = 0
    for place, pk in ids.items():
        length = len(fixture.posts[place].text)
        if part and (len(part) == PART_POSTS or size + length > PART_CHARACTERS):
            yield part
            _let_others_write()
            part, size = [], 0
        part.append(_item(fixture, place, pk, thread))
        size += length
    if part:
        yield part


def _let_others_write() -> None:
    if connection.vendor == "sqlite":
        time.sleep(PAUSE)


def _here(fixture: ThreadFixture, *, with_revision: bool = False) -> dict[str, Post]:
    """The posts of the fixture that are in this forum already, wherever, by key."""
    return _by_key([post.key for post in fixture.posts], with_revision=with_revision)


def _by_key(keys: Sequence[str], *, with_revision: bool = False) -> dict[str, Post]:
    found = Post.objects.select_related("thread__board")
    if with_revision:
        found = found.select_related("thread__board", "body__revision")
    return {
        post.key: post
        for at in range(0, len(keys), BATCH)
        for post in found.filter(key__in=keys[at : at + BATCH])
    }


def _taken(fixture: ThreadFixture, key: str) -> Rejected:
    post = next(post for post in fixture.posts if post.key == key)
    return fixture.reject(f"another debate has a post with the key {key!a}.", post)


def _moment(contribution: Contribution, now: datetime) -> datetime:
    """When a post counts as written; a date in the future would stay on top of every list."""
    return min(contribution.written_at or now, now)


def _named(keys: Sequence[str]) -> str:
    return ", ".join(keys) if len(keys) <= NAMED else f"{len(keys):,} posts"


def _were(keys: Sequence[str]) -> str:
    return "was" if len(keys) == 1 else "were"
