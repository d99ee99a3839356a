"""Turns what a member typed into safe HTML, own words, passages, quotes and mentions.

Three public functions, none of which knows a database or a request:

- `render` reads a source once, when it is saved, and gives HTML that belongs to no post yet.
- `lay_in` puts that HTML into a page: addresses of passages, attributions, notes, members.
- `attribution_source` writes the quote form that the "Quote" action puts into the textarea.

What depends on the reader (who may see a quoted post, which members exist) is not in the stored
HTML. In its place stand HTML comments. No member can write one: raw HTML is not read, every "<"
of a text is escaped, and the only attribute that holds members' text is `href`, percent-encoded.

    <!--p3-->             before the element of passage 3, which gets id="post-<id>-3"
    <!--m3-->             where the margin note of passage 3 goes
    <!--q1-->…<!--/q1-->  around the words of quote 1
    <!--@name-->          a mention
    <!--n1--> <!--r1.0--> <!--b1.0-->   footnote 1: its text, a reference to it, the way back
"""

import html as html_lib
import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote as percent_encode

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, reference, table
from markdown_it.rules_inline import StateInline, link
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.footnote.index import footnote_def, footnote_ref

# Rises whenever the same source would give other HTML; stored HTML of an older version is redrawn.
RENDERER_VERSION = 1

# The limits. Together they keep every accepted post under 200 ms to render.
MAX_SOURCE = 60_000  # characters: about 10,000 words, twice the longest chapters of timelines
MAX_MARKS = 5_000  # characters that may be markup: the parser's time grows with them, not with text
MAX_BRACKETS = 2_000  # opening ones: each is followed up to 20 brackets deep to see if it is a link
MAX_LINES = 3_000  # each is tried against every kind of block
MAX_QUOTES = 50  # each is looked up and verified when the post is saved
MAX_MENTIONS = 25  # each is a notice to somebody
MAX_QUOTE_DEPTH = 8  # quotes and spoilers inside one another; nobody follows more
MAX_NESTING = 20  # levels of the parser; it drops what lies deeper, so deeper is refused instead
MAX_PASSAGES = 2_000  # each has an address, and two markers in the stored HTML
MAX_CELLS = 4_000  # a short row under a wide head is filled up: 2 KB of source, 65,000 cells
MAX_FOOTNOTE_REFERENCES = 200  # each becomes two links
MAX_HTML = 400_000  # characters: one reference definition, used often, multiplies its address
MAX_URL = 2_000  # characters; longer addresses stay text
MAX_TAG = 300  # characters of a quote's attribution or of a spoiler's label; longer stays text
MAX_INLINE_DEPTH = 8  # emphasis inside emphasis; deeper is drawn flat, sanitising it is quadratic

_MARKS = "*_`~[]<>&\\|@"


class MarkupError(ValueError):
    """A source that cannot be accepted; the message is a sentence for the person who typed it."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One numbered passage: its span in `Rendered.plain`, empty for a quote."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class QuoteBlock:
    """One quote that stands in no other quote.

    `author` is as typed and proves nothing. `words` are the quote's own words, paragraphs joined
    by an empty line; quotes inside it are dropped, and `nested` holds (author, post_id,
    post_number) of each direct one. `passage` is its number among the post's passages.
    """

    ordinal: int
    passage: int
    author: str
    post_id: int | None
    post_number: int | None
    words: str
    nested: tuple[tuple[str, int | None, int | None], ...]
    syntax: Literal["quote", "blockquote", "plain"]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What `render` makes of a source.

    `plain` is the post's own words: passages joined by an empty line, quotes left out.
    """

    html: str
    plain: str
    passages: tuple[Passage, ...]
    quotes: tuple[QuoteBlock, ...]
    mentions: tuple[str, ...]


