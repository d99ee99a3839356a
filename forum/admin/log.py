"""The audit log: readable, searchable, unchangeable."""

import json
from typing import cast

from django.contrib import admin

from ..acts import ACTS
from ..models import AuditEntry, Quarter
from ..models.visibility import entries_moderated_by
from .mails import ForAdministrators
from .site import OwnBoards, ReadOnly


class OfActs(admin.FieldListFilter):
    """A filter by act that names all there are: which of them were done would have to be looked
    for in the whole log."""

    def expected_parameters(self):
        """The column itself."""
        return [self.field_path]

    def choices(self, changelist):
        """All, and one for each act."""
        chosen = cast(list[str], self.used_parameters.get(self.field_path, []))
        everything = changelist.get_query_string(remove=[self.field_path])
        yield {"selected": not chosen, "query_string": everything, "display": "All"}
        for verb in sorted(ACTS):
            yield {
                "selected": verb in chosen,
                "query_string": changelist.get_query_string({self.field_path: verb}),
                "display": verb,
            }


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    """What was done in the boards one moderates. Of what went out of sight since, nothing is named,
    and nothing found by its title; nor are the particulars of the act shown, which may name it."""

    list_display = ("created_at", "actor", "verb", "reason", "debate", "about")
    list_filter = ("created_at", ("board", OwnBoards), ("verb", OfActs))
    straight = ("created_at", "board", "verb")
    list_select_related = ("actor", "post__author")
    search_fields = ("reason", "actor__username", "title")
    fields = (
        *("created_at", "actor", "verb", "reason", "board", "debate", "about", "member"),
        *("undoes", "particulars"),
    )

    def get_queryset(self, request):
        return entries_moderated_by(request.user).defer("detail")  # one entry's page asks for it

    def get_readonly_fields(self, request, obj=None):
        return self.fields

    @admin.display(description="debate")
    def debate(self, entry) -> str:
        if entry.thread_id is None:
            return ""
        return "a debate out of sight" if entry.title is None else entry.title

    @admin.display(description="post")
    def about(self, entry) -> str:
        if entry.post_id is None:
            return ""
        return str(entry.post) if entry.post_seen else "a post out of sight"

    @admin.display(description="particulars")
    def particulars(self, entry) -> str:
        seen = (
            entry.thread_id is None or entry.title is not None,
            entry.post_id is None or entry.post_seen,
            entry.other_thread is None or entry.other_seen,
        )
        return json.dumps(entry.detail, ensure_ascii=False) if all(seen) else ""


@admin.register(Quarter)
class QuarterAdmin(ForAdministrators):
    """What /transparency/ tells of each quarter, and when it was counted."""

    list_display = ("begins", "counted_at")
    fields = ("begins", "figures", "counted_at")
