"""The page of a debate as an object: all that it says to one reader, before any of it is HTML."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from forum import tree
from forum.models import Lane, Post, State, Thread, Threadmark
from forum.models.visibility import moderates, posts_visible_to, threads_visible_to
from forum.permissions import may, verbs

from . import articles, fragments, glossary, polls
from .divergence_axis import Axis, axis
from .page_cuts import Cut, ReadState, Wanted, flat, in_lane, in_tree
from .posts import Connector, PostEntry, offered, render_posts

MAX_LISTED = 60  # marks in the index above a debate; the reader mode leads to all of them
MAX_VARIANTS = 20
MAX_WAITING = 50


@dataclass(frozen=True, slots=True)
class Doubts:
    """Replies that doubt a premise which is granted: under one heading, which stands open if one of
    them is asked for or is where the unread begins."""

    entries: Sequence[PostEntry]
    fresh: int
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadPage:
    """One page of a debate as one reader is shown it; `templates/threads/thread.html` draws it."""

    thread: Thread
    verbs: frozenset[str]  # of the charter, offered on the debate
    wanted: Wanted
    cut: Cut
    entries: Sequence[PostEntry]  # the posts in their places
    doubts: Doubts | None  # and those that are taken out of them
    waiting: Sequence[PostEntry]  # posts that have no place yet
    waiting_count: int
    end: int | None  # the id of the last post
    fresh: Sequence[int]  # the numbers of the posts that the reader has not seen before
    first_fresh: int | None  # the id of the first of them
    unread: int  # in all of the debate
    left_aside: int  # posts of the page that keep to another lane than the one read
    lanes: Sequence[tuple[str, str, int]]  # to choose from: value, label, replies
    marks: Sequence[Threadmark]
    variant: Thread | None  # the debate that this one is a variant of, and its own variants
    variants: Sequence[Thread]
    # What the opening says of itself, as far as it may be read: the card, its picture, the answer.
    card: dict[str, Any]
    axis: Axis | None
    own_answer: str
    common: bool  # to all members without rights of their own it reads the same

    @property
    def is_last(self) -> bool:
        """Whether the debate ends on this page."""
        return self.wanted.number == self.wanted.pages

    @property
    def unread_elsewhere(self) -> int:
        """How many posts on other pages the reader has not seen."""
        return self.unread - len(self.fresh)

    @property
    def shown(self) -> list[int]:
        """The ids of the posts whose words stand on it."""
        return [entry.post.pk for entry in self.all_entries if not entry.gone]

    @property
    def placeholders(self) -> list[int]:
        """The ids of those of which it says only that they were there."""
        return [entry.post.pk for entry in self.all_entries if entry.gone]

    @property
    def all_entries(self) -> list[PostEntry]:
        """What stands on it, in whatever place."""
        return [*self.entries, *(self.doubts.entries if self.doubts else ()), *self.waiting]

    @property
    def open_questions(self) -> int:
        """How many questions of the card nobody has answered."""
        return sum(not question["answers"] for question in self.card.get("questions", ()))

    @property
    def marks_listed(self) -> Sequence[Threadmark]:
        """The marks of the index on the first page."""
        return self.marks[:MAX_LISTED] if self.wanted.number == 1 else ()

    @property
    def pager(self) -> list[int | None]:
        """The page numbers to offer: the ends, the neighbours, None for a gap."""
        page, pages = self.wanted.number, self.wanted.pages
        near = {1, 2, page - 1, page, page + 1, pages - 1, pages}
        out: list[int | None] = []
        for number in sorted(near & set(range(1, pages + 1))):
            if out and number - (out[-1] or 0) == 2:
                out.append(number - 1)
            elif out and number - (out[-1] or 0) > 2:
                out.append(None)
            out.append(number)
        return out


def build(user, thread: Thread, wanted: Wanted, seen: ReadState | None) -> ThreadPage:
    """The page of `thread` that `wanted` names, for `user`, who may see the thread; `seen` is what
    a member has read in it. Writes nothing."""
    marks = list(Threadmark.objects.story_of(thread.pk)) if thread.marked else []
    cut, entries, common = _entries(user, thread, wanted, seen, marks)
    fresh = [entry for entry in entries if entry.fresh]
    first_fresh = fresh[0].post.pk if fresh else None
    placed: Sequence[PostEntry] = entries
    doubts: Doubts | None = None
    if thread.policy == Thread.Policy.GRANTED and not wanted.lane:
        placed, doubts = _doubts_apart(entries, {first_fresh, wanted.opened})
    reads_opening = may(user, "see opening", thread)
    card = thread.whole_card if reads_opening else {"divergences": [], "questions": []}
    top = wanted.number == 1 and not wanted.lane
    variant, variants = _variants(user, thread)
    return ThreadPage(
        thread=thread,
        verbs=verbs(user, thread),
        wanted=wanted,
        cut=cut,
        entries=placed,
        doubts=doubts,
        waiting=_waiting(user, thread, seen) if wanted.number == wanted.pages else (),
        waiting_count=_waiting_count(user, thread),
        end=entries[-1].post.pk if entries else None,
        fresh=[entry.post.number or 0 for entry in fresh],
        first_fresh=first_fresh,
        unread=seen.unread(thread) if seen else 0,
        left_aside=sum(entry.aside for entry in entries),
        lanes=_lanes(thread),
        marks=marks,
        variant=variant,
        variants=variants,
        card=card,
        axis=axis(card["divergences"]) if top else None,
        own_answer=thread.own_answer if reads_opening else "",
        common=common,
    )


# --- Its posts --------------------------------------------------------------------------------


def _entries(
    user, thread: Thread, wanted: Wanted, seen: ReadState | None, marks: Sequence[Threadmark]
) -> tuple[Cut, list[PostEntry], bool]:
    """The posts of the page with what is this reader's own, drawn for any member or visitor or for
    `user` alone; and whether any member reads them so."""
    terms = glossary.for_reader(user, thread.site_version)
    shared = articles.shares(user, thread, wanted, seen)
    # Doubts about a granted premise change the places of the others.
    if shared and thread.policy != Thread.Policy.GRANTED:
        cut, entries = articles.page(user, thread, wanted, seen, terms=terms, marks=marks)
        return cut, entries, user.is_authenticated
    render = partial(_cut, thread, wanted, seen, terms)
    # The numbers rise when anything about the posts changes, and were read before them.
    key: tuple = ("page", thread.pk, thread.version, thread.site_version, terms is not None)
    key += (wanted.view, wanted.number, wanted.size)
    common = shared and user.is_authenticated
    cut = fragments.page(key, render) if common else render(user)
    if common and any(_own_and_gone(entry.post, user) for entry in cut.entries):
        common, cut = False, render(user)
    by_post = {mark.post_id: mark for mark in marks}
    offers = offered([entry.post for entry in cut.entries], user=user) if common else {}
    # What is kept shows a poll as whoever has no vote sees it.
    unkept = (entry.post for entry in cut.entries if common and not entry.gone)
    asked = polls.shown(unkept, user=user)
    entries = []
    for entry in cut.entries:
        post, pk = entry.post, entry.post.pk
        own: dict[str, Any] = {}
        if seen is not None and not seen.has(post.number or 0):
            own["fresh"] = True
        if mark := by_post.get(pk):
            own["mark"] = mark
        if poll := asked.get(pk):
            own["poll"] = poll
        if folded := cut.folds.get(pk):
            own["folded"] = folded
        if wanted.lane and not post.is_opening and post.lane != wanted.lane:
            own["aside"] = True
        if common and offers[pk] != (entry.gone, entry.verbs):
            own["gone"], own["verbs"] = offers[pk]
        entries.append(replace(entry, **own) if own else entry)
    return cut, entries, common


def _cut(thread: Thread, wanted: Wanted, seen: ReadState | None, terms, user) -> Cut:
    render = partial(render_posts, user=user, terms=terms)
    if wanted.view == "tree":
        return in_tree(thread, wanted, render=render, seen=seen)
    if wanted.lane:
        return in_lane(thread, wanted, render=render)
    return flat(thread, wanted, render=render)


def _own_and_gone(post: Post, user) -> bool:
    """Whether the reader wrote what others are shown a placeholder for."""
    return post.author_id == user.pk and post.state != State.VISIBLE


def _doubts_apart(
    entries: Sequence[PostEntry], wanted: set[int | None]
) -> tuple[Sequence[PostEntry], Doubts | None]:
    """Where the premise is granted, replies that doubt it are taken out of their places; the lines
    of the others are drawn as if they were not there. `wanted` are posts that are to be seen."""
    doubts = [entry for entry in entries if entry.post.lane == Lane.PREMISE]
    if not doubts:
        return entries, None
    rest = [entry for entry in entries if entry.post.lane != Lane.PREMISE]
    end = entries[-1].position
    if end is not None:
        positions = tree.close_up(
            [(entry.post, entry.position) for entry in rest if entry.position],
            {entry.post.pk for entry in doubts},
            end,
        )
        rest = [
            replace(entry, position=position)
            for entry, position in zip(rest, positions, strict=True)
        ]
    apart = [
        replace(
            entry,
            position=None,
            line=Connector(up=entry is not doubts[0], down=entry is not doubts[-1]),
        )
        for entry in doubts
    ]
    return rest, Doubts(
        entries=apart,
        fresh=sum(entry.fresh for entry in doubts),
        open=any(entry.post.pk in wanted for entry in doubts),
    )


# --- What stands around them ------------------------------------------------------------------


def _waiting(user, thread: Thread, seen: ReadState | None) -> list[PostEntry]:
    """Posts that wait to appear, for those who may read them; asked only where there may be
    some."""
    if not (seen and (seen.waiting or moderates(user, thread.board_id))):
        return []
    rows = posts_visible_to(user).filter(thread=thread, state=State.PENDING).for_reading()
    posts = list(rows[:MAX_WAITING])
    for post in posts:
        post.thread = thread
    return render_posts(posts, user=user, terms=glossary.for_reader(user, thread.site_version))


def _waiting_count(user, thread: Thread) -> int:
    """How many posts of the debate wait; only moderators are told, and only for them it is
    asked."""
    if not may(user, "moderate", thread):
        return 0
    return Post.objects.filter(thread=thread, state=State.PENDING).count()


def _lanes(thread: Thread) -> list[tuple[str, str, int]]:
    """The lanes to offer, (value, label, replies); none where nobody has named one."""
    counts = thread.lane_counts
    if not any(counts.values()):
        return []
    return [(value, label, counts.get(value, 0)) for value, label in Lane.choices]


def _variants(user, thread: Thread) -> tuple[Thread | None, Sequence[Thread]]:
    """The debate that this one is a variant of, and its own variants, as far as `user` sees them;
    asked only where there are some."""
    if not (thread.variant_of_id or thread.has_variants):
        return None, ()
    seen = threads_visible_to(user).filter(state=State.VISIBLE).order_by("pk")
    variant = seen.filter(pk=thread.variant_of_id).first() if thread.variant_of_id else None
    variants = seen.filter(variant_of=thread)[:MAX_VARIANTS] if thread.has_variants else ()
    return variant, list(variants)
