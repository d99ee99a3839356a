"""What the pages of the desk share: rights from the charter, acts with a reason."""

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import capfirst

from accounts.seeking import Seeking

from ..acts import ACTS
from ..models import NOWHERE, Thread
from ..models.visibility import moderated_board_ids, moderates_all
from ..permissions import Refused, may
from ..views.acts_offered import Offer
from ..views.fetch import sent_id
from . import searching


class OwnBoards(admin.RelatedFieldListFilter):
    """A filter by board that names only those that one moderates."""

    def field_choices(self, field, request, model_admin):
        choices = super().field_choices(field, request, model_admin)
        if moderates_all(request.user):
            return choices
        own = moderated_board_ids(request.user)
        return [choice for choice in choices if choice[0] in own]


class ReadOnly(Seeking, admin.ModelAdmin):
    """Shows rows of the boards one moderates, and changes nothing by hand: what happens to them
    happens through actions. `board_path` is the lookup from the row to its board's id. Of a
    debate that is being loaded, or went into another one, nothing is shown. `found_by` says what of
    a row is looked for by the forum's search (see `searching.narrowed`)."""

    board_path = "board_id"
    found_by: tuple[str, ...] = ()
    view_on_site = False  # pages that lead there have a link of their own

    def changelist_view(self, request, extra_context=None):
        """Headed by what stands in it."""
        title = capfirst(self.model._meta.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_queryset(self, request) -> QuerySet:
        rows = super().get_queryset(request)
        thread = self.board_path.removesuffix("board_id")
        if thread or self.model is Thread:
            rows = rows.exclude(**{f"{thread}state__in": NOWHERE})
        if moderates_all(request.user):
            return rows
        return rows.filter(**{f"{self.board_path}__in": moderated_board_ids(request.user)})

    def __init_subclass__(cls, **options) -> None:
        super().__init_subclass__(**options)
        if cls.found_by:
            cls.search_help_text = searching.help_text(cls.found_by)
            cls.finds_few = True

    def goes_straight(self, request, changelist) -> bool:
        """Indexes lead past rows of all boards, which most are not where one moderates one."""
        straight = super().goes_straight(request, changelist)
        return straight and (bool(changelist.query) or moderates_all(request.user))

    def get_search_fields(self, request):
        """What Django asks for whether to show the field."""
        return self.found_by or super().get_search_fields(request)

    def get_search_results(self, request, queryset, search_term):
        """The rows that a search leaves, and that none of them comes twice."""
        if self.found_by:
            return searching.narrowed(request, queryset, search_term, self.found_by), False
        return super().get_search_results(request, queryset, search_term)

    def get_readonly_fields(self, request, obj=None):
        return [field.name for field in self.model._meta.fields]

    def has_module_permission(self, request) -> bool:
        return may(request.user, "enter desk")

    def has_view_permission(self, request, obj=None) -> bool:
        return may(request.user, "enter desk")

    def has_add_permission(self, request, obj=None) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


class WithActs(ReadOnly):
    """A page whose buttons call actions, one for each state: what is locked can be unlocked. `acts`
    maps a verb (forum/acts.py) to a function, which takes user=, reason= and the object under
    `act_name`, and asks the charter itself."""

    acts: dict = {}
    offers: tuple[Offer, ...] = ()  # when there is something to do; a page shows those alone
    act_name = ""
    change_form_template = "admin/forum/acts.html"

    def has_change_permission(self, request, obj=None) -> bool:
        return obj is None or may(request.user, "moderate", obj)

    def act(self, request, verb: str, rows) -> None:
        """Do one act to each row and say how it went."""
        function = self.acts[verb]
        reason = request.POST.get("reason", "").replace("\0", "").strip()[:300]
        done = 0
        for row in rows:
            try:
                function(user=request.user, reason=reason, **{self.act_name: row})
                done += 1
            except Refused as error:
                self.message_user(request, f"{row}: {error}", messages.ERROR)
        if done:
            self.message_user(request, f"{ACTS[verb].label}: done for {done}.", messages.SUCCESS)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        verb = request.POST.get("_act")
        row = self.get_object(request, object_id)
        if request.method == "POST":
            if row is not None and verb in self.acts:
                self.act(request, verb, [row])
                return self.response_post_save_change(request, row)
            self.message_user(request, "Choose an act.", messages.WARNING)
            request.method = "GET"
        context = {
            "acts": [
                (offer.act.verb, offer.act.label)
                for offer in self.offers
                if offer.act.verb in self.acts and row is not None and offer.offered(row)
            ],
            "show_save": False,
            "show_save_and_continue": False,
            "show_close": False,
            **(extra_context or {}),
        }
        return super().changeform_view(request, object_id, form_url, context)

    def response_post_save_change(self, request, obj):
        from django.shortcuts import redirect

        meta = self.model._meta
        return redirect(reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[obj.pk]))

    def get_actions(self, request):
        return {
            verb: (self._bulk(verb), verb, f"{ACTS[verb].label}: the chosen ones")
            for verb in self.acts
        }

    def response_action(self, request, queryset, **where):  # type: ignore[override]  # of Django 5.2, 6.1
        """Act on the chosen rows. Django looks their ids up as they were sent; `where` says from
        Django 6.1 on on which page they were chosen."""
        for pk in request.POST.getlist(ACTION_CHECKBOX_NAME):
            if not sent_id(pk):
                raise BadRequest("Rows are chosen by their numbers.")
        # Those alone, also for a form that says that all of the list are meant.
        chosen = queryset.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME))
        return super().response_action(request, chosen, **where)

    @staticmethod
    def _bulk(verb: str):
        def run(modeladmin, request, queryset):
            if "reason" in request.POST:
                modeladmin.act(request, verb, queryset)
                return None
            return render(
                request,
                "admin/forum/reason.html",
                {
                    **modeladmin.admin_site.each_context(request),
                    "title": ACTS[verb].label,
                    "verb": verb,
                    "rows": queryset,
                    "opts": modeladmin.model._meta,
                },
            )

        run.__name__ = verb
        return run
