"""The source's own rendering of quoted words: what is drawn inside a quote.

A verdict is about words. Whatever else a reader sees in a quote (a strike, a spoiler and its label,
the number of a list item, a heading, a link, the mark of a footnote) is cut out of the source's
HTML together with them, never taken from what the quoting member typed around them.
"""

import html as html_lib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from .limits import MAX_HTML
from .writer import WAY_BACK, escape

# Where words were left out between two parts, or a quote of somebody else stands in the source.
GAP = '<span class="gap">[…]</span>'
TOO_LONG = "<p>These words are too long to be drawn here. Read them at their source.</p>"
_TOKEN = re.compile(
    r"<!--(?P<mark>.*?)-->|<(?P<close>/?)(?P<tag>[a-z]+[0-9]?)[^>]*>|[^<]+", re.DOTALL
)
_START = re.compile(r'start="([0-9]+)"')
_LISTS = {"ul", "ol", "table", "thead", "tbody", "tr"}  # where no words stand but in their items
_FLOW = {"p", "h4", "h5", "h6", "pre", "ul", "ol", "div", "details"}
_INLINE = {"a", "code", "em", "s", "span", "strong"}
_EMPTY_LINES = re.compile(r"\n\s*\n")
_QUOTE = re.compile(r"<!--q([0-9]+)-->(.*?)<!--/q\1-->", re.DOTALL)


@dataclass(slots=True)
class _Element:
    """An element that is open in the source; `drawn` where it is open in the excerpt, too."""

    tag: str
    opening: str
    place: int = 0  # among its siblings, of items and cells
    children: int = 0
    drawn_children: int = 0
    drawn: bool = False
    summary: str = ""


def excerpt(
    html: str,
    *,
    plain: str,
    passages: Sequence[Sequence[int]],
    parts: Sequence[Sequence[int]],
    listed: bool = False,
    cut: tuple[bool, bool] = (False, False),
) -> str | None:
    """The part of a post's stored HTML that shows the words `plain[start:end]` of each of `parts`.

    `plain` and `passages` (start and end of each) are those that were rendered with `html`; `parts`
    follow one another, and what lies between two of them is drawn as "[…]". `listed`: the text is
    a plain one, whose list items keep their ". " in the words alone. `cut` says whether the words
    begin and end inside a sentence, which ellipses show. Numbers of list items and columns of
    tables stay those of the source. None if the HTML does not hold these words.
    """
    cutter = _Cutter(plain, passages, parts, listed=listed, cut=cut)
    return cutter.read(html)


