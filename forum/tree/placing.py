"""Where posts stand in the tree: the only code that plants, hangs or relabels them.

A thread is a forest (docs/decisions/0002): the opening and every answer to it are roots, a reply
to any other post hangs below that post, so an insert renumbers one branch and never the thread.
`parent` is the truth; lft, rght, level and tree_id are labels that django-mptt keeps and
`labels` can always compute again. A root's tree_id is its own id, so no two roots can ever meet.

Every structural write happens inside a transaction that holds the thread's row lock; on SQLite
the IMMEDIATE transaction is the lock. Nodes read before the lock are stale: read again after it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F, Q

from core.compiled_queries import insert_row
from forum.models import Post, Thread

from .locking import lock, require_lock, require_transaction

AWAY = 10**15  # beyond every id, and beyond the trees of waiting posts
ASIDE = 10**9  # beyond every number of a thread
BATCH = 1000  # ids named in one statement: databases limit them


def new_ids(count: int) -> list[int]:
    """Reserve `count` ids for posts, ascending, also beyond this transaction. A root's label is its
    own id, so it must be known before the row is written. Gaps are harmless."""
    require_transaction()
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
    require_transaction()
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
    require_transaction()
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


def set_labels(post: Post, label: tuple[int, int, int, int]) -> Post:
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
    write([set_labels(post, right[post.pk]) for post in posts])


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
class Placement:
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


def placements(*thread_ids: int) -> list[Placement]:
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
        Placement(pk, was[0], was[1], was[2], was[3], arrived, tuple(was))
        for pk, arrived, *was in rows
    ]


def rearrange(posts: Sequence[Placement]) -> None:
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
    columns = (
        *("thread_id", "number", "parent_id", "parent_basis"),
        *("tree_id", "lft", "rght", "level"),
    )
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
    require_transaction()
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
