"""Emblems beside names: choosing one, and the files."""

import re

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from core.problems import Problem
from forum.operations import pictures as files

from ..actions import emblems as acts
from ..permissions import require
from .fetch import member_of
from .pictures import answer

SUM = re.compile(r"[0-9a-f]{64}")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def emblem(request: HttpRequest) -> HttpResponse:
    """The member's own emblem; POST chooses one, or takes it away."""
    if not settings.EMBLEMS:
        raise Http404
    require(request.user, "use account")
    member, refused, status = member_of(request), "", 200
    if request.method == "POST":
        try:
            if request.POST.get("do") == "drop":
                acts.drop(user=member)
                messages.success(request, "You have no emblem.")
            else:
                acts.choose(user=member, file=request.FILES.get("emblem"))
                messages.success(request, "This is your emblem now.")
            return redirect("emblem")
        except Problem as problem:
            refused, status = problem.sentence, problem.status
    return render(request, "members/emblem.html", {"refused": refused}, status=status)


def file(request: HttpRequest, emblem: str) -> HttpResponseBase:
    """The bytes of an emblem that a member has. Who sees the name sees it; its address holds the
    sum of its bytes, and tells nothing of whose it is."""
    if not settings.EMBLEMS or not SUM.fullmatch(emblem):
        raise Http404
    if not User.objects.filter(emblem=emblem).exists():
        raise Http404
    stored = files.name_of(emblem, acts.KIND)
    return answer(request, stored, f"{emblem[:16]}.{acts.KIND}", public=True)
