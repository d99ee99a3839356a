"""Whoever takes an act back may do its opposite, on every board and debate that it concerns."""

from uuid import uuid4

import pytest

from forum.actions import cases, threadmarks, threads
from forum.models import AuditEntry, Board, Case, Notice, Thread, Threadmark
from forum.moderation import cleanup, erasing, moving, queue, states, undoing
from forum.opposites import OPPOSITES
from forum.permissions import Refused
from tests.people import browser, fresh, make_member, quoting, reply, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def warden(inner_board):
    """Looks after the board that only its moderators see, and no other."""
    user = make_member("doorkeeper", is_staff=True)
    inner_board.moderators.add(user)
    return user


def last(verb: str) -> AuditEntry:
    return AuditEntry.objects.filter(verb=verb).latest("pk")


def test_who_moderates_one_board_alone_brings_no_debate_back_to_another(
    thread, board, inner_board, moderator, warden
):
    moving.move_thread(user=moderator, thread=thread, board=inner_board)
    reply(fresh(thread), warden, "Said behind closed doors.")
    with pytest.raises(Refused):
        undoing.undo(user=warden, entry=last("move"))
    assert fresh(thread).board == inner_board
    client = browser(warden)
    page = client.get(f"/threads/{thread.pk}/moderate/").content.decode()
    assert f"/log/{last('move').pk}/undo/" not in page
    asked = client.get(f"/log/{last('move').pk}/undo/").content.decode()
    assert "Take it back</button>" not in asked
    client.post(f"/log/{last('move').pk}/undo/", {"reason": ""})
    assert fresh(thread).board == inner_board
    undoing.undo(user=moderator, entry=last("move"))
    assert fresh(thread).board == board


def test_an_answered_move_is_not_taken_back_by_who_could_not_move_it(
    thread, opener, inner_board, moderator, warden
):
    moving.move_thread(user=moderator, thread=thread, board=inner_board)
    notice = Notice.objects.get(member=opener, entry=last("move"))
    cases.answer(user=opener, notice=notice, text="It was on the point.")
    case = Case.objects.get(notice=notice)
    with pytest.raises(Refused):
        queue.decide(user=warden, case=case, act="undo", reason="As asked.")
    assert fresh(thread).board == inner_board
    assert not fresh(case).decision_id
    page = browser(warden).get("/admin/forum/case/").content.decode()
    assert "Answers to acts" in page
    assert 'value="uphold"' in page
    assert 'value="undo"' not in page
    page = browser(moderator).get("/admin/forum/case/").content.decode()
    assert 'value="undo"' not in page  # one's own act waits for somebody else
    queue.decide(user=make_administrator(), case=case, act="undo", reason="As asked.")
    assert fresh(thread).board != inner_board


def test_a_clean_up_comes_back_as_a_whole_by_who_may_bring_back_each_part(
    thread, other_board, stranger, moderator, board_moderator
):
    here = reply(thread, stranger, "Buy my book.")
    start(other_board, stranger, title="Books", text="My book is for sale.")
    there = Thread.objects.get(board=other_board)
    entry = cleanup.clean_up(
        user=moderator,
        member=stranger,
        post_ids=[here.pk],
        thread_ids=[there.pk],
        reason="Advertising.",
        batch=uuid4(),
    )
    path = f"/admin/forum/member/{stranger.pk}/review/"
    assert "Bring all of it back" not in browser(board_moderator).get(path).content.decode()
    with pytest.raises(Refused):
        cleanup.undo(user=board_moderator, entry=entry)
    assert fresh(here).state == fresh(there).state == "hidden"
    assert "Bring all of it back" in browser(moderator).get(path).content.decode()
    undoing.undo(user=board_moderator, entry=AuditEntry.objects.get(post=here, verb="hide"))
    assert cleanup.undo(user=moderator, entry=entry)[1] == []
    assert fresh(there).state == "visible"


def test_what_was_written_in_a_branch_since_goes_back_to_no_wider_audience(
    thread, moderator, opener
):
    """The branch itself quotes nothing; an answer to it, written where it went, does."""
    members = Board.objects.create(name="Members", slug="members", audience="members")
    target = start(members, opener, title="Older", text="Older than the branch.")
    branch = reply(thread, opener, "A branch.")
    moving.move_branch(user=moderator, post=fresh(branch), target=fresh(target))
    source = target.posts.get(number=1)
    reply(fresh(target), opener, quoting(source, "Older than the branch."), to=fresh(branch))
    with pytest.raises(Refused, match="quotes words"):
        undoing.undo(user=moderator, entry=last("move branch"))
    assert fresh(branch).thread == target


def test_posts_do_not_leave_a_hidden_debate_by_the_way(thread, answer, moderator):
    new = moving.split(user=moderator, thread=thread, chosen=[answer.pk], title="The party")
    states.hide_thread(user=moderator, thread=new, reason="Off the point.")
    with pytest.raises(Refused, match="not visible"):
        undoing.undo(user=moderator, entry=last("split"))
    assert fresh(answer).thread == new


def test_each_act_that_can_be_taken_back_has_an_opposite():
    assert set(OPPOSITES) == {*undoing.ACTS, "warn", "suspend", "clean up"}


def make_administrator():
    return make_member("chief", is_staff=True, is_superuser=True)


def test_no_undoing_brings_erased_words_back(thread, answer, moderator):
    secret = "The party obeyed nobody."
    threads.rename(user=moderator, thread=thread, title=f"{secret} Or did it")
    threads.rename(user=moderator, thread=fresh(thread), title="What if")
    threadmarks.mark(user=moderator, post=fresh(answer), category="story", label=secret)
    threadmarks.unmark(user=moderator, post=fresh(answer))
    states.hide(user=moderator, post=fresh(answer), reason="Off the point.")
    chief = make_administrator()
    texts = erasing.find(fresh(answer), secret).texts
    erasing.erase(
        user=chief, post=fresh(answer), words=secret, reason="An order of a court.", texts=texts
    )
    for verb in ("hide", "unmark", "rename"):
        undoing.undo(user=moderator, entry=last(verb))
    shown = browser(moderator).get(thread.get_absolute_url(), follow=True).content.decode()
    assert fresh(answer).state == "visible"
    assert "obeyed nobody" not in shown + fresh(thread).title
    assert not Threadmark.objects.filter(label__contains="obeyed").exists()


def test_a_board_that_grew_narrow_since_is_asked_about_as_it_is_now(
    thread, board, other_board, board_moderator, moderator
):
    """Who looked after both boards when the debate was moved and does no more, brings nothing
    back; whoever does now may, whatever the audience became."""
    other_board.moderators.add(board_moderator)
    moving.move_thread(user=board_moderator, thread=thread, board=other_board)
    Board.objects.filter(pk=board.pk).update(audience="moderators")
    board.moderators.remove(board_moderator)
    again = type(board_moderator).objects.get(pk=board_moderator.pk)
    with pytest.raises(Refused):
        undoing.undo(user=again, entry=last("move"))
    board.moderators.add(board_moderator)
    again = type(board_moderator).objects.get(pk=board_moderator.pk)
    undoing.undo(user=again, entry=last("move"))
    assert fresh(thread).board == board
