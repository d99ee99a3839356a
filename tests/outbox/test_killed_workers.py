"""Workers that are killed, at each statement and at any moment, and several at once: what was
accepted is done, and what it does in the database is done once.

In the short form the connection is cut at each statement; with JONBAR_LONG=1 a process of its own
is killed there.
"""

import os
import signal
from collections import Counter
from functools import partial

import psycopg
import pytest
from django.core.management import call_command
from django.db import InterfaceError, OperationalError, connection

from accounts.models import PastName
from forum.models import Job
from forum.outbox import worker
from forum.outbox.worker import Worker
from tests.acts.ends import counted, cut, kill
from tests.outbox import jobs
from tests.outbox.forks import (
    forked,
    kill_until_all_is_done,
    wait_until_all_is_done,
    workers,
)
from tests.people import make_member
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races]
LONG = os.environ.get("JONBAR_LONG") == "1"


@pytest.fixture
def member():
    return make_member("member-a").pk


def accept(member: int) -> None:
    """Enqueue one of each kind."""
    PastName.objects.all().delete()
    Job.objects.all().delete()
    jobs.write.enqueue(member, "alone")
    jobs.write_in_parts.enqueue(member, 1, 5)
    jobs.reach_out.enqueue(member, "outside")
    jobs.fail.enqueue(member)


def test_a_worker_killed_at_each_statement(member, record_property):
    accept(member)
    points = counted(lambda: Worker().drain())
    once = {"alone": 1, **{f"part {number}": 1 for number in range(1, 6)}}
    for statement in range(1, points + 1):
        accept(member)
        (kill if LONG else cut)(lambda: Worker().drain(), statement)
        Job.objects.filter(lease_until__isnull=False).update(lease_until="2000-01-01T00:00Z")
        Worker().drain()
        done = Counter(jobs.done())
        # What leaves the house may have left it before the end was written down.
        assert done.pop("outside") in (1, 2), statement
        assert done == once, f"after statement {statement}"
        assert [job.task for job in Job.objects.all()] == ["tests.outbox.jobs.fail"]
    record_property("measured", f"{points} {'kills' if LONG else 'cuts'}")


def test_workers_killed_at_any_moment(member, record_property):
    count, killed = 400 if LONG else 120, 0
    jobs.write_in_parts.enqueue(member, 1, 20)
    expected = [f"part {n}" for n in range(1, 21)]
    for turn in range(6):  # on a busy machine fewer are killed at a time
        for number in range(count):
            jobs.write.enqueue(member, f"{turn}, {number}")
        expected += [f"{turn}, {number}" for number in range(count)]
        killed += kill_until_all_is_done(count // 4, seed=17 + turn, pause=0.03)
        if killed > 5:
            break
    assert Counter(jobs.done()) == Counter(expected)
    assert killed > 5
    record_property("measured", f"{len(expected)} effects, {killed} kills")


def test_workers_at_once_do_nothing_twice(member):
    """More is asked of them until more than one has done something."""
    count, signed = 0, []
    with workers(3, POLL_SECONDS=0.02):

        def several_took_part() -> bool:
            nonlocal count, signed
            for number in range(count, count := count + 150):
                jobs.sign.enqueue(member, number)
            wait_until_all_is_done()
            signed = [name.split() for name in jobs.done()]
            return len({pid for _, pid in signed}) > 1

        until(several_took_part, "one does everything")
    assert sorted(int(number) for number, _ in signed) == list(range(count))


def test_a_worker_that_is_asked_to_stop_ends_the_job_at_hand(member):
    hears, tells = os.pipe()
    jobs.take_time.enqueue(member, tells)
    jobs.write.enqueue(member, "left")
    pid = forked(partial(call_command, "work"))
    assert os.read(hears, 5) == b"begun"
    os.kill(pid, signal.SIGTERM)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert jobs.done() == ["late"]
    call_command("work", "--once", verbosity=0)
    assert jobs.done() == ["late", "left"]


@pytest.mark.parametrize("error", [OperationalError, InterfaceError, psycopg.OperationalError])
def test_a_database_that_goes_away_is_waited_for(member, monkeypatch, error):
    monkeypatch.setattr(worker, "AWAY_SECONDS", 0.01)
    jobs.write.enqueue(member, "after")
    one, broken = Worker(), 0

    def watch(execute, sql, *arguments):
        nonlocal broken
        if broken < 2:
            broken += 1
            raise error("the server is gone")
        if sql.startswith("DELETE FROM"):
            one.stop()
        return execute(sql, *arguments)

    with connection.execute_wrapper(watch):
        one.run()
    assert (broken, jobs.done()) == (2, ["after"])
