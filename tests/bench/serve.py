"""What the measured server runs: the forum, and beside it the page that it is measured against.

    gunicorn tests.bench.serve

The reference is Django with nothing around it: one primary-key query on a kept connection and
60 KB of HTML. It answers in the same processes, so whatever slows the machine slows both.
"""

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import connection
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path

import forum.wsgi  # first: it sets Django up, and what follows needs that
from forum.models import Board
from tests.bench import REFERENCE

COUNT = "HTTP_X_COUNT_QUERIES"
_LINE = "<p>Nothing but words to fill a page with, as many bytes as a long page has.</p>\n"
PAGE = f"<!doctype html><title>{{}}</title>\n{_LINE * (60 * 1024 // len(_LINE))}"


def reference(request, pk: int):
    """One row by its primary key, and a page."""
    # The settings have a kept connection tested before use; the reference does without.
    connection.health_check_done = True
    return HttpResponse(PAGE.format(Board.objects.get(pk=pk).name))


urlpatterns = [path(f"{REFERENCE[1:]}<int:pk>/", reference)]


class _Request(WSGIRequest):
    urlconf = __name__


class _Bare(WSGIHandler):
    request_class = _Request


with override_settings(MIDDLEWARE=[]):
    bare = _Bare()


def application(environ, start_response):
    """The forum's answer; asked to count, it says how many queries the answer took."""
    if environ["PATH_INFO"].startswith(REFERENCE):
        return bare(environ, start_response)
    if COUNT not in environ:
        return forum.wsgi.application(environ, start_response)
    queries = []

    def note(execute, sql, params, many, context):
        queries.append(sql)
        return execute(sql, params, many, context)

    def start(status, headers, *more):
        return start_response(status, [*headers, ("X-Queries", str(len(queries)))], *more)

    with connection.execute_wrapper(note):
        return forum.wsgi.application(environ, start)
