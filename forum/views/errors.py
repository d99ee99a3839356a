"""Error pages. Each says what to do next and gives back what was typed, byte for byte."""

import logging
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from accounts import signing_in
from accounts.tokens import by_token
from core.database_answers import database_errors, takes_no_writes
from forum import tree
from forum.operations.observability import route

log = logging.getLogger("forum.errors")

# What people write by hand. Passwords and tokens are never given back.
KEPT = {"title": "Title", "text": "Text", "own_answer": "Your own answer", "reason": "Reason"}
# On the pages of accounts, whose forms are never given back to be sent again: they hold passwords.
KEPT_OF_ACCOUNTS = {"login": "Name or address", "username": "Name", "email": "Address"}
# The rows of divergences, and those of one alone.
KEPT_ROW = re.compile(r"(?:(?:form|more)-(\d{1,2})-)?(change|when|place|actor|spot)")
ROW_LABELS = {
    "change": "What changes?",
    "when": "When?",
    "place": "Where?",
    "actor": "Who?",
    "spot": "On the map",
}

# What a debate is kept for (tree.announce), to somebody who waits to write in it.
REARRANGED = {
    "split": "A moderator is dividing this debate just now.",
    "merge": "A moderator is merging this debate with another one just now.",
    "move branch": "A moderator is moving a part of this debate just now.",
    "undo": "A moderator is taking back what was moved in this debate just now.",
}
BY_ITSELF = "sent_by_itself"
# What programs are told where no refusal has a sentence of its own.
SENTENCES = {
    400: "The request is malformed, or larger than 2 MB.",
    403: "This is not allowed.",
    404: "There is nothing at this address.",
    405: "This address does not answer to this method.",
    429: "That was too much at once. Wait a minute.",
    500: "Something failed here that should not have; nothing was changed.",
    503: "The forum cannot answer just now; nothing was changed. Try again in a moment.",
}
# What every page has at hand (rendering.context), on the one that asks nobody who is reading.
BARE = {
    "member": None,
    "messages": (),
    "own_face": False,
    "site_pages": (),
    "site_url": "",
    "theme": "auto",
}


def kept(request: HttpRequest) -> list[dict[str, str]]:
    """The texts of a form that failed, as [{"name", "label", "value"}]; empty if there are none."""
    if request.method != "POST" or request.path.startswith("/admin/"):
        return []
    try:
        posted = request.POST
    except Exception:  # the body itself may be what is broken
        return []
    by_hand = KEPT_OF_ACCOUNTS if _of_accounts(request) else KEPT
    rows = {name: ROW_LABELS[row[2]] for name in posted if (row := KEPT_ROW.fullmatch(name))}
    return [
        {"name": name, "label": label, "value": posted[name]}
        for name, label in {**rows, **by_hand}.items()
        if posted.get(name)
    ]


def _of_accounts(request: HttpRequest) -> bool:
    return request.path.startswith("/accounts/")


def _hidden(request: HttpRequest, shown: set[str]) -> list[tuple[str, str]]:
    """The other fields of the failed form, so that it can be sent again as it was."""
    return [
        (name, value)
        for name, values in request.POST.lists()
        # What was left empty among the texts is sent empty again.
        if name not in shown and name not in ("csrfmiddlewaretoken", BY_ITSELF, *signing_in.FIELDS)
        for value in values
    ]


def _ours(request: HttpRequest) -> bool:
    """Whether the failed form came from one of our own pages. A form planted by another site must
    not come back with a valid token in it; its text can still be copied."""
    site = request.headers.get("Sec-Fetch-Site")
    if site:
        return site == "same-origin"
    try:
        host = request.get_host()
    except DisallowedHost:
        return False
    return request.headers.get("Origin", "") == f"{request.scheme}://{host}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage:
    """What templates/errors/ is told, whatever the status."""

    kept: Sequence[dict[str, str]]  # the texts of the form, see `kept`
    again: bool = False  # whether the form may be sent from this page
    hidden: Sequence[tuple[str, str]] = ()  # its other fields
    sentence: str = ""  # what happened, in place of the page's own words
    reason: str = ""  # 403: of the charter
    stale_form: bool = False
    signed_out: bool = False  # 403: with the `step` of signing in that comes next, and the `name`
    step: str = ""
    name: str = ""
    read_only: bool = False  # 503: the database takes no writes
    by_itself: str = ""  # 503: the field that says that the page's script sent the form anew
    reference: str = ""  # 500: the id of the request, which every line of the log about it carries


