"""Declaring what is done later: `django.tasks`, which Django has from 6.0 on, and for Django 5.2
the package of the same authors with the same interface (docs/decisions/0029)."""

try:
    from django.tasks import Task, TaskResult, TaskResultStatus, task
    from django.tasks.backends.base import BaseTaskBackend
except ImportError:  # Django 5.2
    from django_tasks import TaskResult, TaskResultStatus, task
    from django_tasks.backends.base import BaseTaskBackend
    from django_tasks.base import Task

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
    "task",
]
