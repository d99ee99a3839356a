"""Two-step login: set up, asked for, taken away; and demanded of staff where the site says so. Keys
are tried in Chromium (tests/browser/test_passkeys.py)."""

import json
import re
import time
from io import StringIO

import pytest
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from allauth.mfa.webauthn.internal import auth as webauthn
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from fido2.utils import websafe_encode

from forum.models import AuditEntry, Notice
from forum.permissions import Refused, may, require
from tests.people import PASSWORD, make_member

pytestmark = [pytest.mark.django_db, pytest.mark.reads]
HERE = {"HTTP_HOST": "localhost"}
INDEX, APP = "/accounts/2fa/", "/accounts/2fa/totp/activate/"


def code(secret: str, steps: int = 0) -> str:
    return auth.format_hotp_value(auth.hotp_value(secret, int(time.time()) // 30 + steps))


def sign_in(name="opener", **fields) -> tuple[Client, object]:
    """A client that gave name and password, and the answer it got."""
    client = Client(**HERE)
    answer = client.post("/accounts/login/", {"login": name, "password": PASSWORD, **fields})
    return client, answer


def set_up(client) -> tuple[str, list[str]]:
    """Set up an app; returns its secret and the recovery codes that are shown."""
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get(APP).content.decode()
    assert '<img class="qr" src="data:image/svg+xml;base64,' in page
    secret = re.search(r'<code class="source">(\w+)</code>', page)[1]
    answer = client.post(APP, {"code": code(secret)}, follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/2fa/recovery-codes/"
    return secret, re.findall(r"<li><code>(\d{8})</code>", answer.content.decode())


@pytest.fixture
def secured(opener):
    client, _ = sign_in()
    secret, codes = set_up(client)
    # A code works once; the next login must not wait half a minute for another.
    cache.clear()
    return secret, codes


def test_an_app_is_set_up_and_its_code_is_asked_for(opener, secured):
    secret, codes = secured
    assert len(codes) == 10
    client, answer = sign_in()
    assert answer["Location"].startswith("/accounts/2fa/authenticate/")
    assert client.get("/drafts/").status_code == 302  # not signed in yet
    page = client.get("/accounts/2fa/authenticate/").content.decode()
    assert "Your password is right" in page
    wrong = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert "This code is not right" in wrong.content.decode()
    assert client.get("/drafts/").status_code == 302
    done = client.post("/accounts/2fa/authenticate/", {"code": code(secret)})
    assert done["Location"] == "/"
    assert client.get("/drafts/").status_code == 200


def test_a_recovery_code_lets_in_once(secured):
    _, codes = secured
    for status in (200, 302):
        client, _ = sign_in()
        client.post("/accounts/2fa/authenticate/", {"code": codes[3]})
        assert client.get("/drafts/").status_code == status


def test_recovery_codes_are_shown_once(secured):
    _, codes = secured
    client, _ = sign_in()
    client.post("/accounts/2fa/authenticate/", {"code": codes[0]})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/recovery-codes/").content.decode()
    assert not [code for code in codes if code in page]
    assert "9 codes are left" in page
    answer = client.post("/accounts/2fa/recovery-codes/generate/", follow=True)
    fresh = re.findall(r"<li><code>(\d{8})</code>", answer.content.decode())
    assert len(fresh) == 10
    assert not set(fresh) & set(codes)


def test_the_app_is_taken_away_only_by_who_knows_the_password(opener, secured):
    secret, _ = secured
    client, _ = sign_in()
    client.post("/accounts/2fa/authenticate/", {"code": code(secret)})
    session = client.session
    session["account_authentication_methods"] = []  # as if it were long ago
    session.save()
    away = "/accounts/2fa/totp/deactivate/"
    assert "reauthenticate" in client.post(away)["Location"]
    assert opener.authenticator_set.filter(type="totp").exists()
    page = client.get("/accounts/reauthenticate/").content.decode()
    assert "authenticator app or code" in page  # another way to prove it
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert client.get(away).status_code == 200
    assert client.post(away)["Location"] == INDEX
    assert not opener.authenticator_set.exists()
    _, answer = sign_in()
    assert answer["Location"] == "/"


def test_the_pages_keep_to_the_policy(opener, secured):
    """No inline script or style: what allauth's script needs stands in blocks of data."""
    secret, _ = secured
    client, _ = sign_in()
    pages = [client.get("/accounts/2fa/authenticate/")]
    client.post("/accounts/2fa/authenticate/", {"code": code(secret)})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    names = ("", "webauthn/", "webauthn/add/", "reauthenticate/")
    names += ("totp/deactivate/", "recovery-codes/", "recovery-codes/generate/")
    pages += [client.get(INDEX + name) for name in names]
    pages.append(Client(**HERE).get("/accounts/login/"))
    for page in pages:
        assert page.status_code == 200, page.request["PATH_INFO"]
        text = page.content.decode()
        assert "{{" not in text
        for script in re.findall(r"<script[^>]*>", text):
            assert " src=" in script or 'type="application/json"' in script
        assert not re.search(r"<[a-z][^>]*\s(?:style|on\w+)\s*=", text)
        assert text.count("<h1>") == 1


def test_settings_lead_there_and_members_need_nothing_of_it(opener):
    client, answer = sign_in()
    assert answer["Location"] == "/"
    assert f'href="{INDEX}"' in client.get("/accounts/settings/").content.decode()


@pytest.mark.parametrize(
    ("host", "secure", "status"),
    [("localhost:8000", False, 200), ("testserver", True, 200), ("testserver", False, 403)],
)
def test_secrets_do_not_travel_in_the_open(opener, host, secure, status):
    client = Client(HTTP_HOST=host)
    client.force_login(opener)
    assert client.get(INDEX, secure=secure).status_code == status


# --- Demanded of staff ------------------------------------------------------------------------


@pytest.fixture
def demanded(settings):
    settings.REQUIRE_TWO_STEP_FOR_STAFF = True


def test_staff_without_it_reach_only_the_pages_that_set_it_up(demanded, moderator, thread):
    client, _ = sign_in("keeper")
    post = thread.posts.get(number=2)
    closed = ["/", "/admin/", thread.get_absolute_url(), f"/admin/forum/post/{post.pk}/change/"]
    for path in closed:
        assert client.get(path)["Location"] == INDEX, path
        assert client.post(path, {"_act": "hide", "reason": "x"})["Location"] == INDEX, path
    assert not may(moderator, "enter desk")
    with pytest.raises(Refused, match="two-step"):
        require(moderator, "enter desk")
    page = client.get(INDEX).content.decode()
    assert "This site asks it of everybody who moderates" in page
    assert client.get("/accounts/logout/").status_code == 200
    set_up(client)
    for path in closed:
        assert client.get(path).status_code == 200, path
    assert "This site asks it" not in client.get(INDEX).content.decode()


def test_members_and_visitors_are_not_asked(demanded, opener, thread):
    assert Client(**HERE).get("/").status_code == 200
    client, _ = sign_in()
    assert client.get(thread.get_absolute_url()).status_code == 200


def test_recovery_codes_alone_are_no_second_step(demanded, moderator):
    Authenticator.objects.create(user=moderator, type="recovery_codes", data={"seed": "x"})
    assert not may(moderator, "enter desk")


# --- Lost devices -----------------------------------------------------------------------------


def test_who_lost_everything_is_let_in_by_whoever_runs_the_site(opener, secured):
    out = StringIO()
    call_command("forget_two_step", "Opener", reason="The telephone drowned.", stdout=out)
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.member, entry.actor) == ("forget two steps", opener, None)
    assert not AuditEntry.objects.public().exists()
    told = Notice.objects.get(member=opener)
    assert (told.sentence, told.entry) == ("Two-step login was taken off your account.", entry)
    assert out.getvalue() == "Two-step login is off for opener.\n"
    assert sign_in()[1]["Location"] == "/"
    call_command("forget_two_step", "opener", stdout=out)
    assert "was not set up" in out.getvalue()
    with pytest.raises(CommandError, match="no member"):
        call_command("forget_two_step", "nobody")


def test_nobody_looks_at_the_secrets_at_the_desk(administrator, secured, client):
    from django.contrib import admin

    assert Authenticator not in admin.site._registry
    make_member("another")


# --- What wrong codes and keys leave behind -------------------------------------------------------

SECOND, AGAIN = "/accounts/2fa/authenticate/", "/accounts/2fa/reauthenticate/"
CLIENT = {"type": "webauthn.get", "challenge": "AAAA", "origin": "http://localhost"}
KEY = json.dumps(
    {
        "id": "AAAA",
        "rawId": "AAAA",
        "type": "public-key",
        "response": {
            "clientDataJSON": websafe_encode(json.dumps(CLIENT).encode()),
            "authenticatorData": websafe_encode(bytes(37)),
            "signature": "AAAA",
        },
    }
)


def wrong_app_code(client):
    return client.post(SECOND, {"code": "000000"})


def wrong_recovery_code(client):
    return client.post(SECOND, {"code": "00000000"})


def wrong_key(client):
    return client.post(SECOND, {"credential": KEY})


def wrong_code_again(client):
    return client.post(AGAIN, {"code": "000000"})


def wrong_key_again(client):
    return client.post("/accounts/2fa/webauthn/reauthenticate/", {"credential": KEY})


def wrong_password_again(client):
    return client.post("/accounts/reauthenticate/", {"password": "wrong horse 1"})


def wrong_present_password(client):
    fields = {"oldpassword": "wrong horse 1", "password1": "a horse 8", "password2": "a horse 8"}
    return client.post("/accounts/password/change/", fields)


FIRST_TRIES = [wrong_app_code, wrong_recovery_code, wrong_key]
TRIES_AGAIN = [wrong_code_again, wrong_key_again, wrong_password_again, wrong_present_password]


def lines(caplog) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.name == "accounts"]


@pytest.mark.parametrize("addresses", [False, True])
@pytest.mark.parametrize("attempt", [*FIRST_TRIES, *TRIES_AGAIN])
def test_what_is_wrong_leaves_the_line_of_a_failed_sign_in_and_ends_in_429(
    opener, secured, caplog, settings, monkeypatch, attempt, addresses
):
    settings.LOG_ADDRESSES = addresses
    monkeypatch.setattr(webauthn, "get_credentials", lambda user: [])
    opener.authenticator_set.create(type="webauthn", data={"name": "key", "credential": {}})
    client, _ = sign_in()
    if attempt in TRIES_AGAIN:
        client.post(SECOND, {"code": code(secured[0])})
        assert client.get("/drafts/").status_code == 200
    assert not lines(caplog)
    answers = [attempt(client) for _ in range(12)]
    cache.clear()
    sign_in(password="wrong horse 1")
    assert answers[0].status_code in (200, 302)
    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) >= 60
    said = lines(caplog)
    failed = [one for one in said if one.startswith("sign-in failed")]
    assert len(failed) >= 6  # five tries, and the wrong password last
    assert len(set(failed)) == 1, "the same name, the same line"
    assert all(("127.0.0.1" in one) is addresses for one in said)
    assert not re.search("(?i)opener|horse|0000", "".join(said))