def render(
    source: str,
    *,
    format: Literal["markdown", "plain"],
    quoted: Sequence[tuple[int, int]] = (),
) -> Rendered:
    """Render a post's source.

    "markdown" is CommonMark without raw HTML, with tables, ~~strikethrough~~, footnotes
    (`[^1]` with a definition at top level), bare web addresses, ||spoilers||, @mentions and the
    forms `[spoiler]…[/spoiler]` and `[quote]…[/quote]` (see `_attribution`), whose tags may stand
    anywhere but in code. Images are links, since a remote image tells its server who reads.
    A Markdown `>` quote is a quote as well. Every quote counts, in a list or spoiler too; only
    a quote inside a quote is dropped. In a list item the tags stand on lines of their own, as
    far in as the item's text; after a "-" or ">" on the same line they end that list or quote.

    "plain" is for imported texts and keeps their letter: every line that is not blank is a
    paragraph; lines in sequence that begin with ". " are drawn as a list; `quoted` names ranges
    of paragraphs (first, last; counted from 1) that are quotes.

    Passages are the leaf blocks in reading order: paragraph, heading, list item, table, code
    block, quote; blocks without words (such as a rule) have no number. Footnotes come last.

    Raises MarkupError for a source beyond the limits above, with NUL or unpaired surrogates
    (which cannot be stored), or with `quoted` ranges that are no ranges of it.
    """
    _refuse_more("characters", len(source), MAX_SOURCE)
    if "\0" in source:
        raise MarkupError("This text holds a NUL character, which cannot be stored.")
    try:
        source.encode()
    except UnicodeEncodeError:
        raise MarkupError("This text holds half a character, which cannot be stored.") from None
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    writer = _Writer()
    if format == "plain":
        _write_plain(writer, source, quoted)
    else:
        _refuse_more("lines", source.count("\n") + 1, MAX_LINES)
        _refuse_more("opening brackets", source.count("["), MAX_BRACKETS)
        _refuse_more("markup signs such as * or [", sum(map(source.count, _MARKS)), MAX_MARKS)
        text, tags = _split_tags(source)
        tokens = _MARKDOWN.parse(text, {"tags": tags})
        _check_nesting(tokens)
        _write_blocks(writer, tokens)
    return writer.rendered()


# --- The stored HTML and its passages --------------------------------------------------------

_BLOCKS = "h4 h5 h6 li p pre summary table td th"
_TAGS = f"{_BLOCKS} a br code details div em hr ol s section span strong tbody thead tr ul"

_CLEANER = nh3.Cleaner(
    tags=set(_TAGS.split()),
    attributes={"a": {"href"}, "ol": {"start"}, **{tag: {"dir"} for tag in _BLOCKS.split()}},
    tag_attribute_values={
        "div": {
            "class": {"wide"},
            "tabindex": {"0"},
            "role": {"group"},
            "aria-label": {"Table"},
        },
        "span": {
            "class": {"spoiler"},
            "tabindex": {"0"},
            "role": {"group"},
            "aria-label": {"Spoiler"},
        },
        "details": {"class": {"spoiler"}},
        "section": {"class": {"footnotes"}, "aria-label": {"Footnotes"}},
        "td": {"class": {"to-center", "to-end"}},
        "th": {"class": {"to-center", "to-end"}},
    },
    clean_content_tags=set(),
    url_schemes={"http", "https", "mailto"},
    link_rel="nofollow ugc noopener",
    strip_comments=False,
)


class _Writer:
    """Collects HTML, own words, passages, quotes and mentions in reading order."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.words: list[str] = []
        self.length = 0
        self.passages: list[Passage] = []
        self.quotes: list[QuoteBlock] = []
        self.mentions: dict[str, str] = {}
        self.quote_words: list[str] | None = None
        self.references = 0
        self.dropped_references: set[tuple[int, int]] = set()

    def passage(self, words: str) -> int | None:
        """Take a leaf's words; return its number, or None in a quote or without words."""
        if not words:
            return None
        if self.quote_words is not None:
            self.quote_words.append(words)
            return None
        start = self.length + 2 if self.words else 0
        self.words.append(words)
        self.length = start + len(words)
        self.passages.append(Passage(len(self.passages) + 1, start, self.length))
        return len(self.passages)

    def leaf(self, tag: str, html: str, words: str) -> None:
        """Write one leaf block with its markers."""
        self.enclose(self.passage(words), f'<{tag} dir="auto">{html}</{tag}>')

    def enclose(self, number: int | None, html: str) -> None:
        """Write an element with the markers of its passage, if it is one."""
        self.out.append(f"<!--p{number}-->{html}<!--m{number}-->" if number else html)

    def item(self, html: str, words: str) -> None:
        """Open a list item that is a passage itself."""
        number = self.passage(words)
        if number:
            self.out.append(f'<!--p{number}--><li dir="auto">{html}<!--m{number}-->')
        else:
            self.out.append(f'<li dir="auto">{html}')

    def open_quote(self) -> None:
        """Begin a quote: a passage without words of its own."""
        number = len(self.passages) + 1
        self.passages.append(Passage(number, self.length, self.length))
        self.out.append(f"<!--p{number}--><!--q{len(self.quotes) + 1}-->")
        self.quote_words = []

    def close_quote(self, syntax, author="", post_id=None, post_number=None, nested=()) -> None:
        """End the quote that `open_quote` began."""
        self.quotes.append(
            QuoteBlock(
                ordinal=len(self.quotes) + 1,
                passage=len(self.passages),
                author=author,
                post_id=post_id,
                post_number=post_number,
                words="\n\n".join(self.quote_words or ()),
                nested=tuple(nested),
                syntax=syntax,
            )
        )
        self.quote_words = None
        self.out.append(f"<!--/q{len(self.quotes)}-->")

    def rendered(self) -> Rendered:
        """Sanitise, check the limits that only the end can know, and give the result."""
        html = "".join(self.out)
        _refuse_more("paragraphs and list items", len(self.passages), MAX_PASSAGES)
        _refuse_more("mentions of members", len(self.mentions), MAX_MENTIONS)
        _refuse_more("references to footnotes", self.references, MAX_FOOTNOTE_REFERENCES)
        _refuse_more("characters once it is drawn", len(html), MAX_HTML)
        return Rendered(
            html=_CLEANER.clean(html),
            plain="\n\n".join(self.words),
            passages=tuple(self.passages),
            quotes=tuple(self.quotes),
            mentions=tuple(self.mentions.values()),
        )


