"""The glossary at the desk."""

from django.contrib import admin

from accounts.filtering import NamedFilters
from core.opened_texts import OpenedForm

from ..actions import glossary
from ..models import Term
from ..permissions import may


class TermForm(OpenedForm):
    """A term and what it means."""

    texts = ("name", "aliases", "meaning")

    class Meta:
        model = Term
        fields = ("name", "aliases", "meaning")


@admin.register(Term)
class TermAdmin(NamedFilters, admin.ModelAdmin):
    form = TermForm
    fields = (*TermForm.texts, "base")
    list_display = ("name", "meaning")
    search_fields = ("name", "aliases", "meaning")

    def save_model(self, request, obj, form, change) -> None:
        glossary.define(user=request.user, term=obj)

    def delete_model(self, request, obj) -> None:
        glossary.forget(user=request.user, term=obj)

    def get_actions(self, request):
        """Terms are taken out one by one: each is an act of its own."""
        return {}

    def has_module_permission(self, request) -> bool:
        return may(request.user, "define")

    def has_view_permission(self, request, obj=None) -> bool:
        return may(request.user, "define")

    def has_add_permission(self, request) -> bool:
        return may(request.user, "define")

    def has_change_permission(self, request, obj=None) -> bool:
        return may(request.user, "define")

    def has_delete_permission(self, request, obj=None) -> bool:
        return may(request.user, "define")
