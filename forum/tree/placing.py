"""Where posts stand in the tree: the only code that plants, hangs or relabels them.

A thread is a forest (docs/decisions/0002): the opening and every answer to it are roots, a reply
to any other post hangs below that post, so an insert renumbers one branch and never the thread.
`parent` is the truth; lft, rght, level and tree_id are labels, those of django-mptt, which
`labels` can always compute again. A root's tree_id is its own id, so no two roots can ever meet.

Every structural write happens inside a transaction that holds the thread's row lock; on SQLite
the IMMEDIATE transaction is the lock. Nodes read before the lock are stale: read again after it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F, Model, Q

from core.inserting import Change, for_column, insert_rows
from forum.models import Post, Thread

from .locking import lock, require_lock, require_transaction

AWAY = 10**15  # beyond every id, and beyond the trees of waiting posts
ASIDE = 10**9  # beyond every number of a thread
BATCH = 1000  # ids named in one statement: databases limit them
# What `Placement.was` holds.
PLACE = (
    *("thread_id", "number", "parent_id", "parent_basis"),
    *("tree_id", "lft", "rght", "level"),
)


def new_ids(count: int, model: type[Model] = Post) -> list[int]:
    """Reserve `count` ids for posts (or rows of another table), ascending, also beyond this
    transaction. A root's label is its own id, so it must be known before the row is written. Gaps
    are harmless."""
    require_transaction()
    table = model._meta.db_table
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


def insert(
    post: Post,
    parent: Post | None = None,
    *,
    rows: Sequence[Model] = (),
    beside: Sequence[Change] = (),
) -> Post:
    """Write a new post into its thread's forest: a root if it has no parent, else the last reply
    of its parent. The caller holds the thread's lock. The parent's labels are read here, unless
    `parent` is its row as `lock_to_answer` gave it under that lock. `rows` are further new ones,
    which name it by its id (core.inserting.insert_rows): they are written with it,
    and `beside` changes with them.

    A pending post (no number) is stored unplanted, in a tree of minus its own id.
    """
    require_lock(post.thread_id)
    if post.pk is None:
        post.pk = new_ids(1)[0]
    if post.number is None:
        post.lft, post.rght, post.level, post.tree_id = 1, 2, 0, -post.pk
    else:
        beside = [*beside, *_place_taken(post, parent)]
    insert_rows(post, *rows, beside=beside)
    return post


def plant(post: Post) -> None:
    """Give a post that waited for approval its place. The caller holds the lock and has numbered
    it; labels are saved here."""
    require_transaction()
    with connection.cursor() as cursor:
        for change in _place_taken(post):
            cursor.execute(*change)
    Post.objects.filter(pk=post.pk).update(
        lft=post.lft, rght=post.rght, level=post.level, tree_id=post.tree_id
    )


def _place_taken(post: Post, parent: Post | None = None) -> list[Change]:
    """Give a post its labels; returns what makes room for it in its tree."""
    if post.parent_id is None:
        post.lft, post.rght, post.level, post.tree_id = 1, 2, 0, post.pk
        return []
    parent = parent or Post.objects.get(pk=post.parent_id)
    end = parent.rght
    post.lft, post.rght, post.level, post.tree_id = end, end + 1, parent.level + 1, parent.tree_id
    parent.rght += 2
    behind = for_column(Post, "rght", end)
    tree = for_column(Post, "tree_id", post.tree_id)
    return [Change(_ROOM, [behind, behind, tree, behind])]


# Moves all that ends behind a place in a tree by the width of a post.
_ROOM = (
    f'UPDATE "{Post._meta.db_table}" SET lft = CASE WHEN lft >= %s THEN lft + 2 ELSE lft END,'
    " rght = CASE WHEN rght >= %s THEN rght + 2 ELSE rght END"
    " WHERE tree_id = %s AND rght >= %s"
)


def set_labels(post: Post, label: tuple[int, int, int, int]) -> Post:
    """Set what `labels` computed on a post that is not written yet."""
    post.tree_id, post.lft, post.rght, post.level = label
    return post


def write(posts: Sequence[Post]) -> None:
    """Write new posts that have ids and labels, in the order of arrival, into locked threads."""
    require_lock(*{post.thread_id for post in posts})
    insert_rows(*posts)


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
                _arrays(rows, 5),
            )
        else:
            cursor.executemany(
                f"UPDATE {table} SET tree_id = %s, lft = %s, rght = %s, level = %s WHERE id = %s",
                [(*row[1:], row[0]) for row in rows],
            )


@dataclass(slots=True)
class Placement:
    """Where one post stands: its thread, number, parent and basis, for an act to change, and what
    the row says (`was`). `arrived` is when it came in, `author_id` whose it is, if a member's."""

    pk: int
    thread_id: int
    number: int | None
    parent_id: int | None
    basis: str
    arrived: datetime
    author_id: int | None
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
            *("pk", "loaded_at", "author_id", *PLACE),
        )
    )
    return [
        Placement(pk, was[0], was[1], was[2], was[3], arrived, author, tuple(was))
        for pk, arrived, author, *was in rows
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
    changed = []
    for post in posts:
        if post.parent_id is not None and where.get(post.parent_id) != post.thread_id:
            raise ValueError(f"post {post.pk} would answer {post.parent_id} in another thread")
        label = found[post.pk] if post.number is not None else (-post.pk, 1, 2, 0)
        now = (post.thread_id, post.number, post.parent_id, post.basis, *label)
        if now != post.was:
            changed.append((post.pk, post.was, now))
    if connection.vendor == "postgresql":
        _write_places_at_once(changed)
    else:
        _write_places_in_turn(changed)


def _write_places_at_once(changed: Sequence[tuple[int, tuple, tuple]]) -> None:
    """Store where posts stand, (id, columns before, columns now). PostgreSQL asks at the end of a
    statement whether two posts of a thread share a number (migration 0052)."""
    kinds = ("bigint", "bigint", "int", "bigint", "text", "bigint", "int", "int", "int")
    table = Post._meta.db_table
    # Each number is free when it is given: those that sink from the lowest on, those that rise
    # from the highest on. A number that is taken for a moment is looked up again at the end.
    rows = sorted(((pk, *now) for pk, was, now in changed if _sinks(was, now)), key=_number_now)
    risen = ((pk, *now) for pk, was, now in changed if not _sinks(was, now))
    rows += sorted(risen, key=_number_now, reverse=True)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {', '.join(f'{name} = n.{name}' for name in PLACE)}"
            f" FROM unnest({', '.join(f'%s::{kind}[]' for kind in kinds)})"
            f" AS n (id, {', '.join(PLACE)}) WHERE {table}.id = n.id",
            _arrays(rows, len(kinds)),
        )


