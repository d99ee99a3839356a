"""Who had their data put together, for administrators; the files are the members' alone."""

from django.contrib import admin

from ..models import OwnData
from .mails import ForAdministrators


@admin.register(OwnData)
class OwnDataAdmin(ForAdministrators):
    """When an archive was asked for and made, and how large it is; not where it lies."""

    list_display = ("member", "asked_at", "made_at", "size")
    list_select_related = ("member",)
    found_by = ("members:member",)
    fields = list_display
