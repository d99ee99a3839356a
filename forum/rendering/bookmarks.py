"""The posts that a member keeps, as far as they may still read them."""

from dataclasses import dataclass
from datetime import date, datetime

from forum.text.markup import words_without_spoilers

from ..models.visibility import bookmarks_of

PER_PAGE = 30
SHOWN = 200  # characters of a post's words


@dataclass(slots=True)
class BookmarkLine:
    """One kept post: what it is, how it begins, and what its reader noted."""

    pk: int
    note: str
    remind_on: date | None
    created_at: datetime
    post: int
    number: int | None
    author: str | None
    byline: str
    title: str
    words: str | None

    @property
    def writer(self) -> str:
        """Who wrote it."""
        return self.author or self.byline or "Unnamed member"


_COLUMNS = (
    *("pk", "note", "remind_on", "created_at", "post", "post__number"),
    *("post__author__username", "post__byline", "post__thread__title"),
)


def bookmark_page(user, before: int | None = None) -> tuple[list[BookmarkLine], int | None]:
    """Some bookmarks of `user`, newest first, from the one behind `before` on; and behind which the
    next page goes on, if there is one. One query, a seek in an index."""
    rows = bookmarks_of(user).order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    columns = rows.values_list(*_COLUMNS, "post__body__html")
    lines = [BookmarkLine(*row) for row in columns[: PER_PAGE + 1]]
    for line in lines:
        line.words = words_without_spoilers(line.words or "", SHOWN)
    older = lines[PER_PAGE - 1].pk if len(lines) > PER_PAGE else None
    return lines[:PER_PAGE], older
