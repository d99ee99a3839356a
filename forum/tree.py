"""The reply trees: the only code that locks threads and plants, hangs or relabels posts.

A thread is a forest (docs/decisions/0002): the opening and every answer to it are roots, a reply
to any other post hangs below that post, so an insert renumbers one branch and never the thread.
`parent` is the truth; lft, rght, level and tree_id are labels that django-mptt keeps and
`labels` can always compute again. A root's tree_id is its own id, so no two roots can ever meet.

Every structural write happens inside a transaction that holds the thread's row lock; on SQLite
the IMMEDIATE transaction is the lock. Nodes read before the lock are stale: read again after it.
"""

from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import connection, connections, router, transaction
from django.db.models import F, Max, Q
from django.db.transaction import Atomic
from mptt.exceptions import InvalidMove

from accounts.models import new_edition
from core.compiled_queries import CompiledQuery, insert_row

from . import caching
from .models import Board, Post, Thread
from .permissions import NotThere

AWAY = 10**15  # beyond every id, and beyond the trees of waiting posts
ASIDE = 10**9  # beyond every number of a thread
BATCH = 1000  # ids named in one statement: databases limit them
MAX_LEVEL = 8  # display only: at 360 px a deeper indent would leave less than 230 px of text


class NotLocked(RuntimeError):
    """A write that needs a thread's lock was tried without it: outside a transaction, or in one
    that holds another thread's."""


class ThreadGone(NotThere, Thread.DoesNotExist):
    """The thread is not there any more: undoing a split takes away what the split made. To whoever
    was about to write in it, the same as one that never was."""


_locked = CompiledQuery(
    "locked_threads",
    lambda ids: Thread.objects.select_for_update().filter(pk__in=ids).order_by("pk"),
    "numbers",
)
_boards = CompiledQuery(
    "boards_of_threads", lambda ids: Board.objects.filter(pk__in=ids), "numbers"
)


def lock(*thread_ids: int) -> list[Thread]:
    """Lock thread rows in ascending id order (so two locks never wait for each other) and return
    them fresh, with their boards. Threads are locked before everything else, see
    docs/decisions/0025.

    Raises NotLocked outside a transaction and ThreadGone if one is not there any more.
    """
    _require_transaction()
    wanted = sorted(set(thread_ids))
    rows = _locked(wanted)
    if len(rows) != len(wanted):
        raise ThreadGone
    # Not joined to the lock: of a debate that went to another board while we waited for it,
    # PostgreSQL would compare the new row with the old board, and find nothing.
    boards = {board.pk: board for board in _boards(sorted({row.board_id for row in rows}))}
    for row in rows:
        row.board = boards[row.board_id]
    _hold(*wanted)
    return rows


def hold(thread_id: int) -> None:
    """Wait for whoever holds the lock of a thread, and let nobody take it until this transaction
    ends, as a new row that names the thread does: for those who lock other rows before they write
    such a row. (SQLite has one writer.)"""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            table = Thread._meta.db_table
            cursor.execute(f"SELECT 1 FROM {table} WHERE id = %s FOR KEY SHARE", [thread_id])


@dataclass(frozen=True, slots=True)
class LockedThread:
    """The right to write a thread's counters and to number and place its posts. `lock` gives it,
    to the transaction's block that called it and to those within; it ends with that block."""

    pk: int


# By block of a transaction that is open, or of one that nobody asks of any more.
_held: WeakKeyDictionary[Atomic, set[LockedThread]] = WeakKeyDictionary()


def _hold(*thread_ids: int) -> None:
    block = connection.atomic_blocks[-1]
    _held.setdefault(block, set()).update(map(LockedThread, thread_ids))


def require_lock(*thread_ids: int) -> None:
    """Raise NotLocked unless this transaction locked (or made) all these threads. Asked by whoever
    writes, of the thread that is written: a post may have left the one that was locked for it."""
    _require_transaction()
    held = set().union(*(_held.get(block, ()) for block in connection.atomic_blocks))
    for pk in thread_ids:
        if LockedThread(pk) not in held:
            raise NotLocked(f"thread {pk} is written without its lock")