def as_data(status: int, sentence: str = "", **more) -> JsonResponse:
    """A refusal as the API tells it: `error` is a sentence, `status` the number of the answer."""
    data = {"status": status, "error": sentence or SENTENCES[status], **more}
    response = JsonResponse(data, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(request: HttpRequest, status: int, **more) -> HttpResponse:
    if by_token(request):
        return as_data(status, more.get("reason") or more.get("sentence") or "")
    texts = kept(request)
    again = bool(texts) and _ours(request) and not _of_accounts(request)
    page = ErrorPage(
        kept=texts,
        again=again,
        hidden=_hidden(request, {text["name"] for text in texts}) if again else (),
        **more,
    )
    response = render(request, f"errors/{status}.html", {"page": page}, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


def bad_request(request: HttpRequest, exception=None) -> HttpResponse:
    """400: the request is malformed, or larger than a form may be."""
    return _page(request, 400)


def refused(request: HttpRequest, exception=None) -> HttpResponse:
    """403 with the reason; who is not signed in is sent to the sign-in page and back, unless a
    text would be lost on the way."""
    if by_token(request):
        return _page(request, 403, reason=str(exception or ""))
    if not request.user.is_authenticated and request.method in ("GET", "HEAD"):
        from django.contrib.auth.views import redirect_to_login

        return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
    if not request.user.is_authenticated and kept(request):
        return signed_out(request)
    return _page(request, 403, reason=str(exception or ""))


def signed_out(
    request: HttpRequest, problem: signing_in.NotSignedIn | None = None, *, name: str = ""
) -> HttpResponse:
    """403 for a text that was sent after the session had ended: name and password, and then the
    second step, are asked for beside it, and the same form goes on to where it was sent."""
    step = problem.step if problem else "password"
    sentence = problem.sentence if problem else ""
    return _page(request, 403, signed_out=True, step=step, sentence=sentence, name=name)


def csrf_failure(request: HttpRequest, reason="") -> HttpResponse:
    """The form was open too long, or somebody signed in or out meanwhile."""
    return _page(request, 403, stale_form=True)


def not_found(request: HttpRequest, exception=None) -> HttpResponse:
    """404: nothing is there, or nothing that this reader may know of; the page is the same."""
    return _page(request, 404)


def wrong_method(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """405, to programs in JSON, with the methods that `response` says there are."""
    if not by_token(request):
        return response
    answer = as_data(405)
    answer.headers["Allow"] = response.headers["Allow"]
    return answer


def too_many(request: HttpRequest, exception=None) -> HttpResponse:
    """429: more forms than the limit allows; the text waits in the page."""
    response = _page(request, 429, sentence=getattr(exception, "sentence", ""))
    if after := getattr(exception, "retry_after", 0):
        response.headers["Retry-After"] = str(after)
    return response


def busy(request: HttpRequest, exception) -> HttpResponse:
    """503: it will be done, only not at once."""
    response = _page(request, 503, sentence=exception.sentence)
    response.headers["Retry-After"] = "10"
    return response


def _kept_for(error: tree.StillLocked) -> str:
    """What the debates are kept for; "" also where the database does not say."""
    try:
        return tree.kept_for(error.thread_ids)
    except database_errors():
        return ""


def _rearranged(request: HttpRequest, act: str) -> HttpResponse:
    """The page whose form is sent again by itself, once: what it carries then keeps it from being
    sent a third time."""
    sentence = f"{REARRANGED[act]} Nothing was changed: send it again in ten seconds."
    by_itself = not request.POST.get(BY_ITSELF)
    response = _page(request, 503, sentence=sentence, by_itself=BY_ITSELF if by_itself else "")
    response.headers["Retry-After"] = "10"
    return response


def overloaded(request: HttpRequest, exception=None) -> HttpResponse:
    """503: the database (too busy, full, starting again) or the shared cache did not do what it
    was asked, and nothing was changed; or it takes no writes at all just now; or a moderator
    rearranges the debate."""
    log.warning("overloaded at %s", route(request), exc_info=exception)
    if isinstance(exception, tree.StillLocked) and (act := _kept_for(exception)):
        return _rearranged(request, act)
    response = _page(request, 503, read_only=exception is not None and takes_no_writes(exception))
    response.headers["Retry-After"] = "5"
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """500: written without the request's context, which asks the database who is reading; the
    database may be what broke."""
    reference = getattr(request, "id", None) or uuid.uuid4().hex
    log.error("reference %s at %s", reference, route(request))
    if by_token(request):
        return as_data(500, reference=reference)
    page = ErrorPage(kept=kept(request), reference=reference)
    context = {**BARE, "page": page, "site_name": settings.SITE_NAME}
    return HttpResponse(render_to_string("errors/500.html", context), status=500)
