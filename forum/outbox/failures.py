"""What administrators do with work that failed for good."""

from django.db import transaction

from core import clock

from ..actions.audit import record
from ..models import Job
from ..permissions import Refused, require


def retry(*, user, job: Job, reason: str = "") -> None:
    """Let a job that failed for good be tried anew, from its first attempt on. Raises
    permissions.Refused, also where it did not fail, or is gone."""
    require(user, "administer")
    with transaction.atomic():
        job = _locked(job)
        record(user, "retry work", reason=reason, **_detail(job))
        job.attempts, job.failed_at, job.run_after = 0, None, clock.now()
        job.save(update_fields=["attempts", "failed_at", "run_after"])


def drop(*, user, job: Job, reason: str) -> None:
    """Take out a job that failed for good, undone; the log keeps what it was. Raises
    permissions.Refused, also without a reason."""
    require(user, "administer")
    if not reason:
        raise Refused("Say why: nobody will do it any more.")
    with transaction.atomic():
        job = _locked(job)
        record(user, "drop work", reason=reason, **_detail(job))
        job.delete()


def _locked(job: Job) -> Job:
    found = Job.objects.select_for_update().failed().filter(pk=job.pk).first()
    if found is None:
        raise Refused(
            "Only what failed for good is tried anew or dropped; this did not, or not any more."
        )
    return found


def _detail(job: Job) -> dict:
    error = job.last_error.strip().splitlines()
    return {"task": job.task, "payload": job.payload, "error": error[-1] if error else ""}
