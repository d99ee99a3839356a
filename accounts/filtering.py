"""What narrows a list at the desk. Django lets whoever sees a list filter it by any column of its
rows, and so read one that no page shows, a password's hash, letter by letter."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from django.contrib.admin import DateFieldListFilter, ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import get_fields_from_path
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    Page = ModelAdmin[Any]
else:
    Page = object  # what it is mixed into is the admin's


class Moments(DateFieldListFilter):
    """Filters by when something was. A day or an hour without a zone is of the zone in which the
    list shows its times: the member's own, or the site's."""

    def queryset(self, request, queryset):
        """The rows from and until the moments asked for."""
        for lookup in (self.lookup_kwarg_since, self.lookup_kwarg_until):
            values = cast("list[str]", self.used_parameters.get(lookup, []))
            try:
                moments = [self._moment(value) for value in values]
            except (ValueError, OverflowError, ValidationError) as error:
                raise IncorrectLookupParameters(error) from error
            if moments:
                self.used_parameters[lookup] = moments
        return super().queryset(request, queryset)

    def _moment(self, value: str) -> datetime | None:
        moment = self.field.to_python(value)
        if moment is not None and timezone.is_naive(moment):
            # In another zone the first and the last days of the calendar are none.
            moment = timezone.make_aware(moment).astimezone(UTC)
        return moment


class NamedFilters(Page):
    """Comes before ModelAdmin in every page of the desk: a list is narrowed by its search and by
    the lookups behind the links that `list_filter` and `date_hierarchy` draw, and by nothing
    else."""

    # Counts beside each filter cost a query over all rows, and take any filter's odd values along.
    show_facets = ShowFacets.NEVER

    def lookup_allowed(self, lookup: str, value: str, request) -> bool:
        """Whether the list may be filtered so; a refusal is answered 400. No value holds a NUL,
        which PostgreSQL takes for an error."""
        return "\0" not in value and lookup in self._named_lookups(request)

    def get_list_filter(self, request):
        """The filters that a page names; those of moments know of zones."""
        return [self._in_zone(item) for item in super().get_list_filter(request)]

    def _in_zone(self, item):
        if isinstance(item, str):
            field = get_fields_from_path(self.model, item)[-1]
            if isinstance(field, models.DateTimeField):
                return item, Moments
        return item

    def _named_lookups(self, request) -> set[str]:
        named = {f"{self.date_hierarchy}__{part}" for part in ("year", "month", "day")}
        named = named if self.date_hierarchy else set()
        for item in self.get_list_filter(request):
            path = item[0] if isinstance(item, (tuple, list)) else item
            field = get_fields_from_path(self.model, str(path))[-1]
            named |= {f"{path}{lookup}" for lookup in _lookups(field)}
        return named

    def get_object(self, request, object_id, from_field=None):
        """The row with this id, None if there is none: also for a number longer than a column
        holds, at which a database fails where the id is another row's."""
        if object_id and object_id.isdecimal() and len(object_id) > 18:
            return None
        return super().get_object(request, object_id, from_field)

    def get_changelist_instance(self, request):
        """The list as asked for. Dates and numbers that no column can hold are as wrong as any
        other value that a filter cannot read."""
        try:
            return super().get_changelist_instance(request)
        except (ValueError, OverflowError) as error:
            raise IncorrectLookupParameters(error) from error


def _lookups(field: models.Field) -> tuple[str, ...]:
    """The lookups of the filter that Django draws for a field, see django.contrib.admin.filters."""
    if field.remote_field:
        return f"__{cast(models.ForeignKey, field).target_field.name}__exact", "__isnull"
    if field.choices or isinstance(field, models.BooleanField):
        return "__exact", "__isnull"
    if isinstance(field, models.DateField):
        return "__gte", "__lt", "__isnull"
    return "", "__isnull"
