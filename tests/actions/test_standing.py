"""Whether posts and debates stand: withdraw, hide, remove, restore, approve, lock, pin, rename,
close. Counters, audit entries, reasons; and that what is brought back is as it was."""

from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import product

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import SiteVersion, User
from forum.actions import posts, threads
from forum.actions.composing import Unacceptable
from forum.checking import check
from forum.checking.threads import check_thread
from forum.models import AuditEntry, Board, Post, PostBody, PostRevision, State, Thread
from forum.moderation import states
from forum.permissions import NotThere, Refused
from tests.people import dump, fresh, pending, quoting, reply, start
from tests.races.soundness import faults
from tests.tree.test_tree import assert_sound

TABLES = (Thread, Post, PostRevision, PostBody, AuditEntry, Board)
# What an act and its undoing may change for good.
MOVES_ON = {"version"}


def counters(thread) -> dict:
    row = Thread.objects.filter(pk=thread.pk).values().get()
    return {name: value for name, value in row.items() if name not in MOVES_ON}


def boards() -> list[dict]:
    """All boards, without the number that counts of divergences are kept under: it only rises."""
    rows = Board.objects.order_by("pk").values()
    return [{n: value for n, value in row.items() if n != "divergences_version"} for row in rows]


def last_entry() -> AuditEntry:
    return AuditEntry.objects.latest("pk")


# --- Posts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("act", "state"), [(states.hide, "hidden"), (states.remove, "removed")])
def test_a_post_taken_away_keeps_its_place_and_is_logged(thread, answer, moderator, act, state):
    version = fresh(thread).version
    act(user=moderator, post=answer, reason="Off the point.")
    post, after = fresh(answer), fresh(thread)
    assert (post.state, post.state_reason, post.number) == (state, "Off the point.", 2)
    assert not post.withdrawn
    assert (after.numbered, after.reply_count, after.version) == (4, 2, version + 1)
    assert_sound(thread)
    entry = last_entry()
    assert (entry.actor, entry.verb) == (moderator, act.__name__)
    assert (entry.post, entry.thread, entry.board) == (post, thread, thread.board)
    assert entry.reason == "Off the point."
    assert (entry.detail["before"], entry.detail["after"]) == ("visible", state)


@pytest.mark.parametrize("act", [states.hide, states.remove])
@pytest.mark.parametrize("number", [1, 2, 4])
def test_restoring_brings_everything_back(thread, moderator, act, number):
    before = counters(thread)
    post = thread.posts.get(number=number)
    act(user=moderator, post=post, reason="Off the point.")
    states.restore(user=moderator, post=post, reason="On second thoughts.")
    assert counters(thread) == before
    post = fresh(post)
    assert (post.state, post.state_reason, post.withdrawn) == ("visible", "", False)
    assert last_entry().verb == "restore"


def test_the_last_answer_is_the_last_that_stands(thread, moderator):
    third, fourth = thread.posts.filter(number__gte=3).order_by("number")
    states.hide(user=moderator, post=fourth, reason="Off the point.")
    now = fresh(thread)
    assert (now.last_post, now.last_post_at) == (third, third.loaded_at)


def test_all_posts_hidden(board, opener, moderator):
    thread = start(board, opener)
    states.hide(user=moderator, post=thread.posts.get(), reason="Off the point.")
    now = fresh(thread)
    assert (now.last_post, now.reply_count, now.numbered) == (None, 0, 1)
    assert now.last_post_at == now.created_at


def test_hiding_twice_is_hiding_once(thread, answer, moderator):
    states.hide(user=moderator, post=answer, reason="Off the point.")
    before = dump(*TABLES)
    states.hide(user=moderator, post=answer, reason="Again.")
    assert dump(*TABLES) == before


@pytest.mark.parametrize("act", [states.hide, states.remove])
@pytest.mark.parametrize("reason", ["", "  "])
def test_taking_away_needs_a_reason(answer, moderator, act, reason):
    before = dump(*TABLES)
    with pytest.raises(Refused, match="why"):
        act(user=moderator, post=answer, reason=reason)
    assert dump(*TABLES) == before


def test_authors_withdraw_and_moderators_restore(thread, answer, answerer, moderator):
    before = counters(thread)
    posts.withdraw(user=answerer, post=answer, reason="I was wrong.")
    post = fresh(answer)
    assert (post.state, post.withdrawn, post.state_reason) == ("removed", True, "I was wrong.")
    assert fresh(thread).reply_count == 2
    assert (last_entry().verb, last_entry().actor) == ("withdraw", answerer)
    states.restore(user=moderator, post=answer)
    assert not fresh(answer).withdrawn
    assert counters(thread) == before


