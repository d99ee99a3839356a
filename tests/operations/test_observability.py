"""What machines are told: ids of requests, lines without anybody's words, counts, readiness."""

import json
import logging
import threading

import pytest
from django.db import OperationalError, connection
from django.test import Client, override_settings

from forum.actions import posts
from forum.operations import observability, readiness
from tests.people import browser
from tests.waiting import PATIENCE, until

TOKEN = "counts for the machine"


@pytest.fixture
def lines():
    """The log as LOG_FORMAT=json writes it, from all loggers, one object for each line."""
    written = []

    class Keep(logging.Handler):
        def emit(self, record):
            written.append(json.loads(self.format(record)))

    handler = Keep()
    handler.addFilter(observability.RedactingFilter())
    handler.setFormatter(observability.JsonFormatter())
    loggers = [logging.getLogger(name) for name in ("", "django")]
    for logger in loggers:
        logger.addHandler(handler)
    yield written
    for logger in loggers:
        logger.removeHandler(handler)


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["4711-abc.def_0", "a" * 64])
def test_an_id_that_came_along_is_kept(given):
    assert Client().get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"] == given


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["", "short", "a" * 65, "evil\r\nSet-Cookie: a=b", "<b>bold</b>"])
def test_any_other_id_is_replaced(given):
    answers = [Client().get("/healthz", headers={"X-Request-ID": given}) for _ in range(2)]
    ids = {answer["X-Request-ID"] for answer in answers}
    assert len(ids) == 2 and given not in ids
    assert all(observability.SANE.fullmatch(one) for one in ids)


@override_settings(LOG_FORMAT="json")
def test_every_request_leaves_a_line(lines, thread, answerer):
    page = browser(answerer).get(thread.get_absolute_url() + "?q=secret", follow=True)
    (line,) = [line for line in lines if line["logger"] == "forum.requests"]
    assert line["request"] == page["X-Request-ID"]
    assert line["numbers"] == {"thread_id": thread.pk}
    assert line["route"].startswith("threads/<int:thread_id>/")
    assert (line["status"], line["method"], line["member"]) == (200, "GET", answerer.pk)
    assert line["queries"] > 2 and line["ms"] > 0


@override_settings(LOG_FORMAT="json", SLOW_QUERY_MS=1, DEBUG_PROPAGATE_EXCEPTIONS=False)
def test_no_line_holds_what_was_typed_or_a_key(lines, thread, answerer, monkeypatch):
    """Of a page that works, one that is not there, a key, a wrong host, and one that breaks."""
    watching_client = browser(answerer, raise_request_exception=False)
    watching_client.get("/timeline/?q=Geheimnis")
    watching_client.get("/Geheimnis/")
    watching_client.get("/accounts/password/reset/key/1-Geheimnis/")
    watching_client.get("/accounts/confirm-email/Geheimnis/")
    watching_client.post("/accounts/login/", {"login": "Geheimnis", "password": "Geheimnis"})
    watching_client.get("/", headers={"Host": "geheimnis.example"})
    form = {"text": "Geheimnis", "token": "Geheimnis"}
    watching_client.post(f"/threads/{thread.pk}/reply/", form)

    def broken(*_, **__):
        raise ValueError("Geheimnis")

    monkeypatch.setattr(posts, "reply", broken)
    form["token"] = "8c7dc1ac-7d52-4b17-9a0c-3d7ae3a63bd5"
    answer = watching_client.post(f"/threads/{thread.pk}/reply/", form)
    assert answer.status_code == 500 and answer["X-Request-ID"] in answer.content.decode()
    assert len(lines) > 10
    assert "geheimnis" not in json.dumps(lines).lower()
    (trace,) = [line for line in lines if line.get("error") == "builtins.ValueError"]
    assert trace["request"] == answer["X-Request-ID"]
    assert any("broken" in place for place in trace["stack"])


def test_the_database_may_say_what_it_suffers_from():
    try:
        raise OperationalError("canceling statement due to lock timeout\nDETAIL: words")
    except OperationalError as error:
        found = observability.redacted((type(error), error, error.__traceback__))
    assert found["said"] == "canceling statement due to lock timeout"


@pytest.mark.django_db
def test_slow_statements_are_told_without_values(lines, settings):
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s)"
    # No statement takes ten minutes here, and this one more than a millisecond anywhere.
    for settings.SLOW_QUERY_MS in (600_000, 1):
        with observability.watched_queries() as seen, connection.cursor() as cursor:
            cursor.execute(f"{slow} SELECT count(*) FROM n", [200_000])
        assert seen == [1]
    redacted = [line for line in lines if line["logger"] == "forum.slow"]
    assert [line["message"][:14] for line in redacted] == ["WITH RECURSIVE"]
    assert "200000" not in json.dumps(redacted)


@override_settings(METRICS_TOKEN=TOKEN)
def test_counts_are_for_who_shows_the_token(thread):
    client = Client()
    client.get(f"/threads/{thread.pk}/nothing-typed/")
    client.get("/nowhere/Geheimnis/")
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer no"}).status_code == 404
    text = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).content.decode()
    assert 'route="threads/<int:thread_id>/<str:slug>/"' in text
    assert 'jonbar_requests_total{method="GET",route="none",status="404"} ' in text
    assert "jonbar_request_queries_bucket" in text
    assert 'jonbar_kept_bytes{cache="pages"} ' in text
    assert 'jonbar_kept_things{cache="posts"} ' in text
    assert "Geheimnis" not in text and "nothing-typed" not in text


@pytest.mark.django_db(transaction=True)
def test_ready_while_the_database_answers():
    assert Client().get("/readyz").status_code == 200


@pytest.mark.django_db
def test_a_database_that_fails_is_not_ready_and_the_process_lives(monkeypatch):
    def refused(*_):
        raise OperationalError("connection refused")

    monkeypatch.setattr(readiness.MigrationRecorder.Migration.objects, "using", refused)
    assert Client().get("/readyz").status_code == 503
    assert Client().get("/healthz").status_code == 200


@pytest.mark.django_db
def test_a_database_that_hangs_costs_a_second_and_one_thread(monkeypatch):
    hang, asked = threading.Event(), []

    def hanging(*_):
        asked.append(1)
        hang.wait(PATIENCE)
        raise OperationalError("gone")

    monkeypatch.setattr(readiness.MigrationRecorder.Migration.objects, "using", hanging)
    monkeypatch.setattr(readiness, "SECONDS", 0.05)
    try:
        assert [Client().get("/readyz").status_code for _ in range(3)] == [503] * 3
        until(lambda: asked, "it is never asked")
        assert len(asked) == 1
    finally:
        hang.set()
    monkeypatch.undo()
    assert readiness._open.answered.wait(PATIENCE)
