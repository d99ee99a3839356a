"""From the parser's tokens to HTML."""

import html as html_lib
from collections.abc import Sequence

from markdown_it.token import Token

from .limits import MAX_INLINE_DEPTH
from .numbers import with_posts
from .pictures import write_pictures
from .tags import attribution
from .writer import Writer, escape

_CELL_CLASS = {
    "text-align:center": ' class="to-center"',
    "text-align:right": ' class="to-end"',
}
_SIMPLE = {
    "bullet_list_open": "<ul>",
    "bullet_list_close": "</ul>",
    "ordered_list_close": "</ol>",
    "list_item_close": "</li>",
    "hr": "<hr>",
    "spoiler_close": "</details>",
    "thead_open": "<thead>",
    "thead_close": "</thead>",
    "tbody_open": "<tbody>",
    "tbody_close": "</tbody>",
    "tr_open": "<tr>",
    "tr_close": "</tr>",
    "footnote_block_open": '<section class="footnotes" aria-label="Footnotes"><hr><ol>',
    "footnote_block_close": "</ol></section>",
    "footnote_close": "</li>",
}


def write_blocks(writer: Writer, tokens: Sequence[Token]) -> None:
    """Write the parser's block tokens."""
    i = 0
    while i < len(tokens):
        token = tokens[i]
        kind = token.type
        if kind in _SIMPLE:
            writer.out.append(_SIMPLE[kind])
        elif kind == "paragraph_open":
            i = _write_paragraph(writer, tokens, i)
        elif kind == "heading_open":
            # The page's own headings end at h3.
            level = min(int(token.tag[1]) + 3, 6)
            writer.leaf(f"h{level}", *_inline(writer, tokens[i + 1]))
            i += 2
        elif kind == "pictures":
            write_pictures(writer, token.meta["pictures"])
        elif kind in ("fence", "code_block"):
            code = f"<code>{escape(token.content)}</code>"
            writer.leaf("pre", code, token.content.rstrip("\n"))
        elif kind == "list_item_open":
            i = _write_item(writer, tokens, i)
        elif kind == "ordered_list_open":
            start = token.attrs.get("start")
            writer.out.append("<ol>" if start is None else f'<ol start="{start}">')
        elif kind == "table_open":
            i = _write_table(writer, tokens, i)
        elif kind in ("quote_open", "blockquote_open"):
            i = _write_quote(writer, tokens, i)
        elif kind == "spoiler_open":
            label = token.meta["tag"].value.strip()
            label = f"Spoiler: {escape(label)}" if label else "Spoiler"
            writer.out.append(f'<details class="spoiler"><summary dir="auto">{label}</summary>')
        elif kind == "footnote_open":
            writer.out.append(f"<!--n{token.meta['id'] + 1}--><li>")
        elif kind == "footnote_anchor":
            writer.out.append(_way_back(token))
        i += 1


def _write_paragraph(writer: Writer, tokens: Sequence[Token], i: int) -> int:
    html, words = _inline(writer, tokens[i + 1])
    i += 2
    while tokens[i].type == "footnote_anchor":
        html += _way_back(tokens[i])
        i += 1
    writer.leaf("p", html, words)
    return i


def _write_item(writer: Writer, tokens: Sequence[Token], i: int) -> int:
    """A tight item's own words are its passage; a loose one holds paragraphs, which are."""
    if tokens[i + 1].type == "paragraph_open" and tokens[i + 1].hidden:
        writer.item(*_inline(writer, tokens[i + 2]))
        return i + 3
    writer.item("", "")
    return i


def _write_table(writer: Writer, tokens: Sequence[Token], i: int) -> int:
    """A table is one passage: a line for each row, a tab between cells."""
    rows: list[list[str]] = []
    html: list[str] = []
    while tokens[i].type != "table_close":
        kind = tokens[i].type
        if kind == "tr_open":
            rows.append([])
        if kind in ("th_open", "td_open"):
            inner, words = _inline(writer, tokens[i + 1])
            rows[-1].append(words)
            # A head without words would be an empty heading to a screen reader.
            tag = "th" if kind == "th_open" and words else "td"
            side = _CELL_CLASS.get(str(tokens[i].attrs.get("style")), "")
            html.append(f'<{tag}{side} dir="auto">{inner}</{tag}>')
            i += 2
        elif kind in _SIMPLE:
            html.append(_SIMPLE[kind])
        i += 1
    writer.out.append('<div class="wide" tabindex="0" role="group" aria-label="Table">')
    words = "\n".join("\t".join(row) for row in rows)
    number = writer.passage(words if words.strip("\t\n") else "")
    mark = f"<!--p{number}-->" if number else ""
    writer.out.append(f'{mark}<table dir="auto">{"".join(html)}</table></div>')
    if number:
        writer.out.append(f"<!--m{number}-->")
    return i


