"""Marking words in the stored HTML of a post: those that the next post of a road answers."""

import html as html_lib
import re
from collections.abc import Iterable, Mapping

_TOKEN = re.compile(r"<!--@([^>]+?)-->|<[^>]*>|&#?\w+;|[^<&]|.", re.S)
_TAG = re.compile(r"<[^>]*>")
# A list's own signs are letters of the plain text and none of the HTML.
_SLACK = 8


def mark_words(html: str, marked: Mapping[int, Iterable[tuple[int, str]]]) -> str:
    """Stored HTML with `<mark>` around words of its passages.

    `said` gives for each passage number the runs to mark: how many characters of the passage's
    plain text, white space aside, stand before the run, and the run itself. White space does not
    count, since HTML and plain text break lines differently. What is not found stays unmarked.
    """
    for number, runs in marked.items():
        head = f"<!--p{number}-->"
        start = html.find(head)
        if start < 0:
            continue
        start += len(head)
        end = html.find("<!--p", start)
        end = len(html) if end < 0 else end
        passage = html[start:end]
        for before, words in sorted(runs, reverse=True):
            passage = _mark(passage, before, words)
        html = html[:start] + passage + html[end:]
    return html


def _mark(html: str, before: int, words: str) -> str:
    """One passage with one run marked. `before` counts from the passage's beginning."""
    letters, places = [], []
    for token in _TOKEN.finditer(html):
        if token[1]:
            text = "@" + token[1]
        elif token[0].startswith("<") and len(token[0]) > 1:
            continue
        else:
            text = html_lib.unescape(token[0])
        for letter in "".join(text.split()):
            letters.append(letter)
            places.append(token.span())
    needle, stream = "".join(words.split()), "".join(letters)
    at = stream.find(needle, max(0, before - _SLACK)) if needle else -1
    if at < 0:
        return html
    first, last = places[at][0], places[at + len(needle) - 1][1]
    return html[:first] + _wrapped(html[first:last]) + html[last:]


def _wrapped(html: str) -> str:
    """Each run of text between the tags in a `<mark>` of its own, so that none crosses a tag."""
    pieces, at = [], 0
    for tag in [*_TAG.finditer(html), None]:
        text = html[at : tag.start() if tag else len(html)]
        pieces.append(f"<mark>{text}</mark>" if text.strip() else text)
        if tag:
            pieces.append(tag[0])
            at = tag.end()
    return "".join(pieces)
