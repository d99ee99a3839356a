"""The statements that ask the index of words of posts. Each is bounded, whatever the words are: by
how many rows it gives, or by how many it looks at. None asks for rights."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from types import ModuleType
from typing import NamedTuple

from django.db import connections

from forum.models import PostWords

from . import postgresql, sqlite
from .match import Limits, Match

# Newest rows that are looked at for a word that many hold; about 20 ms of PostgreSQL. A few first:
# of the rest of them nothing is learnt if hardly any of these hold it.
WINDOW = 20_000
NEAR = 2_000
ALL = 50_000  # hits of which the newest are taken, if the window held too few
FEW = 50  # debates whose own rows are walked at once
FIRST, MOST = 20, 400  # of more debates, those that are, too; then all hits are looked at


class Hit(NamedTuple):
    """A post that may be one, and its debate, unless it went to another one since."""

    pk: int
    thread: int


class Place(NamedTuple):
    """Where a post stands in the order of hits."""

    at: datetime
    pk: int


HIT = "w.post_id, w.thread_id"
NEWEST = "ORDER BY w.at DESC, w.post_id DESC"


def language_of(connection) -> ModuleType:
    """How this database is asked for words."""
    return postgresql if connection.vendor == "postgresql" else sqlite


class Posts:
    """The statements about posts that match, within limits. `closed` gives the tags of the boards
    that the reader does not see. PostgreSQL reads all that an index of words holds of them to leave
    them out by it, which of most matches takes longer than the rest: it is asked so at last, and
    looks at single rows instead."""

    def __init__(
        self, match: Match, limits: Limits, closed: Callable[[], Sequence[str]] = tuple
    ) -> None:
        self.match, self.limits, self.closed = match, limits, closed
        self.connection = connections[PostWords.objects.db]
        self.language = language_of(self.connection)
        self.names = {"table": "forum_postwords", "key": "post_id"}
        # SQLite is asked in another way (`walks`); without words there is nothing to look at.
        self.by_window = self.language is postgresql and bool(match.all)
        self.in_many = self.by_window and len(limits.threads or ()) > FEW

    @cached_property
    def open(self) -> Match:
        """What is asked, and that it stands in no board that the reader does not see."""
        return self.match.without(self.closed()) if self.match.all else self.match

    @cached_property
    def walks(self) -> bool:
        """Whether the newest are found by going through the rows by time, on SQLite: one in thirty
        matches. Of fewer it is asked when each was written, which takes ten times as long for a
        row."""
        if self.language is not sqlite or not self.match.all:
            return False
        with self.connection.cursor() as cursor:
            cursor.execute(sqlite.FREQUENT, [sqlite.query(self.open)])
            return bool(cursor.fetchone()[0])

    def some(self, limit: int) -> list[Hit]:
        """Some that match, whichever, in order."""
        where, values = self._where()
        left_out, tags = self._left_out()
        inner = f"SELECT {HIT}, w.at FROM {self._source()} WHERE {where}{left_out} LIMIT {limit}"
        # The limit stands twice: without, SQLite would take the newest of all that match.
        sql = f"SELECT {HIT} FROM ({inner}) w {NEWEST} LIMIT {limit}"
        return self._hits(sql, [*values, *tags])

    def some_in_many(self, limit: int) -> list[Hit]:
        """Some within the many debates that the limits name, on PostgreSQL, in no order: among so
        many (WINDOW) of their rows, of those first that were opened last."""
        where, values = self._limited(None, None)
        rows = f"SELECT * FROM ({postgresql.SOME_OF}) w WHERE {where} LIMIT {WINDOW}"
        ids = postgresql.among(sorted(self.limits.threads or (), reverse=True))
        return self._hits(
            f"SELECT {HIT} FROM ({rows}) w WHERE {postgresql.FOUND} LIMIT {limit}",
            [ids, *values, postgresql.query(self.open)],
        )

    def _left_out(self) -> tuple[str, list]:
        """That a row which was found stands in no board that the reader does not see."""
        if not self.by_window or not (closed := self.closed()):
            return "", []
        return f" AND NOT {postgresql.FOUND}", [postgresql.any_of(closed)]

    @cached_property
    def in_window(self) -> bool:
        """Whether the limits are known to leave no more rows than a window holds."""
        if self.limits.since is None and self.limits.within is None:
            return False
        where, values = self._limited(None, self.limits.threads, walked=True)
        sql = f"SELECT 1 FROM forum_postwords w WHERE {where} {NEWEST} OFFSET {WINDOW} LIMIT 1"
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchone() is None

    def newest(
        self, limit: int, after: Place | None, *, rows: int = 0, closed: bool = False
    ) -> list[Hit]:
        """The newest that match behind one, in order, among so many (WINDOW) of the newest rows
        there are (SQLite, and where no words are asked for: among all). `closed`: those in boards
        that the reader does not see may be among them."""
        order = f"{NEWEST} LIMIT {limit}"
        if self.walks:
            where, values = self._where(after, found=f"+{sqlite.IS_FOUND}")
            rows_by = sqlite.BY_TIME if self.limits.threads is None else sqlite.BY_DEBATE
            return self._hits(f"SELECT {HIT} FROM {rows_by} WHERE {where} {order}", values)
        if not self.by_window:
            where, values = self._where(after)
            return self._hits(f"SELECT {HIT} FROM {self._source()} WHERE {where} {order}", values)
        return self._hits(*self._in_window(after, order, rows=rows, closed=closed))

    def near_or_all(self, most: int, limit: int, *, rows: int) -> tuple[list[Hit], bool]:
        """Those that match among so many of the newest rows, in order, at most `most`; if none
        does, the newest of all that match, and that it is these. On PostgreSQL, by one statement;
        those in boards that the reader does not see may be among them."""
        near, values = self._in_window(
            None, f"{NEWEST} LIMIT {most}", more=", w.at", rows=rows, closed=True
        )
        where, of_all = self._where()
        sql = (
            f"WITH near AS MATERIALIZED ({near}) SELECT {HIT}, w.every FROM"
            f" (SELECT *, false AS every FROM near UNION ALL SELECT * FROM"
            f" (SELECT {HIT}, w.at, true FROM {self._source()} WHERE {where} LIMIT {ALL}) w"
            f" WHERE NOT EXISTS (SELECT 1 FROM near)) w {NEWEST} LIMIT {limit}"
        )
        found = self._rows(sql, [*values, *of_all])
        return [Hit(pk, thread) for pk, thread, _ in found], not found or found[0][2]

    def newest_of_all(self, limit: int, after: Place | None, *, closed: bool = False) -> list[Hit]:
        """The same among all that match, as far as these are counted."""
        if self.in_many and (hits := self._newest_in_many(limit, after)) is not None:
            return hits
        if self.walks:
            return self.newest(limit, after)
        where, values = self._where(match=self.match if closed else self.open)
        behind, place = self._behind(after)
        # What comes behind is asked outside: PostgreSQL would walk by time for it after all.
        inner = f"SELECT {HIT}, w.at FROM {self._source()} WHERE {where} LIMIT {ALL}"
        sql = f"SELECT {HIT} FROM ({inner}) w WHERE {behind} {NEWEST} LIMIT {limit}"
        return self._hits(sql, [*values, *place])

    def _newest_in_many(self, limit: int, after: Place | None) -> list[Hit] | None:
        """The same where the limits name many debates: those that were answered last are looked
        through, and then as many more; None if in the rest there may be newer ones still."""
        among = postgresql.among(self.limits.threads or ())
        rows = self._rows(f"{postgresql.NEWEST_OF} LIMIT {MOST + 1}", [among])
        debates = [row for row in rows if row[1] is not None]
        found: list[tuple] = []
        start, size = 0, FIRST
        while start < MOST:
            part = debates[start : start + size]
            start += len(part)
            where, values = self._limited(after, None)
            sql = (
                f"SELECT {HIT}, {postgresql.SECONDS} FROM ({postgresql.ROWS_OF}) w"
                f" WHERE {postgresql.FOUND} AND {where} {NEWEST} LIMIT {limit}"
            )
            ids = postgresql.among(pk for pk, _ in part)
            rows = self._rows(sql, [ids, postgresql.query(self.open), *values])
            found = sorted([*found, *rows], key=lambda row: (row[2], row[0]), reverse=True)[:limit]
            # Of debates that were not looked through, no row is newer than this.
            if start >= len(debates):
                return [Hit(*row[:2]) for row in found]
            if len(found) == limit and found[-1][2] > debates[start][1]:
                return [Hit(*row[:2]) for row in found]
            # As many more as will hold the rest, if they hold as much as these.
            missing = (limit - len(found)) * start * 5 // (len(found) * 4 or 1)
            size = min(max(missing, FIRST), MOST - start)
        return None

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
        sql, values = self._in_window(None, order, more=f", {self.language.RANK}")
        rows = self._rows(sql, [self.language.query(self.match, ranked=True), *values])
        return [Hit(*row[:2]) for row in rows], {row[0]: row[2] for row in rows}

    def _in_window(
        self,
        after: Place | None,
        order: str,
        *,
        more: str = "",
        rows: int = 0,
        closed: bool = False,
    ) -> tuple[str, list]:
        """The statement for those that match among the first rows behind `after` in an order, on
        PostgreSQL. Of many debates the rows of all are looked at: else so many would have to be
        found first."""
        threads = self.limits.threads
        many = self.in_many
        where, values = self._limited(after, None if many else threads, walked=True)
        by_moment = order.partition(" LIMIT ")[0]
        window = f"SELECT * FROM forum_postwords w WHERE {where} {by_moment} LIMIT {rows or WINDOW}"
        if many:  # before their words are looked at, which takes longer
            window = f"SELECT * FROM ({window}) w WHERE {postgresql.AMONG_MANY} OFFSET 0"
            values.append(postgresql.among(threads or ()))
        values.append(postgresql.query(self.match if closed else self.open))
        return f"SELECT {HIT}{more} FROM ({window}) w WHERE {postgresql.FOUND} {order}", values

    def ranks(self, ids: list[int]) -> dict[int, float]:
        """How well each of these posts matches."""
        if self.language is sqlite:
            sql, values = sqlite.RANKS, [sqlite.query(self.match), sqlite.among(ids)]
        else:
            among = postgresql.AMONG.format(column="w.post_id")
            sql = f"SELECT w.post_id, {postgresql.RANK} FROM forum_postwords w WHERE {among}"
            values = [postgresql.query(self.match, ranked=True), postgresql.among(ids)]
        return dict(self._rows(sql, values))

    def place(self, pk: int) -> Place | None:
        """Where a post stands in the order of hits."""
        row = PostWords.objects.filter(pk=pk).values_list("at", "pk").first()
        return Place(*row) if row else None

    def _source(self) -> str:
        if not self.match.all:
            return "forum_postwords w"
        return self.language.SOURCE.format(**self.names)

    def _where(
        self, after: Place | None = None, *, match: Match | None = None, found: str = ""
    ) -> tuple[str, list]:
        where, values = self._limited(after, self.limits.threads)
        if self.match.all:
            where = f"{(found or self.language.FOUND).format(**self.names)} AND {where}"
            match = match or (self.match if self.by_window else self.open)
            values.insert(0, self.language.query(match))
        return where, values

    def _limited(
        self, after: Place | None, threads: list[int] | None, *, walked: bool = False
    ) -> tuple[str, list]:
        """`walked`: rows are walked by time, without the index of words and its tags."""
        parts: list[str] = []
        values: list = []
        if walked and self.limits.within is not None:
            parts.append("w.thread_id = %s")
            values.append(self.limits.within)
        if threads is not None:
            parts.append(self.language.AMONG.format(column="w.thread_id"))
            values.append(self.language.among(threads))
        for moment, sign in ((self.limits.since, ">="), (self.limits.until, "<")):
            if moment is not None:
                parts.append(f"w.at {sign} %s")
                values.append(self._adapted(moment))
        behind, place = self._behind(after)
        return " AND ".join([*parts, behind]), [*values, *place]

    def _behind(self, after: Place | None) -> tuple[str, list]:
        if after is None:
            return "1 = 1", []
        return "(w.at, w.post_id) < (%s, %s)", [self._adapted(after.at), after.pk]

    def _adapted(self, moment: datetime):
        return self.connection.ops.adapt_datetimefield_value(moment)

    def _hits(self, sql: str, values: Sequence) -> list[Hit]:
        return [Hit(*row) for row in self._rows(sql, values)]

    def _rows(self, sql: str, values: Sequence) -> list[tuple]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall()
