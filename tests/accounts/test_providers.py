"""Signing in by a provider of OpenID Connect: a real one, over HTTP, and what it may do wrong."""

import re
import time

import jwt
import pytest
import requests
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialToken
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from oidc_provider_mock import _storage

from accounts import connections, invitations
from accounts.models import Session, User
from core.problems import Problem
from forum.moderation import closing, sanctions
from forum.own_data.parts import PARTS
from tests.accounts.provider import CALLBACK, ID, LOGIN, SECRET, onward, serving
from tests.accounts.test_accounts import PASSWORD, confirm, link, member, page, sign_in, signed_in
from tests.accounts.test_two_steps import HERE, code, set_up
from tests.accounts.test_two_steps import sign_in as signs_in_with_password
from tests.people import fresh
from tests.test_house import PRODUCTION, manage
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.django_db, pytest.mark.reads]
ANNA = {"email": "anna@elsewhere.example", "email_verified": True, "preferred_username": "member-x"}
TAKEN = {"email": "member-a@example.org", "preferred_username": "member-q"}
FORM = "/accounts/3rdparty/signup/"


@pytest.fixture
def provider(settings, monkeypatch):
    cache.clear()
    confirm(settings, "optional")
    settings.SITE_URL = "https://debates.example"
    with serving(("sub-1", ANNA), ("sub-2", TAKEN)) as made:
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [made.settings()]}}
        yield made


def goes(client, provider, sub="sub-1", **fields):
    """Go to the provider, sign in there, come back; returns the answer on the way back."""
    sent = client.post(LOGIN, fields)
    assert sent.status_code == 200
    return client.get(provider.signs_in(onward(sent), sub))


def joins(client, provider, name="member-x", email="anna@elsewhere.example", **fields):
    """The whole way to a new account; returns the answer to its form."""
    answer = goes(client, provider, **fields)
    assert answer["Location"] == FORM
    return client.post(FORM, {"username": name, "email": email})


def connect(user, sub="sub-1", key=ID) -> SocialAccount:
    return SocialAccount.objects.create(user=user, provider=key, uid=sub)


# --- A new account --------------------------------------------------------------------------------


def test_somebody_joins_and_comes_again(provider, client):
    assert "Sign in with Example" in page(client.get("/accounts/login/"))
    assert "Sign up with Example" in page(client.get("/accounts/signup/"))
    answer = goes(client, provider)
    assert answer["Location"] == FORM
    form = page(client.get(FORM))
    assert 'value="member-x"' in form  # offered, to be changed
    assert 'value="anna@elsewhere.example"' in form
    client.post(FORM, {"username": "member-y", "email": "y@example.org"})
    assert signed_in(client)
    joined = User.objects.get(username="member-y")
    assert not joined.has_usable_password()
    kept = SocialAccount.objects.get()
    assert (kept.user, kept.provider, kept.uid, kept.extra_data) == (joined, ID, "sub-1", {})
    assert not SocialToken.objects.exists()
    again = Client()
    assert goes(again, provider, next="/drafts/")["Location"] == "/drafts/"
    assert signed_in(again)


def test_no_provider_says_that_an_address_is_confirmed(provider, client, settings):
    confirm(settings, "required")
    answer = joins(client, provider)
    assert answer["Location"] == "/accounts/confirm-email/"
    assert not signed_in(client)
    assert not EmailAddress.objects.filter(verified=True).exists()
    looked = client.get(link(mail.outbox[-1]))
    client.post(looked.request["PATH_INFO"])
    assert EmailAddress.objects.get().verified
    assert goes(Client(), provider)["Location"] == "/"


def test_a_connection_made_before_the_address_was_confirmed_goes_with_a_reset(
    provider, client, settings
):
    """Somebody joins by a provider with an address that is not theirs; whoever has the mailbox
    sets a password by mail. The first does not come in any more."""
    confirm(settings, "required")
    joins(client, provider, email="member-z@example.org")
    owner = Client()
    owner.post("/accounts/password/reset/", {"email": "member-z@example.org"})
    looked = owner.get(link(mail.outbox[-1]), follow=True)
    chosen = {"password1": PASSWORD, "password2": PASSWORD}
    owner.post(looked.request["PATH_INFO"], chosen)
    assert User.objects.get(username="member-x").check_password(PASSWORD)
    assert not SocialAccount.objects.exists()