def _escape(text: str) -> str:
    return html_lib.escape(text, quote=False)


def _refuse_more(what: str, count: int, limit: int) -> None:
    if count > limit:
        raise MarkupError(f"A post holds at most {limit:,} {what}; this one has {count:,}.")


# --- Addresses -------------------------------------------------------------------------------

# No brackets, quotation marks, bars or backslashes: they end an address in running text. The last
# group are invisible signs that turn the direction of what is read.
_BARE_URL = re.compile(
    r"(?<![\w\\])https?://[^\s\x00-\x20\x7f-\x9f<>\"`\[\]{}|\\\u061c\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\ufeff]+",
    re.IGNORECASE,
)
# In a host, what is percent-encoded is a letter beyond ASCII, never a delimiter in disguise.
_ALLOWED_URL = re.compile(
    r"https?://(?:[\w.:@~!$&'()*+,;=-]|%[89A-F][0-9A-F])+(?=[/?#]|$)|mailto:[^/?#]",
    re.IGNORECASE | re.ASCII,
)
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HEAD = re.compile(r"[^/?#]*")


def _trimmed_url(url: str) -> str:
    """A bare address without the punctuation of the sentence around it; "" if it is not linked."""
    if len(url) > MAX_URL:  # the loop is quadratic in ")"
        return ""
    surplus = url.count(")") - url.count("(")
    while url:
        bare = url.rstrip("?!.,:;*_~'")
        if bare.endswith(")") and surplus > 0:
            bare = bare[:-1]
            surplus -= 1
        if bare == url:
            break
        url = bare
    return url if _is_allowed(_href(url)) else ""


def _href(url: str) -> str:
    """Percent-encode an address for an attribute.

    Nothing but ASCII letters, digits and the signs below is left, so that an address can neither
    leave its attribute nor look like a marker.
    """
    url = _STRAY_PERCENT.sub("%25", url)
    return percent_encode(url, safe=";/?:@&=+$,-_.!~*'()#%") if len(url) <= MAX_URL else ":"


def _is_allowed(href: str) -> bool:
    """True for http, https, mailto and addresses relative to this site.

    `javascript%3A` counts as a scheme: some clients decode before they look. `//host` is no
    relative address.
    """
    head = _HEAD.match(href)[0].lower()
    if ":" in head or "%3a" in head or "%25" in head:
        return bool(_ALLOWED_URL.match(href))
    return not href.startswith("//")


def _linked(text: str) -> str:
    """Escape a plain text and link the web addresses in it."""
    out, done = [], 0
    for found in _BARE_URL.finditer(text):
        if url := _trimmed_url(found[0]):
            end = found.start() + len(url)
            out.append(_escape(text[done : found.start()]))
            out.append(f'<a href="{html_lib.escape(_href(url))}">{_escape(url)}</a>')
            done = end
    out.append(_escape(text[done:]))
    return "".join(out)


# --- Plain texts -----------------------------------------------------------------------------


def _write_plain(writer: _Writer, source: str, quoted: Sequence[tuple[int, int]]) -> None:
    paragraphs = [line for line in source.split("\n") if line.strip(" \t")]
    _refuse_more("quotes", len(quoted), MAX_QUOTES)
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


