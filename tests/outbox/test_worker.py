"""The worker and its queue: what is accepted is done, once, by whoever lives."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection, transaction
from django.utils import timezone

from core.tasks import INSIDE, enqueue_many
from forum.models import Job
from forum.outbox import worker
from forum.outbox.worker import LEASE, PAUSES, Worker
from forum.search import index, probes
from forum.search.match import Match, Side
from tests.outbox import jobs
from tests.people import fresh, reply

pytestmark = pytest.mark.django_db


def later(job: Job) -> Job:
    """Let the time of a job that waits, or its lease, be over."""
    past = timezone.now() - timedelta(seconds=1)
    leased = past if fresh(job).lease_until else None
    Job.objects.filter(pk=job.pk).update(run_after=past, lease_until=leased)
    return fresh(job)


def test_a_job_is_done_and_gone(opener):
    jobs.write.enqueue(opener.pk, name="a")
    jobs.reach_out.enqueue(opener.pk, name="b")
    assert jobs.done() == []
    assert Worker().drain() == 2
    assert jobs.done() == ["a", "b"]
    assert not Job.objects.exists()
    assert Worker().drain() == 0


def test_an_act_that_is_taken_back_takes_its_jobs_along(opener):
    with pytest.raises(RuntimeError), transaction.atomic():
        jobs.write.enqueue(opener.pk, name="a")
        raise RuntimeError
    assert not Job.objects.exists()


def test_a_job_waits_for_its_time(opener):
    jobs.write.using(run_after=timezone.now() + timedelta(hours=1)).enqueue(opener.pk, name="a")
    assert Worker().drain() == 0
    later(Job.objects.get())
    assert Worker().drain() == 1


def test_what_a_job_enqueues_follows(opener):
    jobs.write_in_parts.enqueue(opener.pk, 1, 7)
    assert Worker().drain() == 4
    assert jobs.done() == [f"part {number}" for number in range(1, 8)]


def test_a_job_that_fails_leaves_nothing_and_waits_longer_each_time(opener):
    jobs.fail.enqueue(opener.pk)
    job = Job.objects.get()
    for attempt, pause in enumerate(PAUSES, 1):
        before = timezone.now()
        assert Worker().do_next()
        job = fresh(job)
        assert (job.attempts, job.owner, job.lease_until) == (attempt, "", None)
        assert before + pause <= job.run_after <= timezone.now() + pause
        assert "The task fails." in job.last_error
        assert not Worker().do_next(), "it waits"
        later(job)
    assert list(PAUSES) == sorted(PAUSES)
    assert Worker().do_next()
    assert fresh(job).failed_at and jobs.done() == []
    later(job)
    assert not Worker().do_next(), "what failed for good is not tried again"


def test_a_task_that_is_not_there_any_more_fails_as_others_do(opener):
    for name in ("tests.outbox.jobs.gone", "os.getcwd"):
        Job.objects.create(
            task=name,
            queue=INSIDE,
            payload={"args": [], "kwargs": {}},
            run_after=timezone.now(),
        )
    assert Worker().drain() == 2
    assert [job.attempts for job in Job.objects.all()] == [1, 1]


def test_a_dead_worker_loses_its_lease(opener):
    jobs.write.enqueue(opener.pk, name="a")
    dead, alive = Worker(), Worker()
    job = dead._claim()
    assert job.lease_until > timezone.now() + LEASE / 2
    assert not alive.do_next(), "it is being done"
    later(job)
    assert alive.do_next()
    assert jobs.done() == ["a"]
    dead._do(job)  # it was only slow
    assert jobs.done() == ["a"]


def test_a_job_that_kills_its_workers_is_given_up(opener):
    jobs.write.enqueue(opener.pk, name="a")
    for _ in range(len(PAUSES) + 1):
        assert later(Worker()._claim())
    assert Worker()._claim() is None
    job = Job.objects.get()
    assert job.failed_at and "died" in job.last_error


def test_a_job_names_rows_and_does_not_carry_them(opener):
    with pytest.raises(ValueError, match="ids"):
        jobs.write.enqueue(opener.pk, name="a" * 10_000)
    with pytest.raises(TypeError):
        jobs.write.enqueue(opener, name="a")


def test_the_next_job_is_found_by_an_index(opener):
    Job.objects.bulk_create(
        Job(task="x", queue=INSIDE, payload={}, run_after=timezone.now(), failed_at=failed)
        for failed in [timezone.now()] * 2_000 + [None] * 50
    )
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE forum_job")
    plan = Job.objects.due().order_by("run_after", "id")[:1].explain()
    assert "job_next" in plan, plan


def test_many_jobs_are_written_in_a_few_statements(opener, django_assert_max_num_queries):
    now = timezone.now()
    calls = [({"member": opener.pk, "name": f"{n}"}, now) for n in range(300)]
    with django_assert_max_num_queries(10):
        enqueue_many(jobs.write, calls)
    assert Worker().drain() == 300
    assert len(set(jobs.done())) == 300


def test_a_worker_puts_new_words_into_the_index(thread, opener, monkeypatch):
    """Whether it has much to do or nothing, and what was found before is found after."""
    reply(thread, opener, "The zeppelin lands.")
    taken = []

    def take_in():
        index.take_in()
        taken.append(Job.objects.count())
        if len(taken) == 2:
            working.stop()

    monkeypatch.setattr(worker, "index", SimpleNamespace(take_in=take_in))
    monkeypatch.setattr(worker, "TAKE_IN_SECONDS", 0.0)
    for job in Job.objects.all():
        later(job)
    working = Worker()
    working.run()
    assert len(taken) == 2
    match = Match(all=[[Side(("zeppelin",))]])
    assert len(probes.Posts(match, probes.Limits()).some(5)) == 1
