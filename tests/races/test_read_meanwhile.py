"""A member's first reply in a debate, while they mark everything as read."""

import pytest

from accounts.models import User
from forum.actions import read_state
from forum.models import Thread
from tests.races.orders import before

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races, pytest.mark.postgres]
MARKS = 'FROM "forum_readmark"'  # asked for by who marks all as read, with the account locked
DRAFT = 'DELETE FROM "forum_draft"'  # sent by who replies, after the mark
WRITER = 3


@pytest.fixture
def opening(forum):
    """A debate of five posts that the writer has not read."""
    opening = forum.start()
    for _ in range(4):
        forum.reply(opening)
    return opening


def unread(forum, opening) -> int:
    thread = Thread.objects.get(pk=opening.thread_id)
    return read_state.seen(User.objects.get(pk=forum.members[WRITER].pk), thread).unread(thread)


def marks_all(forum) -> None:
    read_state.mark_all_read(user=User.objects.get(pk=forum.members[WRITER].pk))


def test_a_reply_while_all_is_marked_as_read(forum, opening):
    assert unread(forum, opening) == 5
    with before(MARKS, lambda: forum.reply(opening, member=WRITER)):
        marks_all(forum)
    assert unread(forum, opening) == 0


def test_all_is_marked_as_read_during_a_reply(forum, opening):
    with before(DRAFT, lambda: marks_all(forum)):
        forum.reply(opening, member=WRITER)
    assert unread(forum, opening) == 0