def _write_paragraphs(writer: _Writer, paragraphs: Sequence[str]) -> None:
    listing = False
    for words in paragraphs:
        if words.startswith(". ") != listing:
            writer.out.append("</ul>" if listing else "<ul>")
            listing = not listing
        if listing:
            writer.item(_linked(words[2:]), words)
            writer.out.append("</li>")
        else:
            writer.leaf("p", _linked(words), words)
    if listing:
        writer.out.append("</ul>")


# --- [quote] and [spoiler]: finding the pairs ------------------------------------------------


@dataclass(slots=True)
class _Tag:
    """An opening or closing tag; `end` is the line of the closing tag once both have met."""

    kind: str
    text: str
    value: str = ""
    indent: str = ""
    opening: "_Tag | None" = None
    paired: bool = False
    end: int = 0


_TICKS_OR_TAG = re.compile(
    r"(?P<ticks>`+)|\[/(?P<closes>quote|spoiler)\]|\[(?P<opens>quote|spoiler)"
    rf'(?:\]| ?= ?(?:"(?P<double>.{{0,{MAX_TAG}}}?)"\]|\'(?P<single>.{{0,{MAX_TAG}}}?)\'\]'
    rf"|(?P<bare>[^\]\"' ][^\]]{{0,{MAX_TAG}}})\]))",
    re.IGNORECASE,
)
_FENCE = re.compile(
    r"(?P<box>(?: {0,3}(?:>|(?:[-+*]|[0-9]{1,9}[.)])(?= )))*) {0,3}(?P<fence>`{3,}|~{3,})"
)
_NUMBERED = re.compile(r"#([0-9]{1,9})")
_NAMED = re.compile(r"(post|member|topic) ?: ?([0-9]{1,18})", re.IGNORECASE)


def _attribution(value: str) -> tuple[str, int | None, int | None]:
    """Read what stands after `[quote=`: (author, post id, post number).

    Forms known from other boards: `Name`; `Name, post: 812, member: 3` (XenForo);
    `Name, post:4, topic:77` (Discourse, where `post` counts within the topic: it is returned as
    post id 4 all the same, so whoever resolves it must verify the words); and our `Name, #5`.
    Read from the right, each key once, so a name may hold commas and even look like a key.
    """
    rest = value.strip()
    keys: dict[str, int] = {}
    while rest:
        head, _, last = rest.rpartition(",")
        last = last.strip()
        if not keys and (found := _NUMBERED.fullmatch(last)):
            return head.strip(), None, int(found[1])
        found = _NAMED.fullmatch(last)
        if not found or found[1].lower() in keys:
            break
        keys[found[1].lower()] = int(found[2])
        rest = head
    return rest.strip(), keys.get("post"), None


def _is_escaped(text: str, position: int) -> bool:
    """True if an odd number of backslashes stands before `position`."""
    start = position
    while start and text[start - 1] == "\\":
        start -= 1
    return (position - start) % 2 == 1


def _tags(line: str) -> list[re.Match[str]]:
    """The tags in a line that are neither escaped nor in `code`."""
    found = list(_TICKS_OR_TAG.finditer(line))
    last_run = {len(one["ticks"]): one.start() for one in found if one["ticks"]}
    tags, code = [], 0
    for one in found:
        ticks = one["ticks"]
        if ticks and code:
            code = 0 if len(ticks) == code else code
        elif ticks:
            length = len(ticks) - _is_escaped(line, one.start())
            code = length if last_run.get(length, -1) > one.start() else 0
        elif not code and not _is_escaped(line, one.start()):
            tags.append(one)
    return tags


