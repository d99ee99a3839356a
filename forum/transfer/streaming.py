"""The objects of a JSON list one after another, so that a large file is never all in memory as
objects.

Only what is a list in UTF-8, as nearly every fixture is, is read like this. What is anything else
or broken is for a reader of the whole, which can say what is wrong with it.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

PIECE = 1 << 20  # bytes that are decoded at once
_SPACE = re.compile(r"[ \t\n\r]*")
_FOLLOWS = re.compile(r"[ \t\n\r]*[,\]]")


class NotStreamed(ValueError):
    """This is no list of JSON in UTF-8, or it is broken somewhere."""


def objects_of(data: bytes, decoder: json.JSONDecoder) -> Iterator[Any]:
    """Each object of a list. Raises NotStreamed where it goes on no further."""
    text = _Text(data)
    text.expect("[")
    if text.next() == "]":
        text.expect("]")
    else:
        while True:
            yield text.value(decoder)
            if text.next() == "]":
                break
            text.expect(",")
        text.expect("]")
    if text.next():
        raise NotStreamed


class _Text:
    """The text of the file from where it was read to, as much of it as is needed."""

    def __init__(self, data: bytes) -> None:
        self.data, self.read, self.at = data, 0, 0
        self.text = ""
        self.decode = codecs.getincrementaldecoder("utf-8")().decode

    def more(self) -> bool:
        """Read a piece more; False at the end of the file."""
        if self.read >= len(self.data):
            return False
        size = max(PIECE, len(self.text) - self.at)  # twice as much each time, for a large object
        piece = self.data[self.read : self.read + size]
        self.read += len(piece)
        try:
            decoded = self.decode(piece, self.read >= len(self.data))
        except UnicodeDecodeError:
            raise NotStreamed from None
        self.text, self.at = self.text[self.at :] + decoded, 0
        return True

    def next(self) -> str:
        """The next character that is no space, "" at the end."""
        while True:
            found = _SPACE.match(self.text, self.at)
            self.at = found.end() if found else self.at
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more():
                return ""

    def expect(self, character: str) -> None:
        if self.next() != character:
            raise NotStreamed
        self.at += 1

    def value(self, decoder: json.JSONDecoder) -> Any:
        self.next()
        while True:
            try:
                value, end = decoder.raw_decode(self.text, self.at)
            except (ValueError, RecursionError):
                if not self.more():
                    raise NotStreamed from None
                continue
            # A number may be cut in two by the end of the piece.
            if _FOLLOWS.match(self.text, end) or not self.more():
                self.at = end
                return value
