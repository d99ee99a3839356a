"""The sum that a browser works out before it makes an account; without it the account waits."""

import re
from html import unescape

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from forum.models import Case
from forum.moderation import queue
from tests.accounts.test_accounts import confirm, page, sign_in, sign_up, signed_in
from tests.core.test_proof_of_work import answer
from tests.people import browser

FORMS = re.compile(r"<form.*</form>", re.DOTALL)
pytestmark = [pytest.mark.django_db, pytest.mark.reads]


@pytest.fixture(autouse=True)
def asked_for(settings):
    cache.clear()
    settings.PROOF_OF_WORK = 10
    confirm(settings, "optional")


def test_who_solved_it_is_in_at_once(client):
    form = page(client.get("/accounts/signup/"))
    shown = unescape(re.search(r'data-challenge="([^"]+)"', form)[1])
    assert '"form":"sign up"' in shown
    sign_up(client, "member-x", proof=answer("sign up"))
    assert signed_in(client)
    assert not Case.objects.exists()


def test_an_answer_is_used_once(client):
    proof = answer("sign up")
    sign_up(Client(), "member-x", proof=proof)
    told = page(sign_up(client, "member-y", proof=proof))
    assert "This form was sent before" in told
    assert 'value="member-y"' in told
    assert not User.objects.filter(username="member-y").exists()
    assert not signed_in(client)


def test_a_form_that_is_refused_uses_none_up(client):
    proof = answer("sign up")
    sign_up(client, "member-x", proof=proof, password1="short")
    sign_up(client, "member-x", proof=proof)
    assert signed_in(client)


@pytest.mark.parametrize("proof", ["x", "e30=", "\ud7ff", "A" * 5000])
def test_a_wrong_answer_makes_no_account(client, proof):
    assert sign_up(client, "member-x", proof=proof).status_code == 200
    assert sign_up(client, "member-x", proof=answer("report")).status_code == 200
    assert not User.objects.exists()


@pytest.mark.parametrize("how", ["required", "optional", "off"])
def test_no_page_promises_more_than_without_it(client, settings, how):
    """Who has no JavaScript waits for a moderator, so nothing may say that one does not."""
    confirm(settings, how)
    for path in ("signup", "confirm-email", "resend"):
        shown = " ".join(page(client.get(f"/accounts/{path}/")).split())
        for promise in ("you can sign in.", "at once", "and write", "One step is left"):
            assert promise not in shown, path


def test_without_it_the_account_waits(client, moderator):
    """As a browser without JavaScript sends it: nobody is refused."""
    assert "Your account waits" in page(sign_up(client, "member-x"))
    assert not signed_in(client)
    case = Case.objects.get(kind=Case.Kind.JOIN)
    told = browser(moderator).get("/admin/forum/case/").content.decode()
    assert "No question was" in told
    queue.decide(user=moderator, case=case, act="admit")
    sign_in(client, "member-x")
    assert signed_in(client)


@pytest.mark.parametrize("how", ["approval", "invitation", "closed"])
def test_where_others_decide_none_is_asked(client, settings, how):
    settings.JOINING = how
    assert "data-challenge" not in page(client.get("/accounts/signup/"))


def test_without_the_setting_none_is_asked(client, settings):
    settings.PROOF_OF_WORK = 0
    assert "data-challenge" not in page(client.get("/accounts/signup/"))
    sign_up(client, "member-x")
    assert signed_in(client)


@pytest.mark.parametrize("kind", ["solved", "none", "wrong", "used"])
def test_it_tells_nothing_of_an_address(settings, kind):
    """However the sum comes, an address that has an account is answered as any other."""
    confirm(settings, "required")
    User.objects.create_user("member-a").set_address("member-a@example.org", known=True)
    seen = []
    for email in ("member-a@example.org", "nobody@example.org"):
        visitor = Client()
        proof = {"none": "", "wrong": "x"}.get(kind) or answer("sign up")
        proof = "" if kind == "none" else proof
        if kind == "used":
            sign_up(Client(), f"y-{email[:2]}", email=f"y{email}", proof=proof)
        told = sign_up(visitor, "member-x", email=email, proof=proof)
        at = told.get("Location", "")
        after = page(visitor.get(at)) if at else FORMS.sub("", page(told))
        seen.append((told.status_code, at, after.replace(email, "")))
    assert seen[0] == seen[1]
