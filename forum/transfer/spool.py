"""The texts of a debate that is loaded, kept in a file until they are written.

They are most of what a debate is: rendered and judged, the text of a post takes kilobytes, and all
else that is known of it a few hundred bytes.
"""

import pickle
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from weakref import finalize

from forum.text import markup, quoting

IN_MEMORY = 8 * 1024 * 1024  # bytes of small debates, which need no file


@dataclass(slots=True)
class ImportedQuote:
    """One quote of a post: the place of its source in `ThreadFixture.posts`, None if unknown."""

    block: markup.QuoteBlock
    source: int | None
    match: quoting.Match
    nested: tuple[int, ...] = ()
    stance: str = ""
    reason: str = ""


@dataclass(slots=True)
class Texts:
    """What is long of a post: its text as it came, rendered, and its quotes as they were judged."""

    text: str
    quoted: tuple[tuple[int, int], ...] = ()
    rendered: markup.Rendered = field(init=False)  # by parsing, which reads its quotes before
    quotes: list[ImportedQuote] = field(default_factory=list)


class Spool:
    """A file without a name that holds Texts, and is gone with this object. What is taken out of it
    is a copy: nothing that is changed there comes back."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # closed below
        self._end = 0
        self._last: tuple[int, Texts] | None = None
        finalize(self, self._file.close)

    def put(self, texts: Texts) -> int:
        """Keep it, and return the number by which `get` finds it."""
        at = self._end
        data = pickle.dumps(texts, pickle.HIGHEST_PROTOCOL)
        self._file.seek(at)
        self._file.write(data)
        self._end += len(data)
        return at

    def get(self, at: int) -> Texts:
        """What was kept under this number."""
        if self._last is None or self._last[0] != at:
            self._file.seek(at)
            self._last = at, pickle.load(self._file)  # nobody else writes to it
        return self._last[1]
