"""How a member stands: all that binds them, and the name they go by."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.problems import Problem
from forum.actions import members
from forum.moderation import sanctions

from ..acts import ACTS, PRIVATE
from ..models import AuditEntry, Case, Suspension, Warning
from ..permissions import require
from . import problems
from .fetch import member_of

HISTORY = 50  # acts on the member that the page lists


def standing(request: HttpRequest) -> HttpResponse:
    """Everything that binds the member who asks, why and until when, and what was done before."""
    require(request.user, "read notices")
    member = member_of(request)
    now = member.now
    new = settings.NEW_MEMBER_POSTS if settings.HOLD_NEW_LINKS and member.is_new else 0
    history = AuditEntry.objects.exclude(verb__in=PRIVATE).filter(member=member)
    return render(
        request,
        "members/standing.html",
        {
            "suspensions": list(
                Suspension.objects.filter(member=member, ends_at__gt=now)
                .select_related("entry")
                .order_by("ends_at")
            ),
            "warnings": list(
                Warning.objects.filter(member=member, expires_at__gt=now)
                .select_related("entry")
                .order_by("expires_at")
            ),
            "points": sanctions.points_of(member),
            "thresholds": sanctions.thresholds(),
            "history": [
                (entry, ACTS[entry.verb].own or entry.verb.capitalize())
                for entry in history.order_by("-pk")[:HISTORY]
            ],
            "new": new,
            "asked": Case.objects.open().filter(member=member, kind=Case.Kind.NAME).first(),
        },
    )


# --- /standing/name/ --------------------------------------------------------------------------


class NameForm(forms.Form):
    """Another name, and why."""

    name = forms.CharField(
        max_length=60, error_messages={"required": "Say which name you would like."}
    )
    why = forms.CharField(max_length=300, required=False)


def name(request: HttpRequest) -> HttpResponse:
    """Ask for another name."""
    require(request.user, "write")
    form, status = NameForm(), 200
    if request.method == "POST":
        form, status = NameForm(request.POST), 422
        if form.is_valid():
            try:
                members.ask_for_name(user=member_of(request), **form.cleaned_data)
                messages.success(request, "Your wish waits for an administrator.")
                return redirect("standing")
            except Problem as problem:
                status = problems.show(form, problem, typed="name")
    return render(request, "members/name.html", {"form": form}, status=status)
