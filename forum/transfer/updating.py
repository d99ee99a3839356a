"""A newer version of a debate that is here: what is missing comes in, what was changed stays."""

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import transaction

from core import clock, progress
from core.counting import counted
from forum import tree
from forum.actions import brought_pictures, description, variants
from forum.models import (
    AuditEntry,
    Post,
    PostRevision,
    State,
    Thread,
)
from forum.models.visibility import wider

from .attaching import attach_to_all, link_variants
from .fixture import ThreadFixture
from .posts import Contribution
from .rows import (
    Item,
    Loaded,
    Writer,
    key_taken,
    moment_of,
    parts_of,
    posts_by_key,
    posts_here,
)

# Posts named one by one in a note; of more the number is said.
NAMED = 5


def nothing_new(fixture: ThreadFixture, thread: Thread) -> str:
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


def load_newer(
    fixture: ThreadFixture, thread: Thread, user, finish: Callable[[Loaded], None]
) -> Loaded:
    """Add the posts that are missing; see `_Addition` for where they go."""
    loaded = Loaded(thread)
    addition = _Addition(fixture, thread)
    loaded.notes += addition.kept()
    new = [n for n, key in enumerate(fixture.posts.keys) if key not in addition.here]
    ids: list[int] = []
    if new:
        with transaction.atomic():
            ids = tree.new_ids(len(new))
    progress.begin("posts loaded", len(new))
    for part in parts_of(fixture, dict(zip(new, ids, strict=True)), thread):
        loaded.added += addition.write(part)
        progress.advance(len(part))
    loaded.notes += addition.left_out()
    with transaction.atomic():
        (thread,) = tree.lock(thread.pk)
        if (fixture.divergences or fixture.questions) and not _described(thread):
            description.write(thread, fixture.divergences, fixture.questions)
            tree.save_thread(thread, "card")
            tree.raise_divergences(thread)
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
        self.here = posts_here(fixture, with_revision=True)
        for key, post in self.here.items():
            if post.origin_id != thread.pk:
                raise key_taken(fixture, key)
        self.indexes = {key: index for index, key in enumerate(fixture.posts.keys)}
        self.without: dict[str, str] = {}
        pictures, self.pictures_left = brought_pictures.found(fixture.pictures)
        self.writer = Writer(fixture, pictures)

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
            description.described(thread),
            description.description(fixture.divergences, fixture.questions),
        )
        parts = ("divergences", "questions")
        if any(here[part] != theirs[part] for part in parts) and _described(thread):
            notes.append("Divergences and questions are left as they are here.")
        rows = [self.here[key] for key in fixture.posts.keys if key in self.here]
        for what, keys in (
            ("moved", [p.key for p in rows if p.thread_id != thread.pk]),
            ("edited", [p.key for p in rows if p.body.revision_number > 1]),
            ("hidden or removed", [p.key for p in rows if p.state != State.VISIBLE]),
        ):
            if keys:
                notes.append(
                    f"{keys_in_words(keys)} {was_or_were(keys)} {what} here and left as is."
                )
        other = [
            p.key
            for p in rows
            if p.body.revision_number == 1
            and p.body.revision.source != fixture.posts[self.indexes[p.key]].text
        ]
        if other:
            notes.append(f"{keys_in_words(other)}: the text of the new version was not taken over.")
        return notes

    def left_out(self) -> list[str]:
        """Notes on the posts that could not be added."""
        why: dict[str, list[str]] = {}
        for key, reason in self.without.items():
            why.setdefault(reason, []).append(key)
        out = [f"{keys_in_words(keys)} left out: {reason}." for reason, keys in why.items()]
        return out + self.pictures_left

    def write(self, part: Sequence["Item"]) -> int:
        """Write one part in one transaction; returns how many posts came in."""
        anchors = {self._anchor(item.post) for item in part}
        with transaction.atomic():
            # Moves take the locks of both threads. A post that was moved between this question
            # and the lock is found elsewhere below, and what follows it waits for the next load.
            ids = {self.here[key].thread_id for key in anchors if key in self.here}
            threads = {row.pk: row for row in tree.lock(self.thread.pk, *ids)}
            self._refresh(part, anchors)
            now = clock.now()
            added = []
            for item in part:
                key = item.post.key
                if key in self.here:
                    continue  # another process loads the same version
                if reason := self._obstacle(item.post, threads):
                    self.without[key] = reason
                    continue
                self._assign_parent(item, threads, now)
                self.here[key] = item.row
                added.append(item)
            tree.graft([item.row for item in added])
            self.writer.write(added, now, sources=self._sources(added))
            for thread in threads.values():
                mine = [item for item in added if item.row.thread_id == thread.pk]
                if mine:
                    thread.reply_count += len(mine)
                    thread.last_post = mine[-1].row
                    thread.last_post_at = max(thread.last_post_at, moment_of(mine[-1].post, now))
                    tree.save_thread(thread, "numbered", "reply_count", "last_post", "last_post_at")
        return len(added)

    def _anchor(self, contribution: Contribution) -> str:
        """The key of the post that a new post follows."""
        return self.fixture.posts.keys[contribution.parent or 0]

    def _refresh(self, part: Sequence["Item"], anchors: set[str]) -> None:
        """Read again, under the lock, the posts of this part and those it answers or quotes."""
        quoted = {
            self.fixture.posts.keys[quote.source]
            for item in part
            for quote in item.post.quotes
            if quote.source is not None
        }
        self.here.update(posts_by_key([*anchors, *quoted, *(item.post.key for item in part)]))

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
            source = self.here.get(self.fixture.posts.keys[quote.source])
            if source is None:
                return "what they quote was left out"
            hidden = source.state != State.VISIBLE or source.thread.state != State.VISIBLE
            if hidden or wider(source.thread.board, target.board):
                return "what they quote is not for everybody to read here"
        return ""

    def _assign_parent(self, item: "Item", threads: dict[int, Thread], now: datetime) -> None:
        """Say where a new post goes."""
        anchor = self.here[self._anchor(item.post)]
        thread = threads[anchor.thread_id]
        thread.numbered += 1
        item.arrive(thread, thread.numbered, now)
        unknown = item.post.basis == Post.Basis.UNKNOWN
        # Whether a post is the opening may have changed with a split or a merge.
        item.row.parent = None if anchor.is_opening or unknown else anchor

    def _sources(self, part: Sequence["Item"]) -> dict[int, tuple[Post, list[PostRevision]]]:
        """The texts, oldest first, that posts which were here before ever had, by place."""
        new = {*self.writer.written, *(item.index for item in part)}
        wanted = {
            quote.source: self.here[self.fixture.posts.keys[quote.source]].pk
            for item in part
            for quote in item.post.quotes
            if quote.source is not None and quote.source not in new
        }
        texts: dict[int, list[PostRevision]] = {}
        for revision in PostRevision.objects.filter(post__in=wanted.values()).order_by("number"):
            texts.setdefault(revision.post_id, []).append(revision)
        return {
            index: (self.here[self.fixture.posts.keys[index]], texts[pk])
            for index, pk in wanted.items()
        }


def keys_in_words(keys: Sequence[str]) -> str:
    """A few keys by name, many by their number."""
    return ", ".join(keys) if len(keys) <= NAMED else counted(len(keys), "post,posts")


def was_or_were(keys: Sequence[str]) -> str:
    """The verb that goes with so many posts."""
    return "was" if len(keys) == 1 else "were"
