"""What waits to be done, and what failed for good, for administrators."""

from django.contrib import admin
from django.shortcuts import redirect
from django.urls import reverse

from forum.outbox import failures

from ..models import Job
from ..permissions import may
from .site import WithActs


@admin.register(Job)
class JobAdmin(WithActs):
    """The oldest first. What failed for good is tried anew, or dropped with a reason."""

    acts = {"retry work": failures.retry, "drop work": failures.drop}
    act_name = "job"
    list_display = ("task", "payload", "created_at", "run_after", "attempts", "failed_at", "error")
    list_filter = ("failed_at",)
    straight = ("failed_at",)
    ordering = ("pk",)
    fields = (
        *("task", "queue", "payload", "created_at", "run_after", "attempts", "owner"),
        *("lease_until", "failed_at", "last_error"),
    )

    def get_queryset(self, request):
        return Job.objects.all()

    def get_readonly_fields(self, request, obj=None):
        return self.fields

    def has_module_permission(self, request) -> bool:
        return may(request.user, "administer")

    def has_view_permission(self, request, obj=None) -> bool:
        return may(request.user, "administer")

    def has_change_permission(self, request, obj=None) -> bool:
        return may(request.user, "administer")

    @admin.display(description="last error")
    def error(self, job: Job) -> str:
        lines = job.last_error.strip().splitlines()
        return lines[-1][:120] if lines else ""

    def response_post_save_change(self, request, obj):
        """To the list: what was dropped has no page any more."""
        return redirect(reverse("admin:forum_job_changelist") + "?failed_at__isnull=False")
