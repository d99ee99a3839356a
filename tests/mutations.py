"""Broken files, drawn from seeds: JSON as somebody's hand, editor or disk may have spoilt it."""

import copy
import json
import random
from collections.abc import Iterator

# What may stand where something else should; written out, since no dump would write some of it.
VALUES = (
    *("null", "true", "0", "-1", "1.5", "1e309", "-1e309", "NaN", "Infinity", "-Infinity"),
    *(str(2**31), str(2**63), "9" * 400, "9" * 5_000, '""', '" "', '"x"', '"1"', '"\\u0000"'),
    *('"a\\u0000b"', '"\\ud800"', '"a\\udfffb"', '"\\ue000"', '"\\uffff"', f'"{"x" * 70_000}"'),
    *("[]", "{}", "[[]]", '[""]', "[null]", '["x"]', '[["x"]]', '["x", "y"]', '[{"a": 1}]'),
    *('{"a": []}', '{"pk": 1}', '"antiquity"', '["antiquity"]', '"2026-13-45"', '"c. 1924"'),
    *("[" * 300 + "]" * 300, '"forum.thread"', '"forum.post"', '"accounts.user"', '"x.y"', '"x"'),
)
NAMES = (
    "model",
    "fields",
    "pk",
    "id",
    "key",
    "name",
    "format",
    "lft",
    "parent",
    "x",
    "",
    "\0",
    "__class__",
)
_MARK = "\ue123{}\ue124"


def broken(data: bytes, seed: int) -> bytes:
    """The JSON file `data` with one to three things wrong, the same for the same seed. Now and then
    nothing is wrong with it in the end."""
    draw = random.Random(seed)
    if draw.random() < 0.25:
        return _bytes(data, draw)
    objects, raw = json.loads(data), []
    for _ in range(draw.choice((1, 1, 2, 3))):
        where, key = draw.choice(list(_places(objects)))
        how = draw.choice(("value", "value", "value", "drop", "name", "double"))
        if how == "value":
            raw.append(draw.choice(VALUES))
            where[key] = _MARK.format(len(raw) - 1)
        elif how == "drop":
            del where[key]
        elif how == "double" and isinstance(where, list):
            where.insert(draw.randint(0, len(where)), copy.deepcopy(where[key]))
        elif isinstance(where, dict):
            where[draw.choice(NAMES)] = where[key] if how == "double" else where.pop(key)
        if not objects:
            break
    text = json.dumps(objects, ensure_ascii=False, indent=2)
    for number, value in enumerate(raw):
        text = text.replace(f'"{_MARK.format(number)}"', value)
    return text.encode("utf-8", "surrogatepass")


def _bytes(data: bytes, draw: random.Random) -> bytes:
    """The file cut off, or with some bytes of it gone, doubled or others."""
    at = draw.randrange(len(data))
    odd = draw.choice(
        (b"", b"\xff", b"\0", b"\xed\xa0\x80", b'"', b"]", b"{", b",", b"\\", b"\xef\xbb\xbf")
    )
    return draw.choice(
        (
            data[:at],
            data[:at] + odd + data[at:],
            data[:at] + odd + data[at + draw.randint(1, 9) :],
            odd + data,
            data + data,
            data.replace(b'"', b"'"),
            data.decode().encode("utf-16"),
            odd,
            b"\xef\xbb\xbf" + data,
        )
    )


def _places(thing) -> Iterator[tuple[dict | list, str | int]]:
    """Every place of a JSON value: what it is in, and under which key."""
    if isinstance(thing, dict | list):
        for key in list(thing) if isinstance(thing, dict) else range(len(thing)):
            yield thing, key
            yield from _places(thing[key])
