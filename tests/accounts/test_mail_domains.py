"""Domains of mail that a site does not take, by the list that it keeps."""

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import Client

from accounts import mail_domains
from accounts.models import User
from tests.accounts.provider import onward, serving
from tests.accounts.test_accounts import (
    SITE,
    confirm,
    link,
    member,
    new_address,
    page,
    set_password,
    sign_in,
    sign_up,
    signed_in,
)

pytestmark = pytest.mark.django_db
LIST = """# Thrown away
Trash.example
*.mailbox.example   # and this
@bin.example

Mülleimer.example
xn--bcher-kva.example
"""


@pytest.fixture(autouse=True)
def kept(settings, tmp_path):
    confirm(settings, "optional")
    path = tmp_path / "domains"
    path.write_text(LIST)
    settings.MAIL_DOMAINS_REFUSED = str(path)
    return path


@pytest.mark.parametrize(
    "domain",
    [
        *("trash.example", "TRASH.Example", "deep.in.trash.example", "mailbox.example"),
        *("a.mailbox.example", "bin.example", "mülleimer.example", "MÜLLEIMER.example"),
        *("xn--mlleimer-65a.example", "bücher.example", "x.bücher.example", "trash.example."),
        *("trash。example", "ｔrash.example"),
    ],
)
def test_what_is_on_the_list_in_any_spelling(domain):
    with pytest.raises(ValidationError, match="not taken here"):
        mail_domains.check(f"somebody@{domain}")


@pytest.mark.parametrize(
    "domain",
    ["example", "nottrash.example", "trash.example.org", "muelleimer.example", "", "..", "a..b"],
)
def test_what_is_not(domain):
    mail_domains.check(f"somebody@{domain}")


def test_nobody_joins_with_one(client):
    told = page(sign_up(client, "member-x", email="x@a.trash.example"))
    assert "Addresses of this domain are not taken here" in told
    assert 'value="x@a.trash.example"' in told
    assert not User.objects.exists()
    sign_up(client, "member-x", email="x@fine.example")
    assert User.objects.exists()


@pytest.mark.parametrize("how", ["required", "optional", "off"])
def test_nobody_changes_to_one(client, settings, how):
    confirm(settings, how)
    mine = member("member-a")
    sign_in(client)
    sent = {"email": "x@a.trash.example", "action_add": ""}
    assert "not taken here" in page(client.post("/accounts/email/", sent))
    assert not EmailAddress.objects.filter(email__contains="trash").exists()
    new_address(client, "x@fine.example")
    assert EmailAddress.objects.filter(user=mine, email="x@fine.example").exists()


def test_nobody_joins_with_one_by_a_provider(client, settings):
    settings.SITE_URL = SITE
    with serving(("sub-1", {"email": "x@trash.example", "email_verified": True})) as provider:
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [provider.settings()]}}
        sent = client.post("/accounts/oidc/example/login/")
        form = client.get(provider.signs_in(onward(sent), "sub-1"))["Location"]
        told = page(client.post(form, {"username": "member-x", "email": "x@trash.example"}))
        assert "Addresses of this domain are not taken here" in told
        assert not User.objects.exists()
        client.post(form, {"username": "member-x", "email": "x@fine.example"})
    assert User.objects.get().email == "x@fine.example"
    assert not EmailAddress.objects.filter(email__contains="trash").exists()


@pytest.mark.parametrize("how", ["required", "optional"])
def test_a_member_who_has_one_gets_every_mail_about_the_account(client, settings, how):
    """The list came after them: a new password, the link once more, and the way to another."""
    confirm(settings, how)
    settings.SITE_URL = SITE
    cache.clear()
    mine = member("member-a")
    mine.set_address("a@trash.example", known=True)
    told = client.post("/accounts/password/reset/", {"email": "a@trash.example"})
    assert told.status_code == 302, page(told)
    set_password(client, link(mail.outbox.pop()), "another horse 8")
    again = Client()
    sign_in(again, "a@trash.example", "another horse 8")
    assert signed_in(again)
    assert User.objects.get().check_password("another horse 8")
    assert "Location" in again.post(
        "/accounts/email/", {"email": "x@fine.example", "action_add": ""}
    )

    late = member("member-b", known=False)
    late.set_address("b@trash.example", known=False)
    mail.outbox.clear()
    client.post("/accounts/resend/", {"email": "b@trash.example"})
    client.post(link(mail.outbox.pop()))
    assert EmailAddress.objects.get(user=late).verified


def test_a_new_list_counts_at_once_and_a_lost_one_stops_nobody(kept, caplog):
    kept.write_text("other.example\n")
    with pytest.raises(ValidationError):
        mail_domains.check("a@other.example")
    mail_domains.check("a@trash.example")
    kept.unlink()
    mail_domains.check("a@other.example")
    assert "was not read" in caplog.text


def test_without_a_list_all_are_taken(settings):
    settings.MAIL_DOMAINS_REFUSED = ""
    mail_domains.check("a@trash.example")