def make_thread(thread: Thread) -> Thread:
    """Write the row of a new thread and return it. Nobody else sees it until this transaction
    stands, so it is as good as locked."""
    _require_transaction()
    thread.save(force_insert=True)
    _hold(thread.pk)
    return thread


def save_thread(thread: Thread, *columns: str) -> None:
    """Write columns of a locked thread (all, if none is named) under a new version, so that no page
    drawn until now is shown again. Raises NotLocked."""
    require_lock(thread.pk)
    every = [field.name for field in Thread._meta.concrete_fields if not field.primary_key]
    fields = map(Thread._meta.get_field, columns or every)
    values = {field.attname: getattr(thread, field.attname) for field in fields}
    # Counted by the database: another row object may have been saved in this transaction.
    Thread.objects.filter(pk=thread.pk).update(**values | {"version": F("version") + 1})
    thread.version += 1


def raise_version(*thread_ids: int) -> None:
    """Let the pages of locked threads be drawn anew. Raises NotLocked."""
    require_lock(*thread_ids)
    Thread.objects.filter(pk__in=thread_ids).update(version=F("version") + 1)


def count_on_board(thread: Thread, by: int, *, board_id: int | None = None) -> None:
    """Add to (or take from) the debates that the board of a locked thread shows, or those of
    another board that it comes to or leaves. Raises NotLocked."""
    require_lock(thread.pk)
    if by:
        board = Board.objects.filter(pk=board_id or thread.board_id)
        board.update(thread_count=F("thread_count") + by)


def last_number(thread: Thread) -> int:
    """The highest number of a locked thread, by its posts: what its `numbered` must say."""
    require_lock(thread.pk)
    return Post.objects.filter(thread=thread).aggregate(last=Max("number"))["last"] or 0


def new_ids(count: int) -> list[int]:
    """Reserve `count` ids for posts, ascending, also beyond this transaction. A root's label is its
    own id, so it must be known before the row is written. Gaps are harmless."""
    _require_transaction()
    table = Post._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
                [table, count],
            )
            return [row[0] for row in cursor.fetchall()]
        # SQLite: this transaction is the only writer.
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
        first = (row[0] if row else 0) + 1
        if count > 1:
            # AUTOINCREMENT follows an id once its row is there. Many rows may take several
            # transactions, between which others write.
            statement = (
                "UPDATE sqlite_sequence SET seq = %s WHERE name = %s"
                if row
                else "INSERT INTO sqlite_sequence (seq, name) VALUES (%s, %s)"
            )
            cursor.execute(statement, [first + count - 1, table])
        return list(range(first, first + count))


def fresh(post: Post, thread: Thread) -> Post:
    """The row of `post` as it is now, with its labels, for whoever is going to answer it. The
    caller holds the lock of `thread`; a post that left it has its new one. Raises
    Post.DoesNotExist."""
    _require_transaction()
    row = Post.objects.get(pk=post.pk)
    if row.thread_id == thread.pk:
        row.thread = thread
    return row


def insert(post: Post, parent: Post | None = None) -> Post:
    """Write a new post into its thread's forest: a root if it has no parent, else the last reply
    of its parent. The caller holds the thread's lock. The parent's labels are read here, unless
    `parent` is its row as `fresh` gave it under that lock.

    A pending post (no number) is stored unplanted, in a tree of minus its own id.
    """
    require_lock(post.thread_id)
    if post.parent_id is None or post.number is None:
        post.pk = new_ids(1)[0]
    if post.number is None:
        post.lft, post.rght, post.level, post.tree_id = 1, 2, 0, -post.pk
    else:
        _take_place(post, parent)
    insert_row(post)
    return post


def plant(post: Post) -> None:
    """Give a post that waited for approval its place. The caller holds the lock and has numbered
    it; labels are saved here."""
    _require_transaction()
    _take_place(post)
    Post.objects.filter(pk=post.pk).update(
        lft=post.lft, rght=post.rght, level=post.level, tree_id=post.tree_id
    )


