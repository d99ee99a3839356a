"""What was accepted to be done later."""

from django.db import models
from django.db.models import Count, Min, Q

from core import clock


class JobQuerySet(models.QuerySet["Job"]):
    def due(self) -> "JobQuerySet":
        """What a worker may take now: its time has come, and nobody has it, or whoever had it let
        its lease run out."""
        now = clock.now()
        free = Q(lease_until=None) | Q(lease_until__lte=now)
        return self.filter(free, failed_at=None, run_after__lte=now)

    def backlog(self) -> dict[str, float]:
        """How many jobs are due ("waiting"), for how long the first of them has been
        ("oldest_seconds"), and how many failed for good ("failed")."""
        now = clock.now()
        found = self.filter(Q(failed_at__isnull=False) | Q(run_after__lte=now)).aggregate(
            waiting=Count("pk", filter=Q(failed_at=None)),
            oldest=Min("run_after", filter=Q(failed_at=None)),
            failed=Count("pk", filter=Q(failed_at__isnull=False)),
        )
        oldest = found.pop("oldest")
        return {**found, "oldest_seconds": (now - oldest).total_seconds() if oldest else 0}

    def failed(self) -> "JobQuerySet":
        """What was tried for the last time, and waits for somebody at the desk."""
        return self.filter(failed_at__isnull=False)


class Job(models.Model):
    """One call of a task (core/tasks.py), written in the transaction of the act that wants it and
    gone once it is done. A worker has it until `lease_until`; one that died loses it then."""

    task = models.CharField(max_length=200, help_text="Where the function stands.")
    queue = models.CharField(max_length=20)
    payload = models.JSONField(help_text="What the function is called with.")
    created_at = models.DateTimeField(auto_now_add=True)
    run_after = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    owner = models.CharField(max_length=60, blank=True)
    failed_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["run_after", "id"], condition=Q(failed_at__isnull=True), name="job_next"
            ),
            models.Index(
                fields=["failed_at"], condition=Q(failed_at__isnull=False), name="job_failed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} ({self.pk})"
