"""Closing one's own account: at once, or in a fortnight, in which one can change one's mind."""

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.problems import Problem
from forum.moderation import closing

from ..permissions import require
from .fetch import member_of


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required(
    allow_get=True, enabled=lambda request: request.POST.get("act") in ("now", "later")
)
def close(request: HttpRequest) -> HttpResponse:
    """What becomes of what if the account is closed; POST closes it `now`, `later`, or says that
    one will `stay` after all."""
    require(request.user, "leave")
    member, refused, status = member_of(request), "", 200
    act = request.POST.get("act", "")
    try:
        if act == "now":
            closing.close_own(user=member)
            logout(request)
            return render(request, "members/closed.html")
        if act == "later":
            when = closing.close_later(user=member)
            get_adapter().send_notification_mail("account/email/closing", member, {"when": when})
            messages.success(request, "Your account will be closed.")
        elif act == "stay":
            closing.keep_open(user=member)
            messages.success(request, "Your account stays open.")
        if act:
            return redirect("leave")
    except Problem as problem:
        refused, status = problem.sentence, problem.status
    page = {"when": member.closing_at, "days": closing.PAUSE.days, "refused": refused}
    return render(request, "members/close.html", page, status=status)
