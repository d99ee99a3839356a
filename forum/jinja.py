"""What every template of the forum has at hand, in Jinja2's language.

The settings name `environment` to Django's backend for Jinja2. The desk, mails and messages are
drawn by Django's own engine, from `templates_django`.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import cache, lru_cache
from html import escape as plain_escape
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template import defaultfilters, engines
from django.urls import get_script_prefix, reverse
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.timezone import template_localtime  # type: ignore[attr-defined]  # the stubs lack it
from jinja2 import ChainableUndefined, Environment, StrictUndefined

from core.counting import counted
from core.template_output import EscapingEnvironment, Unindented, escaped

from .models import Lane
from .templatetags.forum import when
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
    made = EscapingEnvironment(
        **{**options, "undefined": missing, "trim_blocks": True, "lstrip_blocks": True}
    )
    made.add_extension(Unindented)
    made.globals.update(url=url, static=static, with_values=with_values)
    made.filters.update(
        about=lambda lane: Lane(lane).about,
        capfirst=defaultfilters.capfirst,
        count=counted,
        date=_date,
        emblem=_emblem,
        json_script=defaultfilters.json_script,
        linebreaks=defaultfilters.linebreaks_filter,
        marked=_marked,
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
    return lambda given: SafeString(render(given))


def macro(template: str, name: str) -> Callable[..., SafeString]:
    """A macro of a template, to be called with its own arguments: for what is drawn often, since a
    template of its own costs half as much again. It has nothing else at hand, as above."""
    engine: Any = engines["jinja2"]
    return getattr(engine.env.get_template(template).module, name)


def with_values(draw: Callable[..., str], shape: tuple, *values: Any) -> SafeString:
    """What a macro gives for its arguments, first those of `shape` and then `values`. These are
    only shown by it, never asked for: so it runs once for each shape, and the values are put into
    what it gave. For what stands many times on a page and differs by a number."""
    return SafeString(_form(draw, shape, len(values)).format(*map(escaped, values)))


@lru_cache(1000)
def _form(draw: Callable[..., str], shape: tuple, count: int) -> str:
    """What a macro gives, with `{0}` and so on where it shows its last `count` arguments."""
    marks = [f"\ue000{number}\ue001" for number in range(count)]  # no template has these
    form = str(draw(*shape, *marks)).replace("{", "{{").replace("}", "}}")
    for number, mark in enumerate(marks):
        form = form.replace(mark, f"{{{number}}}")
    return form


def _emblem(member: Any, side: int = 20) -> SafeString:
    """A member's emblem as a square of so many pixels; nothing where there is none. The name beside
    it says all that it could say."""
    if not (settings.EMBLEMS and member.emblem):
        return SafeString("")
    address = f"/emblems/{member.emblem}.png"
    return SafeString(
        f'<img class="emblem" src="{address}" width="{side}" height="{side}" alt=""> '
    )


def _marked(pieces: Iterable[tuple[str, bool]]) -> SafeString:
    """Pieces of a text, each with whether it was looked for, which is marked."""
    return SafeString(
        "".join(
            f"<mark>{plain_escape(text)}</mark>" if found else plain_escape(text)
            for text, found in pieces
        )
    )


def _date(moment: date | datetime | None, form: str) -> str:
    """A day or moment in Django's signs for dates, in the reader's time zone."""
    return defaultfilters.date(template_localtime(moment), form) if moment else ""


# --- Addresses --------------------------------------------------------------------------------


def url(name: str, *args) -> SafeString:
    """The address of this name, escaped. Raises NoReverseMatch. The addresses of the site are those
    of ROOT_URLCONF, for every request."""
    prefix = get_script_prefix()
    if not args:
        return _plain(name, prefix)
    if len(args) == 1 and type(args[0]) is int and args[0] >= 0:
        before, after = _around(name, prefix)
        return SafeString(f"{before}{args[0]}{after}")
    return escape(reverse(name, args=args))


# A number that stands in no address: what is before and after it is the same for all numbers.
_STAND_IN = 7_000_000_007


@cache
def _plain(name: str, _prefix: str) -> SafeString:
    return escape(reverse(name))


@cache
def _around(name: str, _prefix: str) -> tuple[str, str]:
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
