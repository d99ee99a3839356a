"""Kept pages are answered before Django is called at all (docs/decisions/0056).

What stands around a kept page in Django does nothing for it: a page that is kept has all headers
that middleware sets, and whoever gets one has no session. What does something for it is done here,
by the same code: the request's id, its line and its counts, the choice of a replica, and the one
statement that says whether the page still holds. Whatever is in the least unusual is Django's.
"""

from collections.abc import Callable

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import close_old_connections, connections
from django.http import HttpResponse

from . import caching, observability, replication

# Where a server says under which address the forum lies: Django takes that apart.
UNDER = ("SCRIPT_NAME", "SCRIPT_URL", "REDIRECT_URL")


class NotKept(Exception):
    """There is no page that may be shown: the answer is Django's to give."""


class Asked(WSGIRequest):
    """As much of a request as says which page is asked for."""

    id = ""  # given by observability.Requests

    def __init__(self, environ: dict) -> None:
        self.environ = self.META = environ
        self.path = self.path_info = environ["PATH_INFO"]
        self.method = environ["REQUEST_METHOD"]
        self.resolver_match = None


def kept_first(application: Callable) -> Callable:
    """The WSGI application that answers with kept pages, and hands on to `application` what it
    keeps none for."""
    answered = observability.Requests(_answer)

    def serve(environ, start_response):
        plain = environ["PATH_INFO"].isascii() and not any(map(environ.get, UNDER))
        asked = Asked(environ) if plain and not settings.FORCE_SCRIPT_NAME else None
        if asked is None or caching.kept(asked) is None:
            return application(environ, start_response)
        close_old_connections()
        try:
            response = answered(asked)
        except NotKept:
            environ["HTTP_X_REQUEST_ID"] = asked.id  # what was told of it bears this one
            return application(environ, start_response)
        finally:
            close_old_connections()
        start_response(f"{response.status_code} {response.reason_phrase}", [*response.items()])
        return [response.content]

    return serve


def _answer(asked: Asked) -> HttpResponse:
    """The kept page, if it holds; raises NotKept."""
    page, debate = caching.kept(asked), caching.DEBATE.match(asked.path_info)
    if page is None or debate is None:
        raise NotKept
    with replication.reading(asked):
        alias = replication.alias()
        connection = connections[alias]
        if connection.connection is None and connection.settings_dict["CONN_MAX_AGE"] != 0:
            raise NotKept  # to open one, and to say why there is none, is Django's
        # If the server left it meanwhile the statement fails, and Django looks after it. To ask
        # beforehand whether it would answer costs as much as the statement.
        setattr(connection, "health_check_done", True)  # noqa: B010  # no stub knows of it
        numbers = caching.numbers_of(int(debate[1]))
    if numbers is None:
        raise NotKept
    if not page.holds(numbers):
        asked.META[caching.KNOWN] = alias, numbers
        asked.META[observability.SENT] = 1
        raise NotKept
    return caching.answer_again(asked, page)
