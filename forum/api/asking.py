"""Who asks: the member of a token, or anybody; and how often they may."""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from accounts import tokens
from accounts.models import User
from core.counting import counted
from core.problems import Problem
from forum.operations import limits

from ..permissions import Refused


def who_asks(request: HttpRequest) -> bool:
    """Let `request.user` be the member whose token is shown, or a visitor. Asked before anything
    else of every request. Raises NotAToken, TooOften, Refused."""
    visitors = settings.API_PER_MINUTE_VISITORS
    try:
        token = tokens.shown(request)
    except tokens.NotAToken:
        # Guessing is counted as what a visitor asks.
        limits.count("api", limits.network_of(request), visitors, _too_often(visitors))
        raise
    if token is None:
        request.user = AnonymousUser()
        limits.count("api", limits.network_of(request), visitors, _too_often(visitors))
        return True
    most = settings.API_PER_MINUTE
    limits.count("api-token", str(token.pk), most, _too_often(most))
    request.user = token.user
    if settings.REQUIRE_TWO_STEP_FOR_STAFF and token.user.is_staff and not token.user.two_step:
        raise Refused("Set up two-step login first; this site asks it of its moderators.")
    if request.method == "POST" and not token.writes:
        raise Refused("This token may only read. Make one that may write.")
    tokens.note_use(token)
    return True


def _too_often(most: int) -> str:
    asked = counted(most, "request,requests")
    return f"That was {asked} within a minute. Wait until the minute is over."


def writer(request: HttpRequest) -> User:
    """The member who writes. Raises Problem (401) for a visitor."""
    if not isinstance(request.user, User):
        raise Problem("Writing needs a token: “Authorization: Bearer …”.", status=401)
    return request.user
