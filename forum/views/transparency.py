"""What moderation came to, by quarters, for people and for machines."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from ..acts import ACTS
from ..models import Quarter, Report

SHOWN = 40  # quarters, ten years


def transparency(request: HttpRequest) -> HttpResponse:
    """The figures of each quarter, the newest first."""
    return render(
        request,
        "log/transparency.html",
        {
            "quarters": list(Quarter.objects.all()[:SHOWN]),
            "reasons": dict(Report.Reason.choices),
            "acts": {verb: act.log.format("…") for verb, act in ACTS.items() if act.log},
        },
    )


def as_json(request: HttpRequest) -> HttpResponse:
    """The same as JSON: a list of quarters, each with its first day and the first day after it."""
    quarters = [
        {"begins": q.begins, "ends": q.ends, "counted_at": q.counted_at, **q.figures}
        for q in Quarter.objects.all()[:SHOWN]
    ]
    return JsonResponse({"quarters": quarters})
