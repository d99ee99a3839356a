"""Boards are made, ordered and given to moderators by administrators."""

from django import forms
from django.contrib import admin
from django.utils.html import format_html
from mptt.admin import DraggableMPTTAdmin

from accounts.models import User, new_edition

from ..models import Board
from ..permissions import may
from ..tree import move_board


@admin.register(Board)
class BoardAdmin(DraggableMPTTAdmin):
    list_display = ("tree_actions", "indented_title", "audience", "starters", "thread_count")
    list_display_links = ("indented_title",)
    list_filter = ("audience",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    actions = ("move_up", "move_down")

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        """Moderators as boxes to tick: of all members only those who may enter the desk."""
        field = super().formfield_for_manytomany(
            db_field,
            request,
            queryset=User.objects.filter(is_staff=True).order_by("username"),
            widget=forms.CheckboxSelectMultiple,
            **kwargs,
        )
        field.help_text = "Offered are members who may enter the desk."
        return field

    @admin.display(description="order")
    def tree_actions(self, item):
        """The handle to drag a board by; mptt leaves its column without a name."""
        return super().tree_actions(item)

    @admin.display(description="name")
    def indented_title(self, item):
        """The name after one dash for each level: mptt's own title writes inline style, which
        the content policy refuses."""
        return format_html(
            '<span class="tree-title" data-level="{}">{}{}</span>',
            item.level,
            "– " * item.level,
            item.name,
        )

    @admin.action(description="Move up among its neighbours")
    def move_up(self, request, queryset):
        for board in queryset:
            move_board(board, up=True)

    @admin.action(description="Move down among its neighbours")
    def move_down(self, request, queryset):
        for board in reversed(queryset):
            move_board(board, up=False)

    def save_model(self, request, obj, form, change) -> None:
        """Save the board. Its name, and who may see it, show on the pages of all its debates."""
        super().save_model(request, obj, form, change)
        new_edition()

    def has_module_permission(self, request) -> bool:
        return may(request.user, "administer")

    def has_view_permission(self, request, obj=None) -> bool:
        return may(request.user, "administer")

    def has_change_permission(self, request, obj=None) -> bool:
        return may(request.user, "administer")

    def has_add_permission(self, request) -> bool:
        return may(request.user, "administer")

    def has_delete_permission(self, request, obj=None) -> bool:
        """Only a board without debates can go; the database refuses others as well."""
        return may(request.user, "administer") and (obj is None or not obj.threads.exists())

    def get_actions(self, request):
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions
