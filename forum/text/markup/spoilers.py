"""What of a text is shown where nobody can open what a spoiler folds away: in lists, notices,
mails, feeds, books and finds. Whoever shows words of a post elsewhere takes them from here."""

import html as html_lib
import re
from collections.abc import Iterator, Sequence

from .struck_and_folded import FOLDED, struck_and_folded
from .writer import WAY_BACK

SPOILER = "[spoiler]"  # stands for all that one folds away, its label too
_MARK = 'class="spoiler"'
_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>span|details)\b(?P<spoiler>[^>]*\bclass=\"spoiler\")?[^>]*>"
)
_QUOTE = re.compile(r"<!--q([0-9]+)-->.*?<!--/q\1-->", re.DOTALL)
_TOKEN = re.compile(
    r"<!--(?P<mark>.*?)-->|<(?P<close>/?)(?P<tag>[a-z]+[0-9]?)[^>]*>|[^<]+", re.DOTALL
)
_BLOCKS = {"p", "div", "li", "h4", "h5", "h6", "pre", "tr", "details", "ul", "ol", "table"}
_FOOTNOTES = '<section class="footnotes"'


def without_spoilers(html: str) -> str:
    """HTML of a post, as stored or as drawn, with "[spoiler]" in place of all that is folded away;
    a footnote leads back to no mark that went with it."""
    if _MARK not in html:
        return html
    parts: list[str] = []
    outside, depth, name = 0, 0, ""
    for tag in _TAG.finditer(html):
        if depth:
            # Only tags of the same name can hide the end of the one that is open.
            if tag["name"] == name:
                depth += -1 if tag["end"] else 1
            outside = tag.end()
        elif tag["spoiler"]:
            name, depth = tag["name"], 1
            shown = f"<p>{SPOILER}</p>" if name == "details" else SPOILER
            parts += [html[outside : tag.start()], shown]
            outside = tag.end()
    rest = "".join(parts if depth else [*parts, html[outside:]])
    return WAY_BACK.sub(lambda found: found[0] if f"<!--r{found[1]}-->" in rest else "", rest)


def words_without_spoilers(html: str, most: int) -> str:
    """The first words of a post out of its stored HTML, in paragraphs: without what it quotes
    (sources have readers of their own), spoilers and footnotes; at most `most` characters and " …",
    cut between words."""
    own = _QUOTE.sub("", html).partition(_FOOTNOTES)[0]
    parts: list[str] = []
    text, room = "", most
    for piece in _pieces(without_spoilers(own)):
        if piece == "\n\n":
            parts.append(text)
            text = ""
        else:
            text += piece
            room -= len(piece)
            if room < 0:
                break
    shown = "\n\n".join(part for part in map(_trimmed, [*parts, text]) if part)
    if len(shown) <= most and room >= 0:
        return shown
    return (shown[:most].rsplit(None, 1) or [""])[0] + " …"


def _pieces(html: str) -> Iterator[str]:
    """The text of HTML piece by piece, "\\n\\n" where a block ends."""
    for token in _TOKEN.finditer(html):
        if token["mark"] is not None:
            if token["mark"].startswith("@"):
                yield token["mark"]
        elif token["tag"] is None:
            yield html_lib.unescape(token[0])
        elif token["tag"] == "br":
            yield "\n"
        elif token["close"] and token["tag"] in _BLOCKS:
            yield "\n\n"


def _trimmed(text: str) -> str:
    return "\n".join(" ".join(line.split(" ")).strip() for line in text.strip().split("\n"))


def hidden_spans(
    html: str, *, plain: str, passages: Sequence[Sequence[int]]
) -> list[tuple[int, int]]:
    """From where to where in `plain` words stand under a spoiler, ascending; `plain` and `passages`
    (start and end of each) are those that were rendered with `html`. In a text with a spoiler, a
    passage whose HTML holds other letters than its words is taken for hidden."""
    if _MARK not in html:
        return []
    marks = struck_and_folded(html, plain=plain, passages=passages)
    return [(start, end) for start, end, what in marks if FOLDED in what]


def passages_without_spoilers(
    html: str, *, plain: str, passages: Sequence[Sequence[int]]
) -> list[str]:
    """The words of each passage with "[spoiler]" in place of those under one; `plain` and
    `passages` as in `hidden_spans`. A quote has none."""
    hidden = hidden_spans(html, plain=plain, passages=passages)
    found: list[str] = []
    first = 0
    for start, end in passages:
        while first < len(hidden) and hidden[first][1] <= start:
            first += 1
        parts, at, n = [], start, first
        while n < len(hidden) and hidden[n][0] < end:
            parts += [plain[at : max(hidden[n][0], at)], SPOILER]
            at = min(hidden[n][1], end)
            n += 1
        found.append("".join([*parts, plain[at:end]]) if start < end else "")
    return found
