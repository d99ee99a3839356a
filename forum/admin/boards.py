"""Boards are made, ordered and given to moderators by administrators; who is invited to one, its
moderators say as well."""

import re

from django import forms
from django.contrib import admin, messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html, format_html_join
from mptt.admin import DraggableMPTTAdmin

from accounts.filtering import NamedFilters
from accounts.models import User
from core.opened_texts import OpenedForm

from ..actions import boards
from ..models import Board
from ..models.visibility import moderated_board_ids, moderates_all
from ..permissions import Refused, may
from ..views.fetch import sent_id

MAX_INVITED = 2000
SHIFT = re.compile(r"(\d{1,18}):(up|down|in|out)")
# What the buttons beside a board are called, and how they are drawn.
WAYS = {"up": ("Move up", "↑"), "down": ("Move down", "↓")}
WAYS |= {"in": ("Move into the board above", "→"), "out": ("Move out of its board", "←")}


class BoardForm(OpenedForm):
    """A board, the members it names, and why it changes."""

    texts = ("name", "description")
    made_of_them = ("slug",)

    moderators = forms.ModelMultipleChoiceField(
        User.objects.filter(is_staff=True).order_by("username"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Offered are members who may enter the desk. Who is dropped and looks after "
        "nothing else may not enter it any more.",
    )
    invited = forms.CharField(
        label="invited members",
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
        help_text="One name on each line. They read the board where it is seen by invited members.",
    )
    reason = forms.CharField(
        max_length=300, required=False, help_text="Kept in the moderation log."
    )

    class Meta:
        model = Board
        fields = (*boards.FIELDS, "parent")
        field_classes = {"slug": forms.SlugField}

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            if "moderators" in self.fields:
                self.initial["moderators"] = list(
                    self.instance.moderators.values_list("pk", flat=True)
                )
            names = self.instance.invited.order_by("username").values_list("username", flat=True)
            self.initial["invited"] = "\n".join(names)

    def clean_invited(self) -> list[User]:
        """The members whose names stand in the field."""
        names = list(dict.fromkeys(self.cleaned_data["invited"].split()))
        if len(names) > MAX_INVITED:
            raise forms.ValidationError(f"At most {MAX_INVITED} members can be invited.")
        lowered = {name.lower(): name for name in names}
        found = {
            user.username.lower(): user
            for user in User.objects.look_alike_all(names)
            if user.username.lower() in lowered
        }
        if unknown := [name for low, name in lowered.items() if low not in found]:
            raise forms.ValidationError(f"No member is called {', '.join(unknown[:10])}.")
        return list(found.values())


@admin.register(Board)
class BoardAdmin(NamedFilters, DraggableMPTTAdmin):
    form = BoardForm
    list_display = (
        *("tree_actions", "indented_title", "audience", "starters", "answerers", "read_only"),
        "thread_count",
    )
    list_display_links = ("indented_title",)
    search_fields = ("name", "slug")
    expand_tree_by_default = True
    fieldsets = (
        (None, {"fields": ("name", "slug", "description", ("first_year", "last_year"))}),
        ("Who", {"fields": ("audience", "starters", "answerers", "read_only")}),
        (
            "What a new debate must give; moderators may leave it out",
            {
                "fields": (
                    *("own_answer_needed", "divergence_needed", "questions_needed"),
                    "policy_needed",
                )
            },
        ),
        ("Approval and reports", {"fields": ("approve_first", "hide_after_reports")}),
        ("Named members", {"fields": ("moderators", "invited")}),
        ("Why", {"fields": ("reason", "base")}),
    )

    class Media:
        js = (forms.Script("js/desk.js", type="module"),)

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        if moderates_all(request.user):
            return rows
        return rows.filter(pk__in=moderated_board_ids(request.user))

    def get_fieldsets(self, request, obj=None):
        if not may(request.user, "administer"):
            return ((None, {"fields": ("name", "audience", "invited", "reason")}),)
        if obj is None:
            return ((None, {"fields": ("parent",)}), *self.fieldsets)
        return self.fieldsets

    def get_readonly_fields(self, request, obj=None):
        return () if may(request.user, "administer") else ("name", "audience")

    def get_prepopulated_fields(self, request, obj=None):
        return {"slug": ("name",)} if obj is None else {}

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        if not may(request.user, "administer"):
            # Fields that a form declares are in it whether they are shown or not.
            form.base_fields.pop("moderators", None)
        return form

    # --- Saving ---

    def save_model(self, request, obj, form, change) -> None:
        data, user = form.cleaned_data, request.user
        reason = data["reason"]
        if not change:
            boards.make(user=user, board=obj, reason=reason)
        elif may(user, "administer"):
            wanted = {name: data[name] for name in boards.FIELDS}
            boards.change(user=user, board=obj, reason=reason, **wanted)
        if "moderators" in data:
            boards.name_moderators(user=user, board=obj, members=data["moderators"], reason=reason)
        boards.invite(user=user, board=obj, members=data["invited"], reason=reason)

    def save_related(self, request, form, formsets, change) -> None:
        """All of it is saved already, by actions."""

    def view_on_site(self, obj) -> str:
        """The address itself: Django's own goes by way of a page that leads to anything."""
        return obj.get_absolute_url()

    def delete_model(self, request, obj) -> None:
        boards.remove(user=request.user, board=obj)

    # --- Order ---

    @admin.display(description="order")
    def tree_actions(self, item):
        """A handle to drag the board by, and buttons that do the same without it."""
        buttons = format_html_join(
            "",
            '<button class="shift" name="_shift" value="{}:{}" title="{}"'
            ' aria-label="{}: {}">{}</button>',
            ((item.pk, way, label, label, item.name, sign) for way, (label, sign) in WAYS.items()),
        )
        return format_html(
            '<span class="order" id="order-{}">{}{}</span>',
            item.pk,
            super().tree_actions(item),
            buttons,
        )

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

    def get_list_display(self, request):
        return self.list_display if may(request.user, "administer") else self.list_display[1:]

    def changelist_view(self, request, *args, **kwargs):
        if request.method == "POST" and (asked := SHIFT.fullmatch(request.POST.get("_shift", ""))):
            return self._shift(request, int(asked[1]), asked[2])
        return super().changelist_view(request, *args, **kwargs)

    def _shift(self, request, pk: int, way: str):
        board = self.get_queryset(request).filter(pk=pk).first()
        if board is None:
            self.message_user(request, "This board is gone.", messages.ERROR)
        elif not boards.shift(user=request.user, board=board, way=way):
            self.message_user(request, f"There is no place there for “{board}”.", messages.WARNING)
        # Tab goes on from there.
        return redirect(f"{request.get_full_path()}#order-{pk}")

    def _move_node(self, request):
        """What mptt's script asks for when a board was dragged; it loads the page anew then."""
        rows = self.get_queryset(request)
        ids = [request.POST.get(name, "") for name in ("cut_item", "pasted_on")]
        found = [rows.filter(pk=sent_id(pk)).first() for pk in ids]
        try:
            if None in found:
                raise Refused("These boards have changed meanwhile. Try again.")
            boards.move_beside(
                user=request.user,
                board=found[0],
                beside=found[1],
                position=request.POST.get("position", ""),
            )
        except Refused as error:
            self.message_user(request, str(error), messages.ERROR)
        return HttpResponse("ok", content_type="text/plain")

    # --- Rights ---

    def has_module_permission(self, request) -> bool:
        return may(request.user, "enter desk")

    def has_view_permission(self, request, obj=None) -> bool:
        return self.has_change_permission(request, obj)

    def has_change_permission(self, request, obj=None) -> bool:
        if obj is None:
            return may(request.user, "enter desk")
        return may(request.user, "administer") or may(request.user, "invite", obj)

    def has_add_permission(self, request) -> bool:
        return may(request.user, "administer")

    def has_delete_permission(self, request, obj=None) -> bool:
        return may(request.user, "administer") and (obj is None or not boards.stays(obj))

    def get_actions(self, request):
        return {}
