"""Drafts: one list of them, and what the page's script saves every few seconds."""

import re
from contextlib import suppress
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from ..actions import drafts as acts
from ..models import Draft
from ..permissions import require
from .fetch import member_of, post_or_404, thread_or_404
from .openings import START
from .settled import settle
from .writing import other_fields, restored

# The addresses of the forms that keep drafts.
REPLY = re.compile(r"/threads/(\d{1,18})/reply/(?:\?to=(\d{1,18}))?")
EDIT = re.compile(r"/posts/(\d{1,18})/edit/")


def drafts(request: HttpRequest) -> HttpResponse:
    """All one's drafts, newest first."""
    require(request.user, "use account")
    mine = Draft.objects.filter(user=member_of(request)).order_by("-saved_at")
    return render(request, "drafts/drafts.html", {"drafts": mine, "most": acts.MAX_DRAFTS})


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep what a form holds now; answers with the time, or with the reason why not."""
    require(request.user, "use account")
    target = request.POST.get("target", "")
    try:
        draft = acts.save(
            user=request.user,
            token=_token(request.POST.get("token", "")),
            target=target,
            label=label_of(request.user, target),
            text=request.POST.get("text", ""),
            title=request.POST.get("title", ""),
            fields=other_fields(request.POST),
            **restored(request),
        )
    except acts.NotKept as error:
        return JsonResponse({"error": str(error)}, status=422)
    return JsonResponse(_as_fields(draft))


def newest(request: HttpRequest) -> HttpResponse:
    """The draft that a form should open with, for forms that the page brought without one."""
    require(request.user, "use account")
    target = request.GET.get("target", "")
    if target != START and not EDIT.fullmatch(target) and not REPLY.fullmatch(target):
        raise Http404
    draft = acts.newest(request.user, target)
    if draft is None:
        return JsonResponse({})
    return JsonResponse(
        {
            "text": draft.text,
            "title": draft.title,
            "fields": draft.fields,
            **_as_fields(draft),
        }
    )


def _as_fields(draft: Draft) -> dict[str, str]:
    """How a form names the draft that lives on in it, and when that was kept."""
    return {
        "restored": str(draft.token),
        "restored_at": draft.saved_at.isoformat(),
        "saved_at": f"{timezone.localtime(draft.saved_at):%H:%M}",
    }


@require_POST
def discard(request: HttpRequest, token) -> HttpResponse:
    """Throw a draft away, and what was written on in the form that it was restored in (`form`)."""
    require(request.user, "use account")
    tokens = [token]
    with suppress(ValueError):
        tokens.append(UUID(request.POST.get("form", "")))
    for one in tokens:
        acts.discard(user=request.user, token=one)
    return settle(request, redirect("drafts"), *tokens)


def label_of(user, target: str) -> str:
    """What the form at this address is about. Raises Http404 if `user` has no such form."""
    if target == START:
        return acts.label_for(None)
    if found := EDIT.fullmatch(target):
        post = post_or_404(user, int(found[1]))
        require(user, "edit", post)
        return acts.label_for(post.thread, post, edit=True)
    if found := REPLY.fullmatch(target):
        thread = thread_or_404(user, int(found[1]))
        answered = post_or_404(user, int(found[2])) if found[2] else None
        if answered is None or answered.thread_id == thread.pk:
            return acts.label_for(thread, answered)
    raise Http404


def _token(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None
