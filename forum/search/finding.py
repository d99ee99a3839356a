"""Searching posts and debates: bounded whatever is asked for, and asked of the one rule of rights.

The order of a search: a probe takes some posts that match, by the index of words alone. If these
are all there are, the reader's rights leave those they may read, which are counted, ordered and cut
into pages. If there are more, the newest rows are walked until a page is full; hits that are older
than the rows walked are taken from all hits at once. The best of many are the best of the newest.
docs/decisions/ says what was measured.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Q

from forum.models import Post, Thread
from forum.models.threads import ThreadQuerySet
from forum.models.visibility import openings_visible_to, posts_visible_to, threads_visible_to

from . import probes, quoted
from .asking import Asked
from .match import Match
from .probes import Hit

PER_PAGE = 20
COUNTED = 1_000  # hits up to here are counted
# Somewhat more, so that a few that the reader may not see leave enough to say "more than 1,000".
PROBE = 1_200
RANKED = 2_000  # of the newest, when there are more than were probed
ENOUGH = 200  # of the newest rows alone, before all hits are looked at for the newest of them
BATCH = 400
ROUNDS = 4  # batches that are asked for their rights before a page is as full as it gets
MOST_TITLES = 3  # debates above the posts
FACETS = ("pk", "thread_id", "thread__board_id", "parent_basis", "lane")


@dataclass(slots=True)
class Found:
    """A page of ids, in order. `count` of all that the reader may read; with `more`, at least so
    many. `after` leads to the next page. `newest_of`: only so many of the newest were ranked.
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
    limits = probes.Limits(asked.threads, asked.since, asked.until)
    index = probes.Posts(asked.match, limits)
    hits = index.some(PROBE)
    all_of_them = len(hits) < PROBE
    rows = _readable(asked, [hit.pk for hit in hits])
    found = Found([], len(rows), more=not all_of_them or len(rows) > COUNTED)
    if all_of_them and not found.more:
        _count(found, rows)
    last = index.moment(after) if after else None
    if best and asked.match.words:
        if not all_of_them:
            hits = index.newest(RANKED, None)
            if len(hits) < ENOUGH:
                hits = index.newest_of_all(RANKED, None)
            rows = _readable(asked, [hit.pk for hit in hits])
            found.newest_of = len(hits)
        ordered = _ranked(index, [hit for hit in hits if hit.pk in rows])
        begin = next((n for n, hit in enumerate(ordered, 1) if hit.pk == after), 0)
        page = ordered[begin : begin + PER_PAGE + 1]
    elif all_of_them:
        ordered = sorted((hit for hit in hits if hit.pk in rows), key=_order, reverse=True)
        page = [hit for hit in ordered if last is None or _order(hit) < _order(last)]
    else:
        page = _walked(asked, index, last)
    found.ids = [hit.pk for hit in page[:PER_PAGE]]
    if len(page) > PER_PAGE:
        found.after = found.ids[-1]
    return found


def _order(hit: Hit) -> tuple:
    return hit.at, hit.pk


def _readable(asked: Asked, ids: Sequence[int]) -> dict[int, tuple]:
    """Those of some posts that the reader may read, with what they are counted by: the one rule,
    asked of the posts themselves."""
    rows = posts_visible_to(asked.user).filter(asked.rule, pk__in=ids)
    found = {row[0]: row for row in rows.values_list(*FACETS)}
    if asked.statuses:
        shown = quoted.statuses(list(found), asked.user)
        wanted = set(asked.statuses)
        found = {pk: row for pk, row in found.items() if wanted <= shown.get(pk, set())}
    return found


def _count(found: Found, rows: dict[int, tuple]) -> None:
    for _, thread_id, board_id, basis, lane in rows.values():
        found.threads[thread_id] += 1
        found.boards[board_id] += 1
        found.parts["opening" if basis == Post.Basis.OPENING else "reply"] += 1
        if lane:
            found.lanes[lane] += 1


def _ranked(index: probes.Posts, hits: list[Hit]) -> list[Hit]:
    ranks = index.ranks([hit.pk for hit in hits])
    return sorted(hits, key=lambda hit: (ranks.get(hit.pk, 0.0), *_order(hit)), reverse=True)


