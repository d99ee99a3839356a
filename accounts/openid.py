"""OpenID Connect: what is asked of a provider that members sign in by, and what of it holds.

allauth knows the protocol. What it leaves open stands here: each sign-in carries a number of its
own ("nonce") that comes back in a signed token, the token is checked in any case, of what the
provider tells no more is kept than who it is, and a provider that is away or answers nonsense
costs a page that says so.
"""

import json
import re
import secrets
import time
from typing import Any

import jwt
from allauth.socialaccount.models import SocialApp, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from requests import RequestException

from . import invitations

SIGN_IN, CONNECT, AGAIN = "login", "connect", "again"  # what somebody goes there for
# Keys that only the provider has. With a secret that both have, the forum could sign for it.
SIGNED_WITH = tuple(f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512))
CLOCKS_DIFFER = 60  # seconds
AGAIN_WITHIN = 300  # seconds since the provider asked for the password, where it was to ask anew
LONGEST_SUB = 191  # as allauth keeps it


class ProviderFailed(OAuth2Error):
    """The provider was not reached, or its answer does not hold. The sentence is for the log and
    never holds a secret."""


class Client(OpenIDConnectOAuth2Adapter):
    """The forum, as one provider knows it; for one request."""

    state: dict[str, Any]

    @property
    def openid_config(self) -> dict[str, Any]:
        """The addresses of the provider. Raises ProviderFailed."""
        try:
            found = super().openid_config
            for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not isinstance(found[name], str):
                    raise KeyError(name)
        except (RequestException, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ProviderFailed(f"its addresses were not read ({type(error).__name__})") from None
        return found

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """Where the provider sends people back to, on the address that people type."""
        path = reverse("openid_connect_callback", args=[self.provider_id])
        return (
            f"{settings.SITE_URL}{path}" if settings.SITE_URL else request.build_absolute_uri(path)
        )

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        """What the provider gives for the code. Raises ProviderFailed; of its refusal nothing but
        the protocol's word is repeated, such as "invalid_client"."""
        try:
            data = super().get_access_token_data(request, app, client, pkce_code_verifier)
        except OAuth2Error as error:
            word = re.search(r'"error": ?"(\w{1,40})"', str(error))
            raise ProviderFailed(f"it gave no token ({word[1] if word else 'no reason'})") from None
        except (RequestException, ValueError) as error:
            raise ProviderFailed(f"it gave no token ({type(error).__name__})") from None
        if not isinstance(data, dict) or not isinstance(data.get("access_token"), str):
            raise ProviderFailed("it gave no token")
        return data

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        """The token, which is used in this request alone, so that its end does not matter."""
        return SocialToken(token=data["access_token"])

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs):
        """Who signs in, by a token whose signature, issuer, audience, time and nonce were checked.
        Raises ProviderFailed."""
        claims = self._claims(app, kwargs["response"].get("id_token"))
        about = self._about(token.token)
        if about.get("sub", claims["sub"]) != claims["sub"]:
            raise ProviderFailed("it speaks of two people")
        told = {name: about.get(name, claims.get(name)) for name in ("email", "preferred_username")}
        told = {name: value for name, value in told.items() if isinstance(value, str)}
        return self.get_provider().sociallogin_from_response(
            request, {"userinfo": {"sub": claims["sub"], **told}}
        )

    def _claims(self, app: SocialApp, id_token: Any) -> dict[str, Any]:
        if not isinstance(id_token, str):
            raise ProviderFailed("it gave no id_token")
        try:
            kid = jwt.get_unverified_header(id_token).get("kid")
            keys = jwt.PyJWKSet.from_dict(self._read(self.openid_config["jwks_uri"])).keys
            key = next((key for key in keys if kid in (None, key.key_id)), None)
            if key is None:
                raise ProviderFailed("its id_token is signed with a key that it does not name")
            claims = jwt.decode(
                id_token,
                key=key,
                algorithms=SIGNED_WITH,
                audience=app.client_id,
                issuer=self.openid_config["issuer"],
                leeway=CLOCKS_DIFFER,
                options={"require": ["exp", "iat", "aud", "iss", "sub"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError) as error:
            raise ProviderFailed(f"its id_token does not hold ({type(error).__name__})") from None
        if claims.get("azp", app.client_id) != app.client_id:
            raise ProviderFailed("its id_token is for another client")
        if not constant_time_compare(str(claims.get("nonce", "")), self.state["nonce"]):
            raise ProviderFailed("its id_token has another nonce")
        if not _can_be_kept(claims["sub"]):
            raise ProviderFailed("it names the person in a way that cannot be kept")
        if self.state.get("process") == AGAIN and not _asked_just_now(claims.get("auth_time")):
            raise ProviderFailed("it does not say that it asked for the password anew")
        return claims

    def _about(self, access_token: str) -> dict[str, Any]:
        """What the provider tells of the person beside the token; nothing, if it has no address
        for that."""
        if "userinfo_endpoint" not in self.openid_config:
            return {}
        return self._read(self.profile_url, {"Authorization": f"Bearer {access_token}"})

    def _read(self, url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        from allauth.socialaccount.adapter import get_adapter  # which needs the models

        try:
            with get_adapter().get_requests_session() as session:
                response = session.get(url, headers=headers)
                response.raise_for_status()
                found = response.json()
        except (RequestException, json.JSONDecodeError) as error:
            raise ProviderFailed(f"it did not answer ({type(error).__name__})") from None
        if not isinstance(found, dict):
            raise ProviderFailed("it answered with something else")
        return found


class Callback(OAuth2CallbackView):
    """Somebody comes back from the provider."""

    adapter: Client

    def _get_state(self, request: HttpRequest, provider):
        state, refused = super()._get_state(request, provider)
        if state is not None:
            self.adapter.state = state
        return state, refused


class Provider(OpenIDConnectProvider):
    """One provider, as the settings name it."""

    package = "allauth.socialaccount.providers.openid_connect"
    oauth2_adapter_class = Client
    pkce_enabled_default = True

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        """Whereto and what for; nothing else in the request has a say in what is asked of the
        provider."""
        found = super().get_redirect_from_request_kwargs(request)
        if found["process"] not in (SIGN_IN, CONNECT, AGAIN):
            found["process"] = SIGN_IN
        again = {"prompt": "login", "max_age": "0"} if found["process"] == AGAIN else {}
        found.update(auth_params={**self.get_auth_params(), **again}, scope=self.get_scope())
        return {**found, "invitation": invitations.shown(request)}

    def redirect(self, request: HttpRequest, process, next_url=None, data=None, **kwargs):
        """Send somebody to the provider, with a nonce that is kept in their session."""
        nonce = secrets.token_urlsafe(16)
        kwargs["auth_params"] = {**kwargs["auth_params"], "nonce": nonce}
        return super().redirect(request, process, next_url, data, nonce=nonce, **kwargs)

    def extract_email_addresses(self, data) -> list:
        """None: an address is what somebody types here and confirms here, whatever a provider says
        of it."""
        return []

    def cleanup_email_addresses(
        self, email: str | None, addresses: list, email_verified: bool = False
    ) -> str | None:
        """The address that the form for a new account offers, and no more than that."""
        email = super().cleanup_email_addresses(email, addresses)
        addresses.clear()
        return email

    def extract_extra_data(self, data) -> dict:
        """Nothing of what the provider tells is kept but who it is."""
        return {}

    def serialize(self) -> dict[str, Any]:
        """By its own name: two providers may know the forum by the same client id."""
        return {"id": self.app.provider_id, "app.client_id": self.app.client_id}


def _can_be_kept(sub: Any) -> bool:
    return isinstance(sub, str) and 0 < len(sub) <= LONGEST_SUB and sub.isprintable()


def _asked_just_now(moment: Any) -> bool:
    return isinstance(moment, int) and time.time() - moment < AGAIN_WITHIN
