"""Reply trees: labels, places and pages against naive oracles that know nothing of labels."""

import random
from collections import defaultdict
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forum import tree
from forum.models import Board, Post, Thread
from tests.people import fresh, reply, start

pytestmark = pytest.mark.django_db

PROPERTY = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# Forests as choices: post n+2 answers the debate (0) or the n-th post before it.
FORESTS = st.lists(st.integers(0, 12), max_size=40)


# --- Oracles ----------------------------------------------------------------------------------


def preorder(rows):
    """Ids in tree order out of (id, parent id), siblings as they come. Plainly recursive."""
    children = defaultdict(list)
    for pk, parent in rows:
        children[parent].append(pk)

    def below(pk):
        return [pk, *(x for child in children[pk] for x in below(child))]

    return [x for root in children[None] for x in below(root)]


def naive_labels(rows):
    """(tree_id, lft, rght, level) of each id: one counter, up at every step in and out."""
    children = defaultdict(list)
    for pk, parent in rows:
        children[parent].append(pk)
    found = {}

    def visit(pk, root, level, at):
        end = at + 1
        for child in children[pk]:
            end = visit(child, root, level + 1, end)
        found[pk] = (root, at, end, level)
        return end + 1

    for root in children[None]:
        visit(root, root, 0, 1)
    return found


def naive_places(rows):
    """(level, rails, straight, replies) of each id, word for word from the look's reference."""
    order, opening = preorder(rows), rows[0][0]
    parent = {pk: up or (opening if pk != opening else None) for pk, up in rows}
    children = defaultdict(list)
    for pk in order:
        children[parent[pk]].append(pk)
    level, straight, forks_from = {}, {}, {}
    for pk in order:
        up = parent[pk]
        straight[pk] = up is not None and up != opening and children[up] == [pk]
        level[pk] = 0 if up is None else level[up] if straight[pk] else min(level[up] + 1, 8)
        forks_from[pk] = level[up] if up is not None and level[pk] > level[up] else None

    def passes(at, line):
        for pk in order[at + 1 :]:
            if forks_from[pk] == line:
                return True
            if level[pk] <= line:
                return False
        return False

    places = {}
    for at, pk in enumerate(order):
        rails = ["v" if passes(at, line) else "" for line in range(level[pk])]
        if forks_from[pk] is not None:
            rails[-1] = "t" if rails[-1] else "l"
        places[pk] = (level[pk], tuple(rails), straight[pk], bool(children[pk]))
    return places


def pairs(thread):
    """(id, parent id) of a thread in order of arrival."""
    numbered = Post.objects.filter(thread=thread, number__isnull=False).order_by("number")
    return list(numbered.values_list("pk", "parent_id"))


def assert_sound(thread):
    """What must hold of a thread's rows, from the rows alone."""
    rows = Post.objects.filter(thread=thread, number__isnull=False).order_by("number")
    found = {row[0]: row[1:] for row in rows.values_list("pk", "tree_id", "lft", "rght", "level")}
    assert found == naive_labels(pairs(thread))
    assert [post.number for post in rows] == list(range(1, len(found) + 1))


# --- Growing ----------------------------------------------------------------------------------


def blank_thread(board) -> Thread:
    now = timezone.now()
    new = Thread(board=board, title="T", slug="t", created_at=now, last_post_at=now)
    new.key = uuid4().hex
    return tree.make_thread(new)


def parents_of(choices):
    """For each post the index of the one it answers, or None: what FORESTS stands for."""
    parents = [None]
    for n, choice in enumerate(choices, 1):
        parents.append(None if choice == 0 or choice >= n else n - choice)
    return parents


def grow(board, parents, insert=False) -> Thread:
    """A thread whose n-th post answers post `parents[n]` (None: the debate); one by one if
    `insert`, else all at once."""
    with transaction.atomic():
        thread, now = blank_thread(board), timezone.now()
        posts = [
            Post(
                thread=thread,
                number=number,
                loaded_at=now,
                byline=f"Voice {number}",
                parent_basis="reply" if number > 1 else "opening",
            )
            for number in range(1, len(parents) + 1)
        ]
        if not insert:
            ids = tree.new_ids(len(posts))
            labels = tree.labels(
                (pk, None if up is None else ids[up]) for pk, up in zip(ids, parents, strict=True)
            )
        for n, (post, up) in enumerate(zip(posts, parents, strict=True)):
            if insert:
                post.parent = None if up is None else posts[up]
                tree.insert(post)
            else:
                post.pk, post.parent_id = ids[n], None if up is None else ids[up]
                tree.set_labels(post, labels[post.pk])
        if not insert:
            tree.write(posts)
        thread.numbered = len(posts)
        thread.save()
    return thread


