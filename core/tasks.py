"""Declaring what is done later: `django.tasks`, which Django has from 6.0 on, and for Django 5.2
the package of the same authors with the same interface (docs/decisions/0029)."""

from typing import TYPE_CHECKING, cast

# What the two packages give is the same by contract; types are checked against one of them.
try:
    from django.tasks import Task, TaskResult, TaskResultStatus, task
    from django.tasks.backends.base import BaseTaskBackend
except ImportError:  # Django 5.2
    from django_tasks import (  # type: ignore[assignment, no-redef]  # the same by contract
        TaskResult,
        TaskResultStatus,
        task,
    )
    from django_tasks.backends.base import BaseTaskBackend  # type: ignore[assignment]
    from django_tasks.base import Task  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

    from django.db.models import Model

# What a task in this queue does is in the database: it is done and ticked off in one transaction.
INSIDE = "default"
# What a task in this queue does reaches out (a mail): it has no transaction but those it makes.
OUTSIDE = "outside"

__all__ = [
    "INSIDE",
    "OUTSIDE",
    "BaseTaskBackend",
    "Task",
    "TaskResult",
    "TaskResultStatus",
    "enqueue_many",
    "rows_of",
    "task",
]


def rows_of(task: Task, *args) -> "list[Model]":
    """The new rows that are a call of a task, for whoever writes them with others, in the
    transaction of the act. Only the forum's own backend has any."""
    return cast("Any", task.get_backend()).rows_of(task, args)


def enqueue_many(task: Task, calls: "Iterable[tuple[dict, datetime]]") -> None:
    """Enqueue a task often: keyword arguments, and after which moment, of each call. The forum's
    own backend writes them in a few statements; another one is asked for each."""
    backend = task.get_backend()
    if hasattr(backend, "enqueue_many"):
        backend.enqueue_many(task, calls)
    else:
        for kwargs, run_after in calls:
            task.using(run_after=run_after).enqueue(**kwargs)
