"""Whoever writes while a debate goes to another board waits for it, and then writes there."""

import threading
import uuid

import pytest
from django.db import connection, transaction

from forum.actions import threads
from forum.models import Board, Post, Thread
from forum.moderation import moving, states
from tests.races.orders import waiting
from tests.races.soundness import faults
from tests.waiting import PATIENCE, until

pytestmark = [pytest.mark.races, pytest.mark.postgres]


class Mover(threading.Thread):
    """Moves a debate, and lets go of it when somebody waits for it."""

    def __init__(self, forum, thread: Thread, board: Board) -> None:
        super().__init__()
        self.moves = {"user": forum.moderator, "thread": thread, "board": board}
        self.moved, self.waited = threading.Event(), False

    def run(self) -> None:
        try:
            with transaction.atomic():
                moving.move_thread(**self.moves)
                self.moved.set()
                until(waiting, "nobody waits for the debate")
                self.waited = True
        finally:
            connection.close()


@pytest.fixture
def debate(forum) -> Thread:
    forum.moderator.is_superuser = True
    forum.moderator.save()
    return Thread.objects.get(pk=forum.start("What if the strait had frozen").thread_id)


ACTS = {
    "reply": lambda forum, thread: forum.reply(thread.posts.get(number=1), member=2),
    "rename": lambda forum, thread: threads.rename(
        user=forum.moderator, thread=thread, title="Another title"
    ),
    "hide": lambda forum, thread: states.hide(
        user=forum.moderator, post=thread.posts.get(number=2), reason="Off the point."
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_writing_while_a_debate_goes_to_another_board(crew, forum, debate, act):
    forum.reply(debate.posts.get(number=1))
    other = Board.objects.create(name="Elsewhere", slug=uuid.uuid4().hex)
    mover = Mover(forum, debate, other)
    mover.start()
    assert mover.moved.wait(PATIENCE)
    try:
        ACTS[act](forum, Thread.objects.get(pk=debate.pk))
    finally:
        mover.join(2 * PATIENCE)
    assert mover.waited
    assert Thread.objects.get(pk=debate.pk).board_id == other.pk
    assert Post.objects.filter(thread=debate).count() == (3 if act == "reply" else 2)
    assert faults(connection) == []