def test_a_connection_of_who_confirmed_the_address_stays_with_a_reset(provider, client, settings):
    confirm(settings, "required")
    joins(client, provider)
    client.post(client.get(link(mail.outbox[-1])).request["PATH_INFO"])
    owner = Client()
    owner.post("/accounts/password/reset/", {"email": "anna@elsewhere.example"})
    looked = owner.get(link(mail.outbox[-1]), follow=True)
    owner.post(looked.request["PATH_INFO"], {"password1": PASSWORD, "password2": PASSWORD})
    assert User.objects.get(username="member-x").check_password(PASSWORD)
    assert SocialAccount.objects.count() == 1


@pytest.mark.parametrize("how", ["required", "optional"])
def test_nothing_tells_whether_an_address_has_an_account(provider, settings, how):
    """Somebody comes with another's address, by the provider's word and by hand."""
    confirm(settings, how)
    mine = member("member-a", known=True)
    seen = []
    for email in ("member-a@example.org", "nobody@example.org"):
        client = Client()
        form = goes(client, provider, "sub-2" if "member" in email else "sub-1")
        told = page(client.get(FORM))
        assert "Do you have an account here already?" in told
        answer = client.post(FORM, {"username": f"x-{email[:2]}", "email": email})
        follow = page(client.get(answer["Location"])) if answer.status_code == 302 else ""
        told = re.sub(r'value="[^"]*"', "", told)
        follow = follow.replace(email, "")
        seen.append((form.status_code, told, answer.status_code, signed_in(client), follow))
    if how == "required":
        assert seen[0] == seen[1]
        assert mail.outbox[0].to == ["member-a@example.org"]
        assert "There is one already" in mail.outbox[0].body
    assert not SocialAccount.objects.filter(user=mine).exists()
    assert fresh(mine).emailaddress_set.get().verified


def test_an_account_is_never_opened_by_its_address(provider, client):
    """Even one that the provider calls verified: whoever runs it could open any account."""
    mine = User.objects.create_user("anna", password=PASSWORD)
    mine.set_address(ANNA["email"], known=True)
    assert goes(client, provider)["Location"] == FORM
    assert not signed_in(client)
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("how", ["closed", "invitation"])
def test_who_may_join_is_no_wider_by_a_provider(provider, client, settings, how, stranger):
    settings.JOINING = how
    answer = goes(client, provider)
    assert answer.status_code == 200
    assert ("by invitation" if how == "invitation" else "No new accounts") in page(answer)
    assert client.get(FORM)["Location"] == "/accounts/login/"
    assert not User.objects.filter(username="member-x").exists()
    connect(stranger)  # who is a member signs in
    assert goes(client, provider)["Location"] == "/"


def test_an_invitation_goes_along_and_is_used_once(provider, settings, stranger):
    settings.JOINING = "invitation"
    User.objects.filter(pk=stranger.pk).update(welcomed_at=stranger.date_joined)
    invitation = invitations.make(user=fresh(stranger))
    first, second = Client(), Client()
    for client, sub in ((first, "sub-1"), (second, "sub-2")):
        assert goes(client, provider, sub, invitation=invitation.token)["Location"] == FORM
    first.post(FORM, {"username": "member-x", "email": "x@example.org"})
    assert User.objects.get(username="member-x").invitation == invitation
    late = second.post(FORM, {"username": "member-y", "email": "y@example.org"})
    assert "Joining is by invitation" in page(late)
    assert not User.objects.filter(username="member-y").exists()


