"""What the columns of a table can hold, as their models say it."""

from typing import cast

from django.db.models import CharField, Model


def longest(model: type[Model], name: str) -> int:
    """How many characters the column `name` of `model` holds at most. It is one with a limit."""
    limit = cast(CharField, model._meta.get_field(name)).max_length
    if limit is None:
        raise ValueError(f"{name} has no limit")
    return limit
