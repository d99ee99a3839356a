"""Headers on every answer, failures as pages that keep the text, and the member's time zone."""

import re
from functools import lru_cache
from weakref import WeakSet
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.db.models import Subquery
from django.http import HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import resolve
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts import signing_in
from accounts.models import SITE_VERSION, Session
from accounts.sessions import KEY, signed_in
from core.compiled_queries import CompiledQuery
from core.database_answers import DEADLOCK, database_errors, is_away, sqlstate
from core.problems import Problem

from .models import Thread
from .operations import caching, replication
from .permissions import NotThere, Refused

METHODS = ("GET", "HEAD", "POST", "OPTIONS")
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


# Of a member, all that says what they are shown.
STANDING = "password is_active is_staff is_superuser is_moderator ignoring unread_notices".split()


def _depends(key: str, now, thread: int):
    """In one row, all that an answer about a debate depends on: who asks and what binds them, and
    the numbers that rise with whatever happens in the debate, or to its board and its readers."""
    version = Subquery(Thread.objects.filter(pk=thread).values("version"))
    names = ["session_data", "version", "site_version", *(f"user__{name}" for name in STANDING)]
    return (
        Session.objects.filter(session_key=key, expire_date__gt=now)
        .annotate(version=version, site_version=SITE_VERSION)
        .values_list(*names)
    )


# The pattern of an address that was asked for just now; to look it up costs as much as the answer.
_match = lru_cache(1000)(resolve)


class UnchangedNews:
    """Answers a page that asks what is new, and has the answer that holds, with 304, in one query
    and before anything else is done. The mark of an answer is made of all that it depends on, so
    that rights are asked each time; nobody can make one without the site's key."""

    ADDRESS = re.compile(r"/threads/(\d{1,18})/since/\d{1,9}/\Z")
    depending = CompiledQuery("news", _depends, "text", "moment", "number")

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        address = self.ADDRESS.match(request.path_info)
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "") if address else ""
        if address is None or request.method != "GET" or not KEY.fullmatch(key):
            return self.get_response(request)
        try:
            # Before anything is drawn: what changes meanwhile makes another mark.
            depends_on = self.depending(key, timezone.now(), int(address[1]))
        except database_errors():
            return self.get_response(request)  # which asks too, and says what is wrong
        shown_under = f"{request.path}{depends_on}"
        mark = f'"{salted_hmac("news", shown_under, algorithm="sha256").hexdigest()}"'
        if request.META.get("HTTP_IF_NONE_MATCH", "").removeprefix("W/") == mark:
            request.resolver_match = _match(request.path_info)  # for those who count
            response = HttpResponse(status=304, headers={"Cache-Control": "private, no-cache"})
            del response.headers["Content-Type"]
        else:
            response = self.get_response(request)
        if response.status_code in (200, 304):
            response.headers["ETag"] = mark
        return response


class ReplicaRouting:
    """Lets pages read from replicas, and keeps after a write how far these have to be before the
    writer reads from them again."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with replication.reading(request) as choice, replication.noticing_writes() as wrote:
            response = self.get_response(request)
            if response.status_code == 503 and choice.give_up():
                # The replica went away under the page, or had to give up its snapshot.
                response = self.get_response(request)
            user = getattr(request, "user", None)
            if wrote and user is not None and user.is_authenticated:
                try:
                    replication.note_write(user)
                except database_errors() as error:
                    # Not acknowledged, then: sent again, the form finds what it did.
                    from .views import errors

                    return errors.overloaded(request, error)
        return response


class Headers:
    """Security headers that need no nonce, since no page holds inline script or style."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        # TRACE would give back the request, cookies included; of the rest no page knows any.
        if request.method in METHODS:
            response = self.get_response(request)
        else:
            response = HttpResponseNotAllowed(METHODS)
        if response.status_code == 405:
            from .views import errors

            response = errors.wrong_method(request, response)
        if response.status_code == 429:
            response.headers.setdefault("Retry-After", "60")
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), browsing-topics=()"
        )
        # No cache between us and the reader may show one's page to another.
        response.headers.setdefault("Cache-Control", "private, no-cache")
        if response.status_code == 304:
            del response.headers["Content-Length"]  # of the page, not of the answer without it
        return response


class TwoSteps:
    """Where the site demands two-step login of its staff, who has not set it up reaches only the
    pages that do. And these stay closed where secrets would travel in the open."""

    SETTING_UP = ("/accounts/2fa/", "/accounts/reauthenticate/", "/accounts/logout/", "/theme/")
    LOCAL = ("localhost", "127.0.0.1", "[::1]")

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        path = request.path_info
        if path.startswith("/accounts/2fa/") and path != "/accounts/2fa/authenticate/":
            host = request.get_host().rpartition(":")[0] or request.get_host()
            if not request.is_secure() and host not in self.LOCAL:
                from .views import errors

                return errors.refused(request, Refused("Two-step login needs HTTPS."))
        elif settings.REQUIRE_TWO_STEP_FOR_STAFF and not path.startswith(self.SETTING_UP):
            # Touching request.user costs the session query; a visitor has no session.
            asked = settings.SESSION_COOKIE_NAME in request.COOKIES and request.user
            if asked and asked.is_authenticated and asked.is_staff and not asked.two_step:
                return redirect("mfa_index")
        return self.get_response(request)


class SessionUser(AuthenticationMiddleware):
    """Says who is reading: the member of the session, asked for once and at once."""

    def process_request(self, request):
        try:
            request.user = signed_in(request)
        except database_errors() as error:
            from .views import errors

            request.user = AnonymousUser()
            return errors.overloaded(request, error)
        return None


class SignInWhileSending:
    """Signs in who was signed out while writing, with the name and password that stand beside the
    text (views/errors.py), and lets the form go on to where it was sent."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        # Here, since the form's token was looked at by now: nobody signs in others unasked.
        fields = signing_in.given(request)
        if not fields or request.user.is_authenticated:
            return None
        from .views import errors

        try:
            signing_in.sign_in(request, fields)
        except signing_in.NotSignedIn as problem:
            return errors.signed_out(request, problem, name=fields.get("sign_in_name", ""))
        except Exception as exception:
            if not is_away(exception):
                raise
            return errors.overloaded(request, exception)
        return None


class MembersTime:
    """Shows times in the member's own zone."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        zone = request.user.time_zone if request.user.is_authenticated else ""
        # Where none is set each moment shown looks for it in vain, for three times as long.
        with timezone.override(ZoneInfo(zone) if zone else timezone.get_default_timezone()):
            return self.get_response(request)


class ErrorPages:
    """Turns what a view raises into the page it deserves: a refusal into 403 or 404, what went
    elsewhere into a way there, a database or shared cache that does not answer into 503. Each page
    gives back what was typed."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.retried: WeakSet = WeakSet()

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
        if isinstance(exception, Problem) and exception.status == 429:
            return errors.too_many(request, exception)
        if isinstance(exception, Problem) and exception.status == 503:
            return errors.busy(request, exception)
        if sqlstate(exception) == DEADLOCK and request not in self.retried:
            # Both waited for each other; the database let the other one go on. Nothing of ours
            # stands, so the same is done once more.
            self.retried.add(request)
            return self._once_more(request)
        if is_away(exception):
            return errors.overloaded(request, exception)
        return None

    def _once_more(self, request):
        view = request.resolver_match
        for file in request.FILES.values():
            file.seek(0)
        try:
            return view.func(request, *view.args, **view.kwargs)
        except Exception as exception:
            if response := self.process_exception(request, exception):
                return response
            raise
