"""Loads thread fixtures: the only code that writes what forum.transfer has read and checked.

A new thread is written in parts, each a short transaction, in a state that nobody sees; one last
transaction shows it. After a crash nothing is visible, and the next load of that key clears what
was left and begins again. What a newer version adds to a thread is written in parts too, each of
them whole: posts in order of arrival, with their numbers, trees and counters.
"""

from collections.abc import Callable, Mapping

from django.db import IntegrityError, connection, transaction

from core import clock, progress
from forum import tree
from forum.actions import brought_pictures, description
from forum.models import (
    Board,
    PassageKey,
    PictureUse,
    Post,
    PostBody,
    PostRevision,
    PostWords,
    Quote,
    State,
    Thread,
    slug_for,
)

from .attaching import attach, link_variants
from .fixture import ThreadFixture
from .rows import (
    PART_POSTS,
    Loaded,
    Writer,
    key_taken,
    let_others_write,
    moment_of,
    parts_of,
    posts_here,
)
from .updating import load_newer, nothing_new

# Posts after which the database is told to look at its tables again.
MANY = 2_000


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
    if why := nothing_new(fixture, thread):
        loaded = Loaded(thread, notes=[why])
        finish(loaded)
        return loaded
    return load_newer(fixture, thread, user, finish)


def check(fixture: ThreadFixture) -> None:
    """Raise Rejected if the fixture would not fit this forum as it is now, so that of several
    threads none is loaded when one cannot be."""
    thread = Thread.objects.filter(key=fixture.key).exclude(state=State.LOADING).first()
    if thread is None:
        _check_new(fixture)
    elif thread.fixture_version is not None and thread.fixture_version < fixture.version:
        for key, post in posts_here(fixture).items():
            if post.origin_id != thread.pk:
                raise key_taken(fixture, key)


def adds(fixture: ThreadFixture) -> bool:
    """Whether loading the fixture, which fits, would write anything."""
    thread = Thread.objects.filter(key=fixture.key).exclude(state=State.LOADING).first()
    return thread is None or not nothing_new(fixture, thread)


def _check_new(fixture: ThreadFixture) -> Board:
    """The board for a new thread. Raises Rejected if there is none, or a post's key is taken."""
    board = Board.objects.filter(slug=fixture.board).first()
    if board is None:
        raise fixture.reject(
            f'there is no board "{fixture.board}" here. manage.py loaddata boards brings the '
            "boards that come with the forum."
        )
    for key, post in posts_here(fixture).items():
        # What a load of this thread that broke off has left is cleared by the next one.
        if (post.thread.key, post.thread.state) != (fixture.key, State.LOADING):
            raise key_taken(fixture, key)
    return board


def _load_new(fixture: ThreadFixture, user, finish: Callable[[Loaded], None]) -> Loaded:
    board = _check_new(fixture)
    now = clock.now()
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
        created_at=moment_of(opening, now),
        last_post_at=moment_of(last, now),
    )
    loaded = Loaded(thread, added=len(fixture.posts))
    try:
        with transaction.atomic():
            tree.make_thread(thread)
            description.write(thread, fixture.divergences, fixture.questions)
            ids = dict(enumerate(tree.new_ids(len(fixture.posts))))
        pairs = (
            (pk, None if (above := fixture.posts.parent(at)) is None else ids[above])
            for at, pk in ids.items()
        )
        labels = tree.labels(pairs)
        pictures, notes = brought_pictures.found(fixture.pictures)
        loaded.notes += notes
        writer = Writer(fixture, pictures)
        progress.begin("posts loaded", len(ids))
        for part in parts_of(fixture, ids, thread):
            for item in part:
                up = item.post.parent
                item.row.parent_id = None if up is None else ids[up]
                item.arrive(thread, item.index + 1, now)
                tree.set_labels(item.row, labels.pop(item.row.pk))
            with transaction.atomic():
                tree.lock(thread.pk)
                tree.write([item.row for item in part])
                writer.write(part, now)
            progress.advance(len(part))
        with transaction.atomic():
            _publish(fixture, thread, ids, user)
            finish(loaded)
        if len(ids) >= MANY:
            _analyse()
    except IntegrityError:
        # Somebody loaded the same keys since we looked.
        if thread.pk:
            _clear(thread.pk)
        for key in posts_here(fixture):
            raise key_taken(fixture, key) from None
        raise fixture.reject("this thread is being loaded by another process.") from None
    except Thread.DoesNotExist:
        raise fixture.reject("another process began to load this thread anew.") from None
    return loaded


def _analyse() -> None:
    """Tell PostgreSQL how full its tables are now: until it looks by itself, it plans as if they
    were as empty as before, and asks for the pages of a large thread row by row."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for model in (Post, PostRevision, PostBody, PostWords, Quote, PassageKey):
                cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")


def _publish(fixture: ThreadFixture, thread: Thread, ids: Mapping[int, int], user) -> None:
    """Show a thread that is complete, with its counters."""
    tree.lock(thread.pk)
    attach(fixture, thread, ids)
    link_variants(fixture, thread, user)
    thread.state = State.VISIBLE
    thread.numbered, thread.reply_count = len(ids), len(ids) - 1
    thread.last_post_id = ids[len(ids) - 1]
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
            for model in (PostWords, Quote, PictureUse, PostBody, PostRevision):
                model.objects.filter(post__in=ids).delete()
            tree.drop(ids)
        let_others_write()
