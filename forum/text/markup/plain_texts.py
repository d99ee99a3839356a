"""Imported texts, drawn as paragraphs and lists and kept to the letter."""

import re
from collections.abc import Sequence

from .addresses import linked
from .limits import MAX_QUOTES, MarkupError, refuse_more
from .writer import Writer

HEAD = ". "  # of a paragraph that is a list item
_HEADS = re.compile(rf"^{re.escape(HEAD)}", re.MULTILINE)


def write_plain(writer: Writer, source: str, quoted: Sequence[tuple[int, int]]) -> None:
    """Write a plain text; `quoted` as in `render`. Raises MarkupError if these are no ranges."""
    paragraphs = [line for line in source.split("\n") if line.strip(" \t")]
    refuse_more("quotes", len(quoted), MAX_QUOTES)
    done = 0
    for first, last in quoted:
        if not done < first <= last <= len(paragraphs):
            raise MarkupError(
                f"Paragraphs {first} to {last} cannot be a quote: the text has {len(paragraphs)}, "
                "and quotes follow one another."
            )
        _write_paragraphs(writer, paragraphs[done : first - 1])
        writer.open_quote()
        _write_paragraphs(writer, paragraphs[first - 1 : last])
        writer.close_quote("plain")
        done = last
    _write_paragraphs(writer, paragraphs[done:])


def without_heads(plain: str) -> str:
    """The words of a plain text as its page shows them: spaces stand where the heads of its list
    items are, so that every offset is the same in both."""
    return _HEADS.sub(" " * len(HEAD), plain)


def _write_paragraphs(writer: Writer, paragraphs: Sequence[str]) -> None:
    listing = False
    for words in paragraphs:
        if words.startswith(HEAD) != listing:
            writer.out.append("</ul>" if listing else "<ul>")
            listing = not listing
        if listing:
            writer.item(linked(words[len(HEAD) :]), words)
            writer.out.append("</li>")
        else:
            writer.leaf("p", linked(words), words)
    if listing:
        writer.out.append("</ul>")
