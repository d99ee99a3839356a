"""The API described: as OpenAPI for programs, and as a page for people, made from the same."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.tokens import API

from . import routes, shapes
from .service import service

# What any address may answer besides.
FAILURES = {
    400: "What was asked does not fit this description.",
    401: "The token is not known, or writing was asked without one.",
    403: "The member may not do this, or the token may only read.",
    404: "There is nothing there that the reader may know of.",
    429: "More than the site allows within a minute; `Retry-After` says when to go on.",
    503: "The forum cannot answer just now; `Retry-After` says when to ask again.",
}
OF_WRITING = {
    409: "It was changed since, or is elsewhere by now.",
    413: "A request holds at most 2 MB.",
    422: "What was sent cannot be taken; `field` names what is at fault.",
}
OF_READING = {304: "It is what `If-None-Match` names."}


@cache
def described() -> dict[str, Any]:
    """The whole description."""
    assert routes.patterns
    found = dict(service.get_openapi_schema(path_prefix=API))
    found["info"] = {
        "title": settings.SITE_NAME,
        "version": "1",
        "description": "What the forum holds, by the rights of whoever asks.",
    }
    found.pop("servers", None)
    parts = found["components"]
    parts["schemas"]["Failure"] = shapes.Failure.model_json_schema()
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for methods in found["paths"].values():
        methods.pop("head", None)  # GET without a body, as everywhere
        for method, operation in methods.items():
            _complete(method, operation)
    return found


def _complete(method: str, operation: dict[str, Any]) -> None:
    """Say of an operation what is the same of all: who may ask, and how it fails."""
    reads = method == "get"
    operation["security"] = [{}, {"token": []}] if reads else [{"token": []}]
    answers = operation["responses"]
    if "requestBody" in operation:
        failures = FAILURES | OF_WRITING
    else:
        failures = FAILURES
    schema = {"$ref": "#/components/schemas/Failure"}
    for status, words in failures.items():
        content = {"application/json": {"schema": schema}}
        answers.setdefault(status, {"description": words, "content": content})
    if reads:
        answers |= {status: {"description": words} for status, words in OF_READING.items()}


@require_safe
def as_json(request: HttpRequest) -> JsonResponse:
    """The description as OpenAPI."""
    return JsonResponse(described())


@require_safe
def page(request: HttpRequest):
    """The description to read."""
    return render(request, "api/description.html", {"groups": _groups(), "shapes": _shapes()})


def _groups() -> list[tuple[str, list[dict[str, Any]]]]:
    """The operations for the page: those that read, then those that write."""
    found: dict[str, list[dict[str, Any]]] = {"Reading": [], "Writing": []}
    for address, methods in described()["paths"].items():
        for method, operation in methods.items():
            done = next(n for n in (200, 201, 204) if n in operation["responses"])
            answer = _schema(operation["responses"][done])
            found["Reading" if method == "get" else "Writing"].append(
                {
                    "method": method.upper(),
                    "address": address,
                    "id": operation["operationId"],
                    "words": operation.get("description", operation["summary"]),
                    "parameters": [_parameter(one) for one in operation.get("parameters", ())],
                    "body": _named(_schema(operation.get("requestBody", {}))),
                    "answer": _named(answer),
                    "shape": _named(answer) if "$ref" in answer else "",
                }
            )
    return [(heading, group) for heading, group in found.items() if group]


def _schema(part: dict[str, Any]) -> dict[str, Any]:
    return part.get("content", {}).get("application/json", {}).get("schema", {})


def _parameter(one: dict[str, Any]) -> dict[str, Any]:
    schema = one["schema"]
    return {
        "name": one["name"],
        "where": one["in"],
        "needed": one.get("required", False),
        "kind": _named(schema),
        "words": one.get("description", schema.get("description", "")),
        "among": [value for value in schema.get("enum", ()) if value],
    }


def _named(schema: dict[str, Any]) -> str:
    """What a schema is, in a few words: the name of a shape, a list of one, a kind of value."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2].removesuffix("Shape")
    if "anyOf" in schema:
        return " or ".join(_named(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        inner = schema.get("prefixItems")
        within = ", ".join(map(_named, inner)) if inner else _named(schema.get("items", {}))
        return f"[{within}]" if inner else f"list of {within}"
    return schema.get("format") or schema.get("type", "")


def _shapes() -> list[dict[str, Any]]:
    """The shapes of answers for the page, each with its fields."""
    return [
        {
            "name": name.removesuffix("Shape"),
            "words": schema.get("description", ""),
            "fields": [
                (field, _named(value), value.get("description", ""))
                for field, value in schema.get("properties", {}).items()
            ],
        }
        for name, schema in sorted(described()["components"]["schemas"].items())
    ]
