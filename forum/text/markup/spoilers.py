"""Which of a post's own words stand under a spoiler, and so are shown to nobody unasked."""

import html as html_lib
import re
from collections.abc import Sequence

_TOKEN = re.compile(r"<!--(?P<mark>.*?)-->|<(?P<close>/?)(?P<tag>[a-z]+[0-9]?)[^>]*>|[^<]+", re.S)
_EMPTY = ("br", "hr")


def hidden_spans(
    html: str, *, plain: str, passages: Sequence[Sequence[int]]
) -> list[tuple[int, int]]:
    """From where to where in `plain` words stand under a spoiler, ascending; `plain` and `passages`
    (start and end of each) are those that were rendered with `html`. Where the HTML of a passage
    with a spoiler holds other letters than its words, all of the passage is taken for hidden."""
    if 'class="spoiler"' not in html:
        return []
    found: list[tuple[int, int]] = []
    open_tags: list[bool] = []  # whether each is a spoiler
    letters: list[int] | None = None  # of the passage that is read: where each stands in `plain`
    start = read = 0
    spans: list[tuple[int, int]] = []  # of it, by its letters
    at = 0
    while token := _TOKEN.match(html, at):
        at = token.end()
        mark, tag = token["mark"], token["tag"]
        text = ""
        if mark is not None:
            if mark.startswith("q"):
                at = html.index(f"<!--/{mark}-->", at)
            elif mark.startswith("@"):
                text = mark
            elif mark.startswith("p"):
                start, end = passages[int(mark[1:]) - 1]
                letters = [n for n in range(start, end) if not plain[n].isspace()]
                read, spans = 0, []
            elif mark.startswith("m") and letters is not None:
                if read != len(letters):
                    spans = [(0, len(letters))] if spans or any(open_tags) else []
                found += [(letters[a], letters[b - 1] + 1) for a, b in spans]
                letters = None
        elif tag == "summary" and not token["close"]:
            at = html.index("</summary>", at) + len("</summary>")
        elif tag is None:
            text = html_lib.unescape(token[0])
        elif token["close"]:
            open_tags.pop()
        elif tag not in _EMPTY:
            open_tags.append('class="spoiler"' in token[0])
        length = len("".join(text.split())) if letters is not None else 0
        if length and any(open_tags):
            if spans and spans[-1][1] == read:
                spans[-1] = (spans[-1][0], read + length)
            else:
                spans.append((read, read + length))
        read += length
    return found
