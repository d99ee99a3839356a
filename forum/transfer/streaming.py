"""The objects of a JSON list one after another, so that a large file is never all in memory.

Only what is a list in UTF-8, as nearly every fixture is, is read like this. What is anything else
or broken is for a reader of the whole, which can say what is wrong with it.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

from .spool import Data, opened

PIECE = 1 << 18  # bytes that are decoded at once
_SPACE = re.compile(r"[ \t\n\r]*")
_FOLLOWS = re.compile(r"[ \t\n\r]*[,\]]")
_BETWEEN = re.compile(r"[\s,\[]*")


class NotStreamed(ValueError):
    """This is no list of JSON in UTF-8, or it is broken, in this line or later."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def objects_of(data: Data, decoder: json.JSONDecoder) -> Iterator[Any]:
    """Each object of a list. Raises NotStreamed where it goes on no further. Of a file that is open
    several such may be under way."""
    text = _Text(data, "utf-8", "strict")
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
        raise NotStreamed(text.line())


def line_of(data: Data, number: int) -> int | None:
    """The line in which the n-th object of a list begins; None if none is found, since what stands
    before it is broken."""
    text, decoder = _Text(data, "utf-8-sig", "replace"), json.JSONDecoder()
    try:
        for _ in range(number - 1):
            text.skip(_BETWEEN)
            text.value(decoder)
    except NotStreamed:
        return None
    text.skip(_BETWEEN)
    return text.line()


class _Text:
    """The text of the file from where it was read to, as much of it as is needed."""

    def __init__(self, data: Data, encoding: str, errors: str) -> None:
        self.file, self.read, self.at = opened(data), 0, 0
        self.text, self.ended, self.lines = "", False, 1
        self.decode = codecs.getincrementaldecoder(encoding)(errors).decode

    def line(self) -> int:
        """The line in which it goes on."""
        return self.lines + self.text.count("\n", 0, self.at)

    def more(self) -> bool:
        """Read a piece more; False at the end of the file."""
        if self.ended:
            return False
        size = max(PIECE, len(self.text) - self.at)  # twice as much each time, for a large object
        self.file.seek(self.read)
        piece = self.file.read(size)
        self.read += len(piece)
        self.ended = len(piece) < size
        try:
            decoded = self.decode(piece, self.ended)
        except UnicodeDecodeError:
            raise NotStreamed(self.line()) from None
        self.lines = self.line()
        self.text, self.at = self.text[self.at :] + decoded, 0
        return True

    def skip(self, what: re.Pattern) -> None:
        """Go over what matches."""
        while True:
            found = what.match(self.text, self.at)
            self.at = found.end() if found else self.at
            if self.at < len(self.text) or not self.more():
                return

    def next(self) -> str:
        """The next character that is no space, "" at the end."""
        self.skip(_SPACE)
        return self.text[self.at : self.at + 1]

    def expect(self, character: str) -> None:
        if self.next() != character:
            raise NotStreamed(self.line())
        self.at += 1

    def value(self, decoder: json.JSONDecoder) -> Any:
        self.next()
        while True:
            try:
                value, end = decoder.raw_decode(self.text, self.at)
            except (ValueError, RecursionError):
                if not self.more():
                    raise NotStreamed(self.line()) from None
                continue
            # A number may be cut in two by the end of the piece.
            cut = isinstance(value, int | float) and not _FOLLOWS.match(self.text, end)
            if not cut or not self.more():
                self.at = end
                return value
