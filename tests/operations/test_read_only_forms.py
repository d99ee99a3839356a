"""Every form of the site, sent while the database takes no writes: a sentence says so, nobody is
told to have tried too often, and what was typed is there."""

from contextlib import contextmanager
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import User
from forum.models import AuditEntry, Draft, Notice, Thread
from tests.acts import world as acts_world
from tests.people import browser, typed
from tests.test_odd_requests import ADDRESSES, Odd

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.whole]
SENTENCE = "takes no writes"
SWITCH = {
    "postgresql": (
        "SET default_transaction_read_only = on",
        "SET default_transaction_read_only = off",
    ),
    "sqlite": ("PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
}


@contextmanager
def read_only():
    """Every statement of this connection from here on."""
    on, off = SWITCH[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(on)
        try:
            yield
        finally:
            cursor.execute(off)


def test_every_form(unhurried, record_property):
    made = acts_world.build()
    keys = {None: ""}
    for name in ("stranger", "opener", "chief"):
        client = browser(User.objects.get(username=name))
        keys[name] = client.cookies[settings.SESSION_COOKIE_NAME].value
    thread = Thread.objects.get(pk=made.ids["main"])
    odd = Odd(
        SimpleNamespace(
            keys=keys,
            arguments={
                "thread_id": thread.pk,
                "post_id": made.ids["b"],
                "notice_id": Notice.objects.values_list("pk", flat=True).first(),
                "entry_id": AuditEntry.objects.values_list("pk", flat=True).first(),
                "username": "answerer",
                "slug": thread.slug,
                "token": Draft.objects.get().token,
                "app_label": "forum",
                "key": "3-abc",
                "uidb36": "1",
            },
        ),
        1,
    )
    before, statuses, wrong = acts_world.snapshot(), {}, []
    with read_only():
        for name, text in ADDRESSES:
            address = odd.usual(text)
            for who in keys:
                client = Client()
                client.cookies[settings.SESSION_COOKIE_NAME] = keys[who]
                page = client.get(address)
                fields = {"text": "Thin ice.", "title": "What if?", "reason": "Because."}
                fields |= {"token": str(uuid4())}
                if page.status_code == 200 and "html" in page["Content-Type"]:
                    fields = typed(page) | fields
                answer = client.post(address, fields)
                status = answer.status_code
                statuses[status] = statuses.get(status, 0) + 1
                said = b"".join(answer) if answer.streaming else answer.content
                told = f"{name} {address} by {who}: {status} {answer.headers.get('Location', '')}"
                if page.status_code in (429, 500, 503) or status in (429, 500):
                    wrong.append(f"{page.status_code}, {told}")
                elif status == 503 and (SENTENCE not in said.decode() or not answer["Retry-After"]):
                    wrong.append(f"no sentence: {told}")
    assert wrong == []
    assert acts_world.snapshot() == before
    record_property("measured", f"{len(ADDRESSES)} addresses: {statuses}")


@pytest.mark.parametrize("address", ["/accounts/login/", "/accounts/signup/", "/accounts/resend/"])
def test_who_signs_in_is_told_and_keeps_the_name(opener, address):
    name = "opener@forum.example"
    fields = {"login": name, "username": name, "email": name, "password": "told to nobody"}
    with read_only():
        answer = Client().post(address, fields | {"password1": "told to nobody"})
    page = answer.content.decode()
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert SENTENCE in page and name in page
    assert "told to nobody" not in page


def test_who_was_signed_out_while_writing_is_told_and_keeps_the_text(thread, opener):
    fields = {"sign_in_name": "opener", "sign_in_password": "told to nobody"}
    with read_only():
        answer = Client(headers={"Sec-Fetch-Site": "same-origin"}).post(
            f"/threads/{thread.pk}/reply/", fields | {"text": "Thin ice.", "token": str(uuid4())}
        )
    assert answer.status_code == 503
    assert SENTENCE in answer.content.decode()
    assert typed(answer)["text"] == "Thin ice."
    assert "told to nobody" not in answer.content.decode()
