"""Votes that meet each other, the closing of their poll, or what becomes of its post."""

import threading
import uuid

import pytest
from django.db import connection

from forum.actions import polls, posts
from forum.actions.polls import Asked, NoVote
from forum.models import Ballot, Poll, Post
from forum.moderation import states
from forum.permissions import Refused
from tests.races.orders import before
from tests.races.soundness import faults
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races, pytest.mark.postgres]
LOCK, COUNTED = "FOR NO KEY UPDATE", 'UPDATE "forum_poll"'


@pytest.fixture
def polled(forum) -> Post:
    """A reply with a poll of three choices, of which one is taken."""
    opening = forum.start()
    return posts.reply(
        user=forum.members[1],
        thread=opening.thread,
        source="Let us vote.",
        token=uuid.uuid4(),
        poll=Asked("Who decides?", ["The ice", "The wind", "Nobody"]),
    )


def vote(forum, post: Post, choice: int, member: int = 3):
    return lambda: polls.vote(user=forum.members[member], post=post, chosen=[choice])


def counted() -> tuple[int, list[int]]:
    poll = Poll.objects.get()
    return poll.voters, poll.counts


def test_votes_at_once_are_all_counted(forum, polled):
    """Every member votes three times at the same moment, for other choices each time."""
    began, failures = threading.Barrier(8 * 3), []

    def once(member: int, choice: int) -> None:
        try:
            began.wait(PATIENCE)
            vote(forum, polled, choice, member)()
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    every = [(member, choice) for member in range(8) for choice in range(3)]
    voters = [threading.Thread(target=once, args=one) for one in every]
    for one in voters:
        one.start()
    for one in voters:
        one.join()
    assert failures == []
    voters, counts = counted()
    assert (voters, sum(counts), Ballot.objects.count()) == (8, 8, 8)
    assert faults(connection) == []


@pytest.mark.parametrize("statement", [LOCK, COUNTED])
def test_two_votes_of_one_member_count_once(forum, polled, statement):
    with before(statement, vote(forum, polled, 0)):
        vote(forum, polled, 0)()
    assert counted() == (1, [1, 0, 0])
    assert faults(connection) == []


def test_a_vote_that_comes_while_the_poll_closes_is_counted_before_or_not_at_all(forum, polled):
    """Whoever has the poll's row first: the other sees what came of it."""
    maker = forum.members[1]
    with before(LOCK, lambda: polls.close(user=maker, post=polled)), pytest.raises(NoVote):
        vote(forum, polled, 0)()
    assert counted() == (0, [0, 0, 0])


def test_a_poll_that_closes_while_somebody_votes_counts_the_vote(forum, polled):
    maker = forum.members[1]
    with before(COUNTED, lambda: polls.close(user=maker, post=polled)):
        vote(forum, polled, 0)()
    assert counted() == (1, [1, 0, 0])
    assert Poll.objects.get().closes_at
    assert faults(connection) == []


def test_who_changes_a_poll_while_somebody_votes_is_refused(forum, polled):
    """Else the vote would be one for other words."""
    asked, told = Asked("Who obeys?", ["All", "Nobody"]), []

    def change() -> None:
        try:
            polls.change(user=forum.members[1], post=polled, asked=asked)
        except Refused as refusal:
            told.append(refusal.sentence)

    with before(COUNTED, change):
        vote(forum, polled, 2)()
    assert told == ["Somebody has voted, so question and choices stay as they are."]
    assert Poll.objects.get().question == "Who decides?"
    assert faults(connection) == []


@pytest.mark.parametrize("act", ["hide", "remove poll"])
def test_a_vote_for_what_was_taken_away_meanwhile_is_refused(forum, polled, act):
    """Rights are asked again of what stands once the poll is locked."""

    def take_away() -> None:
        if act == "hide":
            states.hide(user=forum.moderator, post=polled, reason="Off.")
        else:
            polls.remove(user=forum.moderator, post=polled, reason="Off.")

    with before(LOCK, take_away), pytest.raises(Refused):
        vote(forum, polled, 0)()
    assert counted() == (0, [0, 0, 0])


def test_a_vote_waits_for_nobody_who_holds_the_debate(forum, polled):
    """A long act on the debate does not keep anybody from voting."""
    with before('UPDATE "forum_post"', vote(forum, polled, 0)):
        states.hide(user=forum.moderator, post=polled, reason="Off.")
    assert counted() == (1, [1, 0, 0])
