"""Posts of a debate, kept one by one as they were drawn (docs/decisions/0049).

What a post looks like changes with what is written about it, with the debate, with the site; and a
new post elsewhere in the debate changes three things of it: who quotes it, where it hangs, and
which of the posts that it leads to stand on the same page. A drawn post is kept under numbers that
rise with the first, under the second themselves, and is looked at for the third.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from sys import getsizeof
from time import time
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils.safestring import SafeString, mark_safe

from forum.jinja import macro
from forum.models import Board, Post, State, Thread, Threadmark
from forum.models.visibility import moderates_all
from forum.operations import caching
from forum.tree import Position

from . import page_cuts
from .fragments import ANY_MEMBER, zone_of
from .glossary import Glossary
from .page_cuts import Cut, ReadState, Wanted
from .posts import ALONE, Connector, PostEntry, offered, render_posts

# Bytes of a row without words, of an article besides its HTML and of a note, roughly.
ROW, ARTICLE, NOTE = 2000, 600, 300
# Whatever it depends on that nobody thought of: after so many seconds a post is drawn anew.
LONGEST = 3600


@dataclass(frozen=True, slots=True)
class Article:
    """A post as it was drawn: `html` is all of it. It leads to the posts with the ids `leads`, of
    which `there` stood on the same page; so is it right where just these do."""

    html: SafeString
    words: SafeString | None  # of an opening, its text alone: search engines are told it
    leads: frozenset[int]
    there: frozenset[int]
    until: float  # so long holds what it says of time
    anew: float

    def holds(self, here: frozenset[int]) -> bool:
        """Whether it is what would be drawn now, on a page with the posts `here`."""
        now = time()
        return now < self.until and now < self.anew and self.leads & here == self.there


def shares(user, thread: Thread, wanted: Wanted, seen: ReadState | None) -> bool:
    """Whether `user` reads the posts of this debate as any other visitor or any other member does,
    but for what is new, their own or offered otherwise: no rights beyond these, nobody ignored,
    nothing folded, no lane."""
    open_to = [Board.Audience.PUBLIC]
    if user.is_authenticated:
        if seen is None or user.is_staff or moderates_all(user) or user.ignoring or seen.invited:
            return False
        open_to.append(Board.Audience.MEMBERS)
    folded = seen.folded if seen else wanted.folded
    return bool(
        settings.KEPT_PAGES_MB
        and not wanted.lane
        and thread.state == State.VISIBLE
        and thread.board.audience in open_to
        and not (wanted.view == "tree" and folded)
    )


def page(
    user,
    thread: Thread,
    wanted: Wanted,
    seen: ReadState | None,
    *,
    terms: Glossary | None,
    marks: Sequence[Threadmark],
) -> tuple[Cut, list[PostEntry]]:
    """The posts of a page for a reader who `shares`, drawn where they are not kept: its cut, whose
    entries say only where each stands, and the entries as they are shown."""
    cut, whole = _cut(thread, wanted, seen)
    kept_articles = _KeptArticles(user, thread, cut, terms)
    offers = offered([entry.post for entry in cut.entries], user=user)
    by_post = {mark.post_id: mark for mark in marks}
    entries: dict[int, PostEntry] = {}
    owns: dict[int, dict[str, Any]] = {}
    missing, alone = [], []
    for entry in cut.entries:
        post = entry.post
        gone, verbs = offers[post.pk]
        fresh = seen is not None and not seen.has(post.number or 0)
        own: dict[str, Any] = {"gone": gone, "verbs": verbs, "fresh": fresh}
        own["mark"] = by_post.get(post.pk)
        entries[post.pk], owns[post.pk] = entry, own
        if _only_for(user, post):
            alone.append(post.pk)
        elif (kept := kept_articles.get(entry, own)) is None:
            missing.append(post.pk)
        else:
            entries[post.pk] = replace(entry, **own, drawn=kept.html, html=kept.words)
    if alone or missing:
        if whole:
            rows = [entry.post for entry in cut.entries]
        else:
            rows = page_cuts.WHOLE.by_id([*missing, *alone])
            for post in rows:
                post.thread = thread
        by_id = {post.pk: post for post in rows}
        render = partial(_drawn, entries, owns, terms=terms, here=kept_articles.here)
        entries |= render([by_id[pk] for pk in alone], user=user)
        with caching.timed() as until:
            drawn = render([by_id[pk] for pk in missing], user=kept_articles.reader)
        entries |= {pk: kept_articles.put(entry, until[0]) for pk, entry in drawn.items()}
    if whole:  # the rows of the kept cut, which is counted without their words
        for row in (*(entry.post for entry in cut.entries), *cut.continues):
            if row.pk not in alone:
                page_cuts.forget_words(row)
    return cut, list(entries.values())


def _cut(thread: Thread, wanted: Wanted, seen: ReadState | None) -> tuple[Cut, bool]:
    """Where the posts of a page stand, with their rows; and whether these are whole. Kept under
    the numbers that were read before the rows."""
    own = (thread.pk, wanted.view, wanted.number, wanted.size, thread.site_version)
    key = ("cut", *own, thread.version)
    if (cut := caching.fragments.get(key)) is not None:
        return cut, False
    # Most of what a page shows that was met before is kept. One that was not is read as a whole.
    met = ("met", *own, thread.epoch)
    rows = page_cuts.NARROW if caching.fragments.get(met) else page_cuts.COUNTED
    if wanted.view == "tree":
        cut = page_cuts.in_tree(thread, wanted, render=_bare, seen=seen, rows=rows)
    else:
        cut = page_cuts.flat(thread, wanted, render=_bare, rows=rows)
    caching.fragments.put(key, cut, len(cut.entries) * ROW)
    caching.fragments.put(met, True, NOTE)
    return cut, rows is page_cuts.COUNTED


def _bare(
    posts: Sequence[Post],
    *,
    lines: Mapping[int, Connector] | None = None,
    positions: Mapping[int, Position] | None = None,
) -> list[PostEntry]:
    """Posts as entries that say only where each hangs."""
    return [
        PostEntry(
            post=post,
            gone=False,
            verbs=frozenset(),
            position=positions[post.pk] if positions else None,
            line=lines[post.pk] if lines else ALONE,
        )
        for post in posts
    ]


def _only_for(user, post: Post) -> bool:
    """Whether a post is drawn for this reader alone: a member's vote shows in its poll, and one's
    own is not always gone where it is for others."""
    if not user.is_authenticated:
        return False
    return post.has_poll or (post.author_id == user.pk and post.state != State.VISIBLE)


def _drawn(
    entries: Mapping[int, PostEntry],
    owns: Mapping[int, dict[str, Any]],
    posts: Sequence[Post],
    *,
    user,
    terms: Glossary | None,
    here: frozenset[int],
) -> dict[int, PostEntry]:
    """Posts with their words as `user` reads them, placed as `entries` say of each, and with what
    of it is the reader's own (`owns`)."""
    rendered = render_posts(
        posts,
        user=user,
        terms=terms,
        here=here,
        positions={pk: entry.position for pk, entry in entries.items() if entry.position},
        lines={pk: entry.line for pk, entry in entries.items()},
    )
    return {entry.post.pk: replace(entry, **owns[entry.post.pk]) for entry in rendered}


