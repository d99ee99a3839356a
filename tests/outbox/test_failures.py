"""What failed for good waits at the desk, and what waits is counted."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from forum.models import AuditEntry, Job
from forum.outbox.worker import PAUSES, Worker
from tests.outbox import jobs
from tests.people import browser, fresh

pytestmark = pytest.mark.django_db
LIST = "admin:forum_job_changelist"


@pytest.fixture
def failed(opener) -> Job:
    """A job that failed for good."""
    jobs.fail.enqueue(opener.pk)
    Job.objects.update(attempts=len(PAUSES))
    Worker().drain()
    return Job.objects.failed().get()


def page_of(job: Job) -> str:
    return reverse("admin:forum_job_change", args=[job.pk])


def test_it_waits_at_the_desk_for_administrators(failed, administrator, moderator):
    front = browser(administrator).get(reverse("admin:index")).content.decode()
    assert "Work that failed for good" in front
    link = re.search(r"href=\"(/admin/forum/job/[^\"]*)\"", front)[1].replace("&amp;", "&")
    assert page_of(failed) in browser(administrator).get(link).content.decode()
    assert "The task fails." in browser(administrator).get(page_of(failed)).content.decode()
    assert "Work that failed" not in browser(moderator).get(reverse("admin:index")).content.decode()
    for url in (reverse(LIST), page_of(failed)):
        assert browser(moderator).get(url).status_code in (302, 403)
        assert browser(moderator).post(url, {"_act": "drop work", "reason": "x"}).status_code != 200
    assert fresh(failed).failed_at


def test_it_is_tried_anew(failed, administrator):
    browser(administrator).post(page_of(failed), {"_act": "retry work", "reason": "Mended."})
    job = fresh(failed)
    assert (job.failed_at, job.attempts) == (None, 0)
    assert AuditEntry.objects.get().verb == "retry work"
    assert Worker().do_next(), "and at once"
    assert fresh(failed).attempts == 1


def test_it_is_dropped_with_a_reason(failed, administrator):
    client = browser(administrator)
    answer = client.post(page_of(failed), {"_act": "drop work"}, follow=True)
    assert "Say why" in answer.content.decode()
    assert fresh(failed)
    client.post(page_of(failed), {"_act": "drop work", "reason": "Nobody needs it."}, follow=True)
    assert not Job.objects.exists()
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.reason) == ("drop work", "Nobody needs it.")
    assert entry.detail["task"] == "tests.outbox.jobs.fail"
    assert "The task fails." in entry.detail["error"]


def test_what_waits_or_was_tried_anew_is_not_dropped(opener, administrator):
    jobs.write.enqueue(opener.pk, name="a")
    job = Job.objects.get()
    for act in ("drop work", "retry work"):
        answer = browser(administrator).post(
            page_of(job), {"_act": act, "reason": "Away."}, follow=True
        )
        assert "Only what failed for good" in answer.content.decode()
    assert fresh(job)
    assert not AuditEntry.objects.exists()


def test_the_log_that_everybody_reads_does_not_tell_of_it(failed, administrator):
    browser(administrator).post(page_of(failed), {"_act": "drop work", "reason": "Zq."})
    assert "Zq." not in browser().get(reverse("log")).content.decode()


def test_what_waits_is_counted(failed, opener, settings):
    settings.METRICS_TOKEN = "t"
    for hours in (-1, -2, 5):
        at = timezone.now() + timedelta(hours=hours)
        jobs.write.using(run_after=at).enqueue(opener.pk, name="a")
    told = browser().get(reverse("metrics"), headers={"authorization": "Bearer t"})
    numbers = dict(
        line.split(" ") for line in told.content.decode().splitlines() if "jonbar_jobs" in line[:11]
    )
    assert float(numbers["jonbar_jobs_waiting"]) == 2
    assert 7200 <= float(numbers["jonbar_jobs_oldest_seconds"]) < 7260
    assert float(numbers["jonbar_jobs_failed"]) == 1
    assert browser().get(reverse("readyz")).content == b"ok\n"
