"""What must hold of everything that the markup gives out, and the texts it is tried with."""

import html as html_lib
import os
import re
from html.parser import HTMLParser
from itertools import pairwise

from hypothesis import strategies as st

from forum.text import markup
from forum.text.markup import fill_markers, render

LONG = os.environ.get("JONBAR_LONG") == "1"
# What no element of the forum's texts encloses.
VOID = {"br", "hr"}


def md(source):
    """Render as Markdown."""
    return render(source, format="markdown")


def passages(rendered):
    """The words of each passage; "" for a quote."""
    return [rendered.plain[one.start : one.end] for one in rendered.passages]


def filled(rendered, **given):
    """Lay it into a page as post 7."""
    return fill_markers(rendered.html, **({"post_id": 7, "quotes": {}, "notes": {}} | given))


class Reader(HTMLParser):
    """Reads HTML to the letter: its text, its tags with attributes, its comments; what it would
    leave open and what it closes that is not open."""

    def __init__(self, html):
        super().__init__()
        self.text, self.tags, self.comments, self.stray = "", [], [], []
        self.open, self.misplaced = [], []
        self.feed(html)
        self.close()

    def handle_data(self, data):
        self.text += data

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if len(dict(attrs)) < len(attrs):
            self.misplaced.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.misplaced.append(f"/{tag}")

    def handle_comment(self, data):
        self.comments.append(data)

    def handle_decl(self, decl):
        self.stray.append(decl)

    unknown_decl = handle_pi = handle_decl


ALLOWED = {
    "p": {"dir"},
    "h4": {"dir"},
    "h5": {"dir"},
    "h6": {"dir"},
    "li": {"dir"},
    "pre": {"dir"},
    "summary": {"dir"},
    "table": {"dir"},
    "td": {"dir", "class"},
    "th": {"dir", "class"},
    "a": {"href", "rel"},
    "ol": {"start"},
    "div": {"dir", "class", "tabindex", "role", "aria-label"},
    "span": {"class", "tabindex", "role", "aria-label"},
    "details": {"class"},
    "section": {"class", "aria-label"},
    **{
        tag: set()
        for tag in ("br", "code", "em", "hr", "s", "strong", "tbody", "thead", "tr", "ul")
    },
}
COMMENT = re.compile(r"[pmn][0-9]+|/?q[0-9]+|[rb][0-9]+\.[0-9]+|@[\w.-]+")


def assert_sound(rendered):
    """What must hold of every accepted source, whatever it is."""
    read = Reader(rendered.html)
    for tag, attributes in read.tags:
        assert attributes.keys() <= ALLOWED[tag]
        if tag == "a" and "href" in attributes:
            href = attributes["href"]
            assert re.match(r"https?://|mailto:|(?![a-z+.-]*:|//)", href, re.IGNORECASE)
            assert re.fullmatch(r"[A-Za-z0-9;/?:@&=+$,_.!~*'()#%-]*", href)
            assert attributes["rel"] == "nofollow ugc noopener"
    assert not read.stray and not read.open and not read.misplaced
    assert all(COMMENT.fullmatch(comment) for comment in read.comments)
    assert len(re.findall("<!", rendered.html)) == len(read.comments)
    numbers = [comment[1:] for comment in read.comments if comment[0] == "p"]
    assert numbers == [str(one.number) for one in rendered.passages]
    notes = {int(comment[1:]) for comment in read.comments if comment[0] == "m"}
    quoting = {quote.passage for quote in rendered.quotes}
    assert notes == {one.number for one in rendered.passages} - quoting
    opened = [int(comment[1:]) for comment in read.comments if comment[0] == "q"]
    assert opened == [quote.ordinal for quote in rendered.quotes]
    assert [int(c[2:]) for c in read.comments if c.startswith("/q")] == opened
    assert markup.writer._CLEANER.clean(rendered.html) == rendered.html
    for one in rendered.passages:
        assert 0 <= one.start <= one.end <= len(rendered.plain)
        assert (one.start == one.end) == (one.number in quoting)
    assert all(a.end <= b.start for a, b in pairwise(rendered.passages))
    own = [words for words in passages(rendered) if words]
    assert "\n\n".join(own) == rendered.plain
    assert "\0" not in rendered.plain
    rendered.plain.encode()
    assert_shown(rendered)


def assert_shown(rendered):
    """Each passage's element shows exactly the passage's words."""
    page = filled(rendered, notes={one.number: "<i>END</i>" for one in rendered.passages})
    page = re.sub(r"<sup .*?</sup>| <a class=\"footnote-back\".*?</a>", "", page)
    for one in rendered.passages:
        words = rendered.plain[one.start : one.end]
        if not words:
            continue
        begin = page.index(f'id="post-7-{one.number}"')
        shown = page[page.index(">", begin) + 1 : page.index("<i>END</i>", begin)]
        shown = re.sub(r"</tr>(?!</t(head|body)></table>)", "\n", shown)
        shown = shown.replace("\n</thead><tbody>", "\n")
        shown = re.sub(r"</t[dh]><t[dh]", "\t<x", shown)
        shown = (
            html_lib.unescape(re.sub(r"<[^>]*>", "", shown))
            if "&" in shown
            else re.sub(r"<[^>]*>", "", shown)
        )
        assert shown.rstrip("\n") == words.rstrip("\n")


PIECES = [
    *("a", "b c", "word", "\n", "\n\n", "  ", "    ", "\t", "\r\n", "  \n", "\u00e9", "$", "{{"),
    *("*", "**", "_", "~~", "`", "``", "```\n", "~~~\n", "||", "|", "\\", "[", "]", "(", ")"),
    *("](b)", "![", "<", ">", "&", "@", "#", "-", "\n- ", "\n1. ", "\n> ", "\n# ", "---\n"),
    *("===\n", "||a||", "[a](/b)", "![a](/b)", "[^1]", "\n[^1]: ", "\n[a]: /b\n", "http://a.b/"),
    *("https://a.example/?b=c&d).", "<http://a.b>", "<b>", "<!--p1-->", "<!--", "-->", "&amp;"),
    *("&#0;", "&lt;!--q1--&gt;", "@member-a", "@a@b", "[quote]", "[/quote]", "[/QUOTE] "),
    *("[quote=A]", '\n[quote="A, post: 1"]\n', "\n[/quote]\n", "[quote=#5]", "[spoiler]"),
    *("[/spoiler]", '[spoiler="x"]', "\na|b\n-|-\nc|d\n", "javascript:", '"', "'", "\u05d0"),
    *("\u202e", "\u200b", "\u00a0", "\u2028", "\U0001f600", "\x01", "\x0b", "\x0c", "\x7f"),
    *("&#13;", "&#9;", "&nbsp;", "&#x202e;"),
]
SOURCES = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(PIECES), max_size=60).map("".join),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=40).map("".join),
)