def _sinks(was: tuple, now: tuple) -> bool:
    """Whether a post has a lower number than before."""
    return (now[1] or 0) <= (was[1] or 0)


def _number_now(row: tuple) -> int:
    return row[2] or 0


def _arrays(rows: Sequence[tuple], columns: int) -> list[str]:
    """The columns of rows (of numbers and plain words) as PostgreSQL writes arrays. The driver asks
    of each value of a list how it is to be written, which takes longer than making the rows."""
    return [
        "{" + ",".join("NULL" if value is None else str(value) for value in column) + "}"
        for column in zip(*rows, strict=True)
    ] or ["{}"] * columns


def _write_places_in_turn(changed: Sequence[tuple[int, tuple, tuple]]) -> None:
    """The same in SQLite, which asks at each row: posts that change have no number for a moment.
    A column that is named costs its indexes and keys also where it stays as it is, and most posts
    have another number and nothing else."""
    update = f"UPDATE {Post._meta.db_table} SET"
    numbers, places, renumbered = list[tuple](), list[tuple](), list[tuple]()
    for pk, was, now in changed:
        if was[1] is not None and was[:2] != now[:2]:
            renumbered.append((pk,))
        if (was[0], *was[2:]) == (now[0], *now[2:]):
            numbers.append((now[1], pk))
        else:
            places.append((*now, pk))
    with connection.cursor() as cursor:
        cursor.executemany(f"{update} number = NULL WHERE id = %s", renumbered)
        cursor.executemany(f"{update} number = %s WHERE id = %s", numbers)
        columns = ", ".join(f"{name} = %s" for name in PLACE)
        cursor.executemany(f"{update} {columns} WHERE id = %s", places)


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
