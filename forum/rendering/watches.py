"""How what somebody watches is named, as far as they may see it."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..models import Watch
from ..permissions import may


@dataclass(frozen=True, slots=True)
class WatchLine:
    """One thing that is watched: what it is called, where it stands, and what kind of thing it
    is. What the reader may not see any more has neither name nor address."""

    watch: Watch
    name: str
    href: str
    kind: str


def watch_lines(user, watches: Iterable[Watch]) -> list[WatchLine]:
    """The lines of watches that were read with what they lead to (`RELATED`)."""
    return [_line(user, watch) for watch in watches]


RELATED = ("board", "thread__board", "thread__merged_into__board", "post__thread__board", "author")


def _line(user, watch: Watch) -> WatchLine:
    if watch.kind == "stretch":
        name = f"{watch.years[:1].upper()}{watch.years[1:]}"
        name += f", in {watch.place}" if watch.place else ""
        description = "a stretch of history: every new debate that leaves it there"
        return WatchLine(watch, name, "", description)
    if (author := watch.author) is not None:
        href = f"/members/{author.username}/" if author.is_active else ""
        return WatchLine(watch, author.username, href, "member")
    if (board := watch.board) is not None:
        if may(user, "see board", board):
            return WatchLine(watch, board.name, board.get_absolute_url(), "board")
        return WatchLine(watch, "A board that you do not see any more", "", "board")
    if (post := watch.post) is not None:
        if may(user, "see thread", post.thread) and post.number is not None:
            name = f"What grows from #{post.number} in “{post.thread.title}”"
            return WatchLine(watch, name, post.get_absolute_url(), "one branch")
        return WatchLine(watch, "A branch that you do not see any more", "", "one branch")
    description = "debate, since you wrote in it" if watch.automatic else "debate"
    thread = watch.thread
    if thread is not None and thread.merged_into is not None:
        thread = thread.merged_into
    if thread is not None and may(user, "see thread", thread):
        return WatchLine(watch, thread.title, thread.get_absolute_url(), description)
    return WatchLine(watch, "A debate that you do not see any more", "", description)
