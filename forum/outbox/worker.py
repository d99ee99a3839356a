"""Doing what was accepted: claim one job, do it, tick it off.

Whoever claims holds a lease. A worker that dies loses it, and the next one takes the job. What a
task does in the database is committed together with the job's end, so it happens once, however
often it was begun; a task that reaches out (core.tasks.OUTSIDE) may be begun again after a crash
and keeps account itself of what left the house.
"""

import logging
import os
import secrets
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from datetime import timedelta

from django.db import connections, transaction
from django.utils.module_loading import import_string

from core import clock, progress
from core.database_answers import database_errors
from core.tasks import INSIDE, Task
from forum.moderation import transparency
from forum.own_data import retention
from forum.search import index

from ..models import Job
from .renamed_tasks import RENAMED

# Longer than the slowest job: a mail server that hangs is given up after EMAIL_TIMEOUT a step.
LEASE = timedelta(minutes=2)
# What waits this long after a first, second, ... attempt; after the last it failed for good.
PAUSES = tuple(
    timedelta(seconds=seconds) for seconds in (10, 60, 300, 1800, 2 * 3600, 6 * 3600, 12 * 3600)
)
POLL_SECONDS = 1.0  # an empty look is one query of an index
SWEEP_SECONDS = 24 * 3600.0  # between two times that it does what is done once a day
TAKE_IN_SECONDS = 60.0  # between two times that it puts new words into the index of searches
AWAY_SECONDS = 5.0  # before a database that is away is asked again
log = logging.getLogger("forum.outbox")


class Worker:
    """One worker: `run` until `stop`, or `drain` for what is due now."""

    def __init__(self) -> None:
        self.owner = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(3)}"
        self._stopping = threading.Event()
        # By its own clock: nothing hangs on the moment.
        self._sweep_at = self._take_in_at = time.monotonic()

    def stop(self) -> None:
        """Ask `run` to return once the job at hand is done; safe in a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Do what is due, and wait for more, until `stop`; wait for a database that is away."""
        while not self._stopping.is_set():
            try:
                idle = not self.do_next()
                if time.monotonic() >= self._take_in_at:
                    self._take_in_at = time.monotonic() + TAKE_IN_SECONDS
                    index.take_in()
                if idle and time.monotonic() >= self._sweep_at:
                    self._sweep_at = time.monotonic() + SWEEP_SECONDS
                    retention.sweep()
                    transparency.count_quarters()
                pause = POLL_SECONDS if idle else 0
            except database_errors():
                log.warning("the database is away", exc_info=True)
                connections.close_all()
                pause = AWAY_SECONDS
            if pause:
                self._stopping.wait(pause)

    def drain(self) -> int:
        """Do all that is due now, what these jobs enqueue included, and give their number."""
        total = Job.objects.due().count() if progress.is_shown() else None
        return sum(progress.track(self._until_none_is_due(), "jobs done", total))

    def _until_none_is_due(self) -> Iterator[int]:
        while not self._stopping.is_set() and self.do_next():
            yield 1

    def do_next(self) -> bool:
        """Do the job that is due for the longest time; False if there is none."""
        # Looked for without a lock first: on SQLite a claim keeps everybody from writing.
        if not Job.objects.due().exists():
            return False
        job = self._claim()
        if job is not None:
            try:
                self._do(job)
            except Exception:
                # If the database is away this raises again, and the lease runs out by itself.
                self._put_back(job, traceback.format_exc())
        return True

    def _claim(self) -> Job | None:
        """Take the next job; of two workers at once one passes over what the other is taking
        (PostgreSQL), or waits for its commit (SQLite)."""
        with transaction.atomic():
            rows = Job.objects.due().order_by("run_after", "id")
            job = rows.select_for_update(skip_locked=True).first()
            if job is None:
                return None
            if job.attempts > len(PAUSES):
                # Nobody put it back: each time the worker was gone before it could.
                self._give_up(job, "The worker died at the last attempt.")
                return None
            job.owner, job.lease_until = self.owner, clock.now() + LEASE
            job.attempts += 1
            job.save(update_fields=["owner", "lease_until", "attempts"])
        return job

    def _do(self, job: Job) -> None:
        task = import_string(RENAMED.get(job.task, job.task))
        if not isinstance(task, Task):
            raise TypeError(f"{job.task} is no task")
        if job.queue == INSIDE:
            with transaction.atomic():
                if self._hold(job):
                    task.call(*job.payload["args"], **job.payload["kwargs"])
                    job.delete()
        else:
            task.call(*job.payload["args"], **job.payload["kwargs"])
            with transaction.atomic():
                if self._hold(job):
                    job.delete()

    def _hold(self, job: Job) -> bool:
        """Lock the job's row; False if it is somebody else's by now."""
        mine = Job.objects.filter(pk=job.pk, owner=self.owner, attempts=job.attempts)
        return mine.select_for_update().first() is not None

    def _put_back(self, job: Job, error: str) -> None:
        """Let a job that failed wait for its next attempt, or give it up."""
        with transaction.atomic():
            if not self._hold(job):
                return
            if job.attempts > len(PAUSES):
                self._give_up(job, error)
                return
            job.run_after = clock.now() + PAUSES[job.attempts - 1]
            job.lease_until, job.owner, job.last_error = None, "", error
            job.save(update_fields=["run_after", "lease_until", "owner", "last_error"])
        log.warning("%s failed, attempt %d: %s", job, job.attempts, error.splitlines()[-1])

    def _give_up(self, job: Job, error: str) -> None:
        job.failed_at, job.lease_until, job.owner = clock.now(), None, ""
        job.last_error = error
        job.save(update_fields=["failed_at", "lease_until", "owner", "last_error"])
        log.error("%s failed for good: %s", job, error.splitlines()[-1])
