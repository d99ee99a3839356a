"""Searching posts and debates: bounded whatever is asked for, and asked of the one rule of rights.

The order of a search: a probe takes some posts that match, by the index of words alone. If these
are all there are, the reader's rights leave those they may read, which are counted, ordered and cut
into pages. If there are more, the newest rows are walked until a page is full; hits that are older
than the rows walked are taken from all hits at once. The best of many are the best of the newest.
Where a word stands in many of the newest rows, these are taken in place of the probe.
docs/decisions/ says what was measured.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

from django.db.models import Q, QuerySet

from forum.models import Post, Thread
from forum.models.listing import for_listing
from forum.models.threads import ThreadQuerySet
from forum.models.visibility import (
    ForReader,
    opening_rule,
    openings_visible_to,
    threads_visible_to,
)

from . import debate_probes, looking, probes
from .asking import Asked
from .probes import Hit, Place
from .rights import readable

PER_PAGE = 20
COUNTED = 1_000  # hits up to here are counted
# Somewhat more, so that a few that the reader may not see leave enough to say "more than 1,000".
PROBE = 1_200
DESK = 400  # of the newest there, when there are more than were probed
RANKED = 1_000  # of the newest, when there are more than were probed
RARELY_RANKED = 20  # of fewer among the newest rows, all are looked at
# Hits that are asked for their rights, one batch after the other, before a page is as full as it
# gets. The first are hardly more than a page: mostly the reader may read nearly all.
BATCHES = (40, 40, 400, 400, 400)
MOST_TITLES = 6  # debates that are shown above the posts or offered
LIMITING = frozenset(("board", "kind", "pod", "place", "who"))  # filters with which they are shown
NOBODYS = -1  # an id that no debate has


@dataclass(slots=True)
class Found:
    """A page of ids, in order. `count` of all that the reader may read; with `more`, at least so
    many. `after` leads to the next page. `newest_of`: only so many of the newest were ranked, or
    looked at for what hardly any is.
    `threads`, `boards`, `parts` and `lanes` count hits by where they stand, if all are counted."""

    ids: list[int]
    count: int
    more: bool = False
    after: int = 0
    newest_of: int = 0
    threads: Counter = field(default_factory=Counter)
    boards: Counter = field(default_factory=Counter)
    parts: Counter = field(default_factory=Counter)
    lanes: Counter = field(default_factory=Counter)


# --- Posts --------------------------------------------------------------------------------------


def posts(asked: Asked, *, best: bool = False, after: int = 0) -> Found:
    """The posts that are found, newest or best first, behind the one with the id `after`."""
    if asked.nothing or asked.threads == [] or asked.query.empty:
        return Found([], 0)
    index = probes.Posts(asked.match, asked.limits, asked.closed)
    best = best and bool(asked.match.words)
    hits, newest, are_all, closed = looking.look(index, PROBE, sparse=asked.sparse, best=best)
    # Of the newest, fewer than a page are asked for their rights with those that follow.
    few = newest is hits or len(newest) <= PER_PAGE
    late = [] if are_all or best or after or few else newest
    rows = readable(asked, [*hits, *late])
    if closed and len(rows) <= COUNTED and asked.closed():
        hits = newest = index.newest_of_all(PROBE, None)
        are_all, rows = len(hits) < PROBE, readable(asked, hits)
    if are_all:
        found, page = _of_all(index, hits, rows, best=best, after=after)
    else:
        found = Found([], sum(hit.pk in rows for hit in hits), more=True)
        rare = index.by_window and len(newest) < looking.RARE
        if best:
            page = _best_of_newest(asked, index, newest, found, after, rare=rare)
        elif after:
            page = _walked(asked, index, index.place(after), rare=rare)
        else:
            first = [] if newest is hits or late else newest
            page = [hit for hit in (hits if newest is hits else late) if hit.pk in rows]
            # A verdict that none of so many has is not looked for further: its asking is dear.
            if len(page) <= PER_PAGE and not (asked.sparse and newest is hits):
                place = index.place(newest[-1].pk) if newest else None
                page += _walked(asked, index, place, first, rare=rare)
            if asked.sparse:
                found.newest_of = len(hits)
    found.ids = [hit.pk for hit in page[:PER_PAGE]]
    if len(page) > PER_PAGE:
        found.after = found.ids[-1]
    return found


def _of_all(
    index: probes.Posts, hits: list[Hit], rows: dict[int, tuple], *, best: bool, after: int
) -> tuple[Found, list[Hit]]:
    """What is found, and its page with more, where `hits` are all there are, and `rows` say of
    which the reader may read."""
    found = Found([], len(rows), more=len(rows) > COUNTED)
    if not found.more:
        _count(found, rows.values())
    if best:
        hits = _ranked(hits, index.ranks([hit.pk for hit in hits if hit.pk in rows]))
    elif after and after not in rows and (place := index.place(after)):
        hits, after = index.newest_of_all(PROBE, place), 0
    return found, [hit for hit in _behind(hits, after) if hit.pk in rows]


def _ranked(hits: list[Hit], ranks: dict[int, float]) -> list[Hit]:
    """Best first; of what matches as well, the newest."""
    return sorted(hits, key=lambda hit: -ranks.get(hit.pk, 0.0))


def _behind(hits: list[Hit], pk: int) -> list[Hit]:
    return hits[next((n for n, hit in enumerate(hits, 1) if hit.pk == pk), 0) :]


def _count(found: Found, rows: Collection[tuple]) -> None:
    thread, board, basis, lane = (Counter(map(itemgetter(at), rows)) for at in range(4))
    del lane[""]
    openings = basis[Post.Basis.OPENING]
    found.threads, found.boards, found.lanes = thread, board, lane
    found.parts = +Counter(opening=openings, reply=len(rows) - openings)


def _walked(
    asked: Asked, index: probes.Posts, place: Place | None, first: Sequence[Hit] = (), *, rare: bool
) -> list[Hit]:
    """The newest that the reader may read behind a place, one more than a page, unless so many that
    they may not read come before. `first`: these are known to stand directly before it. `rare`:
    hardly any stand near by."""
    page: list[Hit] = _seen(asked, first) if rare else []
    for size in () if rare else BATCHES[:2] if index.in_many else BATCHES:
        near = size < BATCHES[-1]
        hits = index.newest(size, place, rows=probes.NEAR if near else probes.WINDOW)
        page += _seen(asked, [*first, *hits])
        first = ()
        if len(page) > PER_PAGE:
            return page
        if hits:
            place = index.place(hits[-1].pk)
        if len(hits) < (size if not near else 0 if asked.threads else looking.RARE):
            break
    # All at once: to find the newest of all hits takes as long for few as for many.
    hits = index.newest_of_all(sum(BATCHES), place)
    return page + _first_seen(asked, hits, PER_PAGE + 1 - len(page))


def _best_of_newest(
    asked: Asked, index: probes.Posts, newest: list[Hit], found: Found, after: int, *, rare: bool
) -> list[Hit]:
    """The best of the newest, one more than a page, behind the one with the id `after`; `newest`
    are known. `found` is told of how many."""
    hits, ranks = newest[:RANKED], None
    if len(hits) < RANKED and not (rare or index.in_many):
        hits, ranks = index.newest_ranked(RANKED)
    if len(hits) < RARELY_RANKED:
        hits, ranks = index.newest_of_all(RANKED, None), None
    if ranks is None:
        ranks = index.ranks([hit.pk for hit in hits])
    found.newest_of = len(hits)
    return _first_seen(asked, _behind(_ranked(hits, ranks), after), PER_PAGE + 1)


def _first_seen(asked: Asked, hits: list[Hit], most: int) -> list[Hit]:
    """The first of these that the reader may read."""
    seen: list[Hit] = []
    start = 0
    for size in BATCHES:
        seen += _seen(asked, hits[start : start + size])
        start += size
        if len(seen) >= most:
            break
    return seen


def _seen(asked: Asked, hits: Sequence[Hit]) -> list[Hit]:
    rows = readable(asked, hits)
    return [hit for hit in hits if hit.pk in rows]


def newest_ids(asked: Asked) -> tuple[list[int], bool]:
    """What the desk lists: the ids of the posts found, and whether of very many just the newest."""
    if asked.nothing or asked.threads == [] or asked.query.empty:
        return [], False
    index = probes.Posts(asked.match, asked.limits, asked.closed)
    many = len(hits := index.some(PROBE)) == PROBE
    if many and len(hits := index.newest(DESK, None, rows=probes.WINDOW)) < DESK:
        hits = index.newest_of_all(DESK, None)
    return list(readable(asked, hits)), many


# --- Debates ------------------------------------------------------------------------------------


def titles(asked: Asked, *, most: int = 3) -> list[int]:
    """The ids of the few debates to show above the posts: all words stand in their title, or in
    what their openings say of them; newest activity first."""
    if not asked.titles.words or asked.nothing:
        return []
    if asked.query.filters:
        of_debates = {one.key for one in asked.query.filters} <= LIMITING
        return list(_newest(debates_of(asked), most)) if of_debates else []
    found = _named_by(asked)
    return _titled(asked.user, found.anywhere, found.titles or [NOBODYS])[:most]


def debates(asked: Asked, *, after: int = 0) -> tuple[list[int], int, bool, int]:
    """A page of the debates that are found, newest activity first, behind the one with the id
    `after`: their ids, how many there are, whether at least so many, and what leads on."""
    if asked.nothing:
        return [], 0, False, 0
    rows = debates_of(asked)
    count = len(rows.order_by().values_list("pk")[: COUNTED + 1])
    if last := Thread.objects.filter(pk=after).first() if after else None:
        rows = rows.older_than("last_post_at", last.last_post_at, last.pk)
    page = list(_newest(rows, PER_PAGE + 1))
    leads = page[PER_PAGE - 1] if len(page) > PER_PAGE else 0
    return page[:PER_PAGE], min(count, COUNTED), count > COUNTED, leads


class Named(NamedTuple):
    """Debates that words are found in, in all that is said of them, and in their titles alone."""

    anywhere: list[int]
    titles: list[int]


def debates_of(asked: Asked) -> ThreadQuerySet:
    """The debates with these words. What a title says all see who see the debate; the rest goes
    where the opening goes."""
    seen = threads_visible_to(asked.user)
    if asked.of_openings:
        seen = openings_visible_to(asked.user).filter(asked.opening_rule)
        if asked.named is not None:
            seen = seen.filter(pk__among=asked.named)
    if asked.titles.all:
        named = _named_by(asked)
        if not named.anywhere:
            return seen.none()
        # As sets: of a list Django looks at every value first.
        anywhere, titled = (Q(pk__among=frozenset(ids)) for ids in named)
        seen = seen.filter(_said(asked.user, anywhere, titled))
    return seen.filter(asked.debate_rule)


def _named_by(asked: Asked) -> Named:
    if asked.in_divergences:
        return Named(debate_probes.debates(asked.titles, PROBE), [])
    if any(side.words[0].startswith("t=") for side in asked.titles.all[0]):
        ids = debate_probes.debates(asked.titles, PROBE)
        return Named(ids, ids)
    rows = debate_probes.debates_titled(asked.titles, asked.titles.in_titles(), PROBE)
    return Named([pk for pk, _ in rows], [pk for pk, titled in rows if titled])


def _said(user, anywhere: Q, titled: Q) -> Q:
    """Of debates that the reader sees: all that are found by their titles, which are found anywhere
    as well, and the others of these where they see the opening."""
    rule = opening_rule(user)
    return anywhere & (titled | rule) if rule else anywhere | titled


def _newest(rows: ThreadQuerySet, most: int) -> QuerySet:
    return rows.order_by("-last_post_at", "-pk").values_list("pk", flat=True)[:most]


def listed(ids: list[int]) -> list[Thread]:
    """These debates with all that a line shows, which of all that are found would take long."""
    rows = for_listing(Thread.objects.all()).in_bulk(ids)
    return [rows[pk] for pk in ids if pk in rows]


_titled = ForReader(
    "debates_titled",
    lambda user, anywhere, titles: _newest(
        threads_visible_to(user).filter(_said(user, Q(pk__in=anywhere), Q(pk__in=titles))),
        MOST_TITLES,
    ),
    *("numbers", "numbers"),
    alike=True,
)
