"""New rows, made without ceremony and written by statements that are written once for each model.

Django makes its statement anew for each row. This module is the fence around what it takes for
granted of Django: how a row begins and how fields prepare their values, both of which
tests/core/test_inserting.py compares with what Django does. In `settings.PLAIN_QUERIES` it is
called "insert_row".
"""

from collections.abc import Callable, Container, Iterable, Sequence
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple, TypeVar, cast

from django.db import connection, connections, router
from django.db.models import (
    AutoField,
    BigAutoField,
    BigIntegerField,
    BooleanField,
    CharField,
    Field,
    ForeignKey,
    IntegerField,
    Model,
    PositiveIntegerField,
    PositiveSmallIntegerField,
    SmallIntegerField,
    TextField,
)
from django.db.models.base import ModelState

from .compiled_queries import is_plain

# What a column of each kind takes as it stands in a row: the field would give back the same, at
# ten times the cost.
_AS_THEY_ARE: dict[type[Field], type] = {
    **dict.fromkeys((CharField, TextField), str),
    **dict.fromkeys((AutoField, BigAutoField, IntegerField, BigIntegerField), int),
    **dict.fromkeys((SmallIntegerField, PositiveIntegerField, PositiveSmallIntegerField), int),
    BooleanField: bool,
}


_Row = TypeVar("_Row", bound=Model)


def new_row(model: type[_Row], **columns: Any) -> _Row:
    """A new row, as `model(**columns)` makes it, in a third of the time: each value stands for a
    column that there is, by its own name (`post_id`). It is for `insert_rows`: mptt, whose
    `__init__` is left out, refuses to save what was made so."""
    if is_plain("insert_row"):
        return model(**columns)
    plain, made = _beginning(model)
    row = model.__new__(model)
    held = row.__dict__
    held["_state"] = ModelState()
    held.update(plain)
    held.update(columns)
    for name, make in made:
        if name not in columns:
            held[name] = make()
    return row


@cache
def _beginning(model: type[Model]) -> tuple[dict[str, Any], list[tuple[str, Callable]]]:
    """What stands in the columns of a new row, and what is to be called for the rest."""
    fields = model._meta.concrete_fields
    made = [field for field in fields if callable(field.default)]
    plain = {field.attname: field.get_default() for field in fields if field not in made}
    return plain, [(field.attname, field.get_default) for field in made]


class Change(NamedTuple):
    """A statement that changes rows or deletes some, with its values: it is written once, too."""

    sql: str
    values: Sequence


def for_column(model: type[Model], name: str, value: Any) -> Any:
    """A value as a statement of ours sends it to a column of a model. Sent as it is, a number is
    of another type the greater it is, and the statement another one for each."""
    return cast(Field, model._meta.get_field(name)).get_db_prep_save(value, connection)


def insert_row(row: Model) -> None:
    """Write a new row, as `save(force_insert=True)` does, by a statement that is written once for
    each model. Its id is the database's to give if it has none. In `settings.PLAIN_QUERIES` it is
    called "insert_row"."""
    if is_plain("insert_row"):
        row.save_base(force_insert=True)  # not save(): mptt would place the row itself
        return
    fields, head, marks = _insertion(type(row), row.pk is None)
    told = f' RETURNING "{row._meta.pk.column}"' if row.pk is None else ""
    connection = connections[router.db_for_write(type(row), instance=row)]
    with connection.cursor() as cursor:
        cursor.execute(f"{head} VALUES ({marks}){told}", _columns_of(row, fields, connection))
        if told:
            row.pk = cursor.fetchone()[0]
    row._state.adding, row._state.db = False, connection.alias


def insert_rows(*rows: Model, beside: Sequence[Change] = ()) -> None:
    """Write new rows, of one table or several; rows of one table stand together. PostgreSQL does
    all of it in one statement, SQLite in one for each table. `beside` is what changes with them:
    it meets the rows that stood before, and none of the new ones.

    A row that others name has its id already. One that has none is given it by the database, and
    is not told. Where there are several rows of a table, none of its columns is an array.
    """
    if not rows:
        return
    connection = connections[router.db_for_write(type(rows[0]), instance=rows[0])]
    if beside and (connection.vendor != "postgresql" or is_plain("insert_row")):
        with connection.cursor() as cursor:
            for change in beside:
                cursor.execute(*change)
    if is_plain("insert_row"):
        for row in rows:
            insert_row(row)
        return
    parts = [list(part) for _, part in groupby(rows, key=lambda row: (type(row), row.pk is None))]
    shape = tuple((type(part[0]), part[0].pk is None, len(part) > 1) for part in parts)
    written = [
        [_columns_of(row, _insertion(model, numbered)[0], connection) for row in part]
        for part, (model, numbered, _) in zip(parts, shape, strict=True)
    ]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            values = [value for change in beside for value in change.values]
            for part in written:
                values += (
                    [list(column) for column in zip(*part, strict=True)] if part[1:] else part[0]
                )
            cursor.execute(_insertions(shape, tuple(change.sql for change in beside)), values)
        else:
            for part, (model, numbered, _) in zip(written, shape, strict=True):
                _, head, marks = _insertion(model, numbered)
                cursor.executemany(f"{head} VALUES ({marks})", part)
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def _columns_of(row: Model, fields: Iterable, connection) -> list:
    held = row.__dict__
    return [
        value
        if type(value := held.get(field.attname, ...)) in kinds
        else field.get_db_prep_save(field.pre_save(row, add=True), connection)
        for field, kinds in fields
    ]


def _kinds_as_they_are(field: Field) -> Container[type]:
    """The types of which a column's values go to the database as they stand in the row."""
    if isinstance(field, ForeignKey):
        return _kinds_as_they_are(field.target_field)
    kind = _AS_THEY_ARE.get(type(field))
    return (kind, type(None)) if kind else ()


@cache
def _insertion(model: type[Model], numbered: bool) -> tuple[list, str, str]:
    """The columns of a model, how the statement begins that writes a row of it, and the marks of
    its values; `numbered`: the database numbers it."""
    key = model._meta.pk
    fields = [field for field in model._meta.concrete_fields if not (numbered and field is key)]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    return (
        [(field, _kinds_as_they_are(field)) for field in fields],
        f'INSERT INTO "{model._meta.db_table}" ({columns})',
        ", ".join(["%s"] * len(fields)),
    )


@cache
def _insertions(shape: Iterable[tuple[type[Model], bool, bool]], beside: Iterable[str]) -> str:
    """The one statement of PostgreSQL for rows of these models; see `_insertion`, and of each
    whether there are several: their columns come as lists, so that it fits any number. `beside`
    are the changes, which come before."""
    texts = list(beside)
    for model, numbered, several in shape:
        fields, head, marks = _insertion(model, numbered)
        lists = ", ".join(f"%s::{field.db_type(connection)}[]" for field, _ in fields)
        texts.append(
            f"{head} SELECT * FROM UNNEST({lists})" if several else f"{head} VALUES ({marks})"
        )
    *first, last = texts
    before = ", ".join(f"part{n} AS ({text})" for n, text in enumerate(first))
    return f"WITH {before} {last}" if before else last
