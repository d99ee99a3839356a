"""The index of words on PostgreSQL: a tsvector and its GIN index."""

from .match import Match, Side

# %s is what `query` gave. The table is w, whichever it is.
FOUND = "w.words @@ %s::tsquery"
SOURCE = "{table} w"
RANK = "ts_rank(w.words, %s::tsquery, 1)"
AMONG = "{column} = ANY(%s)"


def query(match: Match, *, ranked: bool = False) -> str:
    """The tsquery of a match; `ranked`: of its words alone."""
    groups = [_one_of(group) for group in (match.words if ranked else match.all)]
    if not ranked:
        groups += [f"!({_side(side)})" for side in match.none]
    return " & ".join(groups)


def among(ids: list[int]) -> list[int]:
    """A list of ids as a parameter of AMONG."""
    return ids


def _one_of(group: list[Side]) -> str:
    return f"({' | '.join(map(_side, group))})"


def _side(side: Side) -> str:
    ending = ":*" if side.prefix else ""
    return " <-> ".join(f"'{word}'{ending}" for word in side.words)
