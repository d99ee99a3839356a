"""Filters and tags that every template has at hand."""

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince

from ..caching import holds_for
from ..history_dates import short, spoken

HOUR, DAY = 3600, 24 * 3600

register = template.Library()
register.filter("spoken", spoken)
register.filter("short", short)


@register.filter
def when(moment):
    """A moment as people say it, with the exact time at hand: "20 minutes ago", "12 November"."""
    if not moment:
        return ""
    now, local = timezone.now(), timezone.localtime(moment)
    age = (now - moment).total_seconds()
    if age < 60:
        said = "just now"
        holds_for(60 - age)
    elif age < DAY:
        said = f"{timesince(moment, now, depth=1)} ago".replace("\xa0", " ")
        holds_for(60 - age % 60 if age < HOUR else HOUR - age % HOUR)
    elif local.year == timezone.localtime(now).year:
        said = f"{local.day} {local:%B}"
        holds_for(HOUR)  # until the year ends, at the latest
    else:
        said = f"{local.day} {local:%B %Y}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        f"{local.day} {local:%B %Y, %H:%M}",
        said,
    )


@register.filter
def count(number: int, nouns: str) -> str:
    """A number with its noun: `6|count:"reply,replies"` is "6 replies"."""
    one, many = nouns.split(",")
    return f"{number:,} {one if number == 1 else many}"


@register.filter
def get(mapping, key):
    """The mapping's value for `key`, or None."""
    return mapping.get(key) if mapping else None
