"""Querysets whose SQL is compiled once and sent with other values each time.

Django compiles a queryset anew whenever it is evaluated, which takes longer than the database takes
to answer it. For the few statements that every page sends this is worth saving. This module is the
fence around the parts of Django that it leans on (compilers, converters, how rows become objects):
each query has a name, `settings.PLAIN_QUERIES` hands any of them, or "all", back to the ORM, and
tests/core/test_compiled_queries.py compares every one with what the ORM gives.
"""

import json
from collections.abc import Callable, Container, Iterable, Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from threading import Lock

from django.conf import settings
from django.db import connection, connections
from django.db.models import QuerySet
from django.db.models.base import ModelState
from django.db.models.fields.mixins import FieldCacheMixin
from django.db.models.query import FlatValuesListIterable, ModelIterable, ValuesListIterable

# Values that stand for those to come. They fit every column, and nobody else writes them.
NUMBER = 2_000_000_011
MOMENT = datetime(1903, 3, 3, 3, 3, 3, tzinfo=UTC)
# What fills up a list of each kind where the database takes no arrays; no row has it.
PADDING = {"numbers": -1, "texts": "\ue000"}
LISTED = (20, 50)  # for how many values there is a statement then; more are sent as JSON
# What becomes of rows that are not to be objects.
ROW_KINDS: dict[type, Callable] = {
    ValuesListIterable: lambda rows, _: [tuple(row) for row in rows],
    FlatValuesListIterable: lambda rows, _: [row[0] for row in rows],
}


def is_plain(name: str) -> bool:
    """Whether the operator wants a query to be compiled by Django each time."""
    return name in settings.PLAIN_QUERIES or "all" in settings.PLAIN_QUERIES


class CompiledQuery:
    """`build` makes the queryset out of its values; `kinds` says what these are: "number",
    "numbers" (a list of ids), "moment", "text" or "texts" (a list).
    Called with values it gives the rows; none, if a list is empty. `name` is what
    `settings.PLAIN_QUERIES` calls it.

    The shape of the statement must not depend on the values.
    """

    def __init__(self, name: str, build: Callable[..., QuerySet], *kinds: str) -> None:
        self.name = name
        self.build = build
        self.kinds = kinds
        self._written: dict[tuple, _Statement] = {}
        self._lock = Lock()

    def __call__(self, *values) -> list:
        """The rows for these values, in one query."""
        if is_plain(self.name):
            return list(self.build(*values))
        sizes, flat = [], []
        for kind, value in zip(self.kinds, values, strict=True):
            if kind not in PADDING:
                sizes.append(0)
                flat.append(value)
            elif not value:
                return []
            elif connection.vendor == "postgresql" or len(value) > LISTED[-1]:
                sizes.append(1)
                flat.append(list(value))
            else:
                sizes.append(next(size for size in LISTED if size >= len(value)))
                flat += [*value, *[PADDING[kind]] * (sizes[-1] - len(value))]
        shape = tuple(sizes)
        statement = self._written.get(shape)
        if statement is None:
            with self._lock:
                statement = self._written.setdefault(shape, self._write(shape))
        return statement.rows(flat)

    def _write(self, sizes: Sequence[int]) -> "_Statement":
        marks: list = []
        arguments, listed = [], set()
        for kind, size in zip(self.kinds, sizes, strict=True):
            mine = [_mark(kind, len(marks) + n) for n in range(size or 1)]
            arguments.append(mine if size else mine[0])
            if size == 1:
                listed.add(len(marks))
            marks += mine
        return _Statement(self.build(*arguments), marks, listed)


def _mark(kind: str, number: int):
    if kind == "moment":
        return MOMENT + timedelta(seconds=number)
    return f"\ue000{number}\ue001" if kind in ("text", "texts") else NUMBER + number


