"""All that the forum keeps of a member, as a file for that member alone."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.problems import Problem
from forum.operations import downloads
from forum.own_data import asking

from ..models import OwnData
from ..own_data.parts import NOT_GIVEN, PARTS
from ..permissions import require
from .fetch import member_of
from .takeaway import attachment


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def own_data(request: HttpRequest) -> HttpResponse:
    """What the file holds, whether it is ready; POST has it made."""
    require(request.user, "use account")
    member, refused, status = member_of(request), "", 200
    if request.method == "POST":
        try:
            asking.ask(user=member)
            messages.success(request, "Your data is being put together.")
            return redirect("own-data")
        except Problem as problem:
            refused, status = problem.sentence, problem.status
    archive = asking.found(member)
    page = {
        "archive": archive,
        "megabytes": archive and f"{archive.size / 1e6:,.1f}",
        "kept_until": archive and archive.asked_at + OwnData.KEPT,
        "again": archive and archive.asked_at + asking.PAUSE < member.now,
        "refused": refused,
        "parts": [part.name for part in PARTS],
        "left_out": list(NOT_GIVEN.values()),
    }
    return render(request, "members/own_data.html", page, status=status)


@login_required  # first: allauth's own answer to a visitor writes a session
@reauthentication_required
def file(request: HttpRequest) -> HttpResponseBase:
    """The file, for who gave the password within the last minutes."""
    require(request.user, "use account")
    file = asking.opened(member_of(request))
    if file is None:
        raise Http404
    answer = attachment(downloads.Sent(file, content_type="application/zip"), "my-data.zip")
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
