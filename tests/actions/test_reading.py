"""What was read: ranges, precise to the post, united across tabs, written only when news came."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from forum.actions import read_state
from forum.models import Post, ReadMark, Thread
from forum.models.listing import with_unread
from forum.moderation import states
from tests.people import fresh, make_member, pending, reply, start

RANGES = st.lists(
    st.tuples(st.integers(1, 60), st.integers(0, 12)).map(lambda r: (r[0], r[0] + r[1]))
)


def as_set(ranges) -> set[int]:
    return {n for first, last in ranges for n in range(first, last + 1)}


@settings(deadline=None)
@given(RANGES, st.integers(1, 70), st.integers(0, 9))
def test_ranges_are_the_shortest_way_to_write_a_set(added, first, length):
    merged, expected = [], set()
    for a, b in added:
        merged, expected = read_state.merge(merged, a, b), expected | as_set([(a, b)])
    assert as_set(merged) == expected
    assert merged == sorted(merged)
    assert all(b[0] - a[1] > 1 for a, b in pairwise(merged))
    columns = read_state.columns(merged)
    assert read_state.parse(columns["ranges"]) == merged
    assert columns["count"] == len(expected)
    last = first + length - 1
    assert read_state.contains(merged, first, last) == (as_set([(first, last)]) <= expected)


@pytest.fixture
def old_thread(thread):
    """The debate of four posts, as it was yesterday."""
    yesterday = timezone.now() - timedelta(days=1)
    for post in thread.posts.all():
        Post.objects.filter(pk=post.pk).update(loaded_at=yesterday + timedelta(seconds=post.number))
    Thread.objects.filter(pk=thread.pk).update(last_post_at=yesterday + timedelta(seconds=4))
    return fresh(thread)


def unread(user, thread) -> int:
    """As lists tell it; and what the page of the debate says must be the same."""
    listed = with_unread(Thread.objects.all(), user).get(pk=thread.pk).unread
    ranges = read_state.seen(user, fresh(thread)).ranges
    assert fresh(thread).numbered - len(as_set(ranges)) == listed
    return listed


def test_a_new_member_starts_with_nothing_unread(old_thread):
    newcomer = make_member("newcomer")
    assert unread(newcomer, old_thread) == 0
    assert read_state.seen(newcomer, old_thread).ranges == [(1, 4)]


def test_what_arrives_is_unread_until_it_is_read(old_thread, opener):
    newcomer = make_member("newcomer")
    for expected in (1, 2, 3):
        reply(old_thread, opener)
        assert unread(newcomer, old_thread) == expected
    read_state.mark_read(user=newcomer, thread=old_thread, numbers=[(6, 6)])
    assert unread(newcomer, old_thread) == 2
    assert read_state.seen(newcomer, old_thread).ranges == [(1, 4), (6, 6)]


def test_a_thread_that_is_all_new(old_thread, board, opener):
    newcomer = make_member("newcomer")
    newer = start(board, opener, title="Another one")
    reply(newer, opener)
    assert unread(newcomer, newer) == 2
    assert unread(newcomer, old_thread) == 0


def test_posts_that_came_at_the_same_moment_are_all_known_or_all_new(thread, settings):
    """As those of a fixture do: all are loaded at once."""
    moment = timezone.now() - timedelta(hours=1)
    thread.posts.update(loaded_at=moment)
    # The order of the table is not the order of the numbers once rows were rewritten.
    for post in thread.posts.order_by("-number"):
        Post.objects.filter(pk=post.pk).update(state_reason="moved")
    Thread.objects.filter(pk=thread.pk).update(last_post_at=timezone.now())
    assert unread(make_member("newcomer"), thread) == 0
    early = make_member("early", date_joined=moment - timedelta(hours=1))
    assert unread(early, thread) == 4


def test_hidden_posts_after_the_last_visible_one(old_thread, opener, moderator):
    """They keep their numbers, so they are as new as any until somebody saw their placeholders."""
    newcomer = make_member("newcomer")
    post = reply(old_thread, opener)
    states.hide(user=moderator, post=post, reason="Off the point.")
    assert unread(newcomer, old_thread) == 1
    read_state.mark_read(user=newcomer, thread=fresh(old_thread), numbers=[(5, 5)])
    assert unread(newcomer, old_thread) == 0


def test_a_post_approved_late_is_new(old_thread, opener, stranger, moderator):
    waiting = pending(old_thread, stranger)
    newcomer = make_member("newcomer")
    states.approve(user=moderator, post=waiting)
    assert unread(newcomer, old_thread) == 1


def test_two_tabs_out_of_order(old_thread, stranger, opener):
    for _ in range(36):
        reply(old_thread, opener)
    newcomer = make_member("latecomer", date_joined=timezone.now() - timedelta(days=2))
    late = fresh(old_thread)
    for first, last in ((21, 40), (1, 10), (5, 12)):
        read_state.mark_read(user=newcomer, thread=late, numbers=[(first, last)])
    mark = ReadMark.objects.get(user=newcomer)
    assert (mark.ranges, mark.count) == ("1-12,21-40", 32)
    assert unread(newcomer, late) == 8


def test_marking_what_is_read_already_writes_nothing(old_thread, stranger):
    read_state.mark_read(user=stranger, thread=old_thread, numbers=[(1, 4)])
    with CaptureQueriesContext(
        connection,
    ) as queries:
        read_state.mark_read(user=stranger, thread=old_thread, numbers=[(2, 3)])
    assert not [q for q in queries if q["sql"].startswith(("UPDATE", "INSERT", "DELETE"))]


def test_all_read(old_thread, board, opener):
    newcomer = make_member("newcomer")
    newer = start(board, opener, title="Another one")
    reply(old_thread, opener)
    read_state.mark_read(user=newcomer, thread=newer, numbers=[(1, 1)])
    read_state.mark_all_read(user=newcomer)
    assert unread(newcomer, old_thread) == unread(newcomer, newer) == 0
    reply(newer, opener)
    assert unread(newcomer, newer) == 1
    assert unread(newcomer, old_thread) == 0


def test_guests_have_nothing_unread(thread, guest):
    assert with_unread(Thread.objects.all(), guest).get(pk=thread.pk).unread == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([(1, 4)], [(1, 5)]),
        ([(1, 1), (3, 4)], [(1, 1), (3, 5)]),
        ([(1, 3)], [(1, 3), (5, 5)]),
        ([(2, 2)], [(2, 2), (5, 5)]),
        ([], [(5, 5)]),
    ],
)
def test_what_one_writes_is_read(old_thread, answerer, before, after):
    columns = read_state.columns(before)
    ReadMark.objects.update_or_create(user=answerer, thread=old_thread, defaults=columns)
    reply(old_thread, answerer)
    mark = ReadMark.objects.get(user=answerer)
    assert read_state.columns(after) == {"ranges": mark.ranges, "count": mark.count}


def test_the_first_reply_in_a_debate_takes_one_statement_more_on_sqlite(old_thread):
    newcomer = make_member("newcomer", welcomed_at=timezone.now())
    assert newcomer.confirmed and old_thread.board  # asked for once
    taken = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            reply(old_thread, newcomer)
        taken.append(len(queries))
    assert taken[0] == taken[1] + (connection.vendor == "sqlite")


def test_what_is_read_already_begins_the_mark(old_thread, opener):
    """Whatever had arrived when the member came: all up to now, a part, or nothing."""
    for name, days, ranges in (
        ("early", 0, "1-5"),
        ("middle", 0.5, "1-4,6-6"),
        ("late", 400, "7-7"),
    ):
        member = make_member(name, date_joined=timezone.now() - timedelta(days=days))
        reply(old_thread, member)
        mark = ReadMark.objects.get(user=member)
        assert (mark.ranges, mark.folded) == (ranges, [])
        assert mark.count == sum(last - first + 1 for first, last in read_state.parse(ranges))


def test_what_one_writes_is_read_where_nothing_was(old_thread):
    newcomer = make_member("newcomer")
    reply(old_thread, newcomer)
    reply(old_thread, newcomer)
    assert ReadMark.objects.get(user=newcomer).ranges == "1-6"
