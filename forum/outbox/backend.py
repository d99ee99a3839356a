"""The backend of `django.tasks` that writes a row in the transaction of the act."""

import json
from collections.abc import Iterable
from datetime import datetime

from core import clock
from core.inserting import insert_row
from core.tasks import BaseTaskBackend, Task, TaskResult, TaskResultStatus

from ..models import Job

PAYLOAD_MAX = 8_000  # characters: a job names rows, it does not carry them


class Outbox(BaseTaskBackend):
    """Keeps each call as a `Job` on the connection of whoever enqueues: an act that is taken back
    takes its jobs with it, and one that stands is followed by them whatever happens to the server.
    What came of a job cannot be asked: one that is done is gone."""

    supports_defer = True

    def enqueue(self, task: Task, args, kwargs) -> TaskResult:
        """Write the row; raises ValueError if the arguments are long, TypeError if they are not
        JSON."""
        self.validate_task(task)
        job = _job(task, args, kwargs, task.run_after or clock.now())
        insert_row(job)
        return TaskResult(
            task=task,
            id=str(job.pk),
            status=TaskResultStatus.READY,
            enqueued_at=job.created_at,
            started_at=None,
            finished_at=None,
            last_attempted_at=None,
            args=list(job.payload["args"]),
            kwargs=dict(job.payload["kwargs"]),
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )

    def rows_of(self, task: Task, args) -> list[Job]:
        """The same, without writing it; see core.tasks.rows_of."""
        self.validate_task(task)
        return [_job(task, args, {}, task.run_after or clock.now())]

    def enqueue_many(self, task: Task, calls: Iterable[tuple[dict, datetime]]) -> None:
        """The same for many calls, in a few statements; see core.tasks.enqueue_many."""
        self.validate_task(task)
        Job.objects.bulk_create(_job(task, (), kwargs, after) for kwargs, after in calls)


def _job(task: Task, args, kwargs, run_after: datetime) -> Job:
    payload = {"args": list(args), "kwargs": dict(kwargs)}
    if len(json.dumps(payload)) > PAYLOAD_MAX:
        raise ValueError(f"{task.module_path} is called with too much: name rows by their ids")
    return Job(task=task.module_path, queue=task.queue_name, payload=payload, run_after=run_after)
