"""The quote form that the "Quote" action puts into the textarea."""

import re
from bisect import bisect_right

from .addresses import BARE_URL, trimmed_url
from .limits import MAX_SOURCE

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


def attribution_source(author: str, post_id: int, words: str) -> str:
    """The quote form for the textarea: what `render` reads back as the same post and words.

    `words` is a passage of a post's plain text. Signs that Markdown would read are escaped, and
    only those. A name cannot end the tag early: control characters are taken out of it, `"]`
    becomes `']`, and it is cut at 100 characters.
    """
    name = _UNFIT_FOR_NAME.sub(" ", author).replace('"]', "']").strip()[:100].strip()
    source = f"{name}, post: {post_id}" if name else f"post: {post_id}"
    lines = words.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    text = "\n".join(map(_escape_line, lines)).strip("\n")
    # Empty lines within a passage (of code) would merge: the second and further ones are spelled.
    text = _EMPTY_LINES.sub(lambda found: "\n\n" + "&#10;" * (len(found[0]) - 2), text)
    return f'[quote="{source}"]\n{text}\n[/quote]\n\n'


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
