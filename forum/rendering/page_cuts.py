"""Which posts a page of a debate holds: by number, in tree order, or of one lane."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from django.db.models import IntegerField, OuterRef, QuerySet, Subquery

from accounts.models import UNSHOWN, User
from core.compiled_queries import CompiledQuery
from forum import tree
from forum.models import Post, Quote, Thread

from .backlinks import MOST_LOOKED_AT
from .posts import Connector, Folded, PostEntry

# Some more than are looked at, for quotes that are written beside each other: of these the one with
# the lower id may come to be seen last.
TIMES_QUOTED = MOST_LOOKED_AT + 50


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


class Draw(Protocol):
    """How the posts of a page become entries, in their order (`render_posts`)."""

    def __call__(
        self,
        posts: Sequence[Post],
        *,
        lines: Mapping[int, Connector] | None = None,
        positions: Mapping[int, tree.Position] | None = None,
    ) -> list[PostEntry]:
        """The entries of these posts; where each hangs is said by their ids."""


# --- Rows -------------------------------------------------------------------------------------


def _whole():
    """Rows with all that is drawn of a post."""
    return Post.objects.for_reading().defer(
        *(f"author__{name}" for name in UNSHOWN),
        *("key", "origin", "merged_into", "body__revision_number", "body__renderer"),
    )


# What tells who may do what with a post, and where it stands.
_NARROW = (
    *("thread", "number", "author", "state", "loaded_at", "has_poll", "branch_locked", "lane"),
    *("stance", "parent", "parent_basis", "tree_id", "lft", "rght", "level"),
)


def _narrow():
    """Rows with what tells whether a post was drawn before: no words, no author."""
    return Post.objects.only(*_NARROW)


class _Counted(Subquery):
    """How many rows a queryset has, which is best a short slice of one."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def _times_quoted(rows):
    """With `times_quoted`: how many quotes of each post there are, in whatever texts, counted up to
    TIMES_QUOTED. Who quotes it shows the first MOST_LOOKED_AT, and changes with no later one."""
    quotes = Quote.objects.filter(source_post=OuterRef("pk")).order_by().values("pk")
    return rows.annotate(times_quoted=_Counted(quotes[:TIMES_QUOTED]))


def _by_number(name: str, rows: Callable[[], QuerySet]) -> Mapping[int, CompiledQuery]:
    """By how many posts a page holds: the statement's limit is a part of it."""
    return {
        size: CompiledQuery(
            name,
            lambda thread, first, last, size=size: (
                rows()
                .filter(thread=thread, number__gte=first, number__lte=last)
                .order_by("number")[:size]
            ),
            *("number", "number", "number"),
        )
        for size in User.PAGE_SIZES
    }


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the rows of a page come from: by number, and by their ids."""

    numbered: Mapping[int, CompiledQuery]
    by_id: CompiledQuery


def _source(name: str, rows: Callable[[], QuerySet]) -> Rows:
    ids = CompiledQuery(f"{name}_by_id", lambda ids: rows().filter(pk__in=ids), "numbers")
    return Rows(_by_number(f"{name}_by_number", rows), ids)


WHOLE = _source("posts", _whole)
# The same with `times_quoted`, whole and without words.
COUNTED = _source("counted_posts", lambda: _times_quoted(_whole()))
NARROW = _source("narrow_posts", lambda: _times_quoted(_narrow()))


def forget_words(post: Post) -> None:
    """Let go of the text of a row of a kept cut: what is drawn of it is kept, and nobody asks again
    for its words."""
    post._state.fields_cache.pop("body", None)


# --- Cuts -------------------------------------------------------------------------------------


def flat(thread: Thread, wanted: Wanted, *, render: Draw, rows: Rows = WHOLE) -> Cut:
    """A page by number: an index range, since page 500 must cost what page 1 costs."""
    first = (wanted.number - 1) * wanted.size + 1
    posts = rows.numbered[wanted.size](thread.pk, first, wanted.number * wanted.size)
    # One line through all of them; it ends at the last.
    lines = {
        post.pk: Connector(up=post.number > 1, down=post.number < thread.numbered) for post in posts
    }
    for post in posts:
        post.thread = thread
    return Cut(
        entries=render(posts, lines=lines),
        first=first,
        last=first + len(posts) - 1,
        here=posts[0].pk if posts else None,
    )


def in_lane(thread: Thread, wanted: Wanted, *, render: Draw) -> Cut:
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
        post.pk: Connector(
            up=post is not posts[0] or bool(before), down=post is not posts[-1] or bool(more)
        )
        for post in posts
    }
    for post in posts:
        post.thread = thread
    return Cut(
        entries=render(posts, lines=lines),
        first=(posts[0].number or 0) if posts else 0,
        last=(posts[-1].number or 0) if posts else 0,
        here=posts[0].pk if posts else None,
        before=before[-1] if before else None,
        after=more[0].number if more else None,
    )


def in_tree(
    thread: Thread, wanted: Wanted, *, render: Draw, seen: ReadState | None, rows: Rows = WHOLE
) -> Cut:
    """A page in tree order. What is folded is left out of it, but not out of the count: a page
    keeps its posts whoever reads it."""
    cut = tree.page(thread, wanted.number, wanted.size)
    found = {post.pk: post for post in rows.by_id([*cut.ids, *cut.continues])}
    for post in found.values():
        post.thread = thread
    folded = _folded(thread, seen.folded if seen else wanted.folded, wanted.opened)
    over = {pk: fold.pk for pk in cut.ids if (fold := _fold_over(found[pk], folded))}
    shown = [found[pk] for pk in cut.ids if pk not in over]
    elsewhere = set(over.values()) - {post.pk for post in shown}
    visitors = "" if seen else ".".join(str(fold.pk) for fold in folded)
    first = (wanted.number - 1) * wanted.size + 1
    return Cut(
        entries=render(shown, positions=cut.positions),
        first=first,
        last=first + len(cut.ids) - 1,
        here=cut.ids[0] if cut.ids else None,
        continues=[found[pk] for pk in cut.continues],
        folds={
            fold.pk: Folded(
                count=(fold.rght - fold.lft) // 2,
                fresh=sum(
                    seen is not None and above == fold.pk and not seen.has(found[pk].number)
                    for pk, above in over.items()
                ),
                href=_fold_href(wanted.number, [f.pk for f in folded if f.pk != fold.pk]),
            )
            for fold in folded
            if fold.pk in found and fold.rght - fold.lft > 1
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