class _TagFinder:
    """Reads a source line by line and pairs its tags with a stack.

    A search for the partner of each opening tag would be quadratic. Fences and indented code
    are followed only to leave tags in code alone: the parser decides in the end, and shows as
    text any tag that it finds in code.
    """

    def __init__(self) -> None:
        self.stack: list[_Tag] = []
        self.waiting = {"quote": 0, "spoiler": 0}
        self.fence = ""
        self.box = ""  # what stands before a fence in a list item or Markdown quote
        self.after_blank = True

    def read(self, line: str) -> list[str | _Tag]:
        """Cut one line into its texts and tags."""
        row: list[str | _Tag] = []
        position = 0
        blank = not line.strip(" \t")
        if self.box and not blank:
            self._leave_box(line)
        if not self._in_code(line, 0) and not self._is_indented_code(line):
            for found in _tags(line):
                if found["opens"]:
                    tag = self._open(found, line)
                else:
                    tag = self._close(found)
                row += line[position : found.start()], tag
                position = found.end()
                if self._in_code(line, position):
                    break
        row.append(line[position:])
        self.after_blank = blank
        return row

    def _leave_box(self, line: str) -> None:
        inside = ">" in self.box and line.lstrip(" ").startswith(">")
        if not inside and not line[: len(self.box)].isspace():
            self.fence = self.box = ""

    def _is_indented_code(self, line: str) -> bool:
        return self.after_blank and (line.startswith("    ") or "\t" in line[:4])

    def _in_code(self, line: str, position: int) -> bool:
        """True if the rest of the line is in a fence, or begins or ends one."""
        if self.fence:
            tail = line[position:].strip(" \t>")
            if len(tail) >= len(self.fence) and not tail.strip(self.fence[0]):
                self.fence = self.box = ""
            return True
        found = _FENCE.match(line, position)
        if not found or (found["fence"][0] == "`" and "`" in line[found.end() :]):
            return False
        self.fence, self.box = found["fence"], found["box"]
        return True

    def _open(self, found: re.Match[str], line: str) -> _Tag:
        tag = _Tag(
            kind=found["opens"].lower(),
            text=found[0],
            # Telephones type curly quotation marks.
            value=found["double"] or found["single"] or (found["bare"] or "").strip("“”„"),
            indent=line[: len(line) - len(line.lstrip(" "))],
        )
        self.stack.append(tag)
        self.waiting[tag.kind] += 1
        return tag

    def _close(self, found: re.Match[str]) -> _Tag:
        tag = _Tag(kind=found["closes"].lower(), text=found[0])
        if self.waiting[tag.kind]:
            while (opening := self.stack.pop()).kind != tag.kind:
                self.waiting[opening.kind] -= 1
            self.waiting[tag.kind] -= 1
            opening.paired = tag.paired = True
            tag.opening = opening
            tag.indent = opening.indent
        return tag


def _split_tags(source: str) -> tuple[str, dict[int, _Tag]]:
    """Put every paired [quote] and [spoiler] tag on a line of its own.

    Returns the text and its opening tags by line number. A tag without a partner stays as typed.
    Raises MarkupError where they nest too deeply.
    """
    if "[/" not in source:  # nothing closes
        return source, {}
    finder = _TagFinder()
    rows = [finder.read(line) for line in source.split("\n")]
    lines: list[str] = []
    tags: dict[int, _Tag] = {}
    depth = 0
    for row in rows:
        text, split = "", False
        for piece in row:
            if isinstance(piece, str):
                text += piece.lstrip(" ") if split and not text.strip(" ") else piece
            elif not piece.paired:
                text += piece.text
            else:
                if text.strip(" \t"):
                    lines.append(text)
                if piece.opening:
                    piece.opening.end = len(lines)
                    depth -= 1
                else:
                    tags[len(lines)] = piece
                    depth += 1
                    _refuse_depth(depth)
                lines.append(piece.indent + piece.text)
                text, split = piece.indent, True
        if not split or text.strip(" \t"):
            lines.append(text)
    return "\n".join(lines), tags


def _refuse_depth(depth: int) -> None:
    if depth > MAX_QUOTE_DEPTH:
        raise MarkupError(
            f"Quotes and spoilers stand at most {MAX_QUOTE_DEPTH} deep inside one another."
        )


# --- The parser ------------------------------------------------------------------------------


def _tag_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: a paired tag and the blocks up to its partner."""
    tag = state.env["tags"].get(start)
    if tag is None or tag.end >= end or state.is_code_block(start):
        return False
    if silent:
        return True
    # In a list item the lines up to the closing tag belong to it, however far in they are.
    for line in range(start, tag.end + 1):
        state.sCount[line] = max(state.sCount[line], state.blkIndent)
    state.push(f"{tag.kind}_open", "", 1).meta = {"tag": tag}
    # Paragraphs look for their end up to lineMax, whatever range they are called with.
    outside = state.parentType, state.lineMax
    state.parentType, state.lineMax = "quote", tag.end
    state.md.block.tokenize(state, start + 1, tag.end)
    state.parentType, state.lineMax = outside
    state.line = tag.end + 1
    state.push(f"{tag.kind}_close", "", -1)
    return True


def _table_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: a table, unless it would have too many cells."""
    if not table(state, start, end, True):
        return False
    if silent:
        return True
    rows = start + 1
    while rows < end and not state.isEmpty(rows):
        rows += 1
    columns = state.src.count("|", state.bMarks[start + 1], state.eMarks[start + 1]) + 1
    cells = state.env.get("cells", 0) + columns * (rows - start - 1)
    if cells > MAX_CELLS:
        raise MarkupError(f"The tables of a post hold at most {MAX_CELLS:,} cells.")
    state.env["cells"] = cells
    return table(state, start, end, False)


