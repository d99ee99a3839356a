"""The quote form that the "Quote" action puts into the textarea."""

import html as html_lib
import re
from bisect import bisect_right
from collections.abc import Iterable

from .addresses import BARE_URL, trimmed_url
from .excerpts import GAP
from .limits import MAX_SOURCE, MAX_TAG, MarkupError
from .parser import MARKDOWN

_UNFIT_FOR_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\s]+")
_SPECIAL = re.compile(
    r"\\(?=[!-/:-@\[-`{-~]|$)"  # a backslash that would escape something
    r"|`"
    r"|\[(?!(?:…|\.\.\.)\](?![(\[:]))"  # all but the ellipsis of a shortened quote
    r"|<(?=[^\x00-\x20<>]*>)"
    r"|&(?=#?\w{1,40};)"
    r"|~(?=~)|(?<=~)~|\|(?=\|)|(?<=\|)\|"
    r"|(?<![ ])\*|\*(?![ ])"
    r"|(?<![^\W_])_|_(?![^\W_])"  # snake_case needs no help
)
_BLOCK_START = re.compile(
    r"(?=#{1,6}(?:[ \t]|$)|>|[-+*](?:[ \t]|$)|[-=:|][-=:| \t]*$)|[0-9]{1,9}(?=[.)](?:[ \t]|$))"
)
_EMPTY_LINES = re.compile(r"\n{3,}")
_PIECE = re.compile(rf"{re.escape(GAP)}|<sup[^>]*>.*?</sup>|<(/?)([a-z]+[0-9]?)[^>]*>|[^<]+", re.S)
_SIGNS = {"em": "*", "strong": "**", "s": "~~", "span": "||"}
_LEAVES = {"p", "div", "li", "h4", "h5", "h6", "pre", "td", "th", "details"}
_ELLIPSIS = "[…]"


def attribution_source(author: str, post_id: int, words: str) -> str:
    """The quote form for the textarea: what `render` reads back as the same post and words.

    `words` is a passage of a post's plain text. Signs that Markdown would read are escaped, and
    only those. A name cannot end the tag early: control characters are taken out of it, `"]`
    becomes `']`, and it is cut at 100 characters.
    """
    lines = words.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return _form(author, post_id, "\n".join(map(_escape_line, lines)).strip("\n"))


def marked_attribution_source(author: str, post_id: int, html: str) -> str:
    """The quote form with the strikes, spoilers and emphasis of the source, so that who quotes a
    retraction or what is folded away sees that before sending it. `html` is what `excerpt` gave.

    A mark that would not be read back, as between two letters and a sign, is left out; the words
    never suffer, and what is drawn is the source's own rendering in any case.
    """
    return _form(author, post_id, "\n\n".join(filter(None, _blocks(html))))


def _form(author: str, post_id: int, text: str) -> str:
    name = _UNFIT_FOR_NAME.sub(" ", author).replace('"]', "']").strip()[:100].strip()
    source = f"{name}, post: {post_id}" if name else f"post: {post_id}"
    # Empty lines within a passage (of code) would merge: the second and further ones are spelled.
    text = _EMPTY_LINES.sub(lambda found: "\n\n" + "&#10;" * (len(found[0]) - 2), text)
    return f'[quote="{source}"]\n{text}\n[/quote]\n\n'


def _blocks(html: str) -> Iterable[str]:
    """The Markdown of each leaf block of an excerpt, and the tags of spoilers around them."""
    pieces: list[tuple[str, str]] = []  # text, or a sign of markup
    label: list[str] | None = None
    for found in _PIECE.finditer(html):
        close, tag = found[1], found[2]
        if found[0] == GAP:
            pieces.append(("", _ELLIPSIS))
        elif tag is None:
            if not found[0].startswith("<"):
                text = html_lib.unescape(found[0])
                label.append(text) if label is not None else pieces.append((text, ""))
        elif tag == "summary":
            if not close:
                label = []
                continue
            yield _spoiler("".join(label or ()))
            label = None
        elif tag in _SIGNS:
            pieces.append(("", _SIGNS[tag]))
        elif tag in _LEAVES:
            yield _block(pieces)
            pieces = []
            if tag == "details" and close:
                yield "[/spoiler]"
    yield _block(pieces)


def _spoiler(label: str) -> str:
    label = label.removeprefix("Spoiler").removeprefix(": ")
    known = label and len(label) <= MAX_TAG and not set('"]\n').intersection(label)
    return f'[spoiler="{label}"]' if known else "[spoiler]"


def _block(pieces: list[tuple[str, str]]) -> str:
    """One block with its marks, or without them where these would not be read as such."""
    plain = "".join(text or (sign if sign == _ELLIPSIS else "") for text, sign in pieces).strip(
        "\n"
    )
    marked = "".join(sign or _escape_words(text) for text, sign in pieces).strip("\n")
    marked = "\n".join(map(_begun, marked.split("\n")))
    if any(sign for _, sign in pieces) and _reads(marked) == "".join(plain.split()):
        return marked
    return "\n".join(map(_escape_line, plain.split("\n")))


def _begun(line: str) -> str:
    """A line of Markdown whose beginning is read as text."""
    line = line.rstrip(" \t")
    first = line[:1]
    if first.isspace() and (first in " \t\f" or first > "\x9f"):
        return f"&#{ord(first)};{line[1:]}"
    found = _BLOCK_START.match(line)
    return f"{line[: found.end()]}\\{line[found.end() :]}" if found else line


def _reads(source: str) -> str:
    """The words that Markdown reads, without white space."""
    try:
        tokens = MARKDOWN.parse(source, {"tags": {}})
    except MarkupError:
        return ""
    return "".join(
        "".join((f"@{child.content}" if child.type == "mention" else child.content).split())
        for token in tokens
        for child in token.children or ()
    )


def _escape_line(line: str) -> str:
    line = line.rstrip(" \t")
    first = line[:1]
    # Markdown drops the space before a line; spelled, it stays.
    if first.isspace() and (first in " \t\f" or first > "\x9f"):
        return f"&#{ord(first)};{_escape_words(line[1:])}"
    text = _escape_words(line)
    found = _BLOCK_START.match(line)
    if found and not text[found.end() :].startswith("\\"):
        text = f"{text[: found.end()]}\\{text[found.end() :]}"
    return text


def _escape_words(text: str) -> str:
    """Escape what inline Markdown would read; web addresses stay whole."""
    spans = [
        (found.start(), found.start() + len(url))
        for found in BARE_URL.finditer(text)
        if (url := trimmed_url(found[0]))
    ]

    def escape(found: re.Match[str]) -> str:
        before = bisect_right(spans, (found.start(), MAX_SOURCE)) - 1
        if before >= 0 and found.start() < spans[before][1]:
            return found[0]
        return f"\\{found[0]}"

    return _SPECIAL.sub(escape, text)
