"""What every template of the forum has at hand, in Jinja2's language.

The settings name `environment` to Django's backend for Jinja2. The desk, mails and messages are
drawn by Django's own engine, from `templates_django`.
"""

from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template import defaultfilters, engines
from django.urls import get_script_prefix, get_urlconf, reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import template_localtime  # type: ignore[attr-defined]  # the stubs lack it
from jinja2 import ChainableUndefined, Environment, StrictUndefined

from .models import Lane
from .templatetags.forum import count, when
from .text.history_dates import short, spoken
from .text.markup import words_without_spoilers


class Missing(ChainableUndefined):
    """What a name is that means nothing: false, and shown as nothing, as is all that it leads to.
    A page that lacks a name is better than none; in tests it fails (STRICT_TEMPLATES)."""

    __slots__ = ()

    def __call__(self, *args, **kwargs) -> "Missing":  # type: ignore[override]  # it does not raise
        return self


def environment(**options) -> Environment:
    """The environment for Django's backend, which gives it `options`."""
    missing = StrictUndefined if settings.STRICT_TEMPLATES else Missing
    made = Environment(
        **{**options, "undefined": missing, "trim_blocks": True, "lstrip_blocks": True}
    )
    made.globals.update(url=url, static=static)
    made.filters.update(
        about=lambda lane: Lane(lane).about,
        capfirst=defaultfilters.capfirst,
        count=count,
        date=_date,
        json_script=defaultfilters.json_script,
        linebreaks=defaultfilters.linebreaks_filter,
        or_nothing=lambda value: "" if value is None else value,
        short=short,
        spoken=spoken,
        truncatechars=defaultfilters.truncatechars,
        when=when,
        words_without_spoilers=words_without_spoilers,
    )
    return made


def fragment_renderer(name: str) -> Callable[[dict], SafeString]:
    """How to fill the template of this name for a part of a page, with nothing at hand but the
    names that it is given: no request, no context processors."""
    engine: Any = engines["jinja2"]
    render = engine.env.get_template(name).render
    return lambda given: mark_safe(render(given))


def _date(moment: date | datetime | None, form: str) -> str:
    """A day or moment in Django's signs for dates, in the reader's time zone."""
    return defaultfilters.date(template_localtime(moment), form) if moment else ""


# --- Addresses --------------------------------------------------------------------------------


def url(name: str, *args) -> SafeString:
    """The address of this name, escaped. Raises NoReverseMatch."""
    place = name, get_script_prefix(), get_urlconf() or settings.ROOT_URLCONF
    if not args:
        return _plain(*place)
    if len(args) == 1 and type(args[0]) is int and args[0] >= 0:
        before, after = _around(*place)
        return mark_safe(f"{before}{args[0]}{after}")
    return escape(reverse(name, args=args))


# A number that stands in no address: what is before and after it is the same for all numbers.
_STAND_IN = 7_000_000_007


@cache
def _plain(name: str, _prefix: str, _urlconf: str) -> SafeString:
    return escape(reverse(name))


@cache
def _around(name: str, _prefix: str, _urlconf: str) -> tuple[str, str]:
    before, _, after = escape(reverse(name, args=[_STAND_IN])).partition(str(_STAND_IN))
    return before, after


_files: dict[str, SafeString] = {}


def static(path: str) -> SafeString:
    """The address of a static file, escaped. Where names hold a digest of the content they are
    settled, and looked up once."""
    if (found := _files.get(path)) is None:
        found = escape(staticfiles_storage.url(path))
        if hasattr(staticfiles_storage, "hashed_files") and not settings.DEBUG:
            _files[path] = found
    return found
