"""How much a post may hold, and how it is refused."""

# Rises whenever the same source would give other HTML; stored HTML of an older version is redrawn.
RENDERER_VERSION = 5

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
MAX_PICTURES = 50  # different ones; each is looked up when the post is saved
MAX_CELLS = 4_000  # a short row under a wide head is filled up: 2 KB of source, 65,000 cells
MAX_FOOTNOTE_REFERENCES = 200  # each becomes two links
MAX_HTML = 400_000  # characters: one reference definition, used often, multiplies its address
MAX_URL = 2_000  # characters; longer addresses stay text
MAX_TAG = 300  # characters of a quote's attribution or of a spoiler's label; longer stays text
MAX_INLINE_DEPTH = 8  # emphasis inside emphasis; deeper is drawn flat, sanitising it is quadratic

MARKS = "*_`~[]<>&\\|@"


class MarkupError(ValueError):
    """A source that cannot be accepted; the message is a sentence for the person who typed it."""


def refuse_more(what: str, count: int, limit: int) -> None:
    """Raise MarkupError if a post holds more than `limit` of them."""
    if count > limit:
        raise MarkupError(f"A post holds at most {limit:,} {what}; this one has {count:,}.")


def refuse_depth(depth: int) -> None:
    """Raise MarkupError if quotes and spoilers stand deeper inside one another than they may."""
    if depth > MAX_QUOTE_DEPTH:
        raise MarkupError(
            f"Quotes and spoilers stand at most {MAX_QUOTE_DEPTH} deep inside one another."
        )