def _take_place(post: Post, parent: Post | None = None) -> None:
    if post.parent_id is None:
        post.lft, post.rght, post.level, post.tree_id = 1, 2, 0, post.pk
    else:
        parent = parent or Post.objects.get(pk=post.parent_id)
        Post.tree.insert_node(
            post, parent, position="last-child", allow_existing_pk=True, refresh_target=False
        )


def place(post: Post, label: tuple[int, int, int, int]) -> Post:
    """Set what `labels` computed on a post that is not written yet."""
    post.tree_id, post.lft, post.rght, post.level = label
    return post


def write(posts: Sequence[Post]) -> None:
    """Write new posts that have ids and labels, in the order of arrival, into locked threads."""
    require_lock(*{post.thread_id for post in posts})
    Post.objects.bulk_create(posts)


def graft(posts: Sequence[Post]) -> None:
    """Write many new posts, with ids and numbers, at once into the forests of their threads, which
    the caller has locked; the trees that they join are labelled anew as a whole.

    A post that is answered stands before its answers in `posts` or in the database already.
    """
    new = {post.pk for post in posts}
    above = {post.parent_id for post in posts} - new
    joined = Post.objects.filter(pk__in=above).values("tree_id")
    rows = list(
        Post.objects.filter(tree_id__in=joined)
        .order_by("number")
        .values_list("pk", "parent_id", "tree_id", "lft", "rght", "level")
    )
    right = labels([(row[0], row[1]) for row in rows] + [(p.pk, p.parent_id) for p in posts])
    _relabel_rows([(row[0], *right[row[0]]) for row in rows if row[2:] != right[row[0]]])
    write([place(post, right[post.pk]) for post in posts])


def _relabel_rows(rows: Sequence[tuple[int, int, int, int, int]]) -> None:
    """Store new labels, (id, tree_id, lft, rght, level), of many posts, none of which changes
    from root to reply or back."""
    table = Post._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"UPDATE {table} SET tree_id = n.tree_id, lft = n.lft, rght = n.rght,"
                " level = n.level FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::int[],"
                f" %s::int[]) AS n (id, tree_id, lft, rght, level) WHERE {table}.id = n.id",
                [list(column) for column in zip(*rows, strict=True)] or [[]] * 5,
            )
        else:
            cursor.executemany(
                f"UPDATE {table} SET tree_id = %s, lft = %s, rght = %s, level = %s WHERE id = %s",
                [(*row[1:], row[0]) for row in rows],
            )


@dataclass(slots=True)
class Standing:
    """Where one post stands: its thread, number, parent and basis, for an act to change, and what
    the row says (`was`). `arrived` is when it came in."""

    pk: int
    thread_id: int
    number: int | None
    parent_id: int | None
    basis: str
    arrived: datetime
    was: tuple

    @property
    def came_from(self) -> tuple[int, int | None]:
        """Thread and number before the act."""
        return self.was[:2]


def standing(*thread_ids: int) -> list[Standing]:
    """All posts of some threads, which the caller has locked: each thread's in order of their
    numbers, and then those that wait."""
    require_lock(*thread_ids)
    rows = (
        Post.objects.filter(thread_id__in=thread_ids)
        .order_by("thread_id", F("number").asc(nulls_last=True), "pk")
        .values_list(
            *("pk", "loaded_at", "thread_id", "number", "parent_id", "parent_basis"),
            *("tree_id", "lft", "rght", "level"),
        )
    )
    return [
        Standing(pk, was[0], was[1], was[2], was[3], arrived, tuple(was))
        for pk, arrived, *was in rows
    ]