# --- Labels -----------------------------------------------------------------------------------


@PROPERTY
@given(FORESTS)
def test_labels_are_those_of_a_plain_walk(choices):
    rows = [(n + 10, None if up is None else up + 10) for n, up in enumerate(parents_of(choices))]
    assert tree.labels(rows) == naive_labels(rows)


def test_labels_of_a_chain_deeper_than_any_stack():
    rows = [(n, n - 1 or None) for n in range(1, 50_001)]
    labels = tree.labels(rows)
    assert labels[1] == (1, 1, 100_000, 0)
    assert labels[50_000] == (1, 50_000, 50_001, 49_999)


@pytest.mark.parametrize(
    "rows",
    [[(1, 2), (2, 1)], [(1, None), (2, 2)], [(1, None), (2, 99)], [(1, None), (2, 3), (3, 2)]],
)
def test_labels_refuse_a_cycle_or_a_missing_parent(rows):
    with pytest.raises(ValueError, match="no way to the opening"):
        tree.labels(rows)


@PROPERTY
@given(FORESTS)
def test_posts_inserted_one_by_one_stand_where_a_plain_walk_puts_them(board, choices):
    assert_sound(grow(board, parents_of(choices), insert=True))


def test_replies_in_random_order_make_a_sound_forest(board, opener, answerer):
    rng = random.Random(11)
    threads = [start(board, opener), start(board, answerer)]
    posts = {thread.pk: [thread.posts.get()] for thread in threads}
    for _ in range(60):
        thread = rng.choice(threads)
        to = rng.choice(posts[thread.pk])
        posts[thread.pk].append(reply(thread, rng.choice([opener, answerer]), to=to))
    for thread in threads:
        assert_sound(thread)
    roots = Post.objects.filter(parent=None)
    assert all(root.tree_id == root.pk for root in roots)


def test_grafted_posts_stand_as_if_they_had_come_one_by_one(board):
    thread = grow(board, [None, None, 1, 1, 2])
    old = list(thread.posts.order_by("number"))
    now = timezone.now()
    with transaction.atomic():
        tree.lock(thread.pk)
        new = [
            Post(pk=pk, thread=thread, number=number, loaded_at=now, byline="Voice 1")
            for number, pk in enumerate(tree.new_ids(3), 6)
        ]
        new[0].parent, new[1].parent = old[2], new[0]
        tree.graft(new)
    assert_sound(thread)
    assert [post.parent_id for post in new] == [old[2].pk, new[0].pk, None]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_placed_or_locked_outside_a_transaction(board):
    thread = grow(board, [None])
    post = Post(thread=thread, number=2, loaded_at=timezone.now())
    for act in (lambda: tree.insert(post), lambda: tree.plant(post), lambda: tree.lock(thread.pk)):
        with pytest.raises(tree.NotLocked):
            act()
    assert thread.posts.count() == 1


def test_locks_are_taken_in_ascending_order_and_missing_threads_are_said(board):
    a, b = grow(board, [None]), grow(board, [None])
    assert [thread.pk for thread in tree.lock(b.pk, a.pk, b.pk)] == [a.pk, b.pk]
    with pytest.raises(Thread.DoesNotExist):
        tree.lock(a.pk, b.pk + 1000)


def test_reserved_ids_are_not_given_out_again(board):
    thread = grow(board, [None])
    with transaction.atomic():
        reserved = tree.new_ids(5)
        assert reserved == sorted(set(reserved))
        tree.lock(thread.pk)
        later = tree.insert(Post(thread=thread, number=2, loaded_at=timezone.now()))
    assert later.pk > reserved[-1]


# --- Healing ----------------------------------------------------------------------------------

