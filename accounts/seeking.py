"""Lists of the desk that cost the same however many rows there are. Django's own count all rows,
twice, skip to a page by reading all that stands before it, sort by any column, and look through a
whole table for what hardly any row is."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.db.models import CharField, Count, Max, Min, Model, QuerySet, UUIDField
from django.db.models.functions import Cast

from .filtering import NamedFilters

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    Page = ModelAdmin[Any]
else:
    Page = object  # as in filtering

LOOKED_AT = 5_000  # rows that one page looks through, at most, for those that it shows


class SeekingList(ChangeList):
    """A list in the order of its rows' keys. A page begins behind the row whose key `?p=` is, which
    needs to be neither there nor in sight. `next` is the key behind which one reads on, None where
    there is nothing more; `looked_at` says how many rows were looked through without filling the
    page."""

    seeks = True  # what templates ask

    def get_ordering(self, request, queryset):
        """That of the page alone, whatever `?o=` asks."""
        return list(self.model_admin.get_ordering(request))

    def get_results(self, request) -> None:
        """One page of rows, and what leads on. Nothing is counted."""
        rows, below = self.queryset, self.model._base_manager.all()
        [order] = self.get_ordering(request, rows)
        newest_first = order == "-pk"
        self.begun = PAGE_VAR in request.GET
        if self.begun:
            behind = {"pk__lt" if newest_first else "pk__gt": self._place(request.GET[PAGE_VAR])}
            rows, below = rows.filter(**behind), below.filter(**behind)
        end = None
        page = cast(Seeking, self.model_admin)  # which alone makes such lists
        if not page.goes_straight(request, self):
            end = _end_of_view(below.order_by(order), newest_first=newest_first)
        if end is not None:
            rows = rows.filter(**{"pk__gte" if newest_first else "pk__lte": end})
        found = list(rows[: self.list_per_page + 1])
        self.result_list = found[: self.list_per_page]
        full = len(found) > self.list_per_page
        self.next = self.result_list[-1].pk if full else end
        self.looked_at = LOOKED_AT if end is not None and not full else 0
        # What Django's templates and its view ask: of no page but this one.
        self.result_count = len(self.result_list)
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = bool(self.result_list)
        self.can_show_all = self.multi_page = False

    def _place(self, asked: str):
        try:
            return self.opts.pk.to_python(asked)
        except (ValidationError, ValueError) as error:
            raise IncorrectLookupParameters from error

    @property
    def first_page(self) -> str:
        """The address of where the list begins."""
        return self.get_query_string()

    @property
    def next_page(self) -> str:
        """The address of what follows."""
        return self.get_query_string({PAGE_VAR: self.next})


def _end_of_view(rows: QuerySet[Model], *, newest_first: bool):
    """The key of the last row that one page looks at; None if there is no row behind it."""
    key: Any = "pk"
    if isinstance(rows.model._meta.pk, UUIDField):
        key = Cast("pk", CharField())  # of which databases know no least, but the same order
    last = Min(key) if newest_first else Max(key)
    seen = rows[:LOOKED_AT].aggregate(last=last, many=Count("pk"))
    if seen["many"] < LOOKED_AT:
        return None
    behind = rows.filter(**{"pk__lt" if newest_first else "pk__gt": seen["last"]})
    return seen["last"] if behind.exists() else None


class Seeking(NamedFilters, Page):
    """Comes before ModelAdmin in every page of the desk whose rows grow in number with the forum.
    A list that is narrowed looks at so many rows a page, and says where it stopped, but where an
    index leads straight to what is asked for: after a search if `finds_few`, and by the filters of
    the columns in `straight`."""

    straight: tuple[str, ...] = ()
    finds_few = False
    ordering = ("-pk",)  # or ("pk",)
    sortable_by = ()
    list_per_page = 25
    show_full_result_count = False

    def get_changelist(self, request, **kwargs):
        """The class of the list."""
        return SeekingList

    def goes_straight(self, request, changelist: ChangeList) -> bool:
        """Whether an index leads to the rows of this list, so that it need not stop on the way."""
        if changelist.query.strip():
            return self.finds_few
        asked = changelist.get_filters_params()
        return bool(asked) and all(name.partition("__")[0] in self.straight for name in asked)
