"""A request that PostgreSQL ended for a deadlock is done once more, and only once."""

import psycopg
import pytest
from django.db import OperationalError

from forum.actions import threads
from tests.people import browser, fresh

pytestmark = pytest.mark.django_db


@pytest.fixture
def deadlocks(monkeypatch):
    """Lets the next so many renamings end in a deadlock; how often it was tried is counted."""
    right, tried = threads.rename, []

    def arrange(count: int) -> list:
        def rename(**given):
            tried.append(given["title"])
            if len(tried) <= count:
                raise OperationalError("deadlock") from psycopg.errors.DeadlockDetected()
            return right(**given)

        monkeypatch.setattr(threads, "rename", rename)
        return tried

    return arrange


def test_what_ended_in_a_deadlock_is_done_once_more(thread, opener, deadlocks):
    tried = deadlocks(1)
    answer = browser(opener).post(f"/threads/{thread.pk}/rename/", {"title": "Another title"})
    assert answer.status_code == 302
    assert tried == ["Another title"] * 2
    assert fresh(thread).title == "Another title"


def test_twice_is_said_and_keeps_the_text(thread, opener, deadlocks):
    tried = deadlocks(9)
    answer = browser(opener).post(f"/threads/{thread.pk}/rename/", {"title": "Another title"})
    assert answer.status_code == 503
    assert "Another title" in answer.content.decode()
    assert len(tried) == 2


def test_other_failures_of_the_database_are_not_tried_again(thread, opener, monkeypatch):
    tried = []

    def rename(**given):
        tried.append(given)
        raise OperationalError("busy") from psycopg.errors.LockNotAvailable()

    monkeypatch.setattr(threads, "rename", rename)
    answer = browser(opener).post(f"/threads/{thread.pk}/rename/", {"title": "Another title"})
    assert (answer.status_code, len(tried)) == (503, 1)
