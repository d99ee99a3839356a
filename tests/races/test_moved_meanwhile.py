"""A post that went to another debate between the question and the lock, in forced orders.

What the others do stands before a statement of the act itself, on a connection of its own; on
SQLite nobody gets between the statements of a transaction.
"""

import uuid
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection

from forum.actions import arguments, cases, posts, threadmarks
from forum.checking.members import check_cases
from forum.mailing import guests
from forum.models import Board, Case, Notice, Post, State, Thread
from forum.moderation import guest_reports, merging, moving, reports, sanctions, states
from forum.permissions import Refused
from tests.races.orders import before
from tests.races.soundness import faults

pytestmark = [pytest.mark.races, pytest.mark.postgres]
LOCK = "FOR UPDATE"
COUNTERS = 'UPDATE "forum_thread"'


def fetch(post: Post) -> Post:
    return Post.objects.select_related("thread__board", "body__revision", "author").get(pk=post.pk)


@pytest.fixture
def debates(forum) -> tuple[Post, Post, Post]:
    """An answer in one debate, and the openings of that debate and of another one."""
    forum.moderator.is_superuser = True
    forum.moderator.save()
    one, other = forum.start("What if the strait had frozen"), forum.start("What if it had thawed")
    return forum.reply(one), one, other


def merge_and_reply(forum, one: Post, other: Post) -> tuple[Callable, Callable]:
    into = Thread.objects.get(pk=other.thread_id)
    thread = Thread.objects.get(pk=one.thread_id)

    def merge() -> None:
        merging.merge(user=forum.moderator, thread=thread, into=into)

    def replies() -> None:
        for _ in range(3):
            forum.reply(other, member=2)

    return merge, replies


