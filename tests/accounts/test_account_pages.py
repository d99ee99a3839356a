"""Pages of an account that no other test opens; and that every page which the accounts can show is
written here, none drawn by allauth's own templates."""

import re
from datetime import timedelta
from pathlib import Path

import allauth
import pytest
import time_machine
from allauth.account.decorators import verified_email_required
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.core.context import request_context
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.adapter import Adapter
from tests.people import PASSWORD, make_member

ROOT = Path(__file__).resolve().parents[2]
# What allauth shows only where a setting of its own switches that on, which this site's do not.
SWITCHED_OFF = re.compile(r"code|phone|trust|passkey|signup_form|/base_|/base\.|account/email\.")


def test_no_page_is_drawn_by_allauths_own_templates():
    theirs = Path(allauth.__file__).parent / "templates"
    names = {
        path.relative_to(theirs).as_posix()
        for folder in ("account", "mfa")
        for path in (theirs / folder).rglob("*.html")
        if not {"email", "messages", "snippets"} & set(path.parts)
    }
    ours = {name for name in names if (ROOT / "templates" / name).exists()}
    assert len(ours) > 20
    assert [name for name in sorted(names - ours) if not SWITCHED_OFF.search(name)] == []


@pytest.fixture
def member(db):
    return make_member("member-a")


@pytest.fixture
def client(member) -> Client:
    """Signed in just now, by password."""
    client = Client(HTTP_HOST="localhost")  # keys work where browsers let them
    client.post(reverse("account_login"), {"login": "member-a", "password": PASSWORD})
    return client


@pytest.fixture
def key(member) -> Authenticator:
    data = {"name": "My <telephone>", "credential": {}}
    return Authenticator.objects.create(user=member, type="webauthn", data=data)


def heading(response, status=200) -> str:
    """The words of the page's heading; that there is one, and a frame around it."""
    html = response.content.decode()
    assert response.status_code == status
    assert html.count('id="main"') == 1 and "</html>" in html
    (words,) = re.findall(r"<h1>(.*?)</h1>", html, re.S)
    return " ".join(words.split())


def test_the_address(client):
    assert heading(client.get(reverse("account_email"))) == "Your mail address"


def test_a_link_that_confirms_the_address(client, member):
    address = EmailAddress.objects.create(user=member, email="new@example.org")
    path = reverse("account_confirm_email", args=[EmailConfirmationHMAC(address).key])
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        response = Client().get(path)
    assert heading(response) == "Is this your address?"
    assert f'action="{path}"' in response.content.decode(), "its form ends with the link"
    broken = reverse("account_confirm_email", args=["bad:key"])
    assert heading(Client().get(broken)) == "This link does not work"


def test_an_account_without_a_password(client, member):
    member.set_unusable_password()
    member.save()
    client.force_login(member)
    assert heading(client.get(reverse("account_set_password"))) == "Set a password"


def test_the_new_password_is_set(db):
    path = reverse("account_reset_password_from_key_done")
    assert heading(Client().get(path)) == "The new password is set"


def test_a_forum_that_takes_no_members(db, monkeypatch):
    monkeypatch.setattr(Adapter, "is_open_for_signup", lambda *_: False)
    assert heading(Client().get(reverse("account_signup"))) == "No new accounts just now"


def test_a_page_that_wants_a_confirmed_address(member, client):
    EmailAddress.objects.filter(user=member).update(verified=False)
    request = client.get(reverse("account_email")).wsgi_request
    with request_context(request):
        response = verified_email_required(lambda request: None)(request)
    assert heading(response) == "Confirm your address first"


def test_a_key_is_renamed_and_removed(client, key):
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    renamed = client.get(reverse("mfa_edit_webauthn", args=[key.pk]))
    assert heading(renamed) == "Rename a key"
    assert 'value="My &lt;telephone&gt;"' in renamed.content.decode()
    removed = client.get(reverse("mfa_remove_webauthn", args=[key.pk]))
    assert "My &lt;telephone&gt;" in heading(removed)


def test_a_key_is_asked_for_again(client, key, monkeypatch):
    monkeypatch.setattr(auth, "get_credentials", lambda user: [])
    response = client.get(reverse("mfa_reauthenticate_webauthn"))
    assert heading(response) == "Your key, please"
    assert 'id="use-key"' in response.content.decode()