def rearrange(posts: Sequence[Standing]) -> None:
    """Write where posts stand after an act, with the labels that follow. `posts` are all posts of
    the threads that take part, which the caller has locked; a few statements at any size.

    Raises ValueError if a parent is no numbered post of the same thread.
    """
    require_lock(*{post.thread_id for post in posts}, *{post.was[0] for post in posts})
    planted = [post for post in posts if post.number is not None]
    planted.sort(key=lambda post: (post.thread_id, post.number))
    found = labels((post.pk, post.parent_id) for post in planted)
    where = {post.pk: post.thread_id for post in planted}
    rows, renumbered = [], []
    for post in posts:
        if post.parent_id is not None and where.get(post.parent_id) != post.thread_id:
            raise ValueError(f"post {post.pk} would answer {post.parent_id} in another thread")
        label = found[post.pk] if post.number is not None else (-post.pk, 1, 2, 0)
        now = (post.thread_id, post.number, post.parent_id, post.basis, *label)
        if now != post.was:
            rows.append((post.pk, *now))
        if now[:2] != post.was[:2] and post.was[1] is not None:
            renumbered.append(post.pk)
    table = Post._meta.db_table
    columns = ("thread_id", "number", "parent_id", "parent_basis", "tree_id", "lft", "rght")
    columns += ("level",)
    # No two posts of a thread share a number, not even between two rows of one statement: those
    # that change have none for a moment.
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            kinds = ("bigint", "bigint", "int", "bigint", "text", "bigint", "int", "int", "int")
            cursor.execute(f"UPDATE {table} SET number = NULL WHERE id = ANY(%s)", [renumbered])
            cursor.execute(
                f"UPDATE {table} SET {', '.join(f'{name} = n.{name}' for name in columns)}"
                f" FROM unnest({', '.join(f'%s::{kind}[]' for kind in kinds)})"
                f" AS n (id, {', '.join(columns)}) WHERE {table}.id = n.id",
                [list(column) for column in zip(*rows, strict=True)] or [[]] * len(kinds),
            )
        else:
            cursor.executemany(
                f"UPDATE {table} SET number = NULL WHERE id = %s", [(pk,) for pk in renumbered]
            )
            cursor.executemany(
                f"UPDATE {table} SET {', '.join(f'{name} = %s' for name in columns)} WHERE id = %s",
                [(*row[1:], row[0]) for row in rows],
            )


def drop(post_ids: Sequence[int]) -> None:
    """Delete posts of a thread that nobody ever saw. They go with their trees, so there is no gap
    to close, and no cascade: what hangs on them is the caller's to delete in this transaction."""
    _require_transaction()
    Post.objects.filter(pk__in=post_ids)._raw_delete(connection.alias)


def labels(
    rows: Iterable[tuple[int, int | None]],
) -> dict[int, tuple[int, int, int, int]]:
    """Compute (tree_id, lft, rght, level) of every post from (id, parent id) pairs alone.

    Siblings stand in the order given. Iterative, so that depth has no limit. Raises ValueError
    naming an id on a cycle or below a parent that is not among the rows.
    """
    children: dict[int | None, list[int]] = {}
    order: list[int] = []
    for pk, parent in rows:
        children.setdefault(parent, []).append(pk)
        order.append(pk)
    found: dict[int, tuple[int, int, int, int]] = {}
    for root in children.get(None, ()):
        counter, level, opened = 1, 0, {root: 1}
        stack = [(root, iter(children.get(root, ())))]
        while stack:
            pk, rest = stack[-1]
            counter += 1
            if (child := next(rest, None)) is not None:
                opened[child] = counter
                stack.append((child, iter(children.get(child, ()))))
            else:
                stack.pop()
                level = len(stack)
                found[pk] = (root, opened[pk], counter, level)
    if len(found) != len(order):
        lost = next(pk for pk in order if pk not in found)
        raise ValueError(f"post {lost} has no way to the opening: a cycle or a missing parent")
    return found


def unplant(thread: Thread, post_ids: Sequence[int]) -> None:
    """Give posts of a locked thread that wait (no number) the labels of such: each alone, in a tree
    of minus its id."""
    require_lock(thread.pk)
    Post.objects.filter(pk__in=post_ids).update(lft=1, rght=2, level=0, tree_id=-F("pk"))


