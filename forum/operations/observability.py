"""Watching the forum: an id for every request, lines for machines, slow queries, what is counted.

No line and no count holds what people type: addresses are told as their pattern with the numbers
in it (keys of reset links are part of an address), statements without their values, exceptions by
kind and place. Only what the database says of itself, such as a time limit, is told in words.
"""

import json
import logging
import re
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from uuid import uuid4

from django.conf import settings
from django.db import OperationalError, connections

# What a proxy may hand us as a request's id: nothing that could break out of a line or a header.
SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
LOGGED_FIELDS = frozenset(("route", "method", "status", "ms", "queries", "numbers", "member"))

SENT = "jonbar.sent"  # in a request's environment: statements sent before Django was called

requests = logging.getLogger("forum.requests")
slow_queries = logging.getLogger("forum.slow")
_request_id: ContextVar[str] = ContextVar("request_id", default="")


def route(request) -> str:
    """The pattern of the address that a request is for, such as "posts/<int:post_id>/"; "static"
    for files, "none" for what is not there."""
    if match := getattr(request, "resolver_match", None):
        return match.route or "home"
    return "static" if request.path.startswith(settings.STATIC_URL) else "none"


def numbers(request) -> dict[str, int]:
    """The numbers in the address of a request: ids of debates and posts, and nothing typed."""
    match = getattr(request, "resolver_match", None)
    return {name: n for name, n in (match.kwargs if match else {}).items() if isinstance(n, int)}


class Requests:
    """Outermost middleware: gives every request its id, times it, logs and counts it."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.metrics = None
        if settings.METRICS_TOKEN:
            # The library costs memory, so only where it is used.
            from . import caching, metrics

            self.metrics = metrics
            self.caches = {"pages": caching.pages, "posts": caching.fragments}

    def __call__(self, request):
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request.id = given if SANE.fullmatch(given) else uuid4().hex[:16]
        token = _request_id.set(request.id)
        began = time.perf_counter()
        try:
            if not (self.metrics or settings.SLOW_QUERY_MS or settings.LOG_FORMAT == "json"):
                response = self.get_response(request)
            else:
                with watched_queries() as seen:
                    response = self.get_response(request)
                queries = seen[0] + request.META.get(SENT, 0)
                self._measure(request, response, time.perf_counter() - began, queries)
            response.headers["X-Request-ID"] = request.id
            return response
        finally:
            _request_id.reset(token)

    def _measure(self, request, response, seconds: float, queries: int) -> None:
        where, status = route(request), response.status_code
        if self.metrics:
            self.metrics.count(where, request.method, status, seconds, queries)
            # By each worker, which knows its own alone; one of them is asked for all.
            for name, kept in self.caches.items():
                self.metrics.set_kept(name, *kept.size())
        if settings.LOG_FORMAT == "json":
            # Asking who it is would cost the query; who was asked for already is known.
            session = getattr(request, "session", None)
            member = getattr(getattr(session, "member", None), "pk", None)
            requests.info(
                "request",
                extra={
                    "route": where,
                    "method": request.method,
                    "status": status,
                    "ms": round(seconds * 1000, 1),
                    "queries": queries,
                    "numbers": numbers(request),
                    "member": member,
                },
            )


@contextmanager
def watched_queries() -> Iterator[list[int]]:
    """Count the statements of this thread, and log those that take longer than SLOW_QUERY_MS."""
    seen, limit = [0], settings.SLOW_QUERY_MS / 1000

    def watch(execute, sql, params, many, context):
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            seen[0] += 1
            took = time.perf_counter() - began
            if limit and took >= limit:
                # The statement has %s where the values stand.
                slow_queries.warning(sql[:2000], extra={"ms": round(took * 1000, 1)})

    with ExitStack() as stack:
        for connection in connections.all():
            stack.enter_context(connection.execute_wrapper(watch))
        yield seen


class RedactingFilter(logging.Filter):
    """Takes addresses and typed words out of the lines that Django writes about requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; it is always kept."""
        record.request_id = _request_id.get() or getattr(getattr(record, "request", None), "id", "")
        request = getattr(record, "request", None)
        if record.name.startswith(("django.request", "django.security")):
            if request is not None and hasattr(request, "path"):
                status = getattr(record, "status_code", "refused")
                record.msg, record.args = f"{status} at {route(request)}", None
            elif record.name.startswith("django.security"):
                # A refused Host header, a forged cookie: what was sent is somebody's words.
                record.msg, record.args = record.name.rpartition(".")[2], None
        return True


def redacted(error: tuple | None) -> dict:
    """An exception as its kind and the places that it went through; its own words only if they are
    the database's about itself, since others may repeat what somebody typed."""
    if not error or error[0] is None:
        return {}
    kind, value, trace = error
    found = {
        "error": f"{kind.__module__}.{kind.__qualname__}",
        "stack": [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(trace)],
    }
    if isinstance(value, OperationalError):
        found["said"] = str(value).partition("\n")[0]
    return found


class LineFormatter(logging.Formatter):
    """For people: time, level, logger, request, message; then where an exception came from."""

    def format(self, record: logging.LogRecord) -> str:
        """One record as text."""
        at = f"{self.formatTime(record)} {record.levelname} {record.name}"
        known = getattr(record, "request_id", "")
        ms = f" ({record.ms} ms)" if hasattr(record, "ms") else ""
        text = f"{at}{f' [{known}]' if known else ''} {record.getMessage()}{ms}"
        if settings.DEBUG and record.exc_info:
            return f"{text}\n{self.formatException(record.exc_info)}"
        if found := redacted(record.exc_info):
            said = f": {found['said']}" if "said" in found else ""
            text += "".join(f"\n    {place}" for place in found["stack"])
            text += f"\n    {found['error']}{said}"
        return text


class JsonFormatter(logging.Formatter):
    """For machines: one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """One record as a line of JSON."""
        found = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "request": getattr(record, "request_id", ""),
            "message": record.getMessage(),
            **{name: getattr(record, name) for name in LOGGED_FIELDS if hasattr(record, name)},
            **redacted(record.exc_info),
        }
        return json.dumps(found, ensure_ascii=False, default=str)