def _footnote_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: a footnote's text, at top level only.

    In a quote it would carry somebody else's words into the post's own.
    """
    return state.level == 0 and footnote_def(state, start, end, silent)


def _reference_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: `[label]: address`. A footnote that is none here is text, no address."""
    if state.src.startswith("[^", state.bMarks[start] + state.tShift[start]):
        return False
    return reference(state, start, end, silent)


_FOOTNOTE_REFERENCE = re.compile(r"\[\^[^\s\]]{1,50}\]")


def _footnote_reference_rule(state: StateInline, silent: bool) -> bool:
    """Inline rule: `[^label]`. The library's own looks for the "]" from every "[^", to the end."""
    found = _FOOTNOTE_REFERENCE.match(state.src, state.pos, state.posMax)
    return found is not None and footnote_ref(state, silent)


def _image_rule(state: StateInline, silent: bool) -> bool:
    """Inline rule: `![words](address)` is a link, and `![` without the rest is text."""
    if not state.src.startswith("![", state.pos):
        return False
    start = state.pos
    state.pos += 1
    if silent:  # the parser remembers how far this went; asking `link` would do it all again
        state.md.inline.skipToken(state)
        if state.pos == start + 2:
            state.pos = start
            return False
    elif not link(state, False):
        state.append_pending("![")
        state.pos = start + 2
    return True


def _url_rule(state: StateInline, silent: bool) -> bool:
    """Inline rule: a bare web address, where no link is open."""
    if silent or state.linkLevel or state.src[state.pos] not in "hH":
        return False
    found = _BARE_URL.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    url = _trimmed_url(found[0])
    if not url:  # not looked at again: "http://" in a row would be quadratic
        state.append_pending(found[0])
        state.pos = found.end()
        return True
    state.push("link_open", "a", 1).attrs = {"href": _href(url)}
    state.push("text", "", 0).content = url
    state.push("link_close", "a", -1)
    state.pos += len(url)
    return True


_MENTION = re.compile(r"@(\w(?:[\w.-]{0,28}\w)?)(?![.-]{0,30}[\w@]|://)")


def _mention_rule(state: StateInline, silent: bool) -> bool:
    """Inline rule: @name, not in a word, a mail address or a link."""
    before = state.src[state.pos - 1] if state.pos else " "
    if state.src[state.pos] != "@" or state.linkLevel or before.isalnum() or before in "_./@+-":
        return False
    found = _MENTION.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    if not silent:
        state.push("mention", "", 0).content = found[1]
    state.pos = found.end()
    return True


def _spoiler_rule(state: StateInline, silent: bool) -> bool:
    """Inline rule: two bars that may begin or end a spoiler, paired later as emphasis is."""
    if silent or not state.src.startswith("||", state.pos):
        return False
    run = state.scanDelims(state.pos, True)
    state.push("text", "", 0).content = "|" * run.length
    if run.length == 2:
        state.delimiters.append(
            Delimiter(ord("|"), 0, len(state.tokens) - 1, -1, run.can_open, run.can_close)
        )
    state.pos += run.length
    return True


def _spoiler_pairs(state: StateInline) -> None:
    """Turn the bars that found each other into tokens."""
    metas = (meta["delimiters"] for meta in state.tokens_meta if meta and "delimiters" in meta)
    for delimiters in (state.delimiters, *metas):
        for first in delimiters:
            if first.marker == ord("|") and first.end >= 0:
                second = delimiters[first.end]
                for token, side, nesting in (
                    (state.tokens[first.token], "open", 1),
                    (state.tokens[second.token], "close", -1),
                ):
                    token.type, token.nesting, token.content = f"hidden_{side}", nesting, ""