def renumber(thread: Thread, numbers: Sequence[tuple[int, int]]) -> None:
    """Give posts of a locked thread, (id, number) each, other numbers. The caller sees to it that
    all numbers of the thread are different afterwards."""
    require_lock(thread.pk)
    for at in range(0, len(numbers), BATCH):
        ids = [pk for pk, _ in numbers[at : at + BATCH]]
        # Out of the way first: on their way to the right numbers posts must not meet.
        Post.objects.filter(pk__in=ids).update(number=F("number") + ASIDE)
    table = Post._meta.db_table
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table} SET number = %s WHERE id = %s", [(n, pk) for pk, n in numbers]
        )


def relabel(thread_id: int, *, write: bool = True) -> int:
    """Check and mend the labels of one thread from its parents; returns how many rows were wrong.
    With `write` false nothing is mended.

    Takes the thread's lock itself, so it may run while people write. Where trees of two threads
    were mixed up, the other thread is right after its own call.
    """
    with transaction.atomic():
        lock(thread_id)
        rows = list(
            Post.objects.filter(thread_id=thread_id, number__isnull=False)
            .order_by("number")
            .values_list("pk", "parent_id", "tree_id", "lft", "rght", "level")
        )
        right = labels((row[0], row[1]) for row in rows)
        wrong = [(row[0], *right[row[0]]) for row in rows if row[2:] != right[row[0]]]
        if not write:
            return len(wrong)
        # On their way to the right places roots must not meet: that check is not deferred. So the
        # wrong ones, and posts of other threads that stand in their trees, go far away first.
        for at in range(0, len(wrong), BATCH):
            part = wrong[at : at + BATCH]
            strays = Q(tree_id__in={row[1] for row in part}) & ~Q(thread_id=thread_id)
            Post.objects.filter(Q(pk__in=[row[0] for row in part]) | strays).update(
                tree_id=-AWAY - F("pk")
            )
        _relabel_rows(wrong)
        return len(wrong)


def relabel_boards(*, write: bool = True) -> int:
    """Give every board its labels again, keeping the order that stands; boards that came without
    labels (a fixture's raw save) go last. Returns how many changed, or with `write` false how many
    are wrong."""
    with transaction.atomic():
        boards = list(Board.objects.select_for_update(no_key=True).order_by("pk"))
        ordered = sorted(boards, key=lambda b: (b.tree_id == 0, b.tree_id, b.lft, b.pk))
        found = labels((b.pk, b.parent_id) for b in ordered)
        roots = [b.pk for b in ordered if b.parent_id is None]
        rank = {pk: n for n, pk in enumerate(roots, 1)}
        own = {b.pk: b.tree_id for b in ordered if b.parent_id is None}
        if 0 not in own.values() and len(set(own.values())) == len(own):
            rank = own  # gaps between trees, where one moved into another, are no fault
        changed = 0
        for board in boards:
            tree_id, lft, rght, level = found[board.pk]
            new = (rank[tree_id], lft, rght, level)
            if (board.tree_id, board.lft, board.rght, board.level) != new:
                if write:
                    Board.objects.filter(pk=board.pk).update(
                        tree_id=new[0], lft=lft, rght=rght, level=level
                    )
                changed += 1
        return changed


class NoPlace(Exception):
    """A board cannot stand within itself."""


def lock_boards(*board_ids: int) -> None:
    """Lock these boards in ascending id order, or all, if none is named: a move renumbers its
    neighbours, and two at once would mix their numbers. Whoever locks threads too did so before,
    and whoever counts on boards at the end of a long act locks them at its beginning."""
    boards = Board.objects.select_for_update(no_key=True).order_by("pk")
    list((boards.filter(pk__in=board_ids) if board_ids else boards).values_list("pk"))


def plant_board(board: Board) -> None:
    """Store a new board behind its neighbours."""
    with transaction.atomic():
        lock_boards()
        board.save(force_insert=True)


def uproot_board(board: Board) -> None:
    """Delete a board that holds nothing."""
    with transaction.atomic():
        lock_boards()
        Board.objects.get(pk=board.pk).delete()


