"""The index of words on PostgreSQL: a tsvector and its GIN index."""

from collections.abc import Iterable

from .match import Match, Side

# %s is what `query` gave. The table is w, whichever it is.
FOUND = "w.words @@ %s::tsquery"
SOURCE = "{table} w"
RANK = "ts_rank(w.words, %s::tsquery, 1)"
AMONG = "{column} = ANY(%s::bigint[])"
# The same for thousands: a list that comes as a parameter is gone through for each row.
AMONG_MANY = "(w.thread_id IN (SELECT unnest(%s::bigint[]))) IS TRUE"
# When a row was written, as a number: read in a tenth of the time of a moment.
SECONDS = "extract(epoch FROM w.at)::float8"
# Those of some debates that were written in last, each with when.
NEWEST_OF = f"""SELECT w.id, {SECONDS} FROM (SELECT t.id, (SELECT w.at FROM forum_postwords w
    WHERE w.thread_id = t.id ORDER BY w.at DESC LIMIT 1) FROM unnest(%s::bigint[]) AS t (id)) AS w
    ORDER BY w.at DESC NULLS LAST"""
# The rows of these debates, debate by debate whatever else is asked.
ROWS_OF = """SELECT w.* FROM unnest(%s::bigint[]) AS t (id)
    CROSS JOIN LATERAL (SELECT * FROM forum_postwords w WHERE w.thread_id = t.id OFFSET 0) w"""

# Some of them, no debate's alone.
SOME_OF = """SELECT w.* FROM unnest(%s::bigint[]) AS t (id)
    CROSS JOIN LATERAL (SELECT * FROM forum_postwords w WHERE w.thread_id = t.id LIMIT 200) w"""


def query(match: Match, *, ranked: bool = False) -> str:
    """The tsquery of a match; `ranked`: of its words alone."""
    groups = [_one_of(group) for group in (match.words if ranked else match.all)]
    if not ranked:
        groups += [f"!({_side(side)})" for side in match.none]
    return " & ".join(groups)


def any_of(tags: Iterable[str]) -> str:
    """The tsquery of what holds one of these tags."""
    return " | ".join(f"'{tag}'" for tag in tags)


def among(ids: Iterable[int]) -> str:
    """A list of ids as a parameter of AMONG: written out, which takes a tenth of adapting each."""
    return f"{{{','.join(map(str, ids))}}}"


def _one_of(group: list[Side]) -> str:
    return f"({' | '.join(map(_side, group))})"


def _side(side: Side) -> str:
    ending = ":*" if side.prefix else ""
    return " <-> ".join(f"'{word}'{ending}" for word in side.words)
