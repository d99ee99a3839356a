"""Pictures of the forum's own in a text: lines of `![what it shows](picture:key "caption")`.

In stored HTML such a picture is a link with its description as words, and its caption below it, so
that whatever reads words (search, quotes, feeds, books) finds them and needs to know nothing of
pictures. Comments around them tell a page where it can draw the picture itself (`fill_pictures`).
"""

import html as html_lib
import re
from collections.abc import Callable, Sequence

from markdown_it.rules_block import StateBlock

from .limits import MAX_PICTURES, refuse_more
from .writer import Writer, escape

_SHOWN = re.compile(
    r"!\[((?:[^\\\[\]\n]|\\.)*)\]"
    r"\(picture:([a-z0-9]{12})"
    r'(?:[ \t]+"((?:[^"\\\n]|\\.)*)")?[ \t]*\)[ \t]*'
)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_STORED = re.compile(
    r'<!--f([01])--><a href="/pictures/([a-z0-9]{12})/"[^>]*>(.*?)</a>'
    r"(?:<br>\n(.*?))?(?:<br>\n)?<!--/f-->",
    re.DOTALL,
)
_TAG = re.compile(r"<[^>]*>")
PICTURE = "<!--f"  # how the place of one begins in stored HTML
UNDESCRIBED = "Picture"  # the words of one that nobody described
Shown = tuple[str, str, str]  # what it shows, its key, its caption


def _in_line(line: str) -> list[Shown]:
    """The pictures of a line that holds nothing else; none of any other."""
    found, at = [], 0
    while one := _SHOWN.match(line, at):
        words = (" ".join(_ESCAPED.sub(r"\1", part or "").split()) for part in one.group(1, 3))
        alt, caption = words
        found.append((alt, one[2], caption))
        at = one.end()
    return found if at == len(line) else []


def pictures_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: lines of pictures, which stand side by side."""
    found: list[Shown] = []
    line = start
    while line < end and state.sCount[line] >= state.blkIndent and not state.is_code_block(line):
        begin = state.bMarks[line] + state.tShift[line]
        if not state.src.startswith("![", begin):
            break
        one = _in_line(state.src[begin : state.eMarks[line]].rstrip(" \t"))
        if not one:
            break
        found += one
        line += 1
        if silent:
            break
    if not found:
        return False
    if not silent:
        state.line = line
        state.push("pictures", "", 0).meta = {"pictures": found}
    return True


def write_pictures(writer: Writer, pictures: Sequence[Shown]) -> None:
    """Write a row of pictures as one passage. Within a quote they are links alone: what is drawn
    there is the source's."""
    quoted = writer.quote_words is not None
    html, words = [], []
    for number, (alt, key, caption) in enumerate(pictures, 1):
        alt_words = alt or UNDESCRIBED
        words += [alt_words, *([caption] if caption else ())]
        parts = [f'<a href="/pictures/{key}/">{escape(alt_words)}</a>']
        parts += [escape(caption)] if caption else []
        one = "<br>\n".join(parts) + ("<br>\n" if number < len(pictures) else "")
        html.append(one if quoted else f"<!--f{int(bool(alt))}-->{one}<!--/f-->")
        if not quoted:
            writer.pictures.setdefault(key)
    refuse_more("pictures", len(writer.pictures), MAX_PICTURES)
    inner = f'<div class="pictures" dir="auto">{"".join(html)}</div>'
    writer.enclose(writer.passage("\n".join(words)), inner)


def fill_pictures(html: str, render: Callable[[str, str, str], str]) -> str:
    """Stored HTML with its pictures drawn: `draw` gives the HTML of one from its key, its
    description ("" if there is none) and the HTML of its caption; "" leaves it a link."""

    def put(found: re.Match[str]) -> str:
        described, key, words, caption = found.groups()
        alt = html_lib.unescape(_TAG.sub("", words)) if described == "1" else ""
        return render(key, alt, caption or "") or found[0]

    return _STORED.sub(put, html) if PICTURE in html else html


def keys_in(html: str) -> list[str]:
    """The keys of the pictures that stored HTML shows, each once, in order."""
    return list(dict.fromkeys(found[2] for found in _STORED.finditer(html)))
