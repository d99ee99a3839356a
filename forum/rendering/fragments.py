"""What many readers see alike, drawn once for all of them (docs/decisions/0010).

A member without rights of their own sees the posts of a page as any other does, but for what is
their own or new to them; a line of a list is the same for all who see it. So these are drawn once
and kept with their finished HTML. What is the reader's own is drawn for them and laid between.
"""

from collections.abc import Callable, Iterable, Mapping, Sized
from functools import partial
from sys import getsizeof
from time import time
from typing import TypeVar

from django.utils.safestring import SafeString, mark_safe

from accounts.models import User
from forum import rendering
from forum.jinja import fragment_renderer
from forum.models import Board, Post, Thread
from forum.models.listing import for_listing
from forum.operations import caching

from .divergence_axis import on_scale, percent
from .page_cuts import Cut

# Bytes of a row and its text that is kept drawn, roughly, of a piece, besides the HTML, and of a
# count.
ROW, PIECE, COUNT = 6000, 400, 400
COUNTED = 3600  # seconds: what raises no number, though it should, is right again by then
# Any member without rights or wishes of their own.
ANY_MEMBER = User(pk=0)
ANY_MEMBER.address_known = True
Counts = TypeVar("Counts", bound=Sized)


def get(key: tuple) -> SafeString | None:
    """The HTML that is kept under `key`; None if there is none, or if it says how long ago
    something was and that is not so any more."""
    found = caching.fragments.get(key)
    if found is None or found[1] < time():
        return None
    caching.expires_at(found[1])
    return found[0]


def put(key: tuple, render: Callable[[], str]) -> SafeString:
    """The HTML that `render` gives, kept under `key`."""
    with caching.timed() as until:
        html = mark_safe(render())
    caching.fragments.put(key, (html, until[0]), getsizeof(html) + PIECE)
    return html


# --- Posts of a debate ------------------------------------------------------------------------


def page(key: tuple, render: Callable[[User], Cut]) -> Cut:
    """What `render` gives for any member who has no rights but a member's and ignores nobody, kept
    under `key`. That holds the numbers that rise when anything that it shows changes."""
    found = caching.fragments.get(key)
    if found is None:
        found = render(ANY_MEMBER)
        size = sum(2 * len(entry.html or "") + ROW for entry in found.entries)
        caching.fragments.put(key, found, size)
    return found


# --- Counts -----------------------------------------------------------------------------------


def counts(key: tuple, count: Callable[[], Counts]) -> Counts:
    """What `count` gives, kept for all who count the same: `key` holds the numbers that rise when
    it changes, and which boards it is of."""
    key = ("counts", key[0], caching.digest(key))
    found = caching.fragments.get(key)
    if found is None or found[1] < time():
        found = count(), time() + COUNTED
        caching.fragments.put(key, found, PIECE + COUNT * len(found[0]))
    return found[0]


# --- Lines of lists ---------------------------------------------------------------------------
# A list is asked for ids and numbers first, in one query; rows are read only for lines that were
# not drawn since the numbers rose.


def thread_lines(rows: Iterable[tuple], *, user, board_shown: bool = False) -> list[SafeString]:
    """The lines of a list of debates, whose `rows` (ThreadQuerySet.rows) are those that `user`
    sees."""
    ignoring, zone = rendering.ignored_by(user), zone_of(user)
    keys = {}
    for pk, version, site_version, unread, last, *_ in rows:
        key = ("debate", pk, version, site_version, unread, last in ignoring, board_shown, zone)
        keys[key] = pk, unread
    lines = {key: get(key) for key in keys}
    missing = [keys[key] for key, line in lines.items() if line is None]
    if missing:
        threads = for_listing(Thread.objects.all()).in_bulk([pk for pk, _ in missing])
        fill = fragment_renderer("threads/_line.html")
        for key, (pk, unread) in keys.items():
            if lines[key] is None and pk in threads:
                context = {"thread": threads[pk], "unread": unread, "board_shown": board_shown}
                lines[key] = put(key, partial(fill, {**context, "ignoring": ignoring}))
    return [line for line in lines.values() if line is not None]


def board_lines(
    boards: Iterable[Board], *, news: Mapping[int, int], strips: bool = False
) -> list[SafeString]:
    """The lines of a list of boards, which come with the site version; `news` says by their ids
    how many debates of each hold some. `strips`: with a picture of the years that each is about."""
    fill = fragment_renderer("boards/_line.html")
    lines = []
    for board in boards:
        fresh = news.get(board.pk, 0)
        key = ("board", board.pk, board.site_version, board.thread_count, fresh, strips)
        context = {"board": board, "fresh": fresh, "strip": _strip(board) if strips else None}
        lines.append(get(key) or put(key, partial(fill, context)))
    return lines


def _strip(board: Board) -> dict[str, str] | None:
    """Where the years of a board lie on the line under its name, in percent; None if nobody
    said."""
    if board.first_year is None and board.last_year is None:
        return None
    start = 0.0 if board.first_year is None else on_scale(board.first_year)
    end = 100.0 if board.last_year is None else on_scale(board.last_year)
    return {"start": percent(start), "end": percent(end)}


def post_lines(rows: Iterable[tuple], *, user) -> list[SafeString]:
    """The lines of a list of one member's posts, whose `rows` (id, its debate's version, the site
    version, and what else) are those that `user` sees."""
    zone = zone_of(user)
    keys = {("post", pk, version, site_version, zone): pk for pk, version, site_version, *_ in rows}
    lines = {key: get(key) for key in keys}
    missing = [keys[key] for key, line in lines.items() if line is None]
    if missing:
        posts = Post.objects.select_related("thread__board", "body").in_bulk(missing)
        fill = fragment_renderer("members/_line.html")
        for key, pk in keys.items():
            if lines[key] is None and pk in posts:
                lines[key] = put(key, partial(fill, {"post": posts[pk]}))
    return [line for line in lines.values() if line is not None]


def zone_of(user) -> str:
    """The time zone in which moments are shown to `user`; empty: the site's."""
    return user.time_zone if user.is_authenticated else ""
