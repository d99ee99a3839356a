"""Reads a plain-text thread: a title, an empty line, posts parted by lines of one U+00A0.

Nothing here may call str.strip() or use `\\s` on a whole line: both take the separator for blank.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.columns import longest
from core.counting import counted
from forum.models import Thread
from forum.text import markup, quoting

from . import Rejected

SEPARATOR = "\u00a0"
# The last line of a saved page: its link back to the top.
PAGE_END = "Top"
# "Yes." or "I doubt it." are said twice by chance. A paragraph of four words that stands letter
# for letter in an earlier post is a quote; the shorter ones count only beside one that is.
MIN_WORDS = 4

_BLANKS = " \t"
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class PlainThread:
    """A title and the texts of the posts, to the letter; `notes` say what the reader did."""

    title: str
    texts: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repetition:
    """Paragraphs `first`..`last` of a post that repeat paragraphs of post `source`.

    Posts and paragraphs count from 1; `source_first` and `source_last` count all paragraphs of
    the source, its own quotes included.
    """

    first: int
    last: int
    source: int
    source_first: int
    source_last: int

    @property
    def reason(self) -> str:
        """Why this is a quote, in words."""
        verb = "repeats" if self.first == self.last else "repeat"
        here = _span(self.first, self.last)
        return (
            f"{here} {verb} {_span(self.source_first, self.source_last)} "
            f"of post {self.source} word for word"
        )


def _span(first: int, last: int) -> str:
    return f"paragraph {first}" if first == last else f"paragraphs {first}–{last}"


def read(data: bytes, name: str) -> PlainThread:
    """Read the bytes of the file `name`.

    Every line of a post is kept to the letter, blanks and slips included; only empty lines at the
    ends of a post go. A last part that says "Top" and nothing else belongs to the page and is
    dropped. Raises Rejected with the file, and the line where there is one.
    """
    lines, notes = _lines(data, name)
    title = lines[0].strip(_BLANKS)
    if not title or title == SEPARATOR or not title.isprintable():
        raise Rejected(f"{name}, line 1: the first line must be the title of the debate.")
    most = longest(Thread, "title")
    if len(title) > most:
        raise Rejected(
            f"{name}, line 1: a title holds at most {counted(most, 'character,characters')}; "
            f"this one has {len(title):,}."
        )
    parts: list[tuple[int, list[str]]] = [(2, [])]
    for number, line in enumerate(lines[1:], 2):
        if line == SEPARATOR:
            parts.append((number + 1, []))
        elif SEPARATOR in line and not line.strip(_BLANKS + SEPARATOR):
            raise Rejected(
                f"{name}, line {number}: this line looks like a separator, but a separator is "
                "one no-break space (U+00A0) and nothing else."
            )
        else:
            parts[-1][1].append(line)
    if len(parts) == 1:
        raise Rejected(
            f"{name}: no separator. Posts are parted by lines that hold one no-break space "
            "(U+00A0) and nothing else."
        )
    if parts[0][1] and parts[0][1][0].strip(_BLANKS):
        raise Rejected(f"{name}, line 2: an empty line parts the title from the first post.")
    last_line, last = parts[-1]
    filled = [line for line in last if line.strip(_BLANKS)]
    if filled in ([], [PAGE_END]):
        parts.pop()
        where = last_line + (last.index(PAGE_END) if filled else -1)
        what = f'"{PAGE_END}" is part of the page' if filled else "nothing follows the separator"
        notes.append(f"{name}, line {where}: dropped, {what}.")
    texts = tuple(_text(lines, start, name) for start, lines in parts)
    paragraphs = sum(len(_paragraphs(text)) for text in texts)
    posts, of = counted(len(texts), "post,posts"), counted(paragraphs, "paragraph,paragraphs")
    notes.append(f"{name}: {posts} of {of}.")
    return PlainThread(title, texts, tuple(notes))


def _lines(data: bytes, name: str) -> tuple[list[str], list[str]]:
    """The lines of a file in UTF-8, whatever its line ends, and notes on what was changed."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Rejected(f"{name}, line {line}: this is not UTF-8.") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise Rejected(f"{name}, line {line}: a NUL character, which cannot be stored.")
    notes = []
    if text.startswith("\ufeff"):
        text = text[1:]
        notes.append(f"{name}: dropped the byte order mark.")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        notes.append(f"{name}: line ends were made line feeds.")
    return text.removesuffix("\n").split("\n"), notes


def _text(lines: list[str], start: int, name: str) -> str:
    """One post's text out of its lines, the first of which is line `start` of the file."""
    filled = [at for at, line in enumerate(lines) if line.strip(_BLANKS)]
    if not filled:
        raise Rejected(f"{name}, line {start}: there is no post here.")
    text = "\n".join(lines[filled[0] : filled[-1] + 1])
    if len(text) > markup.MAX_SOURCE:
        raise Rejected(
            f"{name}, line {start + filled[0]}: a post holds at most {markup.MAX_SOURCE:,} "
            f"characters; this one has {len(text):,}."
        )
    return text


def _paragraphs(text: str) -> list[str]:
    """The paragraphs as forum.text.markup counts them in a plain text: lines that are not blank."""
    return [line for line in text.split("\n") if line.strip(_BLANKS)]


def find_repetitions(texts: Sequence[str]) -> list[list[Repetition]]:
    """Find for each post the paragraphs that repeat an earlier post's own words, in order.

    Compared are whole paragraphs in the quote engine's normal form. A repeated paragraph belongs
    to the post whose own words it is, not to those that quote it; neighbouring paragraphs that
    follow each other in the source too are one quote. One look-up per paragraph, so the time
    grows with the text alone.
    """
    found: list[list[Repetition]] = []
    own: list[list[tuple[bytes, int]]] = []  # (key, paragraph) of each post's own words
    indexes: dict[bytes, tuple[int, int]] = {}  # key -> (post, place in its `own`)
    for post, text in enumerate(texts):
        paragraphs = _paragraphs(text)
        keys = [quoting.key_of(paragraph) for paragraph in paragraphs]
        repetitions: list[Repetition] = []
        mine: list[tuple[bytes, int]] = []
        at = done = 0
        while at < len(keys) and len(repetitions) < markup.MAX_QUOTES:
            if (index := indexes.get(keys[at])) is None:
                at += 1
                continue
            source, middle = index
            theirs = own[source]
            back = _common(zip(reversed(keys[done:at]), reversed(theirs[:middle]), strict=False))
            ahead = _common(zip(keys[at:], theirs[middle:], strict=False))
            mine += ((keys[n], n + 1) for n in range(done, at - back))
            done = at + ahead
            repetitions.append(
                Repetition(
                    first=at - back + 1,
                    last=done,
                    source=source + 1,
                    source_first=theirs[middle - back][1],
                    source_last=theirs[middle + ahead - 1][1],
                )
            )
            at = done
        mine += ((keys[n], n + 1) for n in range(done, len(keys)))
        for at, (key, paragraph) in enumerate(mine):
            if len(_WORD.findall(paragraphs[paragraph - 1])) >= MIN_WORDS:
                indexes.setdefault(key, (post, at))
        found.append(repetitions)
        own.append(mine)
    return found


def _common(pairs) -> int:
    """How many pairs of a key and a (key, paragraph) agree before the first that do not."""
    count = 0
    for key, (other, _) in pairs:
        if key != other:
            break
        count += 1
    return count
