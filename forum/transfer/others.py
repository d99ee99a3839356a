"""Fixtures that are not ours but Django's to load: what is wrong with one, and where. Knows no
database."""

import re
from typing import Any

from . import Rejected
from .parsing import parse_json, where
from .spool import Data, whole

_PREFIX = re.compile(r"Problem installing fixtures?(?: '[^\n]*?')?: |Error deserializing object: ")
_LONGEST = 300


def check(data: Data, name: str) -> None:
    """Raise Rejected, with file and line, unless the bytes of the JSON file `name` can be handed to
    Django: a list of objects in which no text holds what cannot be stored."""
    text = whole(data)
    try:
        text.decode()  # as Django does; JSON's reader takes other encodings too
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise Rejected(f"{name}, line {line}: this is not UTF-8.") from None
    objects = parse_json(text, name, empty=True)
    for number, thing in enumerate(objects, 1):
        if not isinstance(thing, dict):
            raise Rejected(f"{where(data, name, number)}: not an object with model and fields.")
        if wrong := _unstorable(thing):
            raise Rejected(f"{where(data, name, number)}: it holds {wrong}.")


def reason(error: BaseException) -> str:
    """What Django, or the database, found wrong with an object: one line without a full stop."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, KeyError):
        return f"{error} is missing, or names nothing here"
    found = _PREFIX.sub("", str(error)).strip() or type(error).__name__
    return " ".join(found.partition("\n")[0].split())[:_LONGEST].rstrip(".:")


def _unstorable(thing: Any) -> str:
    """What in a JSON value no database keeps; empty if there is nothing."""
    waiting = [thing]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.keys()
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str):
            if "\0" in one:
                return "a NUL character, which cannot be stored"
            if any("\ud800" <= char <= "\udfff" for char in one):
                return "half a character, which cannot be stored"
    return ""
