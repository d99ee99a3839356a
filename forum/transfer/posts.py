"""The posts of a debate that is loaded.

Rendered and judged, one takes kilobytes: they wait in a file until they are written, so that of a
hundred thousand no more is in memory than how they are called and what they answer.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import overload

from forum.text import markup, quoting

from .spool import Spool

_NONE = -1  # what stands for the place of a parent where there is none


@dataclass(slots=True)
class ImportedQuote:
    """One quote of a post: the place of its source among the posts, None if unknown."""

    block: markup.QuoteBlock
    source: int | None
    match: quoting.Match
    nested: tuple[int, ...] = ()
    stance: str = ""
    reason: str = ""


@dataclass(slots=True)
class Contribution:
    """One post as it stands in its file, then rendered and judged too; `parent` is a place among
    the posts, `quoted` are the paragraphs of a plain text that are quotes."""

    object: int
    key: str
    parent: int | None
    basis: str
    byline: str
    written_at: datetime | None
    format: str
    text: str
    lane: str = ""
    stance: str = ""
    quoted: tuple[tuple[int, int], ...] = ()
    rendered: markup.Rendered = field(init=False)  # by parsing, which reads all quotes before
    quotes: list[ImportedQuote] = field(default_factory=list)


class Posts(Sequence[Contribution]):
    """The posts, in order of arrival, each read from the file when it is asked for: ask once for
    what is needed several times. Keys and parents are at hand. What is changed in a post stays
    changed once it is put back in its place."""

    def __init__(self, spool: Spool | None = None) -> None:
        self.keys: list[str] = []
        self._parents = array("q")
        self._at = array("q")
        self._spool = spool or Spool()  # one for many debates: each takes memory, or a file

    def append(self, post: Contribution) -> None:
        self.keys.append(post.key)
        self._parents.append(_NONE if post.parent is None else post.parent)
        self._at.append(self._spool.put(post))

    def parent(self, index: int) -> int | None:
        """The place of the post that this one answers, None for those that answer the opening."""
        above = self._parents[index]
        return None if above == _NONE else above

    def __len__(self) -> int:
        return len(self._at)

    @overload
    def __getitem__(self, index: int) -> Contribution: ...
    @overload
    def __getitem__(self, index: slice) -> list[Contribution]: ...
    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self._spool.get(at) for at in self._at[index]]
        return self._spool.get(self._at[index])

    def __setitem__(self, index: int, post: Contribution) -> None:
        """Put a post back, whose key and parent are as before."""
        self._at[index] = self._spool.put(post)