def test_who_may_withdraw_what(thread, opening, answer, opener, stranger, moderator):
    before = dump(*TABLES)
    for who in (opener, stranger, moderator):
        with pytest.raises(Refused, match="Only its author"):
            posts.withdraw(user=who, post=answer)
    with pytest.raises(Refused, match="opening"):
        posts.withdraw(user=opener, post=opening)
    assert dump(*TABLES) == before


def test_nothing_is_withdrawn_twice_or_from_a_locked_debate(thread, answer, answerer, moderator):
    last = thread.posts.get(number=4)
    posts.withdraw(user=answerer, post=answer)
    states.lock(user=moderator, thread=thread)
    before = dump(*TABLES)
    for post in (answer, last):
        with pytest.raises(Refused):
            posts.withdraw(user=answerer, post=post)
    assert dump(*TABLES) == before


def test_approval_gives_number_and_place(thread, answer, stranger, opener, moderator):
    waiting = pending(thread, stranger, to=answer)
    assert (fresh(thread).numbered, fresh(thread).reply_count) == (4, 3)
    between = reply(thread, opener, to=answer)
    states.approve(user=moderator, post=waiting)
    post, after = fresh(waiting), fresh(thread)
    assert (between.number, post.number, post.state) == (5, 6, "visible")
    assert (post.parent, post.tree_id) == (answer, answer.tree_id)
    assert (after.numbered, after.reply_count, after.last_post) == (6, 5, post)
    # Lists and read marks follow arrival, and to its readers it arrives now.
    assert post.loaded_at >= between.loaded_at
    assert post.written_at == waiting.written_at
    assert after.last_post_at == post.loaded_at
    assert_sound(thread)
    assert last_entry().verb == "approve"


def test_what_waits_is_approved_not_hidden_or_restored(thread, answer, stranger, moderator):
    waiting = pending(thread, stranger)
    before = dump(*TABLES)
    for act in (states.hide, states.remove, states.restore):
        with pytest.raises(Refused):
            act(user=moderator, post=waiting, reason="Because.")
    with pytest.raises(Refused):
        states.approve(user=moderator, post=answer)
    assert dump(*TABLES) == before


def test_a_waiting_post_that_was_withdrawn_comes_back_with_a_number(thread, stranger, moderator):
    waiting = pending(thread, stranger)
    posts.withdraw(user=stranger, post=waiting)
    after = fresh(thread)
    assert (after.reply_count, after.numbered, fresh(waiting).number) == (3, 4, None)
    assert [str(fault) for fault in check(quick=True)] == []
    states.restore(user=moderator, post=waiting)
    assert fresh(waiting).number == 5
    assert fresh(thread).reply_count == 4
    assert_sound(thread)


def test_what_waits_is_judged_and_taken_back_in_any_order(board, thread, stranger, moderator):
    """A reply and a debate: whatever is done to them, in pairs, the forum is sound after it."""
    acts = {
        name: partial(getattr(states, name), user=moderator, reason="Because.")
        for name in ("approve", "reject", "hide", "remove", "restore")
    }
    acts["withdraw"] = partial(posts.withdraw, user=stranger)
    until = timezone.now() + timedelta(days=1)
    User.objects.filter(pk=stranger.pk).update(approval_until=until)
    debate = start(board, fresh(stranger))
    User.objects.filter(pk=stranger.pk).update(approval_until=None)
    waiting = [pending(thread, stranger), debate.posts.get()]
    assert {post.state for post in waiting} == {State.PENDING}

    found = {}
    for post, *names in product(waiting, acts, acts):
        with transaction.atomic():
            for name in names:
                with suppress(Refused):
                    acts[name](post=fresh(post))
            if wrong := faults(connection) + [
                str(one) for one in check_thread(post.thread_id, fix=False)
            ]:
                found[post.is_opening, *names] = wrong
            transaction.set_rollback(True)
    assert found == {}


def test_hiding_what_other_debates_quote_makes_all_kept_pages_old(
    board, answer, stranger, moderator
):
    other = start(board, stranger, title="Another one")
    states.hide(user=moderator, post=reply(other, stranger, "Not quoted."), reason="Spam")
    assert not SiteVersion.objects.exists()
    reply(other, stranger, quoting(answer, "The party obeyed nobody."))
    states.hide(user=moderator, post=answer, reason="Off the point.")
    assert SiteVersion.objects.get().number == 1


