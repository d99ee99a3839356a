"""The statements that ask the indexes of words. Each is bounded, whatever the words are: by how
many rows it gives, or by how many it looks at. None asks for rights."""

from collections.abc import Sequence
from datetime import datetime
from types import ModuleType
from typing import NamedTuple

from django.db import connections

from forum.models import DebateWords, PostWords

from . import postgresql, sqlite
from .match import Match

# Newest rows that are looked at for a word that many hold; about 20 ms of PostgreSQL. A few first:
# of the rest of them nothing is learnt if hardly any of these hold it.
WINDOW = 20_000
NEAR = 2_000
FREQUENT = 0.15  # of the rows near by
ALL = 50_000  # hits of which the newest are taken, if the window held too few
FEW = 50  # debates whose own rows are walked; of more, the rows of all debates are


class Hit(NamedTuple):
    """A post that may be one, and its debate, unless it went to another one since."""

    pk: int
    thread: int


class Place(NamedTuple):
    """Where a post stands in the order of hits."""

    at: datetime
    pk: int


class Limits(NamedTuple):
    """What rows are asked for besides words: only in `threads`, from `since` on, before `until`."""

    threads: list[int] | None = None
    since: datetime | None = None
    until: datetime | None = None


HIT = "w.post_id, w.thread_id"
NEWEST = "ORDER BY w.at DESC, w.post_id DESC"


def _language(connection) -> ModuleType:
    return postgresql if connection.vendor == "postgresql" else sqlite


