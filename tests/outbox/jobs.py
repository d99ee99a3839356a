"""Tasks for tests of the worker: each writes rows that nothing keeps from being there twice."""

import os
import time

from accounts.models import PastName
from core.tasks import OUTSIDE, task


def done() -> list[str]:
    """What was done, in the order of its commits."""
    return list(PastName.objects.order_by("pk").values_list("username", flat=True))


def _do(member: int, name: str) -> None:
    PastName.objects.create(user_id=member, username=name)


@task
def write(member: int, name: str) -> None:
    """Write one row."""
    _do(member, name)


@task
def write_in_parts(member: int, first: int, last: int) -> None:
    """Write two rows, and leave the rest to the next job."""
    for number in range(first, min(first + 2, last + 1)):
        _do(member, f"part {number}")
    if first + 2 <= last:
        write_in_parts.enqueue(member, first + 2, last)


@task
def fail(member: int) -> None:
    """Write one row, then fail."""
    _do(member, "half")
    raise ValueError("The task fails.")


@task(queue_name=OUTSIDE)
def reach_out(member: int, name: str) -> None:
    """Write one row in a transaction of its own, as what leaves the house does."""
    _do(member, name)


@task(queue_name=OUTSIDE)
def sign(member: int, number: int) -> None:
    """Write a number, and which process it was."""
    _do(member, f"{number} {os.getpid()}")


@task
def take_time(member: int, told: int) -> None:
    """Say through a pipe that it begins, and write a row a while later."""
    os.write(told, b"begun")
    time.sleep(0.5)
    _do(member, "late")
