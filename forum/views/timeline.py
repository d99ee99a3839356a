"""All debates by the date at which they leave history."""

from collections.abc import Mapping
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from forum.rendering.divergence_axis import (
    ERAS,
    LINE,
    SCALE,
    ages,
    bounds,
    crowd,
    era_of,
    label,
    scale_between,
    strip,
    ticks,
    twigs,
)
from forum.text.history_dates import EARLIEST, LATEST, HistoryDate, short, year_of

from ..models import Divergence, Thread
from ..models.debate import DivergenceQuerySet
from .narrowing import NARROWER, after, cursor, narrowed

PER_PAGE = 60


def timeline(request: HttpRequest) -> HttpResponse:
    """One page of divergences, earliest first, below a picture: of each of them where all are on
    one page, else of how many lie where."""
    chosen = narrowed(request)
    asked, limits = chosen.asked, chosen.limits
    rows, number = after(chosen.rows, request.GET.get("after", ""))
    found = list(rows.select_related("thread__board").by_date()[: PER_PAGE + 1])
    more = len(found) > PER_PAGE
    found = found[:PER_PAGE]
    scale = _scale(limits)
    many = None
    if more or number:
        columns = partial(
            DivergenceQuerySet.by_column, ages=ages(scale), earliest=EARLIEST, latest=LATEST
        )
        counted = chosen.counted(("timeline",), columns)
        many = crowd(counted, scale)
    entries = [_entry(divergence, number + n) for n, divergence in enumerate(found, 1)]
    return render(
        request,
        "timeline/timeline.html",
        {
            "entries": entries,
            "twigs": []
            if many
            else twigs([(one["number"], one["middle"]) for one in entries], scale),
            "crowd": many,
            "narrower": chosen.query(*NARROWER),
            "whole": scale == SCALE,
            "ticks": ticks(scale),
            "ends": [label(scale[0][0]), label(scale[-1][0])],
            "line": LINE,
            "eras": [
                (era, [entry for entry in entries if entry["era"] == era])
                for era in ERAS
                if any(entry["era"] == era for entry in entries)
            ],
            "asked": asked,
            "errors": chosen.errors,
            "kinds": Thread.Kind.choices,
            "boards": chosen.boards,
            "query": chosen.query(),
            "older": cursor(found[-1], number + len(found)) if more else "",
            "later": bool(number),
        },
    )


def _scale(limits: Mapping[str, HistoryDate]):
    """The part of history that is drawn: the eras of the years asked for."""
    first, last = limits.get("from"), limits.get("to")
    return scale_between(
        year_of(first.first) if first and first.first > EARLIEST else None,
        year_of(last.last) if last and last.last < LATEST else None,
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
