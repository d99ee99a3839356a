"""The site's own pages, written by administrators."""

from django import forms
from django.contrib import admin

from accounts.filtering import NamedFilters
from core.opened_texts import OpenedForm

from ..actions import pages
from ..actions.composing import Unacceptable
from ..models import Page
from ..permissions import may


class PageForm(OpenedForm):
    """A page's text, and why it changes."""

    texts = ("source",)

    reason = forms.CharField(
        max_length=300, required=False, help_text="Kept in the moderation log."
    )

    class Meta:
        model = Page
        fields = ("kind", "source")
        widgets = {"source": forms.Textarea(attrs={"rows": 24, "dir": "auto"})}
        help_texts = {
            "source": "Markdown. A page without text is not shown to anybody. Of the reasons that "
            "moderators give, each stands on a line of its own, and is offered wherever they act."
        }

    def clean_source(self) -> str:
        """The text as it was typed, if it can be drawn."""
        source = self.cleaned_data["source"].replace("\r\n", "\n")
        try:
            pages.render(source)
        except Unacceptable as error:
            raise forms.ValidationError(str(error)) from error
        return source


@admin.register(Page)
class PageAdmin(NamedFilters, admin.ModelAdmin):
    form = PageForm
    fields = ("kind", "source", "reason", "base")
    list_display = ("kind", "written", "edited_at")
    ordering = ("kind",)

    @admin.display(description="shown", boolean=True)
    def written(self, page: Page) -> bool:
        return bool(page.source.strip())

    def save_model(self, request, obj, form, change) -> None:
        data = form.cleaned_data
        saved = pages.edit(
            user=request.user, kind=obj.kind, source=data["source"], reason=data["reason"]
        )
        obj.pk = saved.pk

    def view_on_site(self, obj) -> str | None:  # type: ignore[override]  # None: there is no page
        """The address itself, as for boards; what stands in other pages has none."""
        return None if obj.kind in Page.WITHIN_OTHERS else obj.get_absolute_url()

    def get_readonly_fields(self, request, obj=None):
        return ("kind",) if obj else ()

    def has_module_permission(self, request) -> bool:
        return may(request.user, "administer")

    def has_view_permission(self, request, obj=None) -> bool:
        return may(request.user, "administer")

    def has_change_permission(self, request, obj=None) -> bool:
        return may(request.user, "administer")

    def has_add_permission(self, request) -> bool:
        written = Page.objects.count() == len(Page.Kind.values)
        return may(request.user, "administer") and not written

    def has_delete_permission(self, request, obj=None) -> bool:
        return False
