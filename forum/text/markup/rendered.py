"""What rendering gives."""

from typing import Literal, NamedTuple


class Passage(NamedTuple):
    """One numbered passage: its span in `Rendered.plain`, empty for a quote."""

    number: int
    start: int
    end: int


class QuoteBlock(NamedTuple):
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


class Rendered(NamedTuple):
    """What `render` makes of a source.

    `plain` is the post's own words: passages joined by an empty line, quotes left out. `posts` are
    the ids of the posts to which "#5" leads in it, by number; `pictures` the keys of those that it
    shows, in order.
    """

    html: str
    plain: str
    passages: tuple[Passage, ...]
    quotes: tuple[QuoteBlock, ...]
    mentions: tuple[str, ...]
    posts: dict[int, int]
    pictures: tuple[str, ...]