# --- Debates ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "undo", "field", "value"),
    [
        (states.lock, states.unlock, "locked", True),
        (states.pin, states.unpin, "pinned", True),
        (states.hide_thread, states.restore_thread, "state", "hidden"),
    ],
)
def test_acts_on_debates_and_their_undoing(thread, moderator, act, undo, field, value):
    before, board, version = counters(thread), boards(), fresh(thread).version
    act(user=moderator, thread=thread, reason="Because.")
    assert getattr(fresh(thread), field) == value
    assert fresh(thread).version == version + 1
    entry = last_entry()
    assert (entry.actor, entry.thread, entry.board) == (moderator, thread, thread.board)
    assert (entry.reason, entry.detail["after"]) == ("Because.", {field: value})
    undo(user=moderator, thread=thread)
    assert counters(thread) == before
    assert boards() == board
    assert AuditEntry.objects.count() == 2
    undo(user=moderator, thread=thread)
    assert AuditEntry.objects.count() == 2


def test_a_hidden_debate_is_not_counted_on_its_board(thread, board, moderator):
    assert fresh(board).thread_count == 1
    states.hide_thread(user=moderator, thread=thread, reason="Spam.")
    assert fresh(board).thread_count == 0
    states.restore_thread(user=moderator, thread=thread)
    assert fresh(board).thread_count == 1


def test_hiding_a_debate_needs_a_reason(thread, moderator):
    before = dump(*TABLES)
    with pytest.raises(Refused, match="why"):
        states.hide_thread(user=moderator, thread=thread, reason=" ")
    assert dump(*TABLES) == before


def test_a_debate_that_is_being_loaded_is_there_for_nobody(thread, administrator):
    Thread.objects.filter(pk=thread.pk).update(state="loading")
    before = dump(*TABLES)
    for act in (states.restore_thread, states.hide_thread, states.lock):
        with pytest.raises(NotThere):
            act(user=administrator, thread=thread, reason="Because.")
    with pytest.raises(NotThere):
        states.hide(user=administrator, post=thread.posts.first(), reason="Because.")
    assert dump(*TABLES) == before


POST_ACTS = (states.hide, states.remove, states.restore, states.approve)
THREAD_ACTS = (
    states.lock,
    states.unlock,
    states.pin,
    states.unpin,
    states.hide_thread,
    states.restore_thread,
)


def test_only_moderators_of_the_board_moderate(
    thread, answer, opener, answerer, stranger, guest, other_board, board_moderator, moderator
):
    Board.moderators.through.objects.update(board=other_board)
    states.hide(user=moderator, post=answer, reason="Off the point.")
    before = dump(*TABLES)
    for who in (opener, answerer, stranger, guest, board_moderator):
        for act in POST_ACTS:
            with pytest.raises(Refused):
                act(user=who, post=answer, reason="Because.")
        for act in THREAD_ACTS:
            with pytest.raises(Refused):
                act(user=who, thread=thread, reason="Because.")
    assert dump(*TABLES) == before


def test_the_boards_own_moderator_moderates(thread, answer, board_moderator):
    states.hide(user=board_moderator, post=answer, reason="Off the point.")
    states.lock(user=board_moderator, thread=thread)
    assert fresh(thread).locked


def test_renaming(thread, opener, moderator):
    version = fresh(thread).version
    threads.rename(user=opener, thread=thread, title=" Had  Lenin lived? ", reason="Shorter.")
    now = fresh(thread)
    assert (now.title, now.slug, now.version) == (
        "Had Lenin lived?",
        "had-lenin-lived",
        version + 1,
    )
    entry = last_entry()
    assert (entry.verb, entry.reason) == ("rename", "Shorter.")
    assert entry.detail == {"before": "What if Lenin had lived?", "after": "Had Lenin lived?"}
    threads.rename(user=moderator, thread=thread, title="Had Lenin lived?")
    assert AuditEntry.objects.count() == 1


def test_who_renames_and_closes(thread, answerer, opener, moderator, administrator, guest):
    before = dump(*TABLES)
    for who in (answerer, guest):
        with pytest.raises(Refused):
            threads.rename(user=who, thread=thread, title="Mine")
    for who in (answerer, guest, moderator, administrator):
        with pytest.raises(Refused):
            threads.close(user=who, thread=thread, closed=True)
    for title in ("", "x" * 161, "\0"):
        with pytest.raises(Unacceptable):
            threads.rename(user=opener, thread=thread, title=title)
    assert dump(*TABLES) == before
    states.lock(user=moderator, thread=thread)
    for act in (
        lambda: threads.rename(user=opener, thread=thread, title="Mine"),
        lambda: threads.close(user=opener, thread=thread, closed=True),
    ):
        with pytest.raises(Refused, match="locked"):
            act()


def test_closing_and_reopening(thread, opener):
    before = counters(thread)
    threads.close(user=opener, thread=thread, closed=True, reason="Settled.")
    assert fresh(thread).closed_by_author
    assert not fresh(thread).open
    assert (last_entry().verb, last_entry().reason) == ("close", "Settled.")
    threads.close(user=opener, thread=thread, closed=False)
    assert last_entry().verb == "reopen"
    assert counters(thread) == before