def debates(match: Match, limit: int) -> list[int]:
    """The ids of some debates that are found so."""
    connection = connections[DebateWords.objects.db]
    language = _language(connection)
    names = {"table": "forum_debatewords", "key": "thread_id"}
    sql = (
        f"SELECT w.thread_id FROM {language.SOURCE.format(**names)}"
        f" WHERE {language.FOUND.format(**names)} LIMIT {limit}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [language.query(match)])
        return [pk for (pk,) in cursor.fetchall()]


class Posts:
    """The statements about posts that match, within limits."""

    def __init__(self, match: Match, limits: Limits) -> None:
        self.match, self.limits = match, limits
        self.connection = connections[PostWords.objects.db]
        self.language = _language(self.connection)
        self.names = {"table": "forum_postwords", "key": "post_id"}
        # FTS5 finds the newest as fast as any; without words there is nothing to look at.
        self.by_window = self.language is postgresql and bool(match.all)

    def some(self, limit: int) -> list[Hit]:
        """Some that match, whichever, in order."""
        where, values = self._where()
        inner = f"SELECT {HIT}, w.at FROM {self._source()} WHERE {where} LIMIT {limit}"
        return self._hits(f"SELECT {HIT} FROM ({inner}) w {NEWEST}", values)

    def newest_if_frequent(self, limit: int) -> list[Hit]:
        """So many of the newest that match, if they are found so sooner than by `some`; else none.
        PostgreSQL takes all hits out of its index before it gives a few of them."""
        if not self.by_window:
            return []
        rows = NEAR // 2
        if len(self.newest(int(rows * FREQUENT), None, rows=rows)) < int(rows * FREQUENT):
            return []
        hits = self.newest(limit, None)
        return hits if len(hits) == limit else []

    def newest(self, limit: int, after: Place | None, *, rows: int = 0) -> list[Hit]:
        """The newest that match behind one, in order, among so many (WINDOW) of the newest rows
        there are (SQLite, and where no words are asked for: among all)."""
        order = f"{NEWEST} LIMIT {limit}"
        if not self.by_window:
            where, values = self._where(after)
            return self._hits(f"SELECT {HIT} FROM {self._source()} WHERE {where} {order}", values)
        return self._hits(*self._in_window(after, order, rows=rows))

    def newest_of_all(self, limit: int, after: Place | None) -> list[Hit]:
        """The same among all that match, as far as these are counted."""
        where, values = self._where(after)
        inner = f"SELECT {HIT}, w.at FROM {self._source()} WHERE {where} LIMIT {ALL}"
        return self._hits(f"SELECT {HIT} FROM ({inner}) w {NEWEST} LIMIT {limit}", values)

    def earliest(self, limit: int, *, among_all: bool) -> list[Hit]:
        """The earliest that match, in order, `among_all` of them or (SQLite looks at all anyway)
        among the earliest rows there are. Not for a match without words."""
        order = f"ORDER BY w.at, w.post_id LIMIT {limit}"
        if among_all or self.language is sqlite:
            where, values = self._where()
            return self._hits(f"SELECT {HIT} FROM {self._source()} WHERE {where} {order}", values)
        return self._hits(*self._in_window(None, order))

    def newest_ranked(self, limit: int) -> tuple[list[Hit], dict[int, float]]:
        """The newest that match, as `newest` gives them, and how well each does."""
        if not self.by_window:
            hits = self.newest(limit, None)
            return hits, self.ranks([hit.pk for hit in hits])
        order = f"{NEWEST} LIMIT {limit}"
        sql, values = self._in_window(None, order, rank=f", {self.language.RANK}")
        with self.connection.cursor() as cursor:
            cursor.execute(sql, [self.language.query(self.match, ranked=True), *values])
            rows = cursor.fetchall()
        return [Hit(*row[:2]) for row in rows], {row[0]: row[2] for row in rows}

    def _in_window(
        self, after: Place | None, order: str, *, rank: str = "", rows: int = 0
    ) -> tuple[str, list]:
        """The statement for those that match among the first rows behind `after` in an order, on
        PostgreSQL. Of many debates the rows of all are looked at: else so many would have to be
        found first."""
        threads = self.limits.threads
        many = threads is not None and len(threads) > FEW
        where, values = self._limited(after, None if many else threads)
        by_moment = order.partition(" LIMIT ")[0]
        window = f"SELECT * FROM forum_postwords w WHERE {where} {by_moment} LIMIT {rows or WINDOW}"
        sql = f"SELECT {HIT}{rank} FROM ({window}) w WHERE {postgresql.FOUND}"
        values.append(postgresql.query(self.match))
        if many:
            sql += " AND w.thread_id = ANY(%s)"
            values.append(threads)
        return f"{sql} {order}", values

    def ranks(self, ids: list[int]) -> dict[int, float]:
        """How well each of these posts matches."""
        rank, found = (
            part.format(**self.names) for part in (self.language.RANK, self.language.FOUND)
        )
        among = self.language.AMONG.format(column="w.post_id")
        match = self.language.query(self.match)
        if self.language is sqlite:
            where, values = f"{found} AND {among}", [match, sqlite.among(ids)]
        else:
            where, values = among, [self.language.query(self.match, ranked=True), ids]
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT w.post_id, {rank} FROM {self._source()} WHERE {where}", values)
            return dict(cursor.fetchall())

    def place(self, pk: int) -> Place | None:
        """Where a post stands in the order of hits."""
        row = PostWords.objects.filter(pk=pk).values_list("at", "pk").first()
        return Place(*row) if row else None

    def _source(self) -> str:
        if not self.match.all:
            return "forum_postwords w"
        return self.language.SOURCE.format(**self.names)

    def _where(self, after: Place | None = None) -> tuple[str, list]:
        where, values = self._limited(after, self.limits.threads)
        if self.match.all:
            where = f"{self.language.FOUND.format(**self.names)} AND {where}"
            values.insert(0, self.language.query(self.match))
        return where, values

    def _limited(self, after: Place | None, threads: list[int] | None) -> tuple[str, list]:
        adapt = self.connection.ops.adapt_datetimefield_value
        parts: list[str] = []
        values: list = []
        if threads is not None:
            parts.append(self.language.AMONG.format(column="w.thread_id"))
            values.append(self.language.among(threads))
        for moment, sign in ((self.limits.since, ">="), (self.limits.until, "<")):
            if moment is not None:
                parts.append(f"w.at {sign} %s")
                values.append(adapt(moment))
        if after is not None:
            parts.append("(w.at, w.post_id) < (%s, %s)")
            values += [adapt(after.at), after.pk]
        return " AND ".join(parts) or "1 = 1", values

    def _hits(self, sql: str, values: Sequence) -> list[Hit]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values)
            return [Hit(*row) for row in cursor.fetchall()]