DAMAGE = {
    "all labels gone": lambda posts: posts.filter(parent__isnull=False).update(
        tree_id=0, lft=0, rght=0, level=0
    ),
    "nothing but zeros between the borders": lambda posts: posts.update(lft=0, rght=0, level=0),
    "borders swapped": lambda posts: posts.update(lft=F("rght"), rght=F("lft")),
    "levels off by one": lambda posts: posts.update(level=F("level") + 1),
    "levels flat": lambda posts: posts.update(level=0),
    "gaps": lambda posts: posts.update(lft=F("lft") * 10, rght=F("rght") * 10),
    "right borders too near": lambda posts: posts.update(rght=F("lft") + 1),
    "right borders too far": lambda posts: posts.update(rght=F("rght") + 100),
    "every left border the same": lambda posts: posts.update(lft=1),
    "siblings the wrong way round": lambda posts: posts.filter(level=1).update(
        lft=1000 - F("rght"), rght=1000 - F("lft")
    ),
    "branches in each other's trees": lambda posts: posts.filter(parent__isnull=False).update(
        tree_id=posts.filter(parent=None).last().pk
    ),
    "a branch in a tree that is not there": lambda posts: posts.filter(level=2).update(
        tree_id=7**9
    ),
    "roots unplanted": lambda posts: posts.filter(parent=None).update(tree_id=-F("pk")),
    "roots in trees far away": lambda posts: posts.filter(parent=None).update(
        tree_id=F("pk") + 10**9
    ),
    "all in trees far away": lambda posts: posts.update(tree_id=F("tree_id") + 10**9),
    "roots in each other's trees": lambda posts: rotate(posts.filter(parent=None)),
    "roots in each other's negative trees": lambda posts: rotate(
        posts.filter(parent=None), sign=-1
    ),
    "branches moved without their labels": lambda posts: posts.filter(number__in=(4, 6)).update(
        parent=posts.get(number=5).pk
    ),
    "a branch become a tree": lambda posts: unhook(posts.get(number=4)),
    "a tree become a branch": lambda posts: posts.filter(number=7).update(
        parent=posts.get(number=2).pk
    ),
}


def rotate(roots, sign=1):
    """Give each root the tree of the next one."""
    ids = list(roots.values_list("pk", flat=True))
    roots.update(tree_id=F("pk") + 10**9)
    for pk, other in zip(ids, [*ids[1:], ids[0]], strict=True):
        Post.objects.filter(pk=pk).update(tree_id=sign * other)


def unhook(post):
    # Two roots in one tree are refused by the database, so the new one has a tree of its own.
    Post.objects.filter(pk=post.pk).update(parent=None, tree_id=10**9)


@pytest.mark.parametrize("damage", DAMAGE)
def test_relabel_heals(board, damage):
    thread, other = (grow(board, [None, None, 1, 2, 1, 2, None, 6, 5]) for _ in range(2))
    DAMAGE[damage](thread.posts.order_by("pk"))
    before = pairs(thread)
    wrong = naive_labels(before)
    rows = thread.posts.values_list("pk", "tree_id", "lft", "rght", "level")
    expected = sum(wrong[row[0]] != row[1:] for row in rows)
    assert expected, "this damage damages nothing"
    assert tree.relabel(thread.pk) == expected
    assert_sound(thread)
    assert pairs(thread) == before
    assert_sound(other)
    assert tree.relabel(thread.pk) == tree.relabel(other.pk) == 0


def test_relabel_heals_trees_mixed_up_between_threads(board):
    a, b = grow(board, [None, None, 1]), grow(board, [None, None, 1])
    rotate(Post.objects.filter(parent=None).order_by("pk"))
    for thread in (a, b):
        tree.relabel(thread.pk)
    for thread in (a, b):
        tree.relabel(thread.pk)
        assert_sound(thread)


def test_relabel_leaves_waiting_posts_unplanted(board, opener):
    thread = grow(board, [None, None, 1])
    with transaction.atomic():
        tree.lock(thread.pk)
        waiting = tree.insert(
            Post(thread=thread, parent=thread.posts.get(number=2), loaded_at=timezone.now())
        )
    assert (waiting.tree_id, waiting.number) == (-waiting.pk, None)
    assert tree.relabel(thread.pk) == 0
    assert_sound(thread)


def test_relabel_heals_more_than_one_batch(board):
    thread = grow(board, [None] * 2_500)
    thread.posts.update(level=1)
    assert tree.relabel(thread.pk) == 2_500
    assert not thread.posts.exclude(level=0).exists()


# --- Reading in tree order --------------------------------------------------------------------


def pages(thread, size):
    number = 1
    while (page := tree.page(thread, number, size)).ids:
        yield page
        number += 1


