"""Connections: accounts at OpenID providers by which members sign in here.

Which providers there are the settings say (`OPENID_PROVIDERS`). A connection is made by somebody
who is signed in here and there at once, or with a new account. It is never made by an address:
whoever runs a provider, or takes over a mailbox there, could otherwise open any account here.
"""

import logging
import time
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.internal.flows.reauthentication import (
    get_reauthentication_flows,
    resume_request,
)
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse

from core.problems import Problem

from . import invitations
from .models import User
from .openid import AGAIN, AGAIN_WITHIN, ProviderFailed

OPENID = "openid_connect"
log = logging.getLogger("accounts")


def offered() -> dict[str, str]:
    """The providers by which one may sign in, as names by ids, in the order of the settings."""
    return {app["provider_id"]: app["name"] for app in _configured()}


def connections_of(user: User) -> QuerySet[SocialAccount]:
    """The connections of a member, the oldest first, also to providers that are offered no more."""
    return SocialAccount.objects.filter(user=user).order_by("pk")


def disconnect(*, user: User, pk: int) -> str:
    """Take away one of the connections of `user`; returns the name of the provider, empty if there
    was no such connection. Raises Problem if nothing would be left to sign in by. Of two that are
    taken away at once the later sees what is left: the account is locked."""
    with transaction.atomic():
        member = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        connection = connections_of(member).filter(pk=pk).first()
        if connection is None:
            return ""
        usable = connections_of(member).filter(provider__in=offered())
        last = connection.provider in offered() and not usable.exclude(pk=pk).exists()
        if last and not member.has_usable_password():
            raise Problem("This is the only way into your account. Set a password first.")
        connection.delete()
    return offered().get(connection.provider, connection.provider)


def must_sign_in_again(request: HttpRequest) -> bool:
    """Whether what asks for the password has to send somebody to a provider first: who has neither
    password nor second step, and did not sign in there anew within the last minutes."""
    user = request.user
    if not signs_in_by_provider_alone(user):
        return False
    records = get_authentication_records(request, user)
    again = [record["at"] for record in records if record.get("reauthenticated")]
    return not again or time.time() - again[-1] > AGAIN_WITHIN


def signs_in_by_provider_alone(user: User | AnonymousUser) -> bool:
    """Whether a member has neither a password nor a second step, but a connection."""
    if not user.is_authenticated or user.has_usable_password() or get_reauthentication_flows(user):
        return False
    return connections_of(user).filter(provider__in=offered()).exists()


class Connections(DefaultSocialAccountAdapter):
    """Our answers to what allauth asks about connections."""

    error_messages = {
        **DefaultSocialAccountAdapter.error_messages,
        "email_taken": "Another account has this address. If it is yours, sign in to it and "
        "connect %s under Settings.",
    }

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """The providers of the settings, and none of the database: a secret is kept in one place,
        and no page asks for them."""
        return [
            SocialApp(provider=OPENID, **app)
            for app in _configured()
            if provider in (None, OPENID, app["provider_id"])
            and client_id in (None, app["client_id"])
        ]

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Forget the provider's token, which was for this moment. Who came to show that it is still
        they goes back to what asked for it; raises PermissionDenied if it is somebody else."""
        sociallogin.token = None
        if sociallogin.state.get("process") != AGAIN:
            return
        if not request.user.is_authenticated or sociallogin.user != request.user:
            raise PermissionDenied
        record_authentication(request, request.user, "socialaccount", reauthenticated=True)
        asked = request.GET.copy()
        asked[REDIRECT_FIELD_NAME] = sociallogin.state.get("next", "")
        setattr(request, "GET", asked)  # noqa: B010  # the stubs let nobody write there
        raise ImmediateHttpResponse(resume_request(request) or redirect("settings"))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Whether somebody may make an account by a provider: as by the form, with the invitation
        that they set out with."""
        return invitations.may_join(sociallogin.state.get("invitation", ""))

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form=None) -> User:
        """Make the member, the address and the connection, all or none. Raises as
        accounts.forms.SignupForm."""
        with transaction.atomic():
            user = super().save_user(request, sociallogin, form)
            invitations.use(sociallogin.state.get("invitation", ""), user)
        return user

    def on_authentication_error(
        self, request: HttpRequest, provider, error=None, exception=None, extra_context=None
    ) -> None:
        """Leave a line about what went wrong; allauth shows a page."""
        note_failure(provider.app.provider_id, exception or error or "unknown")

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount) -> str:
        return reverse("connections")


def note_failure(provider_id: str, error: object) -> None:
    """Leave a line about a sign-in that a provider or the forum refused. Of what others wrote it
    repeats nothing: there might be a secret in it."""
    known = error if isinstance(error, ProviderFailed | str) else type(error).__name__
    log.warning("sign-in by %s failed: %s", provider_id, known)


def _configured() -> list[dict[str, Any]]:
    found: Any = settings.SOCIALACCOUNT_PROVIDERS[OPENID]["APPS"]
    return found
