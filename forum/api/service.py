"""The service itself: how answers are sent, marked so that they need not be sent twice, and how
refusals are told."""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation

from core.problems import Problem
from forum.actions.posts import EditedMeanwhile, base_of

from ..permissions import NotThere
from ..views.errors import as_data
from .asking import who_asks


class Service(NinjaAPI):
    """Ninja's, with a mark (ETag) on what is read: a program that has the same already is told so
    (304), and gets nothing else."""

    def reads(self, path: str, **options) -> Callable:
        """Register what answers to GET, and to HEAD without a body."""
        return self.api_operation(["GET", "HEAD"], path, **options)

    def create_response(
        self,
        request: HttpRequest,
        data: Any,
        *,
        status: int | None = None,
        temporal_response: HttpResponse | None = None,
    ) -> HttpResponse:
        """The answer that holds `data`."""
        response = super().create_response(
            request, data, status=status, temporal_response=temporal_response
        )
        patch_vary_headers(response, ["Authorization"])
        if request.method in ("GET", "HEAD") and response.status_code == 200:
            etag = f'"{sha256(response.content).hexdigest()[:24]}"'
            response.headers["ETag"] = etag
            same = get_conditional_response(request, etag=etag, response=response)
            assert same is not None
            return same
        return response

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """What programs made from the description call it."""
        return operation.view_func.__name__


# The description and its page are ours (`description`): Ninja's page needs another host.
service = Service(title="Jonbar", docs_url=None, openapi_url=None, auth=[who_asks])


@service.exception_handler(Problem)
def _refused(request: HttpRequest, problem: Problem) -> HttpResponse:
    """What an act or a rule refuses; of an edit that came too late, both texts."""
    if isinstance(problem, NotThere):
        raise problem  # answered like any address that there is not
    more: dict[str, Any] = {"field": problem.field} if problem.field else {}
    if isinstance(problem, EditedMeanwhile):
        more |= _both_texts(request, problem)
    response = as_data(problem.status, problem.sentence, **more)
    if after := getattr(problem, "retry_after", 0):
        response.headers["Retry-After"] = str(after)
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _both_texts(request: HttpRequest, problem: EditedMeanwhile) -> dict[str, Any]:
    current = problem.current
    sent = json.loads(request.body)
    return {
        "current": {
            "number": current.number,
            "base": base_of(current),
            "text": current.source,
        },
        "yours": sent.get("text", ""),
    }


@service.exception_handler(RequestDataTooBig)
def _too_large(request: HttpRequest, exception: RequestDataTooBig) -> HttpResponse:
    return as_data(413, "A request holds at most 2 MB.")


@service.exception_handler(HttpError)
def _malformed(request: HttpRequest, error: HttpError) -> HttpResponse:
    """A body that is no JSON."""
    return as_data(error.status_code, "The body is not JSON in UTF-8.")


@service.exception_handler(ValidationError)
def _mistaken(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """What was asked or sent does not fit the description: which field, and why."""
    first = error.errors[0]
    if first["loc"][-1] == "after":
        return as_data(400, "There is no such place in this list.", field="after")
    place, *path = first["loc"]
    field = ".".join(str(part) for part in path if part not in ("data", "sent"))
    sentence = f"{field or 'The body'}: {_plain(first['msg'])}."
    status = 422 if place == "body" else 400
    return as_data(status, sentence, **({"field": field} if field else {}))


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ").rstrip(".")


@service.exception_handler(Http404)
@service.exception_handler(Exception)
def _anything_else(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Told by middleware.ErrorPages and views.errors, as of every address: a debate that went into
    another one, a database that does not answer."""
    raise exception
