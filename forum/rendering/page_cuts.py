"""Which posts a page of a debate holds: by number, in tree order, or of one lane."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from accounts.models import UNSHOWN, User
from core.compiled_queries import CompiledQuery
from forum import tree
from forum.models import Post, Thread

from .glossary import Glossary
from .posts import Folded, Line, PostEntry, render_posts


class ReadState(Protocol):
    """What a member has read and folded in a debate (actions/read_state.py)."""

    folded: list[int]
    invited: bool
    waiting: bool

    def has(self, number: int, /) -> bool:
        """Whether the post with this number was read."""

    def unread(self, thread: Thread, /) -> int:
        """How many posts were not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which page of a debate an address asks for, checked."""

    view: str  # "flat" or "tree"
    number: int
    pages: int
    size: int  # posts on a page
    lane: str = ""
    start: int = 1  # of a lane: the number to begin with
    folded: Sequence[int] = ()  # branches that a visitor folds: the ids of their posts
    opened: int | None = None  # the id of a post that is to be seen, whatever is folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The posts of one page, and how it stands to the others."""

    entries: list[PostEntry]
    first: int  # where it begins and ends, as its pager says
    last: int
    here: int | None  # the post at its beginning, whatever is folded
    # Of a lane: the numbers with which the pages before and after it begin.
    before: int | None = None
    after: int | None = None
    # In the tree: the posts above its first, and what is folded; the addresses that fold one branch
    # more, and that keep a visitor's folds; how many posts are hidden by which folds elsewhere.
    continues: Sequence[Post] = ()
    folds: Mapping[int, Folded] = field(default_factory=dict)
    fold_base: str = ""
    fold_query: str = ""
    left_out: int = 0
    left_out_of: Sequence[Post] = ()


def _rows():
    return Post.objects.for_reading().defer(
        *(f"author__{name}" for name in UNSHOWN),
        *("key", "origin", "loaded_at", "merged_into", "body__revision_number", "body__renderer"),
    )


# By how many posts a page holds: the statement's limit is a part of it.
_numbered = {
    size: CompiledQuery(
        "posts_by_number",
        lambda thread, first, last, size=size: (
            _rows()
            .filter(thread=thread, number__gte=first, number__lte=last)
            .order_by("number")[:size]
        ),
        *("number", "number", "number"),
    )
    for size in User.PAGE_SIZES
}
_by_id = CompiledQuery("posts_by_id", lambda ids: _rows().filter(pk__in=ids), "numbers")


def flat(thread: Thread, wanted: Wanted, *, user, terms: Glossary | None) -> Cut:
    """A page by number: an index range, since page 500 must cost what page 1 costs."""
    first = (wanted.number - 1) * wanted.size + 1
    posts = _numbered[wanted.size](thread.pk, first, wanted.number * wanted.size)
    # One line through all of them; it ends at the last.
    lines = {
        post.pk: Line(up=post.number > 1, down=post.number < thread.numbered) for post in posts
    }
    for post in posts:
        post.thread = thread
    return Cut(
        entries=render_posts(posts, user=user, terms=terms, lines=lines),
        first=first,
        last=first + len(posts) - 1,
        here=posts[0].pk if posts else None,
    )


def in_lane(thread: Thread, wanted: Wanted, *, user, terms: Glossary | None) -> Cut:
    """The replies of one lane by number, from `wanted.start` on: a seek in an index at any depth,
    so that the thousandth page costs what the first does."""
    rows = Post.objects.filter(thread=thread, lane=wanted.lane)
    later = rows.for_reading().filter(number__gte=wanted.start).order_by("number")
    found = list(later[: wanted.size + 1])
    posts, more = found[: wanted.size], found[wanted.size :]
    before: list[int] = []
    if wanted.start > 1:
        earlier = rows.filter(number__lt=wanted.start).order_by("-number")
        before = list(earlier.values_list("number", flat=True)[: wanted.size])
    lines = {
        post.pk: Line(
            up=post is not posts[0] or bool(before), down=post is not posts[-1] or bool(more)
        )
        for post in posts
    }
    for post in posts:
        post.thread = thread
    return Cut(
        entries=render_posts(posts, user=user, terms=terms, lines=lines),
        first=(posts[0].number or 0) if posts else 0,
        last=(posts[-1].number or 0) if posts else 0,
        here=posts[0].pk if posts else None,
        before=before[-1] if before else None,
        after=more[0].number if more else None,
    )


def in_tree(
    thread: Thread, wanted: Wanted, *, user, terms: Glossary | None, seen: ReadState | None
) -> Cut:
    """A page in tree order. What is folded is left out of it, but not out of the count: a page
    keeps its posts whoever reads it."""
    cut = tree.page(thread, wanted.number, wanted.size)
    rows = {post.pk: post for post in _by_id([*cut.ids, *cut.continues])}
    for post in rows.values():
        post.thread = thread
    folded = _folded(thread, seen.folded if seen else wanted.folded, wanted.opened)
    over = {pk: fold.pk for pk in cut.ids if (fold := _fold_over(rows[pk], folded))}
    shown = [rows[pk] for pk in cut.ids if pk not in over]
    elsewhere = set(over.values()) - {post.pk for post in shown}
    visitors = "" if seen else ".".join(str(fold.pk) for fold in folded)
    first = (wanted.number - 1) * wanted.size + 1
    return Cut(
        entries=render_posts(shown, user=user, terms=terms, positions=cut.positions),
        first=first,
        last=first + len(cut.ids) - 1,
        here=cut.ids[0] if cut.ids else None,
        continues=[rows[pk] for pk in cut.continues],
        folds={
            fold.pk: Folded(
                count=(fold.rght - fold.lft) // 2,
                fresh=sum(
                    seen is not None and above == fold.pk and not seen.has(rows[pk].number)
                    for pk, above in over.items()
                ),
                href=_fold_href(wanted.number, [f.pk for f in folded if f.pk != fold.pk]),
            )
            for fold in folded
            if fold.pk in rows and fold.rght - fold.lft > 1
        },
        fold_base=_fold_href(wanted.number, [fold.pk for fold in folded], more=True),
        fold_query=f"&fold={visitors}" if visitors else "",
        left_out=sum(above in elsewhere for above in over.values()),
        left_out_of=[fold for fold in folded if fold.pk in elsewhere],
    )


def _folded(thread: Thread, ids: Sequence[int], opened: int | None) -> list[Post]:
    """The posts whose branches are folded, outer ones first; not those above the post that is to
    be seen."""
    if not ids:
        return []
    folded = Post.objects.filter(pk__in=ids, thread=thread, number__isnull=False)
    post = Post.objects.filter(pk=opened, thread=thread).first() if opened else None
    return [
        fold
        for fold in folded.order_by("tree_id", "lft")
        if not (post and _fold_over(post, [fold]))
    ]


def _fold_over(post: Post, folded: Sequence[Post]) -> Post | None:
    """The outermost of the folded posts below which the post hangs."""
    for fold in folded:
        if fold.tree_id == post.tree_id and fold.lft < post.lft < fold.rght:
            return fold
    return None


def _fold_href(page: int, ids: list[int], *, more: bool = False) -> str:
    """The address of this tree page with these branches folded; `more`: room for one id more."""
    fold = ".".join(map(str, ids))
    query = f"?view=tree&page={page}"
    if more:
        return f"{query}&fold={fold}." if ids else f"{query}&fold="
    return f"{query}&fold={fold}" if ids else query
