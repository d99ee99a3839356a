"""What members were told, for those who moderate where it happened."""

from django.contrib import admin

from ..models import Notice
from .site import ReadOnly


@admin.register(Notice)
class NoticeAdmin(ReadOnly):
    """That somebody was told, and what; not whether it was read."""

    board_path = "entry__thread__board_id"
    list_display = ("member", "sentence", "entry", "created_at")
    list_filter = ("kind",)
    list_select_related = ("member", "entry")
    search_fields = ("member__username", "sentence")
    fields = ("member", "entry", "kind", "sentence", "created_at", "answer", "answered_at")

    def get_queryset(self, request):
        """Acts alone: what members wrote to each other is told to them."""
        rows = super().get_queryset(request).filter(entry__isnull=False)
        return rows.defer("entry__detail")

    def get_readonly_fields(self, request, obj=None):
        return self.fields
