"""Each index is written with each row, so none is kept that another one makes needless."""

from itertools import chain, groupby

import pytest
from django.apps import apps
from django.db import connection, models

# Deferrable, so that only PostgreSQL has it; pages are read in its order on SQLite too.
NEEDED = {("forum.post", ("tree_id", "lft"))}


def is_ours(model: type[models.Model]) -> bool:
    """Others' tables are theirs."""
    return model._meta.app_label in ("forum", "accounts")


def orders(model: type[models.Model]) -> list[tuple[str, ...]]:
    """The columns of each index of all rows that a model asks for, its primary key left out."""
    meta = model._meta
    alone = [
        (field.name,)
        for field in meta.local_concrete_fields
        if not field.primary_key and (field.unique or field.db_index)
    ]
    named = chain(
        (index.fields for index in meta.indexes if index.fields and not index.condition),
        (
            constraint.fields
            for constraint in meta.constraints
            if isinstance(constraint, models.UniqueConstraint)
            and constraint.fields
            and not constraint.condition
        ),
    )
    return alone + [tuple(name.lstrip("-") for name in names) for names in named]


def test_no_index_is_how_another_begins():
    """Keys to other tables have one of their own by default, alone."""
    needless = set()
    for model in apps.get_models():
        if not is_ours(model):
            continue
        found = orders(model)
        for n, order in enumerate(found):
            others = found[:n] + found[n + 1 :]
            if any(other[: len(order)] == order for other in others):
                needless.add((model._meta.label_lower, order))
    assert needless == NEEDED


def kept() -> list[tuple[str, str, list[str]]]:
    """Table, name and order of each index of all rows that the database itself has."""
    found = []
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT tablename, indexname, indexdef FROM pg_indexes")
            for table, name, sql in cursor.fetchall():
                if " USING btree " in sql and " WHERE " not in sql:
                    columns = sql.partition(" USING btree ")[2].strip("()").split(", ")
                    found.append((table, name, columns))
        else:
            cursor.execute(
                "SELECT t.name, i.name, c.name, c.desc FROM sqlite_master t, "
                "pragma_index_list(t.name) i, pragma_index_xinfo(i.name) c "
                "WHERE t.type = 'table' AND NOT i.partial AND c.key ORDER BY 1, 2, c.seqno"
            )
            for (table, name), rows in groupby(cursor.fetchall(), key=lambda row: row[:2]):
                found.append((table, name, [f"{column} {desc}" for *_, column, desc in rows]))
    ours = {model._meta.db_table for model in apps.get_models() if is_ours(model)}
    return [row for row in found if row[0] in ours]


@pytest.mark.django_db
def test_no_database_has_an_index_that_another_makes_needless():
    """A constraint may bring an index on one database that the other needs by itself."""
    found = kept()
    assert len(found) > 100
    assert not {
        (name, other)
        for table, name, order in found
        for of, other, longer in found
        if table == of and name != other and longer[: len(order)] == order
    }
