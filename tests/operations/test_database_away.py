"""Whatever way the driver tells that the database is away, who sent a form gets a 503 and the text
back; who reads gets a 503 too, and what can be done without the database goes on."""

import ast
from contextlib import contextmanager
from types import SimpleNamespace

import psycopg
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection
from django.http import HttpResponse
from django.test import RequestFactory

from accounts import tokens
from accounts.models import ApiToken
from accounts.sessions import NOTED_EVERY
from forum import tree
from forum.actions import read_state, threads
from forum.middleware import ReplicaRouting
from forum.operations import limits, replication
from forum.rendering import context
from forum.views import errors
from tests.people import browser, fresh, typed

pytestmark = [pytest.mark.django_db, pytest.mark.once]
WAYS = [
    OperationalError("server closed the connection unexpectedly"),
    InterfaceError("connection already closed"),
    # Not made one of Django's where a cursor is closed that reads a few rows at a time.
    psycopg.OperationalError("consuming input failed: server closed the connection"),
    psycopg.InterfaceError("the connection is closed"),
]
each_way = pytest.mark.parametrize(
    "error", WAYS, ids=lambda error: f"{type(error).__module__}.{error}"[:40]
)


@contextmanager
def away(error, words: str = ""):
    """Every statement that holds these words fails so."""

    def fail(execute, sql, *more):
        if words in sql:
            raise error
        return execute(sql, *more)

    with connection.execute_wrapper(fail):
        yield


@each_way
def test_the_text_comes_back(thread, opener, monkeypatch, error):
    def rename(**given):
        raise error

    monkeypatch.setattr(threads, "rename", rename)
    answer = browser(opener).post(f"/threads/{thread.pk}/rename/", {"title": "Another title"})
    assert answer.status_code == 503
    assert typed(answer)["title"] == "Another title"
    assert fresh(thread).title != "Another title"


@each_way
@pytest.mark.parametrize("signed_in", [False, True])
@pytest.mark.parametrize("path", ["{0}", "/threads/{1}/since/1/", "/"])
def test_who_reads_is_told(thread, opener, error, path, signed_in):
    client = browser(opener if signed_in else None)
    client.raise_request_exception = False
    address = path.format(thread.get_absolute_url(), thread.pk)
    with away(error):
        assert client.get(address).status_code == 503


@each_way
def test_what_only_notes_something_keeps_nobody_from_reading(thread, opener, monkeypatch, error):
    def fail(*given, **named):
        raise error

    client = browser(opener)
    monkeypatch.setattr(read_state, "mark_read", fail)
    monkeypatch.setattr(cache, "incr", fail)
    opener.sessions.update(seen_at=opener.date_joined - NOTED_EVERY)
    with away(error, 'UPDATE "accounts_session"'):
        assert client.get(thread.get_absolute_url()).status_code == 200
    token = ApiToken.objects.create(user=opener, name="Phone", digest="d", scope="read")
    with away(error, 'UPDATE "accounts_apitoken"'):
        tokens.note_use(token)
    limits.count("offers", "somebody", 1, "Too often.")


@each_way
def test_a_replica_that_is_away_is_left_alone(monkeypatch, error):
    failed = []
    monkeypatch.setattr(replication, "_failed", failed.append)
    reader = SimpleNamespace(last_write="0/0")
    choice = replication.Reading(SimpleNamespace(user=reader), DEFAULT_DB_ALIAS)
    with away(error):
        assert choice.alias() == DEFAULT_DB_ALIAS
    assert failed == [DEFAULT_DB_ALIAS]


@each_way
def test_a_write_whose_place_is_not_noted_is_not_acknowledged(opener, error):
    def wrote(request):
        opener.save(update_fields=["is_staff"])
        return HttpResponse("done")

    request = RequestFactory().post("/")
    request.user, request.session = opener, {}
    with away(error, "pg_current_wal_insert_lsn"):
        assert ReplicaRouting(wrote)(request).status_code == 503


@each_way
def test_what_a_page_has_at_its_edge_keeps_it_from_nobody(monkeypatch, error):
    def fail(*given):
        raise error

    context.forget_links()
    monkeypatch.setattr(tree, "kept_for", fail)
    with away(error):
        assert context._written() == ()
    assert errors._kept_for(tree.StillLocked([1], error)) == ""


SELECTED = {  # who asks for one code of the database, such as a lock that was not had in time
    "forum/tree/locking.py",
    "forum/views/search.py",
    "forum/api/finding.py",
}
ONE_OF_THEM = {"DatabaseError", "OperationalError", "InterfaceError"}


def test_nobody_takes_one_of_the_exceptions_for_all():
    """`except DatabaseError` lets InterfaceError through, and what is the driver's own."""
    found = set()
    for folder in ("accounts", "core", "forum"):
        for path in (settings.BASE_DIR / folder).rglob("*.py"):
            source = path.read_text()
            if not any(name in source for name in ONE_OF_THEM):
                continue
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.ExceptHandler) and node.type is not None:
                    names = {one.id for one in ast.walk(node.type) if isinstance(one, ast.Name)}
                    if names & ONE_OF_THEM:
                        found.add(str(path.relative_to(settings.BASE_DIR)))
    assert found == SELECTED