def _parser() -> MarkdownIt:
    options = {"html": False, "typographer": False, "linkify": False, "maxNesting": MAX_NESTING}
    md = MarkdownIt("js-default", options)
    md.use(footnote_plugin, inline=False)
    breaks_in = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    md.block.ruler.before("table", "tag", _tag_rule, breaks_in)
    md.block.ruler.at("table", _table_rule, {"alt": ["paragraph", "reference"]})
    md.block.ruler.at("footnote_def", _footnote_rule, {"alt": ["paragraph", "reference"]})
    md.block.ruler.at("reference", _reference_rule)
    md.inline.ruler.at("image", _image_rule)
    md.inline.ruler.at("footnote_ref", _footnote_reference_rule)
    md.inline.ruler.after("text", "url", _url_rule)
    md.inline.ruler.after("url", "mention", _mention_rule)
    md.inline.ruler.before("emphasis", "spoiler", _spoiler_rule)
    md.inline.ruler2.before("emphasis", "spoiler", _spoiler_pairs)
    md.disable(["html_block", "html_inline", "linkify"])
    md.disable(["replacements", "smartquotes"])
    # Where text may end: the beginnings of what the inline rules read, and no other sign, since
    # every stop costs a call of each rule.
    md.inline.terminator_re = re.compile(
        r"[\n*<\[\]\\_`@]|&(?=[#\w])|!(?=\[)|~~|\|\||(?<![\w\\])https?://", re.IGNORECASE
    )
    md.normalizeLink = _href
    md.normalizeLinkText = str
    md.validateLink = _is_allowed
    return md


_MARKDOWN = _parser()
_BOXES = {"list_item_open", "blockquote_open", "quote_open", "spoiler_open"}


def _check_nesting(tokens: Sequence[Token]) -> None:
    """Refuse what nests too deeply, before the parser's silent cut becomes a loss of words."""
    quotes = depth = 0
    for token in tokens:
        if token.type in _BOXES and token.level + 1 >= MAX_NESTING:
            raise MarkupError(f"Lists and quotes stand at most {MAX_NESTING // 2 - 1} deep.")
        if token.type in ("quote_open", "blockquote_open"):
            quotes += 1
            depth += 1
            _refuse_depth(depth)
        elif token.type in ("quote_close", "blockquote_close"):
            depth -= 1
    _refuse_more("quotes", quotes, MAX_QUOTES)


# --- From tokens to HTML ---------------------------------------------------------------------

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


def _write_blocks(writer: _Writer, tokens: Sequence[Token]) -> None:
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
        elif kind in ("fence", "code_block"):
            code = f"<code>{_escape(token.content)}</code>"
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
            label = f"Spoiler: {_escape(label)}" if label else "Spoiler"
            writer.out.append(f'<details class="spoiler"><summary dir="auto">{label}</summary>')
        elif kind == "footnote_open":
            writer.out.append(f"<!--n{token.meta['id'] + 1}--><li>")
        elif kind == "footnote_anchor":
            writer.out.append(_way_back(writer, token))
        i += 1


def _write_paragraph(writer: _Writer, tokens: Sequence[Token], i: int) -> int:
    html, words = _inline(writer, tokens[i + 1])
    i += 2
    while tokens[i].type == "footnote_anchor":
        html += _way_back(writer, tokens[i])
        i += 1
    writer.leaf("p", html, words)
    return i


def _write_item(writer: _Writer, tokens: Sequence[Token], i: int) -> int:
    """A tight item's own words are its passage; a loose one holds paragraphs, which are."""
    if tokens[i + 1].type == "paragraph_open" and tokens[i + 1].hidden:
        writer.item(*_inline(writer, tokens[i + 2]))
        return i + 3
    writer.item("", "")
    return i


def _write_table(writer: _Writer, tokens: Sequence[Token], i: int) -> int:
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
            side = _CELL_CLASS.get(tokens[i].attrs.get("style"), "")
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


def _write_quote(writer: _Writer, tokens: Sequence[Token], i: int) -> int:
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
        elif token.type == "inline":
            for child in token.children or ():
                if child.type == "footnote_ref":
                    writer.dropped_references.add((child.meta["id"], child.meta["subId"]))
    _write_blocks(writer, inside)
    syntax = "quote" if opening.type == "quote_open" else "blockquote"
    writer.close_quote(syntax, *_source_of(opening), nested)
    return i


def _source_of(opening: Token) -> tuple[str, int | None, int | None]:
    if opening.type == "blockquote_open":
        return "", None, None
    return _attribution(opening.meta["tag"].value)


def _way_back(writer: _Writer, token: Token) -> str:
    note, sub = token.meta["id"], token.meta["subId"]
    return "" if (note, sub) in writer.dropped_references else f"<!--b{note + 1}.{sub}-->"


_EMPHASIS = {"em_open", "strong_open", "s_open", "em_close", "strong_close", "s_close"}
_HIDDEN = '<span class="spoiler" tabindex="0" role="group" aria-label="Spoiler">'