def test_the_last_use_of_an_invitation_is_lost_in_the_form(
    provider, settings, client, stranger, monkeypatch
):
    settings.JOINING = "invitation"
    User.objects.filter(pk=stranger.pk).update(welcomed_at=stranger.date_joined)
    invitation = invitations.make(user=fresh(stranger))
    goes(client, provider, invitation=invitation.token)
    monkeypatch.setattr(invitations, "may_join", lambda token: True)  # both had found it
    invitations.take_back(user=stranger, pk=invitation.pk)
    late = client.post(FORM, {"username": "member-x", "email": "x@example.org"})
    assert "This invitation holds no more" in page(late)
    assert 'value="x@example.org"' in page(late)
    assert not SocialAccount.objects.exists()
    assert not User.objects.filter(username="member-x").exists()


def test_a_name_that_is_taken_is_a_mistake_in_the_form(provider, client, stranger):
    answer = joins(client, provider, stranger.username)
    assert answer.status_code == 200
    assert "taken" in page(answer)
    assert client.post(FORM, {"username": "member-z", "email": "z@example.org"}).status_code == 302
    assert signed_in(client)


# --- What does not hold ---------------------------------------------------------------------------


def refused(answer, client) -> bool:
    assert answer.status_code == 401, answer.content.decode()
    assert "This sign-in did not work" in page(answer)
    return not signed_in(client) and not SocialAccount.objects.exists()


def test_a_callback_is_used_once_and_by_the_browser_that_began(provider, client, stranger):
    connect(stranger)
    back = provider.signs_in(onward(client.post(LOGIN)), "sub-1")
    other = Client()
    assert other.get(back).status_code == 401  # somebody else's browser
    assert not signed_in(other)
    assert client.get(back)["Location"] == "/"
    thief = Client()
    assert thief.get(back).status_code == 401
    client.post("/accounts/logout/")
    assert client.get(back).status_code == 401
    assert not signed_in(client)


@pytest.mark.parametrize(
    "query", ["", "?state=x&code=y", "?code=y", "?error=access_denied", "?state="]
)
def test_an_answer_that_nobody_asked_for(provider, client, query):
    assert refused(client.get(CALLBACK + query), client)


def test_a_nonce_of_another_sign_in(provider, caplog):
    first, second = Client(), Client()
    nonce = re.compile(r"nonce=[^&]+")
    stolen = nonce.search(onward(first.post(LOGIN)))[0]
    address = nonce.sub(stolen, onward(second.post(LOGIN)))
    assert refused(second.get(provider.signs_in(address, "sub-1")), second)
    assert "its id_token has another nonce" in caplog.text


def test_a_token_for_another_client(provider, client, caplog):
    provider.audience = "another"
    assert refused(goes(client, provider), client)
    assert "its id_token does not hold (InvalidAudienceError)" in caplog.text