def place_board(board: Board, beside: Board, position: str) -> None:
    """Move a board to the "left" or "right" of another one or, as its "last-child", into it. Raises
    NoPlace if that stands within it."""
    with transaction.atomic():
        lock_boards()
        board, beside = Board.objects.get(pk=board.pk), Board.objects.get(pk=beside.pk)
        try:
            board.move_to(beside, position)
        except InvalidMove:
            raise NoPlace from None
        new_edition()


def shift_board(board: Board, way: str) -> bool:
    """Move a board one step: "up" or "down" among its neighbours, "in" to the neighbour above as
    its last, "out" behind its parent. Returns whether there was such a place."""
    with transaction.atomic():
        lock_boards()
        board = Board.objects.select_related("parent").get(pk=board.pk)
        beside, position = {
            "up": (board.get_previous_sibling, "left"),
            "down": (board.get_next_sibling, "right"),
            "in": (board.get_previous_sibling, "last-child"),
            "out": (lambda: board.parent, "right"),
        }[way]
        if (found := beside()) is None:
            return False
        board.move_to(found, position)
        new_edition()
        return True


# --- Reading in tree order --------------------------------------------------------------------


@dataclass(slots=True)
class Place:
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
    places: dict[int, Place]
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
    numbers = (thread.version, getattr(thread, "edition", None))
    key = (thread.pk, *numbers, "forest")
    usable = settings.KEPT_PAGES_MB and None not in numbers
    found = caching.drawn.get(key) if usable else None
    if found is None:
        roots = roots_of(thread)
        found = (
            array("q", [tree_id for tree_id, _ in roots]),
            array("q", accumulate(count for _, count in roots)),
        )
        if usable:
            caching.drawn.put(key, found, 16 * len(roots) + 200)
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
    places = _places(above + rows, opening=trees[0], last_tree=trees[-1], many=len(trees) > 1)
    return TreePage(
        ids=[row[0] for row in rows],
        places={row[0]: places[row[0]] for row in rows},
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


def _places(
    rows: Sequence[tuple[int, int, int, int, int]], *, opening: int, last_tree: int, many: bool
) -> dict[int, Place]:
    """Levels and rails for rows in tree order that begin with a root or a root's whole path.

    A lone reply runs straight on; `lines[k]` tells whether a later post forks from the line at
    level k, known from labels alone: a child is its parent's last if its rght is one less.
    """
    places: dict[int, Place] = {}
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
        places[pk] = Place(level, tuple(rails), straight, replies)
        stack.append((lft, rght, level))
    return places


def close_up(posts: Sequence[Post], gone: Collection[int], end: Place) -> None:
    """Draw the lines of a page anew after posts with these ids were taken out of it. The rule is
    the same, read from the end: a line at a level passes if a later post forks from it before any
    post of that level or less. `end` is the place of the page's last post, which knows what passes
    on to the next page. A post whose parent is gone begins a line of its own."""
    if not posts:
        return
    passing = [rail in ("v", "t") for rail in end.rails]
    passing += [False] * (MAX_LEVEL + 1 - len(passing))
    for post in reversed(posts):
        place = post.place
        if post.parent_id in gone:
            place.straight = False
        # At the greatest depth a post forks from no line that is drawn.
        forks = place.level and not place.straight
        forks = forks and (place.rails[-1] in ("t", "l") or post.parent_id in gone)
        rails = ["v" if passing[k] else "" for k in range(place.level)]
        if forks:
            rails[-1] = "t" if passing[place.level - 1] else "l"
        place.rails = tuple(rails)
        for k in range(place.level, len(passing)):
            passing[k] = False
        if forks:
            passing[place.level - 1] = True
    below = {post.parent_id for post in posts}
    for post in posts:
        if post.pk not in below and not post.is_opening:
            place = post.place
            place.replies = place.replies and post is posts[-1]


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


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise NotLocked("posts are placed inside a transaction that holds the thread's lock")
