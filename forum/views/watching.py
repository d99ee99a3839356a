"""What a member watches: one page of all of it, and one for each thing that may be watched."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts.models import User
from core.problems import Problem

from ..actions import watching as acts
from ..models import Watch
from ..models.watches import LEVELS
from ..permissions import require
from ..rendering.watches import RELATED, watch_lines
from .fetch import board_or_404, member_of, post_or_404, sent_id, thread_or_404
from .notices import lens_counts

PER_PAGE = 50
STRETCH = ("from", "to", "place")


def watching(request: HttpRequest) -> HttpResponse:
    """All that the member watches, newest first, each with its level; sent, the levels are kept."""
    require(request.user, "use account")
    if request.method == "POST":
        levels = {
            sent_id(name.removeprefix("level-")): str(value)
            for name, value in request.POST.items()
            if name.startswith("level-")
        }
        acts.set_levels(user=member_of(request), levels=levels)
        messages.success(request, "Kept.")
        return redirect("watching")
    typed = {name: request.GET.get(name, "")[:120] for name in STRETCH}
    return _page(request, typed)


@require_POST
def history(request: HttpRequest) -> HttpResponse:
    """Watch a stretch of history."""
    require(request.user, "use account")
    typed = {name: request.POST.get(name, "")[:200] for name in STRETCH}
    try:
        acts.watch_history(
            user=member_of(request), start=typed["from"], end=typed["to"], place=typed["place"]
        )
    except Problem as problem:
        return _page(request, typed, problem)
    messages.success(request, "You watch this stretch of history now.")
    return redirect("watching")


def _page(
    request: HttpRequest, typed: dict[str, str], problem: Problem | None = None
) -> HttpResponse:
    before = request.GET.get("before", "")
    rows = Watch.objects.filter(member=member_of(request)).select_related(*RELATED).order_by("-pk")
    if before:
        if not (last := sent_id(before)):
            raise Http404
        rows = rows.filter(pk__lt=last)
    found = list(rows[: PER_PAGE + 1])
    return render(
        request,
        "watching/watching.html",
        {
            "lines": watch_lines(request.user, found[:PER_PAGE]),
            "older": found[PER_PAGE - 1].pk if len(found) > PER_PAGE else None,
            "later": bool(before),
            "typed": typed,
            "problem": problem,
            "kept": lens_counts(member_of(request)),
        },
        status=422 if problem else 200,
    )


@require_POST
def stop(request: HttpRequest) -> HttpResponse:
    """Watch one thing no more, from the page of all or from a notice."""
    require(request.user, "use account")
    acts.stop(user=member_of(request), watch_id=sent_id(request.POST.get("watch", "")))
    messages.success(request, "You do not watch that any more.")
    return redirect("notices" if request.POST.get("back") == "notices" else "watching")


# --- /boards/<slug>/watch/, /threads/<id>/watch/, /posts/<id>/watch/, /members/<name>/watch/ ----


def board(request: HttpRequest, slug) -> HttpResponse:
    """How much the member is told of a board."""
    return _watch(request, lambda: board_or_404(request.user, slug))


def thread(request: HttpRequest, thread_id) -> HttpResponse:
    """How much the member is told of a debate."""
    return _watch(request, lambda: thread_or_404(request.user, thread_id))


def post(request: HttpRequest, post_id) -> HttpResponse:
    """How much the member is told of a branch; of a debate, where the post opens it."""

    def find():
        found = post_or_404(request.user, post_id)
        return found.thread if found.is_opening else found

    return _watch(request, find)


def member(request: HttpRequest, username) -> HttpResponse:
    """How much the member is told of what another writes."""
    return _watch(
        request,
        lambda: get_object_or_404(User.objects.named(username), is_active=True),
    )


def _watch(request: HttpRequest, find) -> HttpResponse:
    """Ask how much the reader wants to be told of what `find` gives, or do what they said."""
    target = find()
    require(request.user, "use account")
    user = member_of(request)
    watch = acts.found(user, target)
    kind = acts.kind_of(target)
    problem = None
    if request.method == "POST":
        try:
            if (level := request.POST.get("level", "")) == "stop":
                if watch is not None:
                    acts.stop(user=user, watch_id=watch.pk)
                messages.success(request, "You do not watch that any more.")
            else:
                acts.watch(user=user, target=target, level=level)
                messages.success(request, _SENTENCES.get(level, "You watch that now."))
            if request.POST.get("back") == "notices":
                return redirect("notices")
            return redirect("watching")
        except Problem as error:
            problem = error
    return render(
        request,
        "watching/watch.html",
        {
            "target": target,
            "kind": kind,
            "watch": watch,
            "levels": [(level.value, level.label) for level in LEVELS[kind]],
            "problem": problem,
        },
        status=problem.status if problem else 200,
    )


_SENTENCES = {"muted": "You are told nothing of it any more."}