ACTS = {
    "withdraw": lambda forum, post: posts.withdraw(user=forum.members[1], post=post),
    "edit": lambda forum, post: posts.edit(
        user=forum.members[1], post=post, source="It was thick.", base=1
    ),
    "hide": lambda forum, post: states.hide(user=forum.moderator, post=post, reason="Off."),
    "lock branch": lambda forum, post: states.lock_branch(user=forum.moderator, post=post),
    "set lane": lambda forum, post: arguments.argue(
        user=forum.members[1], post=post, lane="meta", stance="", quotes={}, ties=()
    ),
    "change mind": lambda forum, post: arguments.change_mind(
        user=forum.members[3], post=post, was="for", now="against", reason="It is so."
    ),
    "mark": lambda forum, post: threadmarks.mark(
        user=forum.members[0], post=post, category="story", label="One"
    ),
    "report": lambda forum, post: reports.report(
        user=forum.members[3], post=post, reason="spam", token=uuid.uuid4()
    ),
    "warn": lambda forum, post: sanctions.warn(
        user=forum.moderator, member=post.author, points=1, reason="Enough.", post=post
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_an_act_on_a_post_that_was_merged_away_meanwhile_harms_nothing(crew, forum, debates, act):
    """It says so in a sentence; both debates count what they have, and go on."""
    post, one, other = debates
    merge, replies = merge_and_reply(forum, one, other)
    stale = fetch(post)
    with before(LOCK, merge), before(COUNTERS, replies), pytest.raises(Refused) as refusal:
        ACTS[act](forum, stale)
    assert "moved to another debate" in str(refusal.value)
    assert faults(connection) == []
    assert fetch(post).state == State.VISIBLE
    assert forum.reply(other, member=2).number


def test_a_reply_let_appear_while_its_debate_is_merged(crew, forum, debates):
    """The same of what slow mode held: it stays held where it went, and can appear there."""
    _, one, other = debates
    Thread.objects.filter(pk=one.thread_id).update(slow_minutes=1)
    held = forum.reply(one, "It waits.", member=1)
    assert held.number is None
    Post.objects.filter(pk=held.pk).update(held_until=held.loaded_at)
    merge, replies = merge_and_reply(forum, one, other)
    stale = fetch(held)
    with before(LOCK, merge), before(COUNTERS, replies), pytest.raises(Refused):
        posts.release(user=forum.members[1], post=stale)
    assert faults(connection) == []
    posts.release(user=forum.members[1], post=fetch(held))
    assert faults(connection) == []


def test_a_withdrawal_by_page_during_a_merge_keeps_the_debate_open(crew, forum, debates, client):
    """By HTTP alone: the page says what happened, and whoever answers there is let in."""
    post, one, other = debates
    merge, replies = merge_and_reply(forum, one, other)
    client.force_login(forum.members[1])
    with before(LOCK, merge), before(COUNTERS, replies):
        answer = client.post(f"/posts/{post.pk}/withdraw/", {"reason": "I was wrong."})
    assert answer.status_code == 403
    assert "moved to another debate" in answer.content.decode()
    form = {"text": "The ice holds a cart.", "token": str(uuid.uuid4())}
    assert client.post(f"/threads/{other.thread_id}/reply/", form).status_code == 302
    assert faults(connection) == []


def test_a_thread_whose_highest_number_is_forgotten_takes_replies_again(crew, forum, debates):
    """However it came about: the next reply counts the debate anew instead of failing for ever."""
    post, one, _ = debates
    Thread.objects.filter(pk=one.thread_id).update(numbered=1)
    made = forum.reply(one, member=2)
    assert made.number == post.number + 1
    assert faults(connection) == []


def answered(forum, post: Post) -> None:
    notice = Notice.objects.get(entry__verb="hide", member=post.author)
    cases.answer(user=post.author, notice=notice, text="Why?")


OPENS = {
    "report": lambda forum, post: reports.report(
        user=forum.members[3], post=post, reason="spam", token=uuid.uuid4()
    ),
    "report from outside": lambda forum, post: guest_reports.report(
        post=post, reason="spam", network="192.0.2.1", token=uuid.uuid4()
    ),
    "reply that waits": lambda forum, post: forum.reply(post, member=4),
    "answer to an act": answered,
}


@pytest.mark.parametrize("moment", ["before the lock", "while it is held"])
@pytest.mark.parametrize("opens", OPENS)
def test_a_case_opened_while_its_debate_goes_to_another_board_waits_there(
    crew, forum, debates, opens, moment
):
    """Nobody who moderates the former board alone is shown it."""
    post, one, _ = debates
    if opens == "answer to an act":
        states.hide(user=forum.moderator, post=post, reason="Off the point.")
    Thread.objects.filter(pk=one.thread_id).update(approval=opens == "reply that waits")
    there = Board.objects.create(name="Elsewhere", slug="elsewhere")

    def move() -> None:
        thread = Thread.objects.get(pk=one.thread_id)
        moving.move_thread(user=forum.moderator, thread=thread, board=there)

    stale = fetch(post)
    with before(LOCK if moment == "before the lock" else 'INSERT INTO "forum_case"', move):
        OPENS[opens](forum, stale)
    case = Case.objects.get()
    assert Thread.objects.get(pk=one.thread_id).board == there
    assert case.board == there
    assert list(check_cases(fix=False)) == []


def test_a_report_confirmed_while_another_one_comes_leaves_the_graver(crew, forum, debates):
    """In either order."""
    post, _, other = debates
    for place, statement in ((post, 'INSERT INTO "forum_report"'), (other, 'SET "gravity"')):
        words = {"text": "It is.", "name": "Somebody", "email": "somebody@example.org"}
        guest = guest_reports.report(
            post=fetch(place),
            reason="illegal",
            good_faith=True,
            network=f"192.0.2.{place.number}",
            token=uuid.uuid4(),
            **words,
        )
        key = guests.key_of(guest)
        with before(statement, partial(guest_reports.confirm, guest=guest, key=key)):
            reports.report(
                user=forum.members[3], post=fetch(place), reason="spam", token=uuid.uuid4()
            )
        assert Case.objects.get(post=place).gravity == Case.UNLAWFUL
    assert list(check_cases(fix=False)) == []
