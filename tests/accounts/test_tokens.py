"""Personal tokens: made, shown once, used, taken back, and ended."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts import tokens
from accounts.models import ApiToken, User
from core.problems import Problem
from tests.people import PASSWORD, browser, fresh

pytestmark = pytest.mark.django_db


def asks(token: str, address: str = "/api/drafts/") -> int:
    """How a program with this token is answered."""
    return Client().get(address, headers={"authorization": f"Bearer {token}"}).status_code


def test_a_token_is_made_and_shown_once(stranger):
    client = browser(stranger)
    page = client.get("/accounts/tokens/")
    assert "You have none." in page.content.decode()
    page = client.post("/accounts/tokens/", {"name": "  My  reader ", "scope": "read"})
    (token,) = re.findall(r'id="token" value="(\S+?)"', page.content.decode())
    assert page.status_code == 200
    assert token.startswith("jonbar_")
    assert page["Cache-Control"].startswith("max-age=0")
    row = ApiToken.objects.get()
    assert (row.user, row.name, row.scope, row.last_used_at) == (
        stranger,
        "My reader",
        "read",
        None,
    )
    assert token not in str(ApiToken.objects.values())
    again = client.get("/accounts/tokens/").content.decode()
    assert token not in again
    assert "My reader" in again
    assert asks(token) == 200


@pytest.mark.parametrize(
    "fields",
    [
        *({}, {"name": " ", "scope": "read"}, {"name": "a\x07b", "scope": "read"}),
        *({"name": "x" * 61, "scope": "read"}, {"name": "x", "scope": "all"}, {"name": "x"}),
    ],
)
def test_what_is_no_token_is_said_at_the_form(stranger, fields):
    page = browser(stranger).post("/accounts/tokens/", fields)
    assert page.status_code == 422
    assert 'role="alert"' in page.content.decode()
    assert not ApiToken.objects.exists()


def test_a_member_has_few(stranger):
    for n in range(tokens.MOST):
        tokens.make(user=stranger, name=f"Program {n}", scope="read")
    with pytest.raises(Problem):
        tokens.make(user=stranger, name="One more", scope="read")
    page = browser(stranger).post("/accounts/tokens/", {"name": "x", "scope": "read"})
    assert "already" in page.content.decode()


def test_a_token_is_taken_back_by_its_member_alone(stranger, opener):
    token = tokens.make(user=stranger, name="Mine", scope="read")
    pk = ApiToken.objects.get().pk
    browser(opener).post("/accounts/tokens/", {"take_back": pk})
    assert asks(token) == 200
    for sent in ("", "x", "9" * 30, pk, pk):
        browser(stranger).post("/accounts/tokens/", {"take_back": sent})
    assert asks(token) == 401


def test_an_administrator_takes_one_back_at_the_desk(stranger, moderator, administrator):
    token = tokens.make(user=stranger, name="Mine", scope="read")
    pk = ApiToken.objects.get().pk
    address = f"/admin/accounts/apitoken/{pk}/"
    assert browser(moderator).get(f"{address}change/").status_code == 403
    client = browser(administrator)
    page = client.get(f"{address}change/").content.decode()
    assert "Mine" in page
    assert ApiToken.objects.get().digest not in page
    assert client.get("/admin/accounts/apitoken/?q=stranger").status_code == 200
    client.post(f"{address}delete/", {"post": "yes"})
    assert asks(token) == 401


# --- What ends them ---------------------------------------------------------------------------


def test_a_new_password_ends_all_of_them(stranger, opener):
    others = tokens.make(user=opener, name="Other", scope="read")
    mine = tokens.make(user=stranger, name="Mine", scope="read")
    new = "another point of 1934"
    fields = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    page = browser(stranger).post("/accounts/password/change/", fields)
    assert page.status_code == 302
    assert (asks(mine), asks(others)) == (401, 200)


def test_so_does_one_that_was_set_by_somebody_else(stranger):
    token = tokens.make(user=stranger, name="Mine", scope="read")
    stranger.set_password("another point of 1934")  # as a command or the desk does
    stranger.save()
    assert asks(token) == 401


def test_a_hash_made_anew_ends_none(stranger, settings):
    token = tokens.make(user=stranger, name="Mine", scope="read")
    before = stranger.password
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    assert fresh(stranger).check_password(PASSWORD)
    assert fresh(stranger).password != before
    assert asks(token) == 200


def test_a_closed_account_does_nothing(stranger):
    token = tokens.make(user=stranger, name="Mine", scope="write")
    User.objects.filter(pk=stranger.pk).update(is_active=False)
    assert asks(token) == asks(token, "/api/boards/") == 401


# --- How one is shown -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        *("Bearer", "Bearer ", "Bearer x", "Bearer jonbar_x", "Basic YTpi", "jonbar_x", "\xff"),
        *("Bearer jonbar_é", "Bearer jonbar_" + "x" * 9_000),
    ],
)
def test_what_is_no_token_opens_nothing(thread, header):
    response = Client().get("/api/boards/", headers={"authorization": header})
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert response.json()["error"]


def test_its_use_is_written_down_now_and_then(stranger):
    token = tokens.make(user=stranger, name="Mine", scope="read")
    asks(token)
    used = ApiToken.objects.get().last_used_at
    assert used is not None
    asks(token)
    assert ApiToken.objects.get().last_used_at == used
    long_ago = timezone.now() - timedelta(hours=1)
    ApiToken.objects.update(last_used_at=long_ago)
    asks(token)
    assert ApiToken.objects.get().last_used_at > long_ago


def test_a_token_knows_whether_the_address_is_confirmed(stranger, django_assert_num_queries):
    token = tokens.make(user=stranger, name="Mine", scope="read")
    request = RequestFactory().get("/api/boards/", headers={"authorization": f"Bearer {token}"})
    for known in (True, False):
        EmailAddress.objects.filter(user=stranger).update(verified=known)
        with django_assert_num_queries(1):
            assert tokens.shown(request).user.address_known is known
