"""The audit log: readable, searchable, unchangeable."""

from django.contrib import admin

from ..models import AuditEntry
from .site import OwnBoards, ReadOnly


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    list_display = ("created_at", "actor", "verb", "reason", "thread", "post")
    list_filter = ("verb", ("board", OwnBoards))
    list_select_related = ("actor", "thread", "post__author")
    search_fields = ("reason", "actor__username", "thread__title")
    date_hierarchy = "created_at"
