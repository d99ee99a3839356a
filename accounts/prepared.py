"""Querysets whose statement is written once and sent with other values each time.

Django writes the SQL of a queryset anew whenever it is evaluated, which takes longer than the
database takes to answer it. For the few statements that every page sends this is worth saving.
"""

from collections.abc import Callable, Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from functools import cache
from threading import Lock
from uuid import UUID

from django.db import connections, router
from django.db.models import Model, QuerySet

# Values that stand for those to come. They fit every column, and nobody else writes them.
NUMBER = 2_000_000_011
MOMENT = datetime(1903, 3, 3, 3, 3, 3, tzinfo=UTC)
# What fills up a list of each kind; no row has it.
PADDING = {"numbers": -1, "texts": "\ue000"}
LISTED = 20  # numbers of a list are sent in statements for so many, or for 50


class Prepared:
    """`build` makes the queryset out of its values; `kinds` says what these are: "number",
    "numbers" (a list of ids), "moment", "text", "texts" (a list) or "token" (a UUID).
    Called with values it gives the rows; none, if a list is empty.

    The shape of the statement must not depend on the values.
    """

    def __init__(self, build: Callable[..., QuerySet], *kinds: str) -> None:
        self.build = build
        self.kinds = kinds
        self._written: dict[tuple, _Statement] = {}
        self._lock = Lock()

    def __call__(self, *values) -> list:
        """The rows for these values, in one query."""
        sizes = tuple(
            (LISTED if len(value) <= LISTED else 50) if kind in PADDING else 0
            for kind, value in zip(self.kinds, values, strict=True)
        )
        lists = [value for kind, value in zip(self.kinds, values, strict=True) if kind in PADDING]
        if not all(lists):
            return []
        if any(len(value) > 50 for value in lists):
            return list(self.build(*values))  # more than there is a statement for
        flat: list = []
        for kind, size, value in zip(self.kinds, sizes, values, strict=True):
            if size:
                flat += [*value, *[PADDING[kind]] * (size - len(value))]
            else:
                flat.append(value)
        statement = self._written.get(sizes)
        if statement is None:
            with self._lock:
                statement = self._written.setdefault(sizes, self._write(sizes))
        return statement.rows(flat)

    def _write(self, sizes: Sequence[int]) -> "_Statement":
        marks: list = []
        arguments = []
        for kind, size in zip(self.kinds, sizes, strict=True):
            mine = [_mark(kind, len(marks) + n) for n in range(size or 1)]
            arguments.append(mine if size else mine[0])
            marks += mine
        return _Statement(self.build(*arguments), marks)


def _mark(kind: str, number: int):
    if kind == "moment":
        return MOMENT + timedelta(seconds=number)
    if kind == "token":
        return UUID(int=NUMBER + number)
    return f"\ue000{number}\ue001" if kind in ("text", "texts") else NUMBER + number


class _Statement:
    """One statement, and which of its parameters are which values."""

    def __init__(self, queryset: QuerySet, marks: list) -> None:
        self.queryset = queryset
        compiler = queryset.query.get_compiler(queryset.db)
        self.sql, self.parameters = compiler.as_sql()
        self.compiler = compiler
        self.converters: dict | None = None
        adapt = compiler.connection.ops.adapt_datetimefield_value
        known = {}
        for number, mark in enumerate(marks):
            if isinstance(mark, UUID):
                known[mark] = known[mark.hex] = number  # as the database takes it
            else:
                known[adapt(mark) if isinstance(mark, datetime) else mark] = number
        self.places = [
            (at, known[value], type(value) if isinstance(value, int) else None)
            for at, value in enumerate(self.parameters)
            if isinstance(value, int | str | datetime | UUID) and value in known
        ]
        if {n for _, n, _ in self.places} != set(range(len(marks))):
            raise ValueError("a value does not stand in the statement as a parameter of its own")

    def _get_converters(self, expressions) -> dict:
        """How columns become values: the same each time."""
        if self.converters is None:
            self.converters = self.compiler.get_converters(expressions)
        return self.converters

    def rows(self, values: list) -> list:
        using = self.queryset.db
        connection = connections[using]
        parameters = list(self.parameters)
        for at, number, kind in self.places:
            value = values[number]
            if kind is not None:
                value = kind(value)
            elif isinstance(value, datetime):
                value = connection.ops.adapt_datetimefield_value(value)
            elif isinstance(value, UUID) and isinstance(parameters[at], str):
                value = value.hex
            parameters[at] = value
        compiler = copy(self.compiler)
        compiler.using, compiler.connection = using, connection
        compiler.as_sql = lambda *_, **__: (self.sql, tuple(parameters))
        compiler.get_converters = self._get_converters
        query = copy(self.queryset.query)
        query.get_compiler = lambda *_, **__: compiler
        queryset = self.queryset.model._base_manager.none()
        queryset.query = query
        queryset._db = using
        return list(self.queryset._iterable_class(queryset))


def insert_row(row: Model) -> None:
    """Write a new row, as `save(force_insert=True)` does, by a statement that is written once for
    each model. Its id is the database's to give if it has none."""
    fields, statement = _insertion(type(row), row.pk is None)
    connection = connections[router.db_for_write(type(row), instance=row)]
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        if row.pk is None:
            row.pk = cursor.fetchone()[0]
    row._state.adding, row._state.db = False, connection.alias


@cache
def _insertion(model: type[Model], numbered: bool) -> tuple[list, str]:
    """The columns of a model, and the statement that writes one row of it; `numbered`: the database
    numbers it."""
    key = model._meta.pk
    fields = [field for field in model._meta.concrete_fields if not (numbered and field is key)]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    statement = (
        f'INSERT INTO "{model._meta.db_table}" ({columns})'
        f" VALUES ({', '.join(['%s'] * len(fields))})"
    )
    return fields, statement + (f' RETURNING "{key.column}"' if numbered else "")
