"""Slow mode: what comes too early waits in the queue, one reply of each member, until its writer
lets it appear in time or a moderator does sooner."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from forum.actions import posts
from forum.actions.composing import Unacceptable
from forum.actions.pace import TooFast
from forum.checking import check
from forum.models import AuditEntry, Case, Post
from forum.moderation import queue, sanctions, states
from forum.permissions import Refused, may
from tests.people import browser, dump, edit, fresh, reply, typed

pytestmark = pytest.mark.django_db


@pytest.fixture
def slow(thread, moderator):
    """The debate, in which each member writes once in half an hour."""
    return states.slow(user=moderator, thread=thread, minutes=30)


@pytest.fixture
def held(slow, stranger) -> Post:
    """The second reply within the half hour."""
    reply(slow, stranger, "First thought.")
    return reply(slow, stranger, "Second thought.")


def time_passes(post: Post, minutes: int = 31) -> None:
    """As if everything of its writer had happened so long ago."""
    back = timedelta(minutes=minutes)
    for row in Post.objects.filter(author=post.author):
        row.loaded_at -= back
        row.held_until = row.held_until and row.held_until - back
        row.save(update_fields=["loaded_at", "held_until"])


def test_a_reply_within_the_interval_waits_in_the_queue_with_its_reason(held, slow, stranger):
    first = slow.posts.get(author=stranger, number__isnull=False)
    assert first.state == "visible"
    assert (held.state, held.number) == ("pending", None)
    assert held.held_until == first.loaded_at + timedelta(minutes=30)
    case = Case.objects.open().get()
    assert (case.kind, case.post, case.member) == ("slow", held, stranger)
    page = browser(stranger).get(slow.get_absolute_url()).content.decode()
    assert "slow mode takes one post in 30 minutes from each member here." in page
    assert f"From {timezone.localtime(held.held_until):%H:%M} on" in page
    assert "Let it appear now" not in page
    assert "Second thought." not in browser().get(slow.get_absolute_url()).content.decode()
    assert {fault.kind for fault in check()} <= {"notices"}  # counted after the commit


def test_a_clock_that_was_set_back_holds_nothing(slow, stranger):
    reply(slow, stranger, "First thought.")
    Post.objects.filter(author=stranger).update(loaded_at=timezone.now() + timedelta(hours=2))
    assert reply(slow, stranger, "Second thought.").state == "visible"
    assert reply(slow, stranger, "Third thought.").state == "pending"


def test_the_moderator_sees_why_and_lets_it_in_sooner(held, moderator):
    page = browser(moderator).get("/admin/forum/case/?kind=slow").content.decode()
    assert "Second thought." in page
    assert "slow mode takes one post in 30 minutes from each member here." in page
    assert "held by slow mode" in browser(moderator).get("/admin/").content.decode()
    queue.decide(user=moderator, case=Case.objects.open().get(), act="approve")
    assert fresh(held).state == "visible"


def test_one_waits_and_a_third_is_refused_with_its_text(held, slow, stranger):
    before = dump(Post, Case)
    with pytest.raises(TooFast, match="waits here already"):
        reply(slow, stranger, "Third thought.")
    fields = {"text": "Third thought.", "token": uuid4()}
    response = browser(stranger).post(f"/threads/{slow.pk}/reply/", fields)
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert typed(response)["text"] == "Third thought."
    assert dump(Post, Case) == before


def test_its_writer_lets_it_appear_when_the_time_is_over(held, slow, stranger, moderator):
    with pytest.raises(Refused, match="from"):
        posts.release(user=stranger, post=held)
    time_passes(held)
    between = reply(slow, moderator, "Meanwhile.")
    client = browser(stranger)
    assert "Let it appear now" in client.get(slow.get_absolute_url()).content.decode()
    assert not may(moderator, "release", fresh(held))
    assert client.post(f"/posts/{held.pk}/release/").status_code == 302
    now = fresh(held)
    assert (now.state, now.number) == ("visible", between.number + 1)
    assert not Case.objects.open().exists()
    before = dump(Post, AuditEntry)
    posts.release(user=stranger, post=held)  # twice is once
    assert dump(Post, AuditEntry) == before
    assert {fault.kind for fault in check()} <= {"notices"}  # counted after the commit
    # The interval begins again with it.
    assert reply(slow, stranger, "Fourth thought.").state == "pending"


def test_the_log_of_the_public_does_not_tell_of_it(held, stranger):
    time_passes(held)
    posts.release(user=stranger, post=held)
    assert "release" not in set(AuditEntry.objects.public().values_list("verb", flat=True))


@pytest.mark.parametrize("how", ["approval", "locked", "watched"])
def test_it_does_not_appear_past_what_else_would_hold_it(held, stranger, moderator, how):
    time_passes(held)
    if how == "approval":
        states.demand_approval(user=moderator, thread=held.thread)
    elif how == "locked":
        states.lock(user=moderator, thread=held.thread)
    else:
        sanctions.suspend(
            user=moderator, member=stranger, days=3, reason="Heat.", measure="approval"
        )
    with pytest.raises(Refused):
        posts.release(user=fresh(stranger), post=held)


def test_nothing_comes_in_by_an_edit_that_a_moderator_would_look_at(held, settings):
    settings.HOLD_NEW_LINKS, settings.NEW_MEMBER_POSTS = True, 3
    with pytest.raises(Unacceptable, match="links"):
        edit(held, "See [this](https://archive.example.org/7).")
    assert edit(held, "Another thought.").state == "pending"


def test_when_slow_mode_ends_nobody_has_to_wait(held, slow, stranger, moderator):
    states.slow(user=moderator, thread=slow, minutes=0)
    assert reply(fresh(slow), stranger, "Third thought.").state == "visible"
    posts.release(user=stranger, post=held)
    assert fresh(held).state == "visible"


def test_moderators_are_not_slowed(slow, moderator):
    for _ in range(2):
        assert reply(slow, moderator, "To the point, please.").state == "visible"
