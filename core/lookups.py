"""How values stand in statements. Words of a fixed list stand there as they are, not as parameters.

A statement that is planned once and run often is planned without its parameters. That most posts
are visible and hardly any are pending must not be hidden from the plan: with the state as a
parameter PostgreSQL read whole tables for a page's backlinks, a hundred times what they cost.
"""

import re

from django.db.models import CharField, IntegerField, Lookup
from django.db.models.lookups import Exact, In

WORD = re.compile(r"[A-Za-z_]+")


def _spelled(field, sql: str, params) -> tuple[str, list]:
    """The statement with its parameters written out, if they are choices of the field."""
    known = {str(value) for value, _ in getattr(field, "flatchoices", None) or ()}
    words = [str(param) for param in params]
    if not words or not all(word in known and WORD.fullmatch(word) for word in words):
        return sql, list(params)
    if sql.count("%s") != len(words):
        return sql, list(params)
    return sql % tuple(f"'{word}'" for word in words), []


@CharField.register_lookup
class ExactWord(Exact):
    """`state=State.VISIBLE`"""

    def process_rhs(self, compiler, connection):
        return _spelled(self.lhs.output_field, *super().process_rhs(compiler, connection))


@CharField.register_lookup
class InWords(In):
    """`state__in=(State.PENDING, State.REJECTED)`"""

    def process_rhs(self, compiler, connection):
        return _spelled(self.lhs.output_field, *super().process_rhs(compiler, connection))


@IntegerField.register_lookup
class Among(Lookup):
    """`pk__among=ids`: as `pk__in`, for thousands of ids. They are one parameter, where Django
    writes, and the database reads, as many as there are."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler, connection):
        lhs, params = self.process_lhs(compiler, connection)
        ids = f"[{','.join(map(str, map(int, self.rhs)))}]"
        if connection.vendor == "postgresql":
            return f"{lhs} = ANY(%s::bigint[])", [*params, f"{{{ids[1:-1]}}}"]
        return f"{lhs} IN (SELECT value FROM json_each(%s))", [*params, ids]
