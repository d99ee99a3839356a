"""What is answered before Django is what Django would answer: status, headers, bytes, lines and
counts."""

from io import BytesIO
from unittest.mock import Mock

import psycopg
import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import (
    DEFAULT_DB_ALIAS,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
)

from accounts.models import raise_site_version
from forum.models import Board
from forum.moderation import states
from forum.operations import caching, kept_first, observability, replication
from tests.people import cast, fresh, reply, settled_row

pytestmark = [pytest.mark.django_db, pytest.mark.reads]
GIVEN = "4711-abc.def_0"  # an id that a proxy gave


@pytest.fixture(scope="module")
def world(settled):
    return cast()


thread, opener = settled_row("thread"), settled_row("opener")
answerer, moderator = settled_row("answerer"), settled_row("moderator")


class Both:
    """Django alone, and with what is answered before it; `handed_on` counts what came to Django
    then."""

    def __init__(self) -> None:
        self.django = WSGIHandler()
        self.first = kept_first.kept_first(self._hand_on)
        self.handed_on = 0

    def _hand_on(self, environ, start_response):
        self.handed_on += 1
        return self.django(environ, start_response)

    def ask(self, application, path: str, **environ) -> tuple:
        """Status, headers and body; what differs by itself, the request's own id, is left out."""
        path, _, query = path.partition("?")
        asked = {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "testserver",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(),
            "wsgi.errors": BytesIO(),
        } | environ
        told: list = []
        answer = application(asked, lambda status, headers: told.extend((status, headers)))
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        headers = dict(told[1])
        assert observability.SANE.fullmatch(headers["X-Request-ID"])
        if "HTTP_X_REQUEST_ID" not in environ:
            del headers["X-Request-ID"]
        return told[0], headers, body

    def same(self, path: str, **environ) -> tuple[tuple, bool]:
        """The answer, which is the same both ways, and whether Django was not called for it."""
        self.ask(self.django, path, **environ)  # of what is kept, the second answer is smaller
        alone = self.ask(self.django, path, **environ)
        before = self.handed_on
        assert self.ask(self.first, path, **environ) == alone
        return alone, self.handed_on == before


