"""A page of a debate in tree order, cut out of the labels without OFFSET."""

from array import array
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate

from django.conf import settings
from django.db import connections, router

from forum.models import Post, Thread
from forum.operations import caching

MAX_LEVEL = 8  # display only: at 360 px a deeper indent would leave less than 230 px of text


@dataclass(frozen=True, slots=True)
class Position:
    """How a post is drawn in the tree: see "Tree" in the look's reference.

    `level` 0..MAX_LEVEL; `rails` one of "v", "t", "l", "" per level; `straight` if it runs on
    from its parent without a fork; `replies` if a line leaves it downwards.
    """

    level: int
    rails: tuple[str, ...]
    straight: bool
    replies: bool


@dataclass(slots=True)
class TreePage:
    """The ids of one page in tree order, how each is drawn, and what the page continues."""

    ids: list[int]
    positions: dict[int, Position]
    continues: list[int]  # the nearest ancestors of the page's first post, outermost first
    total: int


def roots_of(thread: Thread) -> list[tuple[int, int]]:
    """(tree_id, size) of every tree of a thread, in order of arrival."""
    return [
        (tree_id, rght // 2)
        for tree_id, rght in Post.objects.filter(
            thread=thread, parent__isnull=True, number__isnull=False
        )
        .order_by("number")
        .values_list("tree_id", "rght")
    ]


def _forest(thread: Thread) -> tuple[array, array]:
    """The ids of a thread's trees in order, and at which rank each ends; kept under the numbers
    that rise when the thread changes, where the thread was read with both."""
    numbers = (thread.version, getattr(thread, "site_version", None))
    key = (thread.pk, *numbers, "forest")
    usable = settings.KEPT_PAGES_MB and None not in numbers
    found = caching.fragments.get(key) if usable else None
    if found is None:
        roots = roots_of(thread)
        found = (
            array("q", [tree_id for tree_id, _ in roots]),
            array("q", accumulate(count for _, count in roots)),
        )
        if usable:
            caching.fragments.put(key, found, 16 * len(roots) + 200)
    return found


def page(thread: Thread, number: int, size: int) -> TreePage:
    """Cut page `number` (from 1) of `size` posts out of the thread's tree order, without OFFSET.

    Within a tree the rank of a node is (lft - 1 + level) / 2; sizes of trees add up. Two queries at
    most: the roots, and the page's rows with the ancestors of its first post.
    """
    trees, ends = _forest(thread)
    first, last = (number - 1) * size, number * size
    total, wanted = ends[-1] if ends else 0, []
    for index in range(bisect_right(ends, first), len(trees)):
        position = ends[index - 1] if index else 0
        if position >= last:
            break
        count = ends[index] - position
        low, high = max(first - position, 0), min(last - position, count)
        wanted.append((index, trees[index], low, high))
    if not wanted:
        return TreePage([], {}, [], total)
    above, rows = _rows(wanted)
    positions = _positions(above + rows, opening=trees[0], last_tree=trees[-1], many=len(trees) > 1)
    return TreePage(
        ids=[row[0] for row in rows],
        positions={row[0]: positions[row[0]] for row in rows},
        continues=[row[0] for row in above[-3:]],
        total=total,
    )


_TABLE = Post._meta.db_table
_RANK = "(lft - 1 + level) / 2"
_COLUMNS = "id, tree_id, lft, rght, level"
# lft = 2 * rank + 1 - level, and level <= rank: an index range, and the rank itself.
_CUT = f"""
    WITH head AS (
        SELECT {_COLUMNS} FROM {_TABLE} WHERE tree_id = %s AND lft > %s AND lft < %s
        AND {_RANK} >= %s AND {_RANK} < %s
    ), start AS (SELECT tree_id, lft, rght FROM head ORDER BY lft LIMIT 1)
    SELECT {_COLUMNS} FROM head
    UNION ALL SELECT {_COLUMNS} FROM {_TABLE} WHERE tree_id {{listed}}
    UNION ALL SELECT {_COLUMNS} FROM {_TABLE} WHERE tree_id = %s AND lft < %s AND {_RANK} < %s
    UNION ALL SELECT up.id, up.tree_id, up.lft, up.rght, up.level FROM {_TABLE} up, start
        WHERE up.tree_id = start.tree_id AND up.lft < start.lft AND up.rght > start.rght
"""
_LISTED = {
    "postgresql": "= ANY(CAST(%s AS bigint[]))",
    "sqlite": "IN (SELECT value FROM json_each(%s))",
}
_NO_TREE = 0  # every tree has the id of a post, or minus one


def _rows(
    wanted: Sequence[tuple[int, int, int, int]],
) -> tuple[list[tuple[int, int, int, int, int]], list[tuple[int, int, int, int, int]]]:
    """(pk, tree_id, lft, rght, level) of the ancestors of the first wanted rank, and of the wanted
    ranks, both in tree order."""
    order = {tree_id: index for index, tree_id, _, _ in wanted}
    (_, head, low, high), *rest = wanted
    whole = [tree_id for _, tree_id, _, _ in rest[:-1]]
    _, tail, _, end = rest[-1] if rest else (0, _NO_TREE, 0, 0)
    using = connections[router.db_for_read(Post)]
    # As one type, whatever their size: a statement is planned for the types of what it gets.
    one = using.ops.adapt_integerfield_value
    first = [one(n, "BigIntegerField") for n in (head, low, 2 * high, low, high)]
    last = [one(n, "BigIntegerField") for n in (tail, 2 * end, end)]
    listed = ",".join(map(str, whole))
    listed = f"{{{listed}}}" if using.vendor == "postgresql" else f"[{listed}]"
    with using.cursor() as cursor:
        cursor.execute(_CUT.format(listed=_LISTED[using.vendor]), [*first, listed, *last])
        rows = sorted(cursor.fetchall(), key=lambda row: (order[row[1]], row[2]))
    begins = next(n for n, row in enumerate(rows) if (row[2] - 1 + row[4]) // 2 >= low)
    return rows[:begins], rows[begins:]


def _positions(
    rows: Sequence[tuple[int, int, int, int, int]], *, opening: int, last_tree: int, many: bool
) -> dict[int, Position]:
    """Levels and rails for rows in tree order that begin with a root or a root's whole path.

    A lone reply runs straight on; `lines[k]` tells whether a later post forks from the line at
    level k, known from labels alone: a child is its parent's last if its rght is one less.
    """
    positions: dict[int, Position] = {}
    stack: list[tuple[int, int, int]] = []  # (lft, rght, display level) of the path to here
    lines = [False] * (MAX_LEVEL + 1)
    tree = None
    for pk, tree_id, lft, rght, _level in rows:
        if tree_id != tree:
            stack.clear()
            tree = tree_id
        while stack and stack[-1][1] < lft:
            stack.pop()
        capped = False
        if not stack:
            if pk == opening:
                level, straight = 0, False
            else:
                level, straight = 1, False
                lines[0] = tree_id != last_tree
        else:
            up_lft, up_rght, up_level = stack[-1]
            straight = lft == up_lft + 1 and rght == up_rght - 1
            if straight:
                level = up_level
            elif up_level == MAX_LEVEL:
                level, capped = MAX_LEVEL, True
            else:
                level = up_level + 1
                lines[up_level] = rght != up_rght - 1
        rails = ["v" if lines[k] else "" for k in range(level)]
        if level and not straight and not capped:
            rails[-1] = "t" if lines[level - 1] else "l"
        replies = rght - lft > 1 if pk != opening else many
        positions[pk] = Position(level, tuple(rails), straight, replies)
        stack.append((lft, rght, level))
    return positions


def close_up(
    rows: Sequence[tuple[Post, Position]], gone: Collection[int], end: Position
) -> list[Position]:
    """How the posts of a page are drawn after others, with the ids `gone`, were taken out of it,
    given how they were drawn among them. The rule is the same, read from the end: a line at a level
    passes if a later post forks from it before any post of that level or less. `end` is the place
    of the page's last post, which knows what passes on to the next page. A post whose parent is
    gone begins a line of its own."""
    passing = [rail in ("v", "t") for rail in end.rails]
    passing += [False] * (MAX_LEVEL + 1 - len(passing))
    below = {post.parent_id for post, _ in rows}
    found: list[Position] = []
    for post, place in reversed(rows):
        parted = post.parent_id in gone
        straight = place.straight and not parted
        # At the greatest depth a post forks from no line that is drawn.
        forks = place.level and not straight and (place.rails[-1] in ("t", "l") or parted)
        rails = ["v" if passing[k] else "" for k in range(place.level)]
        if forks:
            rails[-1] = "t" if passing[place.level - 1] else "l"
        for k in range(place.level, len(passing)):
            passing[k] = False
        if forks:
            passing[place.level - 1] = True
        replies = place.replies
        if post.pk not in below and not post.is_opening:
            replies = replies and not found  # of the page's last the next page may hold some
        found.append(Position(place.level, tuple(rails), straight, replies))
    return found[::-1]


def page_of(post: Post, size: int) -> int:
    """The tree page (from 1) of `size` posts on which a planted post stands."""
    rank = (post.lft - 1 + post.level) // 2
    root = Post.objects.filter(pk=post.tree_id).values_list("number", flat=True).get()
    before = sum(
        rght // 2
        for rght in Post.objects.filter(
            thread_id=post.thread_id, parent__isnull=True, number__lt=root
        ).values_list("rght", flat=True)
    )
    return (before + rank) // size + 1
