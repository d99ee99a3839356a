"""The index of words on SQLite: a table of FTS5 that follows its rows (migration 0033)."""

import json
from collections.abc import Iterable

from .match import Match, Side

# As in postgresql.py.
FOUND = "{table}_fts MATCH %s"
SOURCE = "{table}_fts JOIN {table} w ON w.{key} = {table}_fts.rowid"
IS_FOUND = "w.{key} IN (SELECT rowid FROM {table}_fts WHERE {table}_fts MATCH %s)"
# The sign keeps FTS5 from looking for each of the rows by itself, a hundred times as long.
RANKS = """SELECT rowid, -bm25(forum_postwords_fts) FROM forum_postwords_fts
    WHERE forum_postwords_fts MATCH %s AND +rowid IN (SELECT value FROM json_each(%s))"""
# Rows are numbered as they come, from 1 on.
FREQUENT = """SELECT count(*) * 30 >= (SELECT max(rowid) FROM forum_postwords)
    FROM forum_postwords_fts WHERE forum_postwords_fts MATCH %s"""
# Rows in an order that an index holds, in which each is looked at whether it is found.
BY_TIME = "forum_postwords w INDEXED BY words_newest"
BY_DEBATE = "forum_postwords w INDEXED BY words_of_thread"
AMONG = "{column} IN (SELECT value FROM json_each(%s))"


def query(match: Match, *, ranked: bool = False) -> str:
    """The query of FTS5. It ranks by all that is asked for, tags too, which all found have."""
    groups = " AND ".join(map(_one_of, match.all))
    return f"({groups}) NOT {_one_of(match.none)}" if match.none else groups


def among(ids: Iterable[int]) -> str:
    """A list of ids as a parameter of AMONG."""
    return json.dumps(list(ids))


def _one_of(group: list[Side]) -> str:
    return f"({' OR '.join(map(_side, group))})"


def _side(side: Side) -> str:
    return f'"{" ".join(side.words)}"{" *" if side.prefix else ""}'