def forged(provider, **claims) -> str:
    """A token that says what it should, signed by somebody else."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    issuer = requests.get(
        f"{provider.url}/.well-known/openid-configuration", timeout=PATIENCE
    ).json()
    kid = requests.get(f"{provider.url}/jwks", timeout=PATIENCE).json()["keys"][0].get("kid")
    now = int(time.time())
    body = {"iss": issuer["issuer"], "sub": "sub-1", "aud": "jonbar", "iat": now, "exp": now + 60}
    return jwt.encode({**body, **claims}, key, "RS256", headers={"kid": kid} if kid else None)


@pytest.mark.parametrize("kind", ["forged", "unsigned", "nonsense", "none", "number"])
def test_a_token_that_the_provider_did_not_sign(provider, client, kind):
    address = onward(client.post(LOGIN))
    nonce = re.search(r"nonce=([^&]+)", address)[1]
    back = provider.signs_in(address, "sub-1")
    token = {
        "forged": lambda: forged(provider, nonce=nonce),
        "unsigned": lambda: jwt.encode({"sub": "sub-1", "nonce": nonce}, "", "none"),
        "nonsense": lambda: "a.b.c",
        "none": lambda: None,
        "number": lambda: 7,
    }[kind]()
    provider.answers("/oauth2/token", {"access_token": "a", "id_token": token})
    assert refused(client.get(back), client)


BROKEN = [
    ("/oauth2/token", {"error": "invalid_client"}, 401),
    ("/oauth2/token", "<html>", 200),
    ("/oauth2/token", [], 200),
    ("/oauth2/token", {"access_token": 7}, 200),
    ("/userinfo", {"sub": "sub-2"}, 200),
    ("/userinfo", [], 200),
    ("/userinfo", "no", 500),
    ("/jwks", {"keys": []}, 200),
    ("/jwks", {"keys": 3}, 200),
    ("/jwks", "x", 404),
    ("/.well-known/openid-configuration", "x", 500),
    ("/.well-known/openid-configuration", {}, 200),
    ("/.well-known/openid-configuration", [], 200),
]


@pytest.mark.parametrize(("path", "body", "status"), BROKEN)
def test_a_provider_that_answers_nonsense_is_a_page(provider, client, caplog, path, body, status):
    back = provider.signs_in(onward(client.post(LOGIN)), "sub-1")
    provider.answers(path, body, status)
    answer = client.get(back)
    assert refused(answer, client)
    assert "sign-in by example failed" in caplog.text
    assert SECRET not in caplog.text + answer.content.decode()
    assert refused(client.get(back), client)


def test_a_provider_that_is_away_is_a_page(settings, client, caplog):
    with serving() as made:
        away = made.settings()
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [away]}}
    assert refused(client.post(LOGIN), client)
    assert SECRET not in caplog.text


def test_who_says_no_there_is_told_that_nothing_happened(provider, client):
    back = provider.signs_in(onward(client.post(LOGIN)), "sub-1", action="deny")
    state = re.search(r"state=([^&]+)", onward(client.post(LOGIN)))[1]
    answer = client.get(
        back if "state=" in back else f"{CALLBACK}?error=access_denied&state={state}"
    )
    assert answer["Location"] == "/accounts/3rdparty/login/cancelled/"
    assert "Nothing was changed" in page(client.get(answer["Location"]))


def test_only_a_form_of_the_forum_begins_a_sign_in(provider):
    client = Client(enforce_csrf_checks=True)
    assert "Go on to Example" in page(client.get(LOGIN))
    assert client.post(LOGIN).status_code == 403


def test_nobody_outside_says_what_is_asked_of_the_provider(provider, client):
    sent = client.post(
        f"{LOGIN}?auth_params=nonce%3Dmine%26prompt%3Dnone&scope=admin&process=redirect"
    )
    address = onward(sent)
    assert "nonce=mine" not in address
    assert "admin" not in address
    assert "prompt" not in address
    assert "redirect_uri=https%3A%2F%2Fdebates.example%2Faccounts%2Foidc%2Fexample%2F" in address


def test_no_provider_no_pages(client, stranger):
    for path in (LOGIN, CALLBACK, "/accounts/oidc/nobody/login/"):
        assert client.get(path).status_code == 404
    assert "with Example" not in page(client.get("/accounts/login/"))
    client.force_login(stranger)
    assert client.get("/accounts/connections/").status_code == 404
    assert "/accounts/connections/" not in page(client.get("/accounts/settings/"))
    assert client.get(FORM)["Location"] == "/accounts/login/"


def test_a_provider_taken_away_meanwhile(provider, client, settings):
    goes(client, provider)
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": []}}
    assert client.get(FORM)["Location"] == "/accounts/login/"


def test_two_providers_that_know_the_forum_by_the_same_name(provider, client, settings):
    apps = [provider.settings(), provider.settings("Other", "other")]
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": apps}}
    sent = client.post("/accounts/oidc/other/login/")
    client.get(provider.signs_in(onward(sent), "sub-1"))
    client.post(FORM, {"username": "member-x", "email": "x@example.org"})
    assert SocialAccount.objects.get().provider == "other"
    crossed = Client()
    back = provider.signs_in(onward(crossed.post("/accounts/oidc/other/login/")), "sub-1")
    assert crossed.get(back.replace("/other/", "/example/")).status_code == 401


# --- A member -------------------------------------------------------------------------------------


def test_closed_and_switched_off_accounts_stay_out(provider, client, stranger, opener):
    connect(stranger)
    User.objects.filter(pk=stranger.pk).update(is_active=False)
    answer = goes(client, provider)
    assert answer["Location"] == "/accounts/inactive/"
    assert not signed_in(client)
    connect(opener, "sub-2")
    closing.close_own(user=opener)
    assert not SocialAccount.objects.filter(user=opener).exists()
    assert goes(client, provider, "sub-2")["Location"] == FORM  # nobody is known by it any more


def test_who_is_suspended_reads_and_no_more(provider, client, stranger, administrator, thread):
    connect(stranger)
    sanctions.suspend(user=administrator, member=stranger, days=3, measure="silence", reason="So.")
    goes(client, provider)
    assert signed_in(client)
    assert client.post(f"/threads/{thread.pk}/reply/", {"text": "A word."}).status_code == 403


def test_the_second_step_is_asked_for(provider, opener):
    client, _ = signs_in_with_password()
    secret, _ = set_up(client)
    cache.clear()
    connect(opener)
    other = Client()
    answer = goes(other, provider)
    assert answer["Location"].startswith("/accounts/2fa/authenticate/")
    assert not signed_in(other)
    other.post("/accounts/2fa/authenticate/", {"code": code(secret)})
    assert signed_in(other)


def test_a_member_connects_and_disconnects(provider, client):
    mine = member("member-a")
    sign_in(client)
    assert "You have connected none." in page(client.get("/accounts/connections/"))
    asked = goes(client, provider, process="connect")
    assert asked["Location"].startswith("/accounts/reauthenticate/")  # who sits here?
    assert not SocialAccount.objects.exists()
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    kept = SocialAccount.objects.get()
    assert kept.user == mine
    assert "Your account was connected" in mail.outbox[-1].subject
    assert "<b>Example</b>" in page(client.get("/accounts/connections/"))
    other = Client()
    goes(other, provider)
    assert signed_in(other)
    client.post("/accounts/connections/", {"connection": kept.pk})
    assert not SocialAccount.objects.exists()
    assert "cannot be signed in to with Example" in mail.outbox[-1].body
    for odd in ("", "x", "9" * 30, str(kept.pk)):
        assert client.post("/accounts/connections/", {"connection": odd}).status_code == 302


def test_a_connection_is_one_members_alone(provider, client, stranger):
    connect(stranger)
    mine = member("member-a")
    sign_in(client)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    goes(client, provider, process="connect")
    assert "Another account here is connected with it" in page(client.get("/accounts/connections/"))
    assert not SocialAccount.objects.filter(user=mine).exists()
    theirs = SocialAccount.objects.get()
    client.post("/accounts/connections/", {"connection": theirs.pk})
    assert SocialAccount.objects.filter(pk=theirs.pk).exists()


@pytest.fixture
def without_password(provider, client):
    """A member who joined by the provider, signed in, and showed there that it is still they."""
    joins(client, provider)
    return User.objects.get(username="member-x")


def shows_again(client, provider, onto="/accounts/connections/", sub="sub-1"):
    return goes(client, provider, sub, process="again", next=onto)


def test_the_last_way_in_stays(provider, client, without_password, settings):
    kept = SocialAccount.objects.get()
    shows_again(client, provider)
    answer = client.post("/accounts/connections/", {"connection": kept.pk})
    assert answer.status_code == 422
    assert "This is the only way into your account. Set a password first." in page(answer)
    client.post("/accounts/password/set/", {"password1": PASSWORD, "password2": PASSWORD})
    assert fresh(without_password).has_usable_password()
    sign_in(client, "member-x")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.post("/accounts/connections/", {"connection": kept.pk})
    assert not SocialAccount.objects.exists()


def test_a_provider_that_is_not_offered_any_more_is_no_way_in(provider, without_password):
    kept = SocialAccount.objects.get()
    old = connect(without_password, "sub-1", "gone")
    with pytest.raises(Problem, match="the only way"):
        connections.disconnect(user=without_password, pk=kept.pk)
    connections.disconnect(user=without_password, pk=old.pk)
    other = connect(without_password, "sub-9")
    connections.disconnect(user=without_password, pk=kept.pk)
    with pytest.raises(Problem, match="the only way"):
        connections.disconnect(user=without_password, pk=other.pk)


GRAVE = [
    ("get", "/accounts/data/file/"),
    ("post", "/accounts/close/"),
    ("get", "/accounts/2fa/totp/activate/"),
    ("get", "/accounts/password/set/"),
    ("post", "/accounts/connections/"),
    ("post", "/accounts/email/"),
]


@pytest.mark.parametrize(("how", "path"), GRAVE)
def test_who_has_no_password_shows_it_by_the_provider(
    provider, client, without_password, how, path
):
    sent = {"act": "later", "email": "n@example.org", "action_add": "", "connection": "1"}
    asked = getattr(client, how)(path, sent if how == "post" else {}, **HERE)
    assert asked.status_code == 302, "went through without being asked"
    assert asked["Location"].startswith("/accounts/again/?next=")
    told = page(client.get(asked["Location"]))
    assert "Your account has no password" in told
    assert f'name="next" value="{path}"' in told
    shows_again(client, provider, path)
    again = getattr(client, how)(path, sent if how == "post" else {}, **HERE)
    assert not again.get("Location", "").startswith("/accounts/again/")


def test_what_was_sent_goes_on_once_it_is_shown(provider, client, without_password):
    client.post("/accounts/close/", {"act": "later"})
    assert fresh(without_password).closing_at is None
    assert shows_again(client, provider, "/accounts/close/")["Location"] == "/accounts/close/"
    assert fresh(without_password).closing_at


def test_showing_it_takes_the_same_person_and_a_fresh_password(
    provider, client, without_password, monkeypatch
):
    client.get("/accounts/data/file/")
    assert shows_again(client, provider, sub="sub-2").status_code == 401
    for moment in (int(time.time()) - 3600, "it does not say"):  # a session there was still open
        monkeypatch.setattr(_storage.AuthorizationCode, "get_auth_time", lambda self, m=moment: m)
        assert shows_again(client, provider).status_code == 401
    assert client.get("/accounts/data/file/")["Location"].startswith("/accounts/again/")
    assert signed_in(client)


def test_what_is_kept_is_in_ones_own_data_and_goes_with_the_account(provider, without_password):
    (part,) = (part for part in PARTS if part.model is SocialAccount)
    (row,) = part.rows(without_password)
    assert (row["provider"], row["uid"]) == (ID, "sub-1")
    closing.close_own(user=without_password)
    assert not SocialAccount.objects.exists()


def test_no_token_and_no_secret_is_kept(provider, client):
    goes(client, provider)
    (session,) = Session.objects.all()
    kept = str(session.get_decoded())
    assert "sub-1" in kept
    assert not [sent for sent in provider.token_requests if sent["code"] in kept]
    assert SECRET not in kept
    assert "access" not in kept
    sent = provider.token_requests[-1]
    assert sent["client_secret"] == SECRET  # it was used
    assert sent["redirect_uri"] == f"https://debates.example{CALLBACK}"


def test_pages_ask_the_database_for_no_provider(provider, client):
    with CaptureQueriesContext(
        connection,
    ) as asked:
        client.get("/accounts/login/")
    assert not [query for query in asked if "socialapp" in query["sql"]]


# --- Settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"OPENID_OTHER_ONE_SERVER": ""}, "Set OPENID_OTHER_ONE_SERVER"),
        ({"OPENID_OTHER_ONE_CLIENT_SECRET": ""}, "OPENID_OTHER_ONE_CLIENT_SECRET"),
        ({"OPENID_OTHER_ONE_SERVER": "http://plain.example"}, "must begin with https://"),
        ({"OPENID_PROVIDERS": "Other One"}, "is no id"),
    ],
)
def test_what_is_missing_in_the_settings_is_named(tmp_path, more, words):
    own = dict.fromkeys(("OPENID_OTHER_ONE_CLIENT_ID",), "x")
    own |= {"OPENID_OTHER_ONE_CLIENT_SECRET": SECRET, "JONBAR_DATA": str(tmp_path)}
    own |= {"OPENID_PROVIDERS": "other-one", "OPENID_OTHER_ONE_SERVER": "https://o.example"}
    done = manage("check", **PRODUCTION, **{**own, **more})
    assert done.returncode != 0
    assert words in done.stderr
    assert SECRET not in done.stderr