class Key(NamedTuple):
    """All that an article depends on, but for what `Article.holds` asks."""

    post: int
    times_quoted: int
    position: Position | None
    line: Connector
    fresh: bool
    gone: bool
    verbs: frozenset[str]
    thread: int
    epoch: int
    site_version: int
    explained: bool  # whether words of the trade are
    member: bool
    zone: str  # in which moments are shown
    fold_base: str


class _KeptArticles:
    """Where the posts of one page are kept for one kind of reader."""

    def __init__(self, user, thread: Thread, cut: Cut, terms: Glossary | None) -> None:
        member = user.is_authenticated
        self.here = frozenset(entry.post.pk for entry in cut.entries)
        self.reader = ANY_MEMBER if member else AnonymousUser()
        self.fold_base = "" if member else cut.fold_base  # members fold by a form
        self._times_quoted = {entry.post.pk: entry.post.times_quoted for entry in cut.entries}
        self._alike = (
            *(thread.pk, thread.epoch, thread.site_version),
            *(terms is not None, member, zone_of(user), self.fold_base),
        )
        self._draw = macro("macros/post.html", "draw")

    def get(self, entry: PostEntry, own: Mapping[str, Any]) -> Article | None:
        """The article of a post as it would be drawn now, if it is kept; `own` is what of the entry
        is its reader's."""
        found = caching.fragments.get(self._key(entry, **own))
        if found is None or not found.holds(self.here):
            return None
        caching.expires_at(found.until)
        return found

    def put(self, entry: PostEntry, until: float) -> PostEntry:
        """Keep what is drawn of an entry whose text holds `until` then, and give it with that."""
        if entry.fresh:  # the next time it is not
            self._keep(replace(entry, fresh=False), until)
        return replace(entry, drawn=self._keep(entry, until))

    def _keep(self, entry: PostEntry, until: float) -> SafeString:
        member = self.reader if self.reader.pk is not None else None
        with caching.timed() as own:
            html = mark_safe(self._draw(entry, offer=True, member=member, fold_base=self.fold_base))
        article = Article(
            html=html,
            words=entry.html if entry.post.is_opening else None,
            leads=entry.leads,
            there=entry.leads & self.here,
            until=min(until, own[0]),
            anew=time() + LONGEST,
        )
        size = getsizeof(html) + getsizeof(article.words) + ARTICLE
        key = self._key(entry, gone=entry.gone, verbs=entry.verbs, fresh=entry.fresh)
        caching.fragments.put(key, article, size)
        return html

    def _key(
        self, entry: PostEntry, *, gone: bool, verbs: frozenset[str], fresh: bool, **_: object
    ) -> Key:
        pk = entry.post.pk
        own = (pk, self._times_quoted[pk], entry.position, entry.line, fresh, gone, verbs)
        return Key._make((*own, *self._alike))