def _walked(asked: Asked, index: probes.Posts, last: Hit | None) -> list[Hit]:
    """The newest that the reader may read, one more than a page, unless so many that they may not
    read come before."""
    page: list[Hit] = []
    for _ in range(ROUNDS):
        hits = index.newest(BATCH, last)
        page += _seen(asked, hits)
        if len(page) > PER_PAGE:
            return page
        if hits:
            last = hits[-1]
        if len(hits) < BATCH:
            break
    # All at once: to find the newest of all hits takes as long for few as for many.
    hits = index.newest_of_all(BATCH * ROUNDS, last)
    for start in range(0, len(hits), BATCH):
        page += _seen(asked, hits[start : start + BATCH])
        if len(page) > PER_PAGE:
            break
    return page


def _seen(asked: Asked, hits: list[Hit]) -> list[Hit]:
    rows = _readable(asked, [hit.pk for hit in hits])
    return [hit for hit in hits if hit.pk in rows]


def newest_ids(asked: Asked) -> list[int]:
    """The ids of all posts that are found, if they are not more than are counted, else of the
    newest: what the desk narrows its list of posts to."""
    if asked.nothing or asked.threads == [] or asked.query.empty:
        return []
    index = probes.Posts(asked.match, probes.Limits(asked.threads, asked.since, asked.until))
    hits = index.some(PROBE)
    if len(hits) == PROBE:
        hits = index.newest_of_all(PROBE, None)
    return list(_readable(asked, [hit.pk for hit in hits]))


# --- Debates ------------------------------------------------------------------------------------


def titles(asked: Asked, *, most: int = MOST_TITLES) -> list[Thread]:
    """The few debates to show above the posts: all words stand in their title, or in what their
    openings say of them; newest activity first."""
    if not asked.titles.words or asked.nothing:
        return []
    if not {one.key for one in asked.query.filters} <= {"board", "kind", "pod", "place", "who"}:
        return []
    return list(debates_of(asked).for_listing().order_by("-last_post_at", "-pk")[:most])


def debates(asked: Asked, *, after: int = 0) -> tuple[list[Thread], int, bool, int]:
    """A page of the debates that are found, newest activity first, behind the one with the id
    `after`: the debates, how many there are, whether at least so many, and what leads on."""
    if asked.nothing:
        return [], 0, False, 0
    rows = debates_of(asked)
    count = len(rows.order_by().values_list("pk")[: COUNTED + 1])
    if last := Thread.objects.filter(pk=after).first() if after else None:
        rows = rows.older_than("last_post_at", last.last_post_at, last.pk)
    page = list(rows.for_listing().order_by("-last_post_at", "-pk")[: PER_PAGE + 1])
    leads = page[PER_PAGE - 1].pk if len(page) > PER_PAGE else 0
    return page[:PER_PAGE], min(count, COUNTED), count > COUNTED, leads


def debates_of(asked: Asked) -> ThreadQuerySet:
    """The debates with these words. What a title says all see who see the debate; the rest goes
    where the opening goes."""
    rule = asked.debate_rule
    seen, opened = threads_visible_to(asked.user), openings_visible_to(asked.user)
    if asked.opening_rule:
        seen = opened.filter(asked.opening_rule)
    if not asked.titles.all:
        return seen.filter(rule)
    if asked.in_divergences:
        return opened.filter(asked.opening_rule, rule, pk__in=_with(asked.titles))
    in_title = Match(
        all=[[_in_title(side) for side in group] for group in asked.titles.all],
        none=asked.titles.none,
    )
    by_title = Q(pk__in=_with(in_title))
    if any(side.words[0].startswith("t=") for side in asked.titles.all[0]):
        return seen.filter(rule, by_title)
    anywhere = Q(pk__in=_with(asked.titles)) & Q(pk__in=opened.order_by().values("pk"))
    return seen.filter(rule, by_title | anywhere)


def _in_title(side):
    if side.words[0].startswith("t="):
        return side
    return side._replace(words=tuple(f"t={word}" for word in side.words))


def _with(match: Match) -> list[int]:
    return probes.debates(match, PROBE)