def _write_quote(writer: Writer, tokens: Sequence[Token], i: int) -> int:
    """Write a quote with all that it holds but the quotes inside it."""
    writer.open_quote()
    inside: list[Token] = []
    nested: list[tuple[str, int | None, int | None]] = []
    opening, depth = tokens[i], 1
    while depth:
        i += 1
        token = tokens[i]
        if token.type in ("quote_open", "blockquote_open"):
            if depth == 1:
                nested.append(_source_of(token))
            depth += 1
        elif token.type in ("quote_close", "blockquote_close"):
            depth -= 1
        elif depth == 1:
            inside.append(token)
    write_blocks(writer, inside)
    syntax = "quote" if opening.type == "quote_open" else "blockquote"
    writer.close_quote(syntax, *_source_of(opening), nested)
    return i


def _source_of(opening: Token) -> tuple[str, int | None, int | None]:
    if opening.type == "blockquote_open":
        return "", None, None
    return attribution(opening.meta["tag"].value)


def _way_back(token: Token) -> str:
    return f"<!--b{token.meta['id'] + 1}.{token.meta['subId']}-->"


_EMPHASIS = {"em_open", "strong_open", "s_open", "em_close", "strong_close", "s_close"}
_HIDDEN = '<span class="spoiler" tabindex="0" role="group" aria-label="Spoiler">'


def _inline(writer: Writer, token: Token) -> tuple[str, str]:
    """HTML and words of a leaf's inline content."""
    html: list[str] = []
    words: list[str] = []
    depth = links = 0
    address, link_words = "", 0
    for child in token.children or ():
        kind = child.type
        if kind == "text":
            # HTML knows no carriage return, and here it can come out of "&#13;".
            text = child.content.replace("\r", "\n")
            bare = links == 0 and writer.quote_words is None
            html.append(with_posts(text, writer) if bare else escape(text))
            words.append(text)
        elif kind == "softbreak":
            html.append("\n")
            words.append("\n")
        elif kind == "hardbreak":
            html.append("<br>\n")
            words.append("\n")
        elif kind == "code_inline":
            html.append(f"<code>{escape(child.content)}</code>")
            words.append(child.content)
        elif kind in _EMPHASIS or kind in ("hidden_open", "hidden_close"):
            depth += max(child.nesting, 0)
            if depth <= MAX_INLINE_DEPTH:
                if kind == "hidden_open":
                    html.append(_HIDDEN)
                elif kind == "hidden_close":
                    html.append("</span>")
                else:
                    html.append(f"<{'/' * (child.nesting < 0)}{child.tag}>")
            depth += min(child.nesting, 0)
        elif kind == "link_open":
            # An image in a link's words is a link in a link, which HTML does not have.
            links += 1
            if links == 1:
                address, link_words = str(child.attrs["href"]), len(words)
                html.append(f'<a href="{html_lib.escape(address)}">')
        elif kind == "link_close":
            links -= 1
            if links == 0:
                if not "".join(words[link_words:]).strip():
                    html.append(escape(address))
                    words.append(address)
                html.append("</a>")
        elif kind == "mention":
            name = child.content
            words.append(f"@{name}")
            if writer.quote_words is None:
                writer.mentions.setdefault(name.lower(), name)
                html.append(f"<!--@{name}-->")
            else:
                html.append(f"@{name}")
        elif kind == "footnote_ref":
            number = f"{child.meta['id'] + 1}.{child.meta['subId']}"
            html.append(f"<!--r{number}-->")
            writer.references.add(number)
    return "".join(html), "".join(words)
