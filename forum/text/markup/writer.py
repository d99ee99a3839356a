"""Writes HTML, own words, passages and quotes in reading order, and sanitises last."""

import html as html_lib
import re
from collections.abc import Mapping

import nh3

from .limits import MAX_FOOTNOTE_REFERENCES, MAX_HTML, MAX_MENTIONS, MAX_PASSAGES, refuse_more
from .rendered import Passage, QuoteBlock, Rendered

_BLOCKS = "div h4 h5 h6 li p pre summary table td th"
_TAGS = f"{_BLOCKS} a br code details em hr ol s section span strong tbody thead tr ul"

_CLEANER = nh3.Cleaner(
    tags=set(_TAGS.split()),
    attributes={"a": {"href"}, "ol": {"start"}, **{tag: {"dir"} for tag in _BLOCKS.split()}},
    tag_attribute_values={
        "div": {
            "class": {"wide", "pictures"},
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


WAY_BACK = re.compile(r"<!--b(\d+\.\d+)-->")


class Writer:
    """Collects HTML, own words, passages, quotes and mentions in reading order."""

    def __init__(self, numbered: Mapping[int, int] | None = None) -> None:
        """`numbered`: ids of posts that "#5" may mean, by number."""
        self.ids_by_number = numbered or {}
        self.posts: dict[int, int] = {}  # those of them that are named
        self.out: list[str] = []
        self.words: list[str] = []
        self.length = 0
        self.passages: list[Passage] = []
        self.quotes: list[QuoteBlock] = []
        self.mentions: dict[str, str] = {}
        self.pictures: dict[str, None] = {}  # keys, each once, in order
        self.quote_words: list[str] | None = None
        self.references: set[str] = set()  # to footnotes: "1.0" is the first one to the first

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
        # No way back to what is not there: references are lost with quotes inside quotes, and some
        # footnotes have none.
        html = WAY_BACK.sub(
            lambda found: found[0] if found[1] in self.references else "", "".join(self.out)
        )
        refuse_more("paragraphs and list items", len(self.passages), MAX_PASSAGES)
        refuse_more("mentions of members", len(self.mentions), MAX_MENTIONS)
        refuse_more("references to footnotes", len(self.references), MAX_FOOTNOTE_REFERENCES)
        refuse_more("characters once it is drawn", len(html), MAX_HTML)
        return Rendered(
            html=_CLEANER.clean(html),
            plain="\n\n".join(self.words),
            passages=tuple(self.passages),
            quotes=tuple(self.quotes),
            mentions=tuple(self.mentions.values()),
            posts=self.posts,
            pictures=tuple(self.pictures),
        )


def escape(text: str) -> str:
    """Text as it stands between tags."""
    return html_lib.escape(text, quote=False)
