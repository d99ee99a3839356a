"""The pages of signing in by a provider: to it and back, connecting and disconnecting."""

import logging

from allauth.account.decorators import reauthentication_required
from allauth.account.views import PasswordSetView
from allauth.core.ratelimit import consume, respond_429
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.internal import flows
from allauth.socialaccount.models import SocialAccount, SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.views import SignupView
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.problems import Problem

from . import connections
from .openid import Callback, Client

log = logging.getLogger("accounts")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def to_provider(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Send somebody to a provider; by POST alone, so that no other site can begin it. The answer is
    a page that goes on by itself, since the content policy keeps a form from leading elsewhere."""
    name = _name_or_404(provider_id)
    if request.method != "POST":
        return render(request, "socialaccount/login.html", {"name": name})
    if not consume(request, action="login"):
        return respond_429(request)
    provider = get_adapter().get_provider(request, provider_id)
    try:
        answer = provider.redirect_from_request(request)
    except OAuth2Error as error:
        return _failed(request, provider_id, error)
    return render(
        request, "socialaccount/onward.html", {"name": name, "onward": answer.headers["Location"]}
    )


@never_cache
@require_http_methods(["GET", "HEAD"])
def from_provider(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Somebody comes back. What is not theirs, was used, or does not hold is a page that says
    so."""
    _name_or_404(provider_id)
    view = Callback.adapter_view(Client(request, provider_id))
    try:
        return view(request)
    except OAuth2Error as error:
        return _failed(request, provider_id, error)
    except IntegrityError:  # the same person in two windows at once
        return _failed(request, provider_id, OAuth2Error("two sign-ins at once"))


class ProviderSignup(SignupView):
    """The form for an account by a provider. A name lost in a race is a mistake in the form, and so
    is an invitation whose last use somebody else had."""

    def dispatch(self, request: HttpRequest, *args, **kwargs) -> HttpResponseBase:
        if request.method == "POST" and not consume(request, action="signup"):
            return respond_429(request)
        try:
            return super().dispatch(request, *args, **kwargs)
        except SocialApp.DoesNotExist:  # not offered any more
            flows.signup.clear_pending_signup(request)
            return redirect("account_login")

    def get_context_data(self, **kwargs) -> dict:
        name = self.sociallogin.provider.name
        return {**super().get_context_data(**kwargs), "name": name}

    def form_valid(self, form) -> HttpResponse:
        pending = self.request.session.get("socialaccount_sociallogin")
        try:
            return super().form_valid(form)
        except Problem as problem:
            form.add_error(None, problem.sentence)
        except IntegrityError:
            account = self.sociallogin.account
            if SocialAccount.objects.filter(provider=account.provider, uid=account.uid).exists():
                return redirect("account_login")  # made in another window
            form.add_error("username", "This name was taken a moment ago. Please choose another.")
        self.request.session["socialaccount_sociallogin"] = pending
        return self.form_invalid(form)


# First who signs in: allauth's own answer to a visitor writes a session.
@method_decorator([login_required, reauthentication_required], name="dispatch")
class FirstPassword(PasswordSetView):
    """A password for an account that has none: whoever sets it can sign in with it, so it is asked
    for no less than one that exists is changed."""


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required(allow_get=True)
def connected(request: HttpRequest) -> HttpResponse:
    """The connections of the member, to make and to take away."""
    user, refused, status = request.user, "", 200
    assert user.is_authenticated  # by login_required
    pk = request.POST.get("connection", "")
    if request.method == "POST":
        try:
            known = pk.isdecimal() and len(pk) < 19
            if name := connections.disconnect(user=user, pk=int(pk)) if known else "":
                get_adapter().send_notification_mail(
                    "socialaccount/email/account_disconnected", user, {"name": name}
                )
                messages.success(request, f"You do not sign in by {name} any more.")
            return redirect("connections")
        except Problem as problem:
            refused, status = problem.sentence, problem.status
    offered = connections.offered()
    rows = [(row, offered.get(row.provider, "")) for row in connections.connections_of(user)]
    if not (rows or offered):
        raise Http404
    has = {row.provider for row, _ in rows}
    page = {
        "connections": rows,
        "others": [(key, name) for key, name in offered.items() if key not in has],
        "has_password": user.has_usable_password(),
        "refused": refused,
    }
    return render(request, "socialaccount/connections.html", page, status=status)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD"])
def sign_in_again(request: HttpRequest) -> HttpResponse:
    """Where a member without a password shows that it is still they: by a provider."""
    assert request.user.is_authenticated  # by login_required
    offered = connections.offered()
    mine = connections.connections_of(request.user).values_list("provider", flat=True)
    ways = {key: offered[key] for key in mine if key in offered}
    if not connections.signs_in_by_provider_alone(request.user):
        return redirect("account_reauthenticate")
    onward = request.GET.get(REDIRECT_FIELD_NAME, "")
    return render(request, "socialaccount/again.html", {"ways": ways, "onward": onward})


def _name_or_404(provider_id: str) -> str:
    try:
        return connections.offered()[provider_id]
    except KeyError:
        raise Http404 from None


def _failed(request: HttpRequest, provider_id: str, error: Exception) -> HttpResponse:
    connections.note_failure(provider_id, error)
    page = {"name": _name_or_404(provider_id)}
    return render(request, "socialaccount/authentication_error.html", page, status=401)
