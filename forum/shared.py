"""What many members read alike, drawn once for all of them (docs/decisions/0010).

A member without rights of their own sees the posts of a page as any other does, but for what is
their own or new to them. So the posts are drawn once and kept with their finished HTML; what is
the reader's own is drawn for them and laid between.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import time

from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

from accounts.models import User

from . import caching, drawing
from .glossary import Glossary
from .models import Post

# Bytes of a row and its text that is kept drawn, roughly, besides its HTML.
ROW = 6000
# Finished pieces kept of each post or line: members live in several zones and may do several
# things.
VARIANTS = 4
# Any member without rights or wishes of their own.
_MEMBER = User(pk=0)
_MEMBER.address_known = True

Pieces = dict[tuple, tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Page:
    """The posts of a page, what else belongs to them, and their finished HTML as far as somebody
    asked for it: by post, what may be done with it, and time zone."""

    posts: list[Post]
    rest: tuple
    pieces: Pieces = field(default_factory=dict)


def page(key: tuple, load: Callable[[], tuple], *, terms: Glossary | None) -> Page:
    """The page that `load` gives (posts, and what else belongs to them), drawn for any member who
    has no rights but a member's and ignores nobody. `key` holds the numbers that rise when anything
    that it shows changes. The posts are copies, of which `drawing.offer` has still to be asked."""
    key = (*key, terms is not None)
    found = caching.drawn.get(key)
    if found is None:
        posts, *rest = load()
        drawing.draw(posts, user=_MEMBER, terms=terms)
        found = Page(posts, tuple(rest))
        caching.drawn.put(key, found, sum(4 * len(post.html or "") + ROW for post in posts))
    return Page([_copy(post) for post in found.posts], found.rest, found.pieces)


def _copy(post: Post) -> Post:
    """The row again, so that what one page says about it does not show on another. What it leads to
    (its thread, its author) is the same object."""
    new = Post.__new__(Post)
    new.__dict__.update(post.__dict__)
    return new


def finish(posts: Iterable[Post], pieces: Pieces, *, user: User) -> None:
    """Give the posts of a shared page that are as everybody's to `user`, neither new nor their own,
    their HTML (`drawn`)."""
    template = get_template("posts/_post.html")
    for post in posts:
        if not (post.fresh or post.author_id == user.pk):
            key = (post.pk, post.verbs, user.time_zone)
            context = {"post": post, "offer": True, "member": _MEMBER}
            post.drawn = piece(pieces, key, lambda c=context: template.render(c))


def piece(pieces: Pieces, key: tuple, draw: Callable[[], str]) -> SafeString:
    """What is kept under `key`; drawn if there is nothing, or if it says how long ago something was
    and that is not so any more."""
    found = pieces.get(key)
    if found is None or found[1] < time():
        with caching.timed() as until:
            html = draw()
        if len(pieces) > VARIANTS * 50:
            pieces.clear()
        found = pieces[key] = html, until[0]
    else:
        caching.holds_until(found[1])
    return mark_safe(found[0])