class _Statement:
    """One statement, and which of its parameters are which values. Those of `listed` are lists and
    sent as arrays. PostgreSQL expects few values in an array that it does not know, and so plans
    the statement once; of twenty single ones each may be frequent, and it plans each time anew."""

    def __init__(self, queryset: QuerySet, marks: list, listed: Container[int] = ()) -> None:
        self.queryset = queryset
        compiler = queryset.query.get_compiler(queryset.db)
        self.sql, self.parameters = compiler.as_sql()
        self.compiler = compiler
        self.cut = compiler.col_count if compiler.has_extra_select else None
        columns = [column for column, *_ in compiler.select[: compiler.col_count]]
        self.converters = compiler.get_converters(columns)
        kind = queryset._iterable_class
        if kind is ModelIterable:
            self.made: Callable = _RowFactory(
                compiler.klass_info, compiler.select, compiler.annotation_col_map or {}
            )
        elif kind in ROW_KINDS:
            self.made = ROW_KINDS[kind]
        else:
            raise ValueError("a statement gives objects, tuples or single values")
        adapt = compiler.connection.ops.adapt_datetimefield_value
        known = {}
        for number, mark in enumerate(marks):
            known[adapt(mark) if isinstance(mark, datetime) else mark] = number
        self.positions = [
            (at, known[value], type(value) if isinstance(value, int) else None)
            for at, value in enumerate(self.parameters)
            if isinstance(value, int | str | datetime) and value in known
        ]
        if {n for _, n, _ in self.positions} != set(range(len(marks))):
            raise ValueError("a value does not stand in the statement as a parameter of its own")
        parts = self.sql.split("%s")
        for at, number, whole in self.positions:
            if number in listed:
                if not parts[at].endswith("IN ("):
                    raise ValueError("a list does not stand alone behind IN")
                if compiler.connection.vendor != "postgresql":
                    parts[at] += "SELECT value FROM json_each("
                    parts[at + 1] = f"){parts[at + 1]}"
                    continue
                parts[at] = f"{parts[at].removesuffix('IN (')}= ANY("
                if whole is not None:
                    parts[at + 1] = f"::bigint[]{parts[at + 1]}"
        self.sql = "%s".join(parts)

    def rows(self, values: list) -> list:
        using = self.queryset.db
        connection = connections[using]
        parameters = list(self.parameters)
        for at, number, kind in self.positions:
            value = values[number]
            if isinstance(value, list) and connection.vendor != "postgresql":
                value = json.dumps(value)
            elif isinstance(value, list):
                # Written out as PostgreSQL reads it, which takes a tenth of adapting each number.
                value = f"{{{','.join(map(str, value))}}}" if kind else value
            elif kind is not None:
                value = kind(value)
            elif isinstance(value, datetime):
                value = connection.ops.adapt_datetimefield_value(value)
            parameters[at] = value
        with connection.cursor() as cursor:
            cursor.execute(self.sql, parameters)
            rows = cursor.fetchall()
        if self.cut:
            rows = [row[: self.cut] for row in rows]
        if self.converters and rows:
            compiler = copy(self.compiler)
            compiler.connection = connection
            rows = list(compiler.apply_converters(rows, self.converters))
        return self.made(rows, using)


class _RowFactory:
    """Makes the rows of a statement into what a queryset gives: objects with those that they lead
    to. How is settled once, and no `__init__` runs: that of mptt takes as long as all the rest. An
    object that several rows lead to is made once. Posts and boards made so are for reading; mptt
    refuses to save them, since it does not know what they were."""

    def __init__(self, info: dict, select: Sequence, annotations: dict[str, int]) -> None:
        self.model = info["model"]
        fields = info["select_fields"]
        self.first, self.end = fields[0], fields[-1] + 1
        self.names = [select[at][0].target.attname for at in fields]
        self.key = self.first + self.names.index(self.model._meta.pk.attname)
        self.annotations = list(annotations.items())
        self.related = [_Related(other, select) for other in info.get("related_klass_infos", ())]

    def __call__(self, rows: Iterable[Sequence], using: str) -> list:
        known: dict = {}
        return [self._made(row, using, known) for row in rows]

    def _made(self, row: Sequence, using: str, known: dict):
        thing = self.model.__new__(self.model)
        held = thing.__dict__
        held["_state"] = state = ModelState()
        state.db, state.adding = using, False
        held.update(zip(self.names, row[self.first : self.end], strict=True))
        for name, at in self.annotations:
            held[name] = row[at]
        if self.related:
            leads_to = state.fields_cache
            for other in self.related:
                key = row[other.key]
                found = None
                if key is not None and (found := known.get((other, key))) is None:
                    found = known[other, key] = other._made(row, using, known)
                leads_to[other.name] = found
                if found is not None and other.back:
                    found._state.fields_cache[other.back] = thing
        return thing


class _Related(_RowFactory):
    """The same for the objects that those of a row lead to; `name` and `back` are the names under
    which Django keeps one at the other, `back` only if it leads to one alone."""

    def __init__(self, info: dict, select: Sequence) -> None:
        super().__init__(info, select, {})
        if getattr(info["local_setter"], "__func__", None) is not FieldCacheMixin.set_cached_value:
            raise ValueError("a statement follows keys, and relations of one to one")
        field, one = info["field"], info["field"].remote_field
        here, there = (one, field) if info["reverse"] else (field, one)
        self.name = here.cache_name
        self.back = there.cache_name if info["reverse"] or field.unique else ""
