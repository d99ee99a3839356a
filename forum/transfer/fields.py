"""The objects of a thread fixture, checked one by one: model, fields, and the type of each."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from core.counting import counted

from . import Rejected

THREAD, POST, QUOTE = "forum.thread", "forum.post", "forum.quote"
DIVERGENCE, QUESTION = "forum.divergence", "forum.question"
ANSWER, CHANGE, THREADMARK = "forum.answer", "forum.changeofmind", "forum.threadmark"
POLL, PICTURE = "forum.poll", "forum.picture"
PARTS = (POST, QUOTE, DIVERGENCE, QUESTION, ANSWER, CHANGE, THREADMARK, POLL, PICTURE)

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LABELS = ("lft", "rght", "level", "tree_id")
_LARGEST = 2**31 - 1
SPOT = ("latitude", "longitude", "radius")
MARK = ("shows", "title", "moment", "legend", "projection", "template")
_NUMBERS = ("version", "ordinal", "passage", "most", "voters")
_NATURAL = ("board", "thread", "parent", "post", "source_post", "variant_of")
_FIELDS = {
    THREAD: (
        {"key", "format", "version", "board", "title", "kind"},
        {"source", "policy", "own_answer", "variant_of"},
    ),
    POST: (
        {"key", "thread", "parent", "parent_basis", "format", "text"},
        {"reason", "byline", "written_at", "lane", "stance"},
    ),
    QUOTE: ({"post", "ordinal", "source_post"}, {"paragraphs", "nested", "stance", "reason"}),
    DIVERGENCE: ({"thread", "change", "edtf"}, {"actor", "place", "by_editor", *SPOT}),
    QUESTION: ({"thread", "text"}, set()),
    ANSWER: ({"post", "question", "verdict"}, {"passage"}),
    CHANGE: ({"post", "was", "now", "reason"}, set()),
    THREADMARK: ({"post", "category", "label"}, set()),
    POLL: (
        {"post", "question", "choices"},
        {"kind", "most", "is_open", "closes_at", "voters", "counts"},
    ),
    PICTURE: ({"thread", "key", "file"}, {"alt", "credit", "source", *MARK}),
}


def object_name(name: str, number: int, model: str) -> str:
    """How messages name an object."""
    return f"{name}, object {number} ({model})"


def fields_of(thing: Any, number: int, name: str, *models: str) -> dict:
    """The fields of an object that is one of `models`, with neither too few nor too many."""
    where = f"{name}, object {number}"
    if not isinstance(thing, dict) or not isinstance(thing.get("model"), str):
        raise Rejected(f"{where}: not an object with model and fields.")
    model = thing["model"]
    if model not in models:
        if number == 1:
            raise Rejected(f"{where}: the first object must be the thread, not {model!a}.")
        if model.partition(".")[0].lower() in ("accounts", "auth", "account"):
            raise Rejected(f"{where}: a thread brings no members and no rights ({model!a}).")
        raise Rejected(
            f"{where}: unknown model {model!a}; a thread holds posts, quotes, divergences, "
            "questions, answers, changes of mind, threadmarks, polls and pictures."
        )
    if "pk" in thing:
        raise Rejected(f"{where} ({model}): a primary key; this forum gives its own.")
    if extra := sorted(thing.keys() - {"model", "fields"}):
        raise Rejected(f"{where} ({model}): {extra[0]!a} is neither model nor fields.")
    fields = thing.get("fields")
    if not isinstance(fields, dict):
        raise Rejected(f"{where} ({model}): no fields.")
    required, optional = _FIELDS[model]
    for key in fields:
        if key in _LABELS:
            raise Rejected(
                f"{where} ({model}): {key} is a tree column; the tree follows from the parents."
            )
        if key in ("id", "pk"):
            raise Rejected(f"{where} ({model}): a primary key; this forum gives its own.")
        if key not in required and key not in optional:
            raise Rejected(f"{where} ({model}): unknown field {key!a}.")
    if missing := sorted(required - fields.keys()):
        raise Rejected(f"{where} ({model}): {missing[0]} is missing.")
    return fields


class Check:
    """Reads the fields of one object with their types; every error names the object."""

    def __init__(self, fields: dict, name: str, number: int, model: str) -> None:
        self.fields = fields
        self.model = model
        self.named = (name, number, model)
        self.where = object_name(name, number, model)

    def fail(self, sentence: str) -> Rejected:
        return Rejected(f"{self.where}: {sentence}")

    def text(self, name: str, longest: int | None = None) -> str:
        """A text that a database can store; of one line if it has a longest length."""
        value = self.fields.get(name, "")
        if not isinstance(value, str):
            raise self.fail(f"{name} must be a text.")
        self._storable(name, value)
        if longest is not None:
            if len(value) > longest:
                has = counted(len(value), "character,characters")
                raise self.fail(f"{name} has {has}; {longest} are allowed.")
            if not value.isprintable():
                raise self.fail(f"{name} holds characters that cannot be shown.")
        return value

    def choice(self, name: str, allowed: Sequence[str], default: str | None = None) -> str:
        """One of the words allowed; `default` if the field is not there or empty, unless None."""
        value = self.fields.get(name, default)
        if default is not None and value in ("", None):
            return default
        if not isinstance(value, str) or value not in allowed:
            raise self.fail(f"{name} must be one of {', '.join(allowed)}.")
        return value

    def count(self, name: str) -> int:
        value = self.fields[name]
        if type(value) is not int or not 1 <= value <= _LARGEST:
            raise self.fail(f"{name} must be a whole number from 1.")
        return value

    def number(self, name: str) -> float:
        """A number, whole or not."""
        value = self.fields.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.fail(f"{name} must be a number.")
        return float(value)

    def moment(self, name: str) -> datetime | None:
        """A time, in UTC; None if the file does not know it."""
        value = self.fields.get(name)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise ValueError
            return moment.astimezone(UTC)
        except (TypeError, ValueError, OverflowError):
            raise self.fail(
                f"{name} must be null or a time with its zone, such as 1998-05-04T12:30:00+00:00."
            ) from None

    def key(self, name: str) -> str:
        value = self.fields[name]
        if not isinstance(value, str) or not _KEY.fullmatch(value):
            raise self.fail(f"{name} must be 1 to 100 letters, digits, dots, - or _.")
        return value

    def natural_key(self, name: str) -> str | None:
        """What `["key"]` names; None for null."""
        value = self.fields[name]
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != 1 or not isinstance(value[0], str):
            raise self.fail(f'{name} must be a natural key such as ["some-key"].')
        self._storable(name, value[0])
        return value[0]

    def kinds(self) -> None:
        """Raise Rejected unless each field holds what a page can show and a database can keep. What
        stands in the fields is judged when they are read as a fixture."""
        for name, value in self.fields.items():
            if value is None:
                continue
            if name in _NUMBERS or (name, self.model) == ("format", THREAD):
                if type(value) is not int or abs(value) > _LARGEST:
                    raise self.fail(f"{name} must be a whole number.")
            elif name in SPOT:
                if type(value) not in (int, float) or abs(value) > _LARGEST:
                    raise self.fail(f"{name} must be a number.")
            elif name in ("paragraphs", "nested", "counts"):
                self._list(name, value, of=list if name == "nested" else int)
            elif name in ("by_editor", "is_open"):
                if type(value) is not bool:
                    raise self.fail(f"{name} must be true or false.")
            elif name in _NATURAL:
                self.natural_key(name)
            else:
                self.text(name)

    def _list(self, name: str, values: Any, of: type) -> None:
        if not isinstance(values, list) or any(type(value) is not of for value in values):
            kind = "whole numbers" if of is int else "natural keys"
            raise self.fail(f"{name} must be a list of {kind}.")
        for value in values:
            if of is int and abs(value) > _LARGEST:
                raise self.fail(f"{name} must be a list of whole numbers.")
            if of is list:
                Check({name: value}, *self.named).natural_key(name)

    def _storable(self, name: str, value: str) -> None:
        if "\0" in value:
            raise self.fail(f"{name} holds a NUL character, which cannot be stored.")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise self.fail(f"{name} holds half a character, which cannot be stored.") from None

    def post(self, name: str, indexes: Mapping[str, int]) -> int:
        """Where the post named stands among those read so far."""
        key = self.natural_key(name)
        if key is None or key not in indexes:
            raise self.fail(f"{name} names no post of this file: {key!a}.")
        return indexes[key]
