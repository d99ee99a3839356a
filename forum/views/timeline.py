"""All debates by the date at which they leave history."""

from urllib.parse import urlencode

from django.http import Http404
from django.shortcuts import render

from ..history_dates import NotADate, read, short
from ..models import Divergence, Thread
from ..models.visibility import boards_visible_to, threads_visible_to
from ..pictures import ERAS, LINE, SCALE_TICKS, bounds, era_of, strip, twigs

PER_PAGE = 60
FILTERS = ("from", "to", "place", "kind", "board")


def timeline(request):
    """One page of divergences, earliest first, with the picture of that page above the lists."""
    asked = {name: request.GET.get(name, "").strip() for name in FILTERS}
    if asked["kind"] and asked["kind"] not in Thread.Kind.values:
        raise Http404
    rows = Divergence.objects.filter(thread__in=threads_visible_to(request.user))
    errors = {}
    limits = {}
    for name in ("from", "to"):
        if asked[name]:
            try:
                limits[name] = read(asked[name])
            except NotADate as error:
                errors[name] = str(error)
    if "from" in limits:
        rows = rows.filter(last_day__gte=limits["from"].first)
    if "to" in limits:
        rows = rows.filter(first_day__lte=limits["to"].last)
    if asked["place"]:
        rows = rows.filter(place__icontains=asked["place"][:120])
    if asked["kind"]:
        rows = rows.filter(thread__kind=asked["kind"])
    if asked["board"]:
        rows = rows.filter(thread__board__slug=asked["board"])
    rows, number = _after(rows, request.GET.get("after", ""))
    found = list(rows.select_related("thread__board").by_date()[: PER_PAGE + 1])
    more = len(found) > PER_PAGE
    found = found[:PER_PAGE]
    entries = [_entry(divergence, number + n) for n, divergence in enumerate(found, 1)]
    return render(
        request,
        "timeline/timeline.html",
        {
            "entries": entries,
            "twigs": twigs([(entry["number"], entry["middle"]) for entry in entries]),
            "ticks": SCALE_TICKS,
            "line": LINE,
            "eras": [
                (era, [entry for entry in entries if entry["era"] == era])
                for era in ERAS
                if any(entry["era"] == era for entry in entries)
            ],
            "asked": asked,
            "errors": errors,
            "kinds": Thread.Kind.choices,
            "boards": boards_visible_to(request.user).in_order(),
            "query": urlencode({name: value for name, value in asked.items() if value}),
            "older": _cursor(found[-1], number + len(found)) if more else "",
            "later": bool(number),
        },
    )


def _entry(divergence: Divergence, number: int) -> dict:
    first, last = bounds({"first": divergence.first_day, "last": divergence.last_day})
    era = era_of(first)
    return {
        "number": number,
        "divergence": divergence,
        "thread": divergence.thread,
        "year": short(divergence.edtf),
        "era": era,
        "mark": strip(first, last, era),
        "middle": (first + last) / 2,
    }


def _after(rows, text: str):
    """The rows after a cursor "first.last.id.number", and how many came before."""
    if not text:
        return rows, 0
    parts = text.split(".")
    try:
        first, last, pk, number = (int(part) for part in parts)
    except ValueError:
        raise Http404 from None
    if any(len(part) > 19 for part in parts):
        raise Http404
    return rows.after(first, last, pk), number


def _cursor(divergence: Divergence, number: int) -> str:
    return f"{divergence.first_day}.{divergence.last_day}.{divergence.pk}.{number}"
