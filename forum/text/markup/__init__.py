"""Turns what a member typed into safe HTML, own words, passages, quotes and mentions.

Three public functions, none of which knows a database or a request:

- `render` reads a source once, when it is saved, and gives HTML that belongs to no post yet.
- `fill_markers` puts that HTML into a page: addresses of passages, attributions, notes, members.
- `attribution_source` writes the quote form that the "Quote" action puts into the textarea, and
  `marked_attribution_source` the same with the marks of the source.

What depends on the reader (who may see a quoted post, which members exist) is not in the stored
HTML. In its place stand HTML comments. No member can write one: raw HTML is not read, every "<"
of a text is escaped, and the only attribute that holds members' text is `href`, percent-encoded.

    <!--p3-->             before the element of passage 3, which gets id="post-<id>-3"
    <!--m3-->             where the margin note of passage 3 goes
    <!--q1-->…<!--/q1-->  around the words of quote 1
    <!--@name-->          a mention
    <!--f1-->…<!--/f-->   a picture of the forum's own, as a link; f0 where nobody described it
    <!--n1--> <!--r1.0--> <!--b1.0-->   footnote 1: its text, a reference to it, the way back
"""

from collections.abc import Mapping, Sequence

from .excerpts import excerpt, fill_quotes, insides, paragraphs
from .limits import (
    MARKS,
    MAX_BRACKETS,
    MAX_HTML,
    MAX_LINES,
    MAX_MARKS,
    MAX_QUOTES,
    MAX_SOURCE,
    RENDERER_VERSION,
    MarkupError,
    refuse_more,
)
from .markers import fill_markers, without_quotes
from .numbers import MAX_NUMBERS, numbers_in
from .parser import MARKDOWN, check_nesting
from .pictures import PICTURE, UNDESCRIBED, fill_pictures, keys_in
from .plain_texts import without_heads, write_plain
from .quote_form import attribution_source, marked_attribution_source
from .rendered import Passage, QuoteBlock, Rendered
from .spoilers import (
    SPOILER,
    hidden_spans,
    passages_without_spoilers,
    without_spoilers,
    words_without_spoilers,
)
from .struck_and_folded import struck_and_folded
from .tags import split_tags, without_attributions
from .tokens import write_blocks
from .writer import Writer

__all__ = [
    "MAX_BRACKETS",
    "MAX_HTML",
    "MAX_LINES",
    "MAX_MARKS",
    "MAX_NUMBERS",
    "MAX_QUOTES",
    "MAX_SOURCE",
    "PICTURE",
    "RENDERER_VERSION",
    "SPOILER",
    "UNDESCRIBED",
    "MarkupError",
    "Passage",
    "QuoteBlock",
    "Rendered",
    "attribution_source",
    "excerpt",
    "fill_markers",
    "fill_pictures",
    "fill_quotes",
    "hidden_spans",
    "insides",
    "keys_in",
    "marked_attribution_source",
    "numbers_in",
    "paragraphs",
    "passages_without_spoilers",
    "render",
    "struck_and_folded",
    "without_attributions",
    "without_heads",
    "without_quotes",
    "without_spoilers",
    "words_without_spoilers",
]


def render(
    source: str,
    *,
    format: str,
    quoted: Sequence[tuple[int, int]] = (),
    numbered: Mapping[int, int] | None = None,
) -> Rendered:
    """Render a post's source.

    "markdown" is CommonMark without raw HTML, with tables, ~~strikethrough~~, footnotes
    (`[^1]` with a definition at top level), bare web addresses, ||spoilers||, @mentions and the
    forms `[spoiler]…[/spoiler]` and `[quote]…[/quote]` (see `tags.attribution`), whose tags may
    stand anywhere but in code. Images are links, since a remote image tells its server who reads;
    lines of `![description](picture:key "caption")` are pictures of the forum's own.
    A Markdown `>` quote is a quote as well. Every quote counts, in a list or spoiler too; only
    a quote inside a quote is dropped. In a list item the tags stand on lines of their own, as
    far in as the item's text; after a "-" or ">" on the same line they end that list or quote.

    "#5" is a link to the post whose id `numbered` gives for 5, unless it stands in a quote, in
    code, in a link or in a word.

    "plain" is for imported texts and keeps their letter: every line that is not blank is a
    paragraph; lines in sequence that begin with ". " are drawn as a list; `quoted` names ranges
    of paragraphs (first, last; counted from 1) that are quotes.

    Passages are the leaf blocks in reading order: paragraph, heading, list item, table, code
    block, quote; blocks without words (such as a rule) have no number. Footnotes come last.

    Raises MarkupError for a source beyond the limits above, with NUL or unpaired surrogates
    (which cannot be stored), or with `quoted` ranges that are no ranges of it.
    """
    refuse_more("characters", len(source), MAX_SOURCE)
    if "\0" in source:
        raise MarkupError("This text holds a NUL character, which cannot be stored.")
    try:
        source.encode()
    except UnicodeEncodeError:
        raise MarkupError("This text holds half a character, which cannot be stored.") from None
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    writer = Writer(numbered)
    if format == "plain":
        write_plain(writer, source, quoted)
    else:
        refuse_more("lines", source.count("\n") + 1, MAX_LINES)
        refuse_more("opening brackets", source.count("["), MAX_BRACKETS)
        refuse_more("markup signs such as * or [", sum(map(source.count, MARKS)), MAX_MARKS)
        text, tags = split_tags(source)
        tokens = MARKDOWN.parse(text, {"tags": tags})
        check_nesting(tokens)
        write_blocks(writer, tokens)
    return writer.rendered()