@pytest.fixture
def both(settings, unhurried, monkeypatch, stopped_clock):
    """Both ways, with pages kept, beginning with none, and in the transaction of a test, whose
    connection nobody closes. The debate is as old as this module, and ages by the minute."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    monkeypatch.setattr(kept_first, "close_old_connections", lambda: None)
    settings.KEPT_PAGES_MB = 4
    settings.SHARED_CACHE_SECONDS = 60
    caching.pages.clear()
    caching.fragments.clear()
    yield Both()
    caching.pages.clear()
    caching.fragments.clear()
    for signal in signals:
        signal.connect(close_old_connections)


KEPT = {  # what differs from a plain request for a kept page, and is answered before Django
    "plain": {},
    "head": {"REQUEST_METHOD": "HEAD"},
    "packed": {"HTTP_ACCEPT_ENCODING": "br, gzip"},
    "gzip": {"HTTP_ACCEPT_ENCODING": "gzip"},
    "refused coding": {"HTTP_ACCEPT_ENCODING": "br;q=0, gzip"},
    "unpacked": {"HTTP_ACCEPT_ENCODING": "identity"},
    "any mark": {"HTTP_IF_NONE_MATCH": "*"},
    "head, any mark": {"REQUEST_METHOD": "HEAD", "HTTP_IF_NONE_MATCH": 'W/"a", *'},
    "another mark": {"HTTP_IF_NONE_MATCH": '"0123"'},
    "since": {"HTTP_IF_MODIFIED_SINCE": "Sat, 28 Nov 2099 12:00:00 GMT"},
    "an id": {"HTTP_X_REQUEST_ID": GIVEN},
    "other cookies": {"HTTP_COOKIE": "other=1; broken; =; é=\xe9"},
    "range": {"HTTP_RANGE": "bytes=0-9"},
    "forwarded": {"HTTP_X_FORWARDED_FOR": "10.0.0.1", "HTTP_X_FORWARDED_HOST": "evil.example"},
    "forwarded as https": {"HTTP_X_FORWARDED_PROTO": "https"},
    "script": {"HTTP_ACCEPT": "application/json", "HTTP_X_REQUESTED_WITH": "XMLHttpRequest"},
    "long body": {"CONTENT_LENGTH": "x", "CONTENT_TYPE": "text/plain"},
}
OTHERS = {  # what is Django's to answer
    "post": {"REQUEST_METHOD": "POST"},
    "options": {"REQUEST_METHOD": "OPTIONS"},
    "trace": {"REQUEST_METHOD": "TRACE"},
    "put": {"REQUEST_METHOD": "PUT"},
    "small letters": {"REQUEST_METHOD": "get"},
    "odd": {"REQUEST_METHOD": "BREW"},
    "session": {"HTTP_COOKIE": f"{settings.SESSION_COOKIE_NAME}=abc"},
    "message": {"HTTP_COOKIE": "messages=abc"},
    "host": {"HTTP_HOST": "evil.example"},
    "broken host": {"HTTP_HOST": "test server"},
    "under an address": {"SCRIPT_NAME": "/forum"},
    "apache's": {"SCRIPT_URL": "/forum"},
    "query": {"QUERY_STRING": "x=1"},
    "odd query": {"QUERY_STRING": "page=1&page=2&view=flat"},
    "broken query": {"QUERY_STRING": "%00=\xff"},
    "long query": {"QUERY_STRING": "page=" + "1" * 400},
}


@pytest.mark.parametrize("change", KEPT.values(), ids=KEPT)
def test_a_kept_page(both, thread, change):
    at = thread.get_absolute_url()
    both.same(at)
    answer, before_django = both.same(at, **change)
    assert before_django
    assert answer[0] in ("200 OK", "304 Not Modified")


@pytest.mark.parametrize("change", OTHERS.values(), ids=OTHERS)
def test_all_else(both, thread, change):
    at = thread.get_absolute_url()
    both.same(at)
    assert not both.same(at, **change)[1]


@pytest.mark.parametrize("coding", ["br", "gzip", ""])
def test_who_has_the_page_is_told_so(both, thread, coding):
    at, taken = thread.get_absolute_url(), {"HTTP_ACCEPT_ENCODING": coding}
    (_, headers, body), _ = both.same(at, **taken)
    answer, before_django = both.same(at, HTTP_IF_NONE_MATCH=headers["ETag"], **taken)
    assert before_django and answer[0] == "304 Not Modified" and answer[2] == b""
    assert "Content-Type" not in answer[1] and "Content-Security-Policy" in answer[1]
    assert body


def test_each_theme_host_view_and_page_is_one_of_its_own(both, thread, settings):
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]
    at = thread.get_absolute_url()
    seen = set()
    for query in ("", "?view=tree", "?view=flat&page=1", "?page=1&view=tree", "?page=9"):
        for more in ({}, {"HTTP_COOKIE": "theme=dark"}, {"HTTP_HOST": "other.example"}):
            both.same(at + query, **more)
            answer, before_django = both.same(at + query, **more)
            assert before_django is (answer[0] == "200 OK")
            seen.add(answer[2])
    assert len(seen) > 6


def test_a_page_over_https_is_not_one_over_http(both, thread, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True
    both = Both()  # SecurityMiddleware reads its settings when it is made
    at, secure = thread.get_absolute_url(), {"HTTP_X_FORWARDED_PROTO": "https"}
    assert both.same(at, **secure)[0][0] == "200 OK"
    assert both.same(at, **secure)[1]
    answer, before_django = both.same(at)
    assert answer[0].startswith("301") and not before_django


@pytest.mark.parametrize(
    "end", ["", "wrong-title/", "é/", "since/1/", "feed/", "since/1/?x", "road/", "%00/"]
)
def test_other_addresses_of_the_debate(both, thread, end):
    for at in (f"/threads/{thread.pk}/{end}", f"//threads/{thread.pk}/{end}"):
        for _ in range(2):
            assert not both.same(at.encode().decode("latin-1"))[1]


CHANGES = {
    "a reply": lambda w: reply(fresh(w.thread), w.answerer),
    "hidden post": lambda w: states.hide(
        user=w.moderator, post=w.thread.posts.get(number=2), reason="Spam"
    ),
    "locked": lambda w: states.lock(user=w.moderator, thread=w.thread, reason="Enough"),
    "hidden debate": lambda w: states.hide_thread(user=w.moderator, thread=w.thread, reason="Spam"),
    "site": lambda w: raise_site_version(),
    "board for some": lambda w: (
        Board.objects.filter(pk=w.thread.board_id).update(audience=Board.Audience.INVITED),
        raise_site_version(),
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_changed_is_never_shown_as_it_was(both, thread, world, change):
    at = thread.get_absolute_url()
    both.same(at)
    before, kept = both.same(at)
    assert kept
    change(world)
    # First where it is kept under older numbers.
    after = both.ask(both.first, at)
    assert both.handed_on == 1
    assert both.same(at)[0] == after
    if change is not CHANGES["site"]:
        assert after[2] != before[2]


def test_a_database_that_does_not_answer(both, thread):
    at = thread.get_absolute_url()
    both.same(at)
    assert both.same(at)[1]

    def fail(execute, sql, params, many, context):
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(fail):
        answer, before_django = both.same(at)
    assert answer[0].startswith("503") and not before_django
    assert both.same(at)[1]


def test_a_kept_connection_that_is_gone_costs_nobody_a_page(both, thread, monkeypatch):
    at = thread.get_absolute_url()
    both.same(at)
    once = [InterfaceError("connection already closed")]

    def fail(execute, sql, params, many, context):
        if once:
            raise once.pop()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail):
        answer = both.ask(both.first, at)
    assert answer[0] == "200 OK" and both.handed_on == 1 and not once


@pytest.mark.parametrize("error", [OperationalError, InterfaceError, psycopg.InterfaceError])
def test_a_replica_that_is_gone_costs_nobody_a_page(both, thread, monkeypatch, error):
    at = thread.get_absolute_url()
    both.same(at)
    gone = Mock(**{"close_if_health_check_failed.side_effect": error("connection already closed")})
    monkeypatch.setattr(replication, "_next", lambda: "replica_0")
    known = {"replica_0": gone, DEFAULT_DB_ALIAS: Mock(in_atomic_block=False)}
    monkeypatch.setattr(replication, "connections", known)
    assert both.ask(both.first, at)[0] == "200 OK"
    assert both.handed_on == 0 and gone.close.called


def test_a_database_to_read_from_only(both, thread):
    at = thread.get_absolute_url()
    both.same(at)

    def refuse(execute, sql, params, many, context):
        assert sql.lstrip()[:6].upper() == "SELECT"
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        assert both.same(at)[1]


@pytest.fixture
def told(monkeypatch):
    """What lines and counts are told of each request, but for ids and time."""
    found = []
    monkeypatch.setattr(
        observability.requests,
        "info",
        lambda words, extra: found.append(extra | {"ms": 0, "id": observability._request_id.get()}),
    )
    return found


def test_lines_say_the_same(both, thread, world, settings, told):
    settings.LOG_FORMAT = "json"
    at = thread.get_absolute_url()
    for change in (lambda: None, lambda: None, lambda: reply(fresh(thread), world.answerer)):
        change()
        # What is kept is put back, so that both meet the same.
        kept = caching.pages.get(caching._key(_asked(at)))
        both.ask(both.django, at, HTTP_X_REQUEST_ID=GIVEN)
        if kept is None:
            caching.pages.clear()
        else:
            caching.pages.put(caching._key(_asked(at)), kept, 1)
        caching.fragments.clear()
        both.ask(both.first, at, HTTP_X_REQUEST_ID=GIVEN)
        alone, first = told[-2:]
        if first["queries"] <= 1:
            assert first == alone
        assert first | {"queries": 0} == alone | {"queries": 0}
        assert first["id"] == GIVEN and first["numbers"] == {"thread_id": thread.pk}
    assert [line["queries"] for line in told][2:4] == [1, 1]


def _asked(at: str):
    return kept_first.Asked(
        {
            "PATH_INFO": at,
            "REQUEST_METHOD": "GET",
            "HTTP_HOST": "testserver",
            "wsgi.url_scheme": "http",
        }
    )


def test_counts_say_the_same(settings, both, thread):
    settings.METRICS_TOKEN = "t"
    both, counted = Both(), []
    for application in (both.django, both.first):
        at = thread.get_absolute_url()
        both.ask(application, at)
    from forum.operations import metrics

    labels = {"method": "GET", "status": "200", "route": "threads/<int:thread_id>/<str:slug>/"}
    for application in (both.django, both.first):
        before = metrics._registry.get_sample_value("jonbar_requests_total", labels)
        both.ask(application, thread.get_absolute_url())
        counted.append(metrics._registry.get_sample_value("jonbar_requests_total", labels) - before)
    assert counted == [1, 1] and both.handed_on == 0


def test_numbers_of_another_database_are_asked_for_anew(thread, both):
    known = {"PATH_INFO": "/", "REQUEST_METHOD": "GET", caching.KNOWN: ("replica_9", (0, 0))}
    assert caching._numbers(kept_first.Asked(known), thread.pk) == caching.numbers_of(thread.pk)
    known[caching.KNOWN] = replication.alias(), (0, 0)
    assert caching._numbers(kept_first.Asked(known), thread.pk) == (0, 0)


def test_pages_are_read_in_turn_from_where_django_reads(both, thread, monkeypatch):
    at = thread.get_absolute_url()
    both.same(at)
    asked = []
    monkeypatch.setattr(replication, "_next", lambda: asked.append("a turn"))
    assert both.ask(both.first, at)[0] == "200 OK"
    assert asked == ["a turn"] and both.handed_on == 0


def test_nothing_stands_before_kept_pages_that_is_not_done_here():
    """Another middleware there would have to be done in kept_first, too."""
    at = settings.MIDDLEWARE.index("forum.middleware.KeptPages")
    assert set(settings.MIDDLEWARE[:at]) <= {
        "forum.operations.observability.Requests",
        "forum.middleware.ReplicaRouting",
    }


def test_while_no_page_is_kept_django_is_asked(both, thread, settings):
    settings.KEPT_PAGES_MB = 0
    for _ in range(2):
        assert not both.same(thread.get_absolute_url())[1]
