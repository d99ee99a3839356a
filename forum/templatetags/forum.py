"""Filters and tags that every template has at hand."""

from calendar import month_name

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from core.counting import counted
from forum.operations.caching import expires_in
from forum.text.history_dates import short, spoken
from forum.text.markup import words_without_spoilers

HOUR, DAY = 3600, 24 * 3600
MONTHS = ("", *month_name[1:])  # strftime takes longer than all the rest

register = template.Library()
register.filter("count", counted)  # `6|count:"reply,replies"` is "6 replies"
register.filter("spoken", spoken)
register.filter("short", short)
register.filter("words_without_spoilers", words_without_spoilers)


@register.filter
def when(moment):
    """A moment as people say it, with the exact time at hand: "20 minutes ago", "12 November"."""
    if not moment:
        return ""
    now, zone = timezone.now(), timezone.get_current_timezone()
    local = moment.astimezone(zone)
    age = (now - moment).total_seconds()
    if age < 60:
        shown = "just now"
        expires_in(60 - age)
    elif age < DAY:
        shown = f"{timesince(moment, now, depth=1)} ago".replace("\xa0", " ")
        expires_in(60 - age % 60 if age < HOUR else HOUR - age % HOUR)
    elif age < 366 * DAY and local.year == now.astimezone(zone).year:
        shown = f"{local.day} {MONTHS[local.month]}"
        expires_in(HOUR)  # until the year ends, at the latest
    else:
        shown = f"{local.day} {MONTHS[local.month]} {local.year}"
    # Nothing in it needs escaping, and it stands on a page some twenty times.
    return SafeString(
        f'<time datetime="{local.isoformat(timespec="seconds")}"'
        f' title="{local.day} {MONTHS[local.month]} {local.year}, '
        f'{local.hour:02}:{local.minute:02}">{shown}</time>'
    )


@register.filter
def get(mapping, key):
    """The mapping's value for `key`, or None."""
    return mapping.get(key) if mapping else None
