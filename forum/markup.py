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
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote as percent_encode

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline, link
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.footnote.index import footnote_def

# Rises whenever the same source would give other HTML; stored HTML of an older version is redrawn.
RENDERER_VERSION = 1

# The limits. Together they keep every accepted post under 200 ms to render.
MAX_SOURCE = 60_000  # characters: about 10,000 words, twice the longest chapters of timelines
MAX_MARKS = 8_000  # characters that may be markup: the parser's time grows with them, not with text
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

_MARKS = "*_`~[]<>&\\|@\n"


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
    forms `[spoiler]…[/spoiler]` and `[quote]…[/quote]` (see `_attribution`). A tag that opens
    stands at the beginning of a line, at most three spaces in; one that closes stands anywhere
    but in code. Images are links, since a remote image tells its server who reads. A Markdown
    `>` quote is a quote as well. So is every quote in a list or spoiler: only a quote inside a
    quote is dropped. In a list item the tags stand on lines of their own under the item's text.

    "plain" is for imported texts and keeps their letter: every line that is not blank is a
    paragraph; lines in sequence that begin with ". " are drawn as a list; `quoted` names ranges
    of paragraphs (first, last; counted from 1) that are quotes.

    Passages are the leaf blocks in reading order: paragraph, heading, list item, table, code
    block, quote; blocks without words (such as a rule) have no number. Footnotes come last.

    Raises MarkupError for a source beyond the limits above, with NUL or unpaired surrogates
    (which cannot be stored), or with `quoted` ranges that are no ranges of it.
    """
    if len(source) > MAX_SOURCE:
        raise MarkupError(
            f"A post holds at most {MAX_SOURCE:,} characters; this one has {len(source):,}."
        )
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
        marks = sum(map(source.count, _MARKS))
        if marks > MAX_MARKS:
            raise MarkupError(
                f"A post holds at most {MAX_MARKS:,} line breaks and markup signs such as * or [; "
                f"this one has {marks:,}. Please make two posts of it."
            )
        text, tags = _split_tags(source)
        tokens = _MARKDOWN.parse(text, {"tags": tags})
        _check_nesting(tokens)
        _write_blocks(writer, tokens)
    return writer.rendered()


# --- The stored HTML and its passages --------------------------------------------------------

_CLEANER = nh3.Cleaner(
    tags=set(
        "a blockquote br code details div em h4 h5 h6 hr li ol p pre s section span strong "
        "summary table tbody td th thead tr ul".split()
    ),
    attributes={
        "a": {"href"},
        "ol": {"start"},
        **{tag: {"dir"} for tag in "h4 h5 h6 li p pre summary table td th".split()},
    },
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
        for count, limit, what in (
            (len(self.passages), MAX_PASSAGES, "paragraphs and list items"),
            (len(self.mentions), MAX_MENTIONS, "mentions of members"),
            (len(html), MAX_HTML, "characters once it is drawn"),
        ):
            if count > limit:
                raise MarkupError(f"A post holds at most {limit:,} {what}; this one has {count:,}.")
        return Rendered(
            html=_CLEANER.clean(html),
            plain="\n\n".join(self.words),
            passages=tuple(self.passages),
            quotes=tuple(self.quotes),
            mentions=tuple(self.mentions.values()),
        )


def _escape(text: str) -> str:
    return html_lib.escape(text, quote=False)


def _refuse_quotes(count: int) -> None:
    if count > MAX_QUOTES:
        raise MarkupError(f"A post holds at most {MAX_QUOTES} quotes; this one has {count:,}.")


# --- Addresses -------------------------------------------------------------------------------

# No brackets, quotation marks, bars or backslashes: they end an address in running text. The last
# group are invisible signs that turn the direction of what is read.
_BARE_URL = re.compile(
    r"(?<!\w)https?://[^\s\x00-\x20\x7f-\x9f<>\"`\[\]{}|\\\u061c\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\ufeff]+",
    re.IGNORECASE,
)
_ALLOWED_URL = re.compile(r"https?://[^/?#\\]|mailto:[^/?#\\]", re.IGNORECASE)
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HEAD = re.compile(r"[^/?#]*")


def _bare_url(text: str, start: int) -> str:
    """The web address that begins at `start`, without the punctuation of the sentence, or ""."""
    found = _BARE_URL.match(text, start)
    if not found or len(found[0]) > MAX_URL:
        return ""
    url = found[0]
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
        if url := _bare_url(text, found.start()):
            end = found.start() + len(url)
            out.append(_escape(text[done : found.start()]))
            out.append(f'<a href="{html_lib.escape(_href(url))}">{_escape(url)}</a>')
            done = end
    out.append(_escape(text[done:]))
    return "".join(out)


# --- Plain texts -----------------------------------------------------------------------------


def _write_plain(writer: _Writer, source: str, quoted: Sequence[tuple[int, int]]) -> None:
    paragraphs = [line for line in source.split("\n") if line.strip(" \t")]
    _refuse_quotes(len(quoted))
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
    opens: bool = False
    paired: bool = False
    depth: int = 0
    end: int = 0


_OPENING = re.compile(
    r"\[(?P<kind>quote|spoiler)"
    rf'(?:\]|[ ]?=[ ]?(?:"(?P<double>.{{0,{MAX_TAG}}}?)"\]'
    rf"|'(?P<single>.{{0,{MAX_TAG}}}?)'\]|(?P<bare>[^\]\"'][^\]]{{0,{MAX_TAG}}})\]))",
    re.IGNORECASE,
)
_TICKS_OR_CLOSING = re.compile(r"(\\*)(?:(`+)|\[/(quote|spoiler)\])", re.IGNORECASE)
_FENCE = re.compile(r"(?P<box>(?: {0,3}(?:>|(?:[-+*]|\d{1,9}[.)])(?= )))*) {0,3}(?P<f>`{3,}|~{3,})")
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
    return (rest.strip() if keys else value.strip()), keys.get("post"), None


def _closings(line: str) -> list[tuple[int, int, str]]:
    """(start, end, kind) of each closing tag in a line that is neither escaped nor in `code`."""
    found = list(_TICKS_OR_CLOSING.finditer(line))
    last_run = {len(one[2]): one.start(2) for one in found if one[2]}
    closings, code = [], 0
    for one in found:
        escaped = len(one[1]) % 2
        if one[2]:
            ticks = len(one[2])
            if code:
                code = 0 if ticks == code else code
            elif (ticks := ticks - escaped) and last_run.get(ticks, -1) > one.start(2):
                code = ticks
        elif not code and not escaped:
            closings.append((one.end(1), one.end(), one[3].lower()))
    return closings


def _split_tags(source: str) -> tuple[str, dict[int, _Tag]]:
    """Put every paired [quote] and [spoiler] tag on a line of its own.

    Returns the text and its opening tags by line number. One pass over the lines with a stack
    (a search per opening tag would be quadratic); a tag that finds no partner stays as typed.
    Fences are followed here only to leave tags in code alone; the parser decides in the end,
    and shows as text any tag it finds in code.
    """
    if "[" not in source:
        return source, {}
    rows: list[list[str | _Tag]] = []
    stack: list[_Tag] = []
    waiting = {"quote": 0, "spoiler": 0}
    fence = box = ""
    after_blank = True
    for line in source.split("\n"):
        row: list[str | _Tag] = []
        rows.append(row)
        if "[" not in line and "```" not in line and "~~~" not in line and not box:
            row.append(line)
            after_blank = not line.strip(" \t")
            continue
        if fence and box and line.strip(" \t"):
            inside = line.lstrip(" ").startswith(">") if ">" in box else line[: len(box)].isspace()
            fence, box = (fence, box) if inside else ("", "")
        position, closings = 0, _closings(line)
        while position < len(line) or not row:
            rest = line[position : position + 4]
            if fence:
                tail = line[position:].strip(" \t>")
                if set(tail) == {fence[0]} and len(tail) >= len(fence):
                    fence = box = ""
                row.append(line[position:])
                break
            if after_blank and position == 0 and ("\t" in rest or rest == "    "):
                row.append(line)  # indented code
                break
            if found := _FENCE.match(line, position):
                if found["f"][0] == "~" or "`" not in line[found.end() :]:
                    fence, box = found["f"], found["box"]
                    row.append(line[position:])
                    break
            start = position + len(rest) - len(rest.lstrip(" "))
            if start - position < 4 and (found := _OPENING.match(line, start)):
                value = found["double"] or found["single"] or found["bare"] or ""
                kind = found["kind"].lower()
                tag = _Tag(kind, found[0], value, line[position:start], opens=True)
                if row:  # not the first on its line: as far in as the tag before it
                    tag.indent = next((t.indent for t in row if isinstance(t, _Tag)), "")
                row.append(tag)
                stack.append(tag)
                waiting[kind] += 1
                position = found.end()
                continue
            closing = next((one for one in closings if one[0] >= position), None)
            if closing is None:
                row.append(line[position:])
                break
            closings = closings[closings.index(closing) + 1 :]
            row.append(line[position : closing[0]])
            tag = _Tag(closing[2], line[closing[0] : closing[1]])
            row.append(tag)
            if waiting[tag.kind]:
                while (opening := stack.pop()).kind != tag.kind:
                    waiting[opening.kind] -= 1
                waiting[tag.kind] -= 1
                opening.paired = tag.paired = True
                tag.indent = opening.indent
                tag.value = opening
            position = closing[1]
            while line[position : position + 1] == " ":
                position += 1
        after_blank = not line.strip(" \t")
    return _join_rows(rows)
