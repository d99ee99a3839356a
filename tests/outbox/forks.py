"""Workers as processes of their own, forked from the tests."""

import os
import random
import signal
import time
from contextlib import contextmanager, suppress
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from forum.models import Job
from forum.outbox import worker
from forum.outbox.worker import Worker
from tests.waiting import PATIENCE, until

SECONDS = PATIENCE  # until a test gives up
# Nothing is given up for that one job was met by one kill after the other, as happens here alone.
IMPATIENT = {
    "POLL_SECONDS": 0.02,
    "AWAY_SECONDS": 0.02,
    "PAUSES": worker.PAUSES * 10,
}


def forked(act, **patched) -> int:
    """Do `act` in a process of its own with values of the worker's module; gives its number."""
    connection.close()
    pid = os.fork()
    if pid == 0:
        try:
            for name, value in patched.items():
                setattr(worker, name, value)
            act()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return pid


@contextmanager
def workers(count: int, **patched):
    """So many workers, each a process; they are gone afterwards. Gives a list of their numbers."""
    running = [forked(lambda: Worker().run(), **patched) for _ in range(count)]
    try:
        yield running
    finally:
        for pid in running:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def wait_until_all_is_done() -> None:
    left = Job.objects.count
    until(lambda: not Job.objects.exists(), lambda: f"{left()} jobs are left", patience=SECONDS)


def end_leases_but_of(running: list[int]) -> None:
    """Let others have what a killed worker held, at once: and of a worker that lives nothing,
    however slow it is."""
    for job in Job.objects.filter(lease_until__isnull=False):
        if int(job.owner.split(":")[-2]) not in running:
            held = Job.objects.filter(pk=job.pk, owner=job.owner)
            held.update(lease_until=timezone.now() - timedelta(seconds=1))


def kill_until_all_is_done(most: int, *, seed: int, pause: float = 0.06, due: bool = False) -> int:
    """Let two workers do what waits, and kill one after the other, `most` times, at any moment,
    until nothing is left, or nothing that is `due` by now; returns how many were killed."""
    choice, killed = random.Random(seed), 0
    with workers(2, **IMPATIENT) as running:
        end = time.monotonic() + SECONDS
        soon = timezone.now() + timedelta(minutes=1) if due else None
        left = Job.objects.filter(run_after__lt=soon) if soon else Job.objects.all()
        while left.exists():
            assert time.monotonic() < end, f"{Job.objects.count()} jobs are left"
            assert not Job.objects.exclude(failed_at=None).exists(), "a job was given up"
            time.sleep(choice.uniform(0.005, pause))
            end_leases_but_of(running)
            if killed < most:
                pid = running.pop(0)
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                killed += 1
                running.append(forked(lambda: Worker().run(), **IMPATIENT))
    return killed
