"""What went out by mail, and who wants what, for administrators."""

from django.contrib import admin

from ..models import Mail, MailSettings
from ..permissions import may
from .site import ReadOnly


class ForAdministrators(ReadOnly):
    """About members' mailboxes, which are no matter of the boards that moderators have."""

    def get_queryset(self, request):
        return self.model._default_manager.all()

    def get_readonly_fields(self, request, obj=None):
        return self.fields

    def has_module_permission(self, request) -> bool:
        return may(request.user, "administer")

    def has_view_permission(self, request, obj=None) -> bool:
        return may(request.user, "administer")


@admin.register(Mail)
class MailAdmin(ForAdministrators):
    """Which notices were told by mail, when, and what came of it."""

    list_display = ("member", "notice", "rhythm", "due_at", "settled_at", "outcome")
    list_filter = ("outcome", "rhythm")
    list_select_related = ("member", "notice")
    fields = (
        *("member", "notice", "rhythm", "due_at", "message", "begun", "settled_at"),
        "outcome",
    )


@admin.register(MailSettings)
class MailSettingsAdmin(ForAdministrators):
    """What members chose, and whose address takes no mail."""

    list_display = ("member", "rhythms", "bounced", "bounced_at")
    list_filter = ("bounced_at",)
    list_select_related = ("member",)
    found_by = ("members:member",)
    ordering = ("pk",)
    fields = ("member", "rhythms", "bounced", "bounced_at")