@PROPERTY
@given(FORESTS, st.integers(1, 15))
def test_pages_one_after_the_other_are_the_whole_tree(board, choices, size):
    thread = grow(board, parents_of(choices))
    rows = pairs(thread)
    parent, expected = dict(rows), preorder(rows)
    read, all_positions = [], {}
    for number, page in enumerate(pages(thread, size), 1):
        above, up = [], parent[page.ids[0]]
        while up:
            above, up = [up, *above], parent[up]
        assert page.continues == above[-3:]
        assert page.total == len(expected)
        assert list(page.positions) == page.ids
        for post in Post.objects.filter(pk__in=page.ids):
            assert tree.page_of(post, size) == number
        read += page.ids
        all_positions |= page.positions
    assert read == expected
    found = {pk: (p.level, p.rails, p.straight, p.replies) for pk, p in all_positions.items()}
    assert found == naive_places(rows)


def test_lone_replies_run_straight_on_and_do_not_indent(board):
    thread = grow(board, [None, None, *range(1, 1000)])
    page = tree.page(thread, 1, 2000)
    assert {place.level for place in page.positions.values()} == {0, 1}
    assert sum(place.straight for place in page.positions.values()) == 999
    rows = pairs(thread)
    late = tree.page(thread, 50, 20)
    assert late.ids == [pk for pk, _ in rows[980:1000]]
    assert late.continues == [pk for pk, _ in rows[977:980]]
    assert late.positions[rows[999][0]].level == 1


def test_depth_is_drawn_to_level_eight(board):
    parents = [None, None]
    for _ in range(14):  # at every depth a post with two replies, the second of which goes on
        parents += [len(parents) - 1, len(parents) - 1]
    thread = grow(board, parents)
    rows = pairs(thread)
    page = tree.page(thread, 1, 100)
    assert max(place.level for place in page.positions.values()) == 8
    found = {pk: (p.level, p.rails, p.straight, p.replies) for pk, p in page.positions.items()}
    assert found == naive_places(rows)


def test_a_page_costs_the_same_queries_anywhere(board, django_assert_num_queries):
    rng = random.Random(5)
    wide = grow(board, [None] + [rng.choice([None, *range(1, n)]) for n in range(1, 400)])
    deep = grow(board, [None, None, *range(1, 399)])
    small = grow(board, [None, None, 1])
    for thread, number in ((small, 1), (wide, 1), (deep, 1), (deep, 9)):
        with django_assert_num_queries(2):
            tree.page(thread, number, 20)


def test_waiting_posts_are_on_no_page(board):
    thread = grow(board, [None, None])
    with transaction.atomic():
        tree.lock(thread.pk)
        tree.insert(Post(thread=thread, loaded_at=timezone.now()))
    assert tree.page(thread, 1, 20).total == 2


# --- Boards -----------------------------------------------------------------------------------


def test_boards_without_labels_go_last_and_the_others_keep_their_order(board, other_board):
    tree.shift_board(other_board, "up")
    Board.objects.bulk_create([Board(name="Maps", slug="maps"), Board(name="Flags", slug="flags")])
    tree.relabel_boards()
    names = ["Antiquity", "After 1900", "Maps", "Flags"]
    assert [b.name for b in Board.objects.in_order()] == names
    assert len({b.tree_id for b in Board.objects.all()}) == 4
    assert tree.relabel_boards() == 0


def test_a_board_changes_places_with_its_neighbour_only(board, other_board):
    third = Board.objects.create(name="Maps", slug="maps")
    tree.shift_board(fresh(third), "up")
    assert [b.slug for b in Board.objects.in_order()] == ["after-1900", "maps", "antiquity"]
    tree.shift_board(fresh(board), "up")  # nobody stands above it
    assert [b.slug for b in Board.objects.in_order()] == ["after-1900", "maps", "antiquity"]
    tree.shift_board(fresh(board), "down")
    assert [b.slug for b in Board.objects.in_order()] == ["maps", "after-1900", "antiquity"]


def test_the_database_refuses_two_roots_in_one_tree(board):
    thread = grow(board, [None, None])
    first, second = thread.posts.order_by("number")
    with pytest.raises(Exception, match=r"(?i)unique"), transaction.atomic():
        Post.objects.filter(pk=second.pk).update(tree_id=first.tree_id)
    assert connection.in_atomic_block
    assert_sound(thread)
