"""Headers on every answer, failures as pages that keep the text, and the member's time zone."""

from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from . import caching
from .permissions import NotThere, Refused

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


class KeptPages:
    """Answers visitors with pages that are kept, before anything else is asked or done."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return caching.answered(request, self.get_response)


class Headers:
    """Security headers that need no nonce, since no page holds inline script or style."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), browsing-topics=()"
        )
        # No cache between us and the reader may show one's page to another.
        response.headers.setdefault("Cache-Control", "private, no-cache")
        return response


class MembersTime:
    """Shows times in the member's own zone."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        # Touching request.user costs the session query; a visitor without the cookie has neither.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            zone = request.user.time_zone
            with timezone.override(ZoneInfo(zone) if zone else None):
                return self.get_response(request)
        return self.get_response(request)


class Failures:
    """Turns what a view raises into the page it deserves: a refusal into 403 or 404, what went
    elsewhere into a way there, a database that does not answer in time into 503. Each page gives
    back what was typed."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        # No address of the site holds a NUL, and PostgreSQL does not let one be looked for.
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            from .views import errors

            return errors.not_found(request)
        return self.get_response(request)

    def process_exception(self, request, exception):
        from .views import errors, fetch

        if isinstance(exception, fetch.Moved):
            return fetch.follow(request, exception.thing)
        if isinstance(exception, NotThere):
            return errors.not_found(request, exception)
        if isinstance(exception, Refused):
            return errors.refused(request, exception)
        if isinstance(exception, OperationalError):
            return errors.overloaded(request, exception)
        return None