def _inline(writer: _Writer, token: Token) -> tuple[str, str]:
    """HTML and words of a leaf's inline content."""
    html: list[str] = []
    words: list[str] = []
    depth = links = 0
    address, link_words = "", 0
    for child in token.children or ():
        kind = child.type
        if kind == "text":
            html.append(_escape(child.content))
            words.append(child.content)
        elif kind == "softbreak":
            html.append("\n")
            words.append("\n")
        elif kind == "hardbreak":
            html.append("<br>\n")
            words.append("\n")
        elif kind == "code_inline":
            html.append(f"<code>{_escape(child.content)}</code>")
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
                    html.append(_escape(address))
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
            html.append(f"<!--r{child.meta['id'] + 1}.{child.meta['subId']}-->")
            writer.references += 1
    return "".join(html), "".join(words)


# --- Laying in -------------------------------------------------------------------------------

_MARKER = re.compile(
    r"<!--(?:([pn])([0-9]+)--><([a-z]+[0-9]?)"
    r"|p([0-9]+)--><!--q([0-9]+)-->"
    r"|(/q|m)([0-9]+)-->"
    r"|@([\w.-]+?)-->"
    r"|([rb])([0-9]+)\.([0-9]+)-->)"
)
_FIRST_TAG = re.compile(r"<[A-Za-z][A-Za-z0-9]*")
_PLAIN_QUOTE = ("<blockquote>", "</blockquote>")


def lay_in(
    html: str,
    *,
    post_id: int | str,
    quotes: Mapping[int, tuple[str, str]],
    notes: Mapping[int, str],
    members: Mapping[str, str] | None = None,
    marks: Collection[int] = (),
) -> str:
    """Put stored HTML into a page: one pass over its markers, never over what was put in.

    `quotes` gives the (opening, closing) HTML around quote n, whose first tag gets the passage's
    id; a quote without an entry stands in a plain blockquote. `notes` gives the HTML of the
    margin note of passage n. `members` maps lower-cased names to addresses; a mention of anybody
    else is text. Passages in `marks` get the class "said". All HTML given is trusted, and goes in
    as it is.
    """
    base = f"post-{html_lib.escape(str(post_id))}-"
    members = members or {}

    def put(found: re.Match[str]) -> str:
        kind = found.lastindex
        if kind == 3:
            name, number, tag = found.group(1, 2, 3)
            if name == "n":
                return f'<{tag} id="{base}fn{number}"'
            if marks and int(number) in marks:
                return f'<{tag} id="{base}{number}" class="said"'
            return f'<{tag} id="{base}{number}"'
        if kind == 7:
            number = int(found[7])
            return notes.get(number, "") if found[6] == "m" else quotes.get(number, _PLAIN_QUOTE)[1]
        if kind == 5:
            opening = quotes.get(int(found[5]), _PLAIN_QUOTE)[0]
            first = _FIRST_TAG.search(opening)
            if first is None:
                return opening
            return f'{opening[: first.end()]} id="{base}{found[4]}"{opening[first.end() :]}'
        if kind == 8:
            name = found[8]
            address = members.get(name.lower())
            if address is None:
                return f"@{name}"
            return f'<a class="mention" href="{html_lib.escape(address)}">@{name}</a>'
        name, number, sub = found.group(9, 10, 11)
        back = f"{base}fnref{number}" if sub == "0" else f"{base}fnref{number}-{sub}"
        if name == "r":
            return (
                f'<sup class="footnote-ref"><a href="#{base}fn{number}" id="{back}" '
                f'aria-label="Footnote {number}">[{number}]</a></sup>'
            )
        return (
            f' <a class="footnote-back" href="#{back}" '
            f'aria-label="Back to the reference of footnote {number}">\u21a9\ufe0e</a>'
        )

    return _MARKER.sub(put, html)


def without_quotes(html: str, ordinals: Iterable[int]) -> str:
    """Stored HTML without these of its quotes, for a page where their sources stand above."""
    for ordinal in ordinals:
        html = re.sub(
            rf"<!--p[0-9]+--><!--q{ordinal}-->.*?<!--/q{ordinal}-->", "", html, flags=re.DOTALL
        )
    return html


# --- The quote form --------------------------------------------------------------------------

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
        for found in _BARE_URL.finditer(text)
        if (url := _trimmed_url(found[0]))
    ]

    def escape(found: re.Match[str]) -> str:
        before = bisect_right(spans, (found.start(), MAX_SOURCE)) - 1
        if before >= 0 and found.start() < spans[before][1]:
            return found[0]
        return f"\\{found[0]}"

    return _SPECIAL.sub(escape, text)
