"""Whatever way the driver tells that the database is away, who sent a form gets a 503 and the text
back."""

import psycopg
import pytest
from django.db import InterfaceError, OperationalError

from forum.actions import threads
from tests.people import browser, fresh, typed

pytestmark = [pytest.mark.django_db, pytest.mark.once]
WAYS = [
    OperationalError("server closed the connection unexpectedly"),
    InterfaceError("connection already closed"),
    # Not made one of Django's where a cursor is closed that reads a few rows at a time.
    psycopg.OperationalError("consuming input failed: server closed the connection"),
    psycopg.InterfaceError("the connection is closed"),
]


@pytest.mark.parametrize("error", WAYS, ids=lambda error: f"{type(error).__module__}.{error}"[:40])
def test_the_text_comes_back(thread, opener, monkeypatch, error):
    def rename(**given):
        raise error

    monkeypatch.setattr(threads, "rename", rename)
    answer = browser(opener).post(f"/threads/{thread.pk}/rename/", {"title": "Another title"})
    assert answer.status_code == 503
    assert typed(answer)["title"] == "Another title"
    assert fresh(thread).title != "Another title"
