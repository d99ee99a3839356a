"""From one place of a long debate to another: to a number, a page or a day."""

import re
from datetime import date, datetime, time
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from core.counting import counted
from forum.text.history_dates import NotADate, read

from ..models import Post, Thread
from .fetch import thread_or_404
from .posts import per_page, where

_NUMBER = re.compile(r"#?\s*(\d{1,9})")
_PAGE = re.compile(r"p(?:age|\.)?\s*(\d{1,9})", re.I)
LONGEST = 60


def jump(request: HttpRequest, thread_id: int) -> HttpResponse:
    """To what `to` names: "#120" or "120", "page 3", or a day, for which the first post that came
    on it or after; in the view that the reader came from. What cannot be read is asked for
    again."""
    thread = thread_or_404(request.user, thread_id)
    typed = request.GET.get("to", "").strip()[:LONGEST]
    view = request.GET.get("view", "")
    view = view if view in ("flat", "tree") else ""
    error = ""
    if page := _PAGE.fullmatch(typed):
        last = max(-(-thread.numbered // per_page(request.user)), 1)
        number = min(max(int(page[1]), 1), last)
        query = {**({"view": view} if view else {}), "page": number}
        return redirect(f"{thread.get_absolute_url()}?{urlencode(query)}")
    try:
        post = _post(thread, typed)
    except NotADate as problem:
        post, error = None, f"{problem} Or name a post (#120) or a page (page 3)."
    if post:
        return redirect(where(request.user, post, view=view))
    if typed and not error:
        error = (
            f"This debate has {counted(thread.numbered, 'post,posts')}, and nothing at “{typed}”."
        )
    return render(
        request,
        "threads/jump.html",
        {"thread": thread, "typed": typed, "view": view, "error": error},
    )


def _post(thread: Thread, typed: str) -> Post | None:
    """The post that `typed` names; None if it names nothing. Raises NotADate."""
    if not typed:
        return None
    # A placeholder has its place too: who sees the debate is led there.
    posts = thread.posts.filter(number__isnull=False).select_related("thread__board")
    if number := _NUMBER.fullmatch(typed):
        return posts.filter(number=int(number[1])).first()
    day = date.fromordinal(min(max(read(typed).first, 1), date.max.toordinal()))
    midnight = datetime.combine(day, time(), tzinfo=timezone.get_current_timezone())
    return posts.filter(loaded_at__gte=midnight).order_by("loaded_at", "number").first()
