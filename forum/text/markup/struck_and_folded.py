"""Which words of a rendered text are struck, and which a spoiler folds away: whoever shows them
outside of its HTML, as in a difference, shows them so."""

import html as html_lib
import re
from collections.abc import Iterator, Sequence

STRUCK, FOLDED = "s", "f"
Mark = tuple[int, int, str]  # start and end in the plain text, and what holds there
_TOKEN = re.compile(
    r"<!--(?P<mark>.*?)-->"
    r'|<(?P<close>/?)(?P<tag>[a-z]+[0-9]?)(?P<spoiler> class="spoiler")?[^>]*>'
    r"|[^<]+",
    re.DOTALL,
)
_VOID = {"br", "hr", "img"}
_LETTER = re.compile(r"\S")


def struck_and_folded(
    html: str, *, plain: str, passages: Sequence[Sequence[int]], listed: bool = False
) -> list[Mark]:
    """The spans of `plain` that the stored `html` strikes or folds away, in order; both at once
    where both hold ("sf"). What does not stand in the HTML as `plain` and `passages` say counts as
    folded: nobody is to be shown what a spoiler may hide. `listed` as in `excerpt`."""
    found: list[Mark] = []
    seen = set()
    for number, letters in _passages(html, listed=listed):
        start, end = passages[number - 1] if number <= len(passages) else (0, 0)
        places = [start + letter.start() for letter in _LETTER.finditer(plain[start:end])]
        if "".join(sign for sign, _ in letters) != "".join(plain[start:end].split()):
            continue
        seen.add(number)
        for at, (_, marks) in zip(places, letters, strict=True):
            if not marks:
                continue
            if found and found[-1][2] == marks and plain[found[-1][1] : at].strip() == "":
                found[-1] = (found[-1][0], at + 1, marks)
            else:
                found.append((at, at + 1, marks))
    for number, (start, end) in enumerate(passages, 1):
        if number not in seen and start < end:
            found.append((start, end, FOLDED))
    return sorted(found)


def _passages(html: str, *, listed: bool) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """The letters of each passage of stored HTML, white space left out, with what holds there."""
    number = 0
    letters: list[tuple[str, str]] = []
    open_tags: list[str] = []  # what each of them does
    at = 0
    while token := _TOKEN.match(html, at):
        at = token.end()
        mark, text = token["mark"], None
        if mark is not None:
            if mark.startswith("q"):
                at = html.index(f"<!--/{mark}-->", at)
            elif mark.startswith("p"):
                number, letters = int(mark[1:]), []
                if listed and html.startswith("<li", at):
                    letters.append((".", ""))
            elif mark.startswith("m") and number:
                yield number, letters
                number = 0
            elif mark.startswith("@"):
                text = mark
        elif token["tag"] == "summary" and not token["close"]:
            at = html.index("</summary>", at) + len("</summary>")
        elif token["tag"] is None:
            text = html_lib.unescape(token[0])
        elif token["tag"] not in _VOID:
            _follow_tag(open_tags, token)
        if text and number:
            marks = "".join(one for one in (STRUCK, FOLDED) if one in open_tags)
            letters += ((sign, marks) for sign in "".join(text.split()))


def _follow_tag(open_tags: list[str], token: re.Match[str]) -> None:
    if token["close"]:
        open_tags.pop()
    elif token["spoiler"]:
        open_tags.append(FOLDED)
    else:
        open_tags.append(STRUCK if token["tag"] == "s" else "")
