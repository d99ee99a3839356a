"""What tells a browser that its own copies of a text are not needed any more."""

import re
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse

MOST_SETTLED = 10  # forms that one cookie names
UUID_TEXT = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def settle(request: HttpRequest, response: HttpResponse, *tokens: UUID) -> HttpResponse:
    """Tell the page's script, in a short-lived cookie, that the texts of the forms with these
    tokens are posted or discarded: the browser forgets its copies. Those that no page was told of
    yet stay in the cookie."""
    waiting = request.COOKIES.get("settled", "").split(".")[-MOST_SETTLED:]
    named = ".".join(dict.fromkeys([*filter(UUID_TEXT.fullmatch, waiting), *map(str, tokens)]))
    response.set_cookie("settled", named, max_age=600, samesite="Lax", secure=settings.HTTPS)
    return response
