"""Where a member is signed in: the list, signing out elsewhere, and the mail about a new device."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.devices import COOKIE, device_of
from accounts.models import Session
from tests.accounts.test_accounts import member, sign_in, site  # noqa: F401  (a fixture of all)

pytestmark = [pytest.mark.django_db, pytest.mark.reads]
LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Safari/604.1"


def browser(agent=LINUX) -> Client:
    return Client(HTTP_USER_AGENT=agent)


def page(client) -> str:
    return client.get("/accounts/sessions/").content.decode()


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (LINUX, "Firefox on Linux"),
        (PHONE, "Safari on an iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5", "A browser"),
        ("", "A browser"),
        ("\x00<b>" * 9_000, "A browser"),
    ],
)
def test_devices_are_told_in_words(agent, words):
    assert device_of(RequestFactory(HTTP_USER_AGENT=agent).get("/")) == words


def test_one_sees_where_one_is_signed_in_and_signs_out_elsewhere():
    member()
    here, phone = browser(), browser(PHONE)
    sign_in(here)
    sign_in(phone)
    text = page(here)
    assert "Firefox on Linux</b>, this one" in text
    assert "Safari on an iPhone" in text
    assert not any(key in text for key in Session.objects.values_list("session_key", flat=True))
    name = next(row.name for row in Session.objects.all() if "iPhone" in row.device)
    here.post("/accounts/sessions/", {"session": name})
    assert "Safari on an iPhone" not in page(here)
    assert phone.get("/accounts/sessions/").status_code == 302
    sign_in(phone)
    sign_in(browser(PHONE))
    answer = here.post("/accounts/sessions/", follow=True).content.decode()
    assert "Signed out: 2." in answer
    assert phone.get("/accounts/sessions/").status_code == 302
    assert here.get("/accounts/sessions/").status_code == 200


def test_nobody_signs_out_somebody_else():
    member(), member("member-b")
    here, other = browser(), browser()
    sign_in(here)
    sign_in(other, "member-b")
    name = Session.objects.get(user__username="member-b").name
    for wrong in (name, "x" * 5000, "\x00"):
        assert (
            "nothing left"
            in here.post("/accounts/sessions/", {"session": wrong}, follow=True).content.decode()
        )
    here.post("/accounts/sessions/")
    assert other.get("/accounts/sessions/").status_code == 200


def test_a_device_that_is_new_is_told_by_mail_once():
    user = member()
    known = browser()
    sign_in(known)  # the first time ever
    assert not mail.outbox
    known.post("/accounts/logout/")
    sign_in(known)
    assert not mail.outbox
    phone = browser(PHONE)
    sign_in(phone)
    (told,) = mail.outbox
    assert told.to == [user.email]
    assert "Safari on an iPhone" in told.body
    assert "/accounts/sessions/" in told.body
    phone.post("/accounts/logout/")
    sign_in(phone)
    assert len(mail.outbox) == 1
    forged = browser()
    forged.cookies[COOKIE] = f"{user.pk}:1abc:forged"
    sign_in(forged)
    assert len(mail.outbox) == 2


def test_the_last_use_is_noted_once_an_hour():
    member()
    client = browser()
    sign_in(client)
    old = timezone.now() - timedelta(hours=2)
    Session.objects.update(seen_at=old)
    client.get("/")
    first = Session.objects.get().seen_at
    assert first > old
    with CaptureQueriesContext(
        connection,
    ) as asked:
        client.get("/")
    assert Session.objects.get().seen_at == first
    assert not any(query["sql"].startswith("UPDATE") for query in asked)


def test_where_nothing_can_be_written_reading_goes_on(monkeypatch):
    from django.db import OperationalError
    from django.db.models import QuerySet

    member()
    client = browser()
    sign_in(client)
    Session.objects.update(seen_at=timezone.now() - timedelta(hours=2))
    update = QuerySet.update

    def refuse(rows, **columns):
        if rows.model is Session:
            raise OperationalError("attempt to write a readonly database")
        return update(rows, **columns)

    monkeypatch.setattr(QuerySet, "update", refuse)
    assert client.get("/").status_code == 200
