"""How many posts match, and which are the newest: in what way the index of words is asked, by how
often what is asked for stands in the newest rows. Asks for no rights."""

from typing import NamedTuple

from . import probes
from .probes import Hit, Posts

NEAREST = 200  # of the newest rows; a word that none of these holds is taken for a rare one
FREQUENT = 0.15  # of the rows near by
RARE = 8  # hits in the nearer half of these; with fewer, windows are no use
COMMON = 0.06  # of them: so many rows of debates hold enough hits
OFTEN = 24  # hits near by within many debates, of which a page is made
AT_ONCE = 5_000  # hits: if fewer are expected, all are looked at in place of windows


class Looked(NamedTuple):
    """Some hits, those of which it is known that they are the newest, in order, and whether
    `hits` are all there are, in order then too. `closed`: if they are not, many may stand in boards
    that the reader does not see."""

    hits: list[Hit]
    newest: list[Hit]
    all: bool
    closed: bool = False


def look(index: Posts, limit: int, *, sparse: bool = False, best: bool = False) -> Looked:
    """So many that match. PostgreSQL takes all hits out of its index before it gives a few of
    them, so what many of the newest rows hold is taken from these. `sparse`: so many of the newest
    are wanted, since hardly any will do; `best`: since they are ranked."""
    if index.in_many:
        return _look_in_many(index, limit, best=best)
    near: list[Hit] = []
    # The newest of all will be asked for anyway, and of few it costs no more. Some more, since
    # those in boards that the reader does not see are among them.
    most = limit if sparse else limit + limit // 3
    if index.by_window and not sparse:
        many = int(NEAREST * FREQUENT)
        near, rare = index.near_or_all(many, most, rows=NEAREST)
        if rare:
            return Looked(near, near, len(near) < most, closed=len(near) == most)
        frequent = len(near) == many
        if not frequent:
            many = int(probes.NEAR // 2 * FREQUENT)
            near = index.newest(many, None, rows=probes.NEAR // 2, closed=True)
            frequent = len(near) == many
        # Of all that was written since then, the index of words would give the rest as well.
        walked = frequent or (index.limits.since and len(near) >= RARE and index.in_window)
        if walked:
            hits = index.newest(limit, None)
            if len(hits) == limit or index.in_window:
                return Looked(hits, hits, len(hits) < limit)
    if index.by_window and (sparse or len(near) < RARE or _expected(near) < AT_ONCE):
        hits = index.newest_of_all(most, None, closed=True)
        return Looked(hits, hits, len(hits) < most, closed=len(hits) == most and not sparse)
    if sparse or index.walks:
        hits = index.newest(limit, None)
        return Looked(hits, hits, len(hits) < limit)
    hits = index.some(limit)
    return Looked(hits, near, len(hits) < limit)


def _expected(near: list[Hit]) -> int:
    """How many hits there may be in all, if they are as many everywhere as among the rows near by,
    of a thousand of which `near` are all. The newest id says how many posts there are at most."""
    return len(near) * max((hit.pk for hit in near), default=0) // (probes.NEAR // 2)


def _look_in_many(index: Posts, limit: int, *, best: bool) -> Looked:
    """The same within many debates. What few posts of the whole forum hold is looked for there,
    and so is what many hold near by; the rest in these debates."""
    everywhere = Posts(index.match, index.limits._replace(threads=None))
    rows = probes.NEAR // 2
    many = int(rows * COMMON)
    count = len(everywhere.newest(many, None, rows=rows))
    if count < RARE:
        hits = everywhere.some(limit)
        if len(hits) < limit:
            among = frozenset(index.limits.threads or ())
            hits = [hit for hit in hits if hit.thread in among]
            return Looked(hits, hits, True)
    elif count == many and not best:
        near = index.newest(OFTEN, None, rows=probes.NEAR)
        if len(near) == OFTEN and len(hits := index.some_in_many(limit)) == limit:
            return Looked(hits, near, False)
    hits = index.newest_of_all(limit, None)
    return Looked(hits, hits, len(hits) < limit)
