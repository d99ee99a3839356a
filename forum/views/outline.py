"""The outline of a debate: what supports and disputes which passage; to read and to take along."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from forum.rendering import outline as outlines
from forum.rendering import outline_formats

from ..models import Stance
from .fetch import thread_or_404
from .takeaway import attachment

ON_A_PAGE = 100  # replies with stances
IN_A_FILE = 1_000
ROWS = 24  # passages in the picture; all of the page stand in the text
TWIGS = 7  # replies drawn at one passage; of more the number is said
ROW = 56  # pixels


def outline(request: HttpRequest, thread_id) -> HttpResponse:
    """One page of the outline, as nested text and drawn; `?from=` is the number it begins with."""
    thread = thread_or_404(request.user, thread_id)
    part = outlines.outline_of(thread, request.user, first=_first(request), most=ON_A_PAGE)
    return render(
        request,
        "threads/outline.html",
        {
            "thread": thread,
            "outline": part,
            "rows": outlines.nested(part),
            "picture": _picture(part),
            "height": ROW * min(len(part.passages), ROWS),
            "undrawn": max(len(part.passages) - ROWS, 0),
            "first": _first(request),
        },
    )


def argdown(request: HttpRequest, thread_id) -> HttpResponseBase:
    """The outline as a file in Argdown."""
    thread = thread_or_404(request.user, thread_id)
    part = _whole(request, thread)
    text = outline_formats.argdown(part, address=_address(request, thread))
    sent = HttpResponse(text, content_type="text/plain; charset=utf-8")
    return attachment(sent, f"{thread.slug}.argdown")


def as_json(request: HttpRequest, thread_id) -> HttpResponseBase:
    """The outline as a file in JSON."""
    thread = thread_or_404(request.user, thread_id)
    part = _whole(request, thread)
    data = outline_formats.as_json(part, address=_address(request, thread))
    return attachment(JsonResponse(data), f"{thread.slug}-outline.json")


def _whole(request: HttpRequest, thread) -> outlines.Outline:
    """The outline, from `?from=` on, up to what a file holds."""
    return outlines.outline_of(thread, request.user, first=_first(request), most=IN_A_FILE)


def _address(request: HttpRequest, thread) -> str:
    site = settings.SITE_URL or request.build_absolute_uri("/")
    return site.rstrip("/") + thread.get_absolute_url()


def _first(request: HttpRequest) -> int:
    asked = request.GET.get("from", "1")
    if not asked.isdecimal() or len(asked) > 9:
        raise Http404
    return max(int(asked), 1)


def _picture(part: outlines.Outline) -> list[dict]:
    """For each passage its line and the replies that leave it: up in black what supports, asks or
    adds evidence, down in red what disputes."""
    lines = []
    for row, passage in enumerate(part.passages[:ROWS]):
        line = row * ROW + ROW // 2
        twigs = [
            {
                "x": f"{16 + 11 * n}%",
                "number": entry.post.number,
                "red": entry.stance == Stance.DISPUTES,
                "y": line + 16 if entry.stance == Stance.DISPUTES else line - 16,
                "sign": {"supports": "+", "disputes": "−", "asks": "?", "evidence": "†"}[
                    entry.stance
                ],
            }
            for n, entry in enumerate(passage.entries[:TWIGS])
        ]
        more = len(passage.entries) - TWIGS
        lines.append({"line": line, "title": passage.label, "twigs": twigs, "more": max(more, 0)})
    return lines