class _Cutter:
    """Reads HTML once, and copies what lies between the first and last letter of each part."""

    def __init__(self, plain, passages, parts, *, listed, cut) -> None:
        self.plain, self.passages = plain, passages
        self.parts = [_trimmed(plain, start, end) for start, end in parts]
        self.listed, self.cut = listed, cut
        self.stack: list[_Element] = [_Element("", "", drawn=True)]
        self.out: list[str] = []
        self.part = 0  # the one that is looked for, or read
        self.inside = False  # between its first and its last letter
        self.ended = False  # behind its last letter, where a footnote's mark may follow
        self.letters: str | None = None  # of the passage that is read, without white space
        self.read_letters = 0
        self.ranges: list[tuple[int, int, bool, bool]] = []
        self.first = False  # whether the next element is the one of the passage

    def read(self, html: str) -> str | None:
        at = 0
        while self.part < len(self.parts) or self.ended:
            token = _TOKEN.match(html, at)
            if token is None:
                break
            at = token.end()
            if token["mark"] is not None:
                if token["mark"].startswith("q"):
                    at = html.index(f"<!--/{token['mark']}-->", at)
                elif not self._mark(token["mark"]):
                    return None
            elif token["tag"] is None:
                if not self._text(html_lib.unescape(token[0])):
                    return None
            elif token["tag"] == "summary" and not token["close"] and not self.inside:
                end = html.index("</summary>", at) + len("</summary>")
                self.stack[-1].summary = html[token.start() : end]
                at = end
            else:
                self._tag(token[0], token["tag"], bool(token["close"]))
        if self.part < len(self.parts):
            return None
        self._end()
        while len(self.stack) > 1:
            self._close(self.stack.pop())
        return "".join(self.out)

    def _mark(self, mark: str) -> bool:
        """One of the stored HTML's comments; False if the words before it are others."""
        if mark.startswith("@"):
            return self._text(mark)
        if mark.startswith("r") and (self.inside or self.ended):
            self.out.append(f'<sup class="footnote-ref">[{mark[1:].partition(".")[0]}]</sup>')
        elif mark.startswith("p"):
            self._enter(int(mark[1:]))
        elif mark.startswith("m"):
            complete = self.letters is None or self.read_letters == len(self.letters)
            self.letters, self.ranges = None, []
            return complete
        return True

    def _enter(self, number: int) -> None:
        """Begin a passage: which of its letters belong to which part."""
        start, end = self.passages[number - 1] if number <= len(self.passages) else (0, 0)
        self.letters, self.read_letters, self.ranges = None, 0, []
        for first, last in self.parts[self.part :]:
            if first >= end:
                break
            low = self._count(start, max(first, start))
            high = self._count(start, min(last, end))
            if low < high:
                self.ranges.append((low, high, first >= start, last <= end))
        if self.ranges:
            self.letters = "".join(self.plain[start:end].split())
            self.first = True

    def _count(self, start: int, end: int) -> int:
        return len("".join(self.plain[start:end].split()))

    def _tag(self, raw: str, tag: str, close: bool) -> None:
        if self.ended and not (close and tag in _INLINE):
            self._end()
        if tag in ("br", "hr"):
            if self.inside:
                self.out.append(raw)
        elif close:
            self._close(self.stack.pop())
        else:
            self.stack[-1].children += 1
            element = _Element(tag, raw, place=self.stack[-1].children)
            if self.first and self.listed and tag == "li":
                self.read_letters = 1  # its "." is drawn by the list
            self.first = False
            self.stack.append(element)
            if self.inside:
                self._open(len(self.stack) - 1)

    def _open(self, depth: int) -> None:
        element, parent = self.stack[depth], self.stack[depth - 1]
        opening = element.opening
        if element.tag in ("td", "th"):
            opening = "<td></td>" * (element.place - 1 - parent.drawn_children) + opening
        elif parent.tag == "ol" and element.place != parent.drawn_children + 1:
            found = _START.search(parent.opening)
            number = (int(found[1]) if found else 1) + element.place - 1
            opening = f'{opening[:-1]} value="{number}">'
        parent.drawn_children = element.place
        element.drawn = True
        self.out.append(opening)

    def _close(self, element: _Element) -> None:
        if element.drawn:
            self.out.append(f"</{element.tag}>")
            element.drawn = False

    def _text(self, text: str) -> bool:
        """A run of text; False if the passage holds other words."""
        letters = "".join(text.split())
        if self.ended and letters:
            self._end()
        if self.letters is None or not letters:
            if self.inside:
                self.out.append(_escaped(text))
            return True
        begin = self.read_letters
        if not self.letters.startswith(letters, begin):
            return False
        self.read_letters = begin + len(letters)
        while self.ranges and self.ranges[0][0] < self.read_letters:
            low, high, starts, ends = self.ranges[0]
            a = _at_letter(text, low - begin) if low > begin or not self.inside else 0
            if not self.inside:
                self._begin(ellipsis=starts and self.part == 0 and self.cut[0])
            if high > self.read_letters:
                self.out.append(_escaped(text[a:]))
                break
            if not ends:
                self.out.append(_escaped(text[a:]))
                self.ranges.pop(0)
                break
            b = _at_letter(text, high - begin - 1) + 1
            self.out.append(_escaped(text[a:b]))
            self.ranges.pop(0)
            self.inside, self.ended = False, True
            self.part += 1
            if self.read_letters > high:
                self._end()
        return True

    def _begin(self, *, ellipsis: bool) -> None:
        """Open what is open around the first letter of a part, as the source has it; before that,
        outside of what folds it away, say that something was left out."""
        gap = self.part > 0
        for depth in range(1, len(self.stack)):
            element = self.stack[depth]
            if element.drawn or element.tag == "section":
                continue
            if gap and element.tag in _FLOW and self._drawn_tag(depth) not in _LISTS:
                self.out.append(f"<p>{GAP}</p>")
                gap = False
            self._open(depth)
            if gap and element.tag in ("li", "td", "th"):
                self.out.append(f"{GAP} ")
                gap = False
            self.out.append(element.summary)
        self.out.append(f" {GAP} " if gap else "")
        self.out.append("… " if ellipsis else "")
        self.inside = True

    def _drawn_tag(self, depth: int) -> str:
        """The innermost element around this one that is open in the excerpt."""
        return next(one.tag for one in reversed(self.stack[:depth]) if one.drawn)

    def _end(self) -> None:
        """Behind the last letter of a part and the footnote marks that follow it."""
        if not self.ended:
            return
        self.ended = False
        if self.part == len(self.parts):
            self.out.append(" …" if self.cut[1] else "")
            return
        for element in reversed(self.stack):
            if element.tag not in _INLINE:
                break
            self._close(element)


def _trimmed(plain: str, start: int, end: int) -> tuple[int, int]:
    words = plain[start:end]
    return start + len(words) - len(words.lstrip()), start + len(words.rstrip())


def _at_letter(text: str, number: int) -> int:
    """Where the letter with this number (from 0) stands in a text, white space not counted."""
    return next(islice(re.finditer(r"\S", text), max(number, 0), None)).start()


def _escaped(text: str) -> str:
    return escape(text).replace("\u00a0", "&nbsp;")


def paragraphs(words: Sequence[str], *, cut: tuple[bool, bool] = (False, False)) -> str:
    """HTML of words alone, without any markup: the parts of a quote, "[…]" between them, and
    ellipses where they begin or end inside a sentence."""
    text = f" {GAP} ".join(map(_escaped, words))
    text = f"{'… ' * cut[0]}{text}{' …' * cut[1]}"
    return "".join(f'<p dir="auto">{one}</p>' for one in _EMPTY_LINES.split(text) if one.strip())


def insides(html: str) -> dict[int, str]:
    """What stored HTML draws inside each quote, by the quote's place in the text."""
    return {int(found[1]): found[2] for found in _QUOTE.finditer(html)}


def fill_quotes(html: str, inside: Mapping[int, str]) -> str:
    """Stored HTML with other things inside its quotes; a quote without an entry stays as typed.
    Where they would make it longer than a post may be, a sentence stands in place of the rest."""
    room = MAX_HTML - len(html)

    def fill(found: re.Match[str]) -> str:
        nonlocal room
        if int(found[1]) not in inside:
            return found[0]
        drawn = inside[int(found[1])]
        if len(drawn) - len(found[2]) > room:
            drawn = TOO_LONG
        room -= len(drawn) - len(found[2])
        return f"<!--q{found[1]}-->{drawn}<!--/q{found[1]}-->"

    if not inside:
        return html
    html = _QUOTE.sub(fill, html)
    # A footnote has no way back to a mark that was typed into a quote and is not drawn there.
    return WAY_BACK.sub(lambda found: found[0] if f"<!--r{found[1]}-->" in html else "", html)