def test_a_locked_second_step_is_one_line_each_and_takes_no_right_code(secured, caplog):
    client, _ = sign_in()
    for _ in range(5):
        wrong_app_code(client)
    answer = client.post(SECOND, {"code": code(secured[0])})
    assert answer.status_code == 429
    assert answer["Retry-After"] == "300"
    assert "five minutes" in answer.content.decode()
    assert lines(caplog)[-1].startswith("sign-in locked")
    assert client.get("/drafts/").status_code == 302


def test_a_wrong_passkey_alone_leaves_a_line(opener, caplog):
    passkey = "/accounts/2fa/webauthn/login/"
    client = Client(**HERE)
    for handle in ("", websafe_encode(user_pk_to_url_str(opener).encode())):
        client.get(passkey, headers={"X-Requested-With": "XMLHttpRequest"})
        key = json.loads(KEY) | {"response": {"userHandle": handle}}
        client.post(passkey, {"credential": json.dumps(key)})
    sign_in(password="wrong horse 1")
    said = lines(caplog)
    assert len(said) == 3
    assert said[0] != said[1] == said[2]
    answers = [client.post(passkey, {"credential": "[]"}) for _ in range(12)]
    assert answers[-1].status_code == 429
    assert "Retry-After" in answers[-1]


def test_setting_up_an_app_is_limited_and_no_sign_in(opener, caplog):
    client, _ = sign_in()
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.get(APP)
    answers = [client.post(APP, {"code": "000000"}) for _ in range(6)]
    assert [one.status_code for one in answers] == [200] * 5 + [429]
    assert not lines(caplog)
