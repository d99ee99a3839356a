"""A case says itself whose moderators decide and how grave it is: the queue is read by these two
columns, and they are right after whatever takes its post elsewhere or is reported besides."""

from datetime import timedelta
from functools import partial
from importlib import import_module
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from forum.actions import cases
from forum.checking.members import check_cases
from forum.models import AuditEntry, Case, Notice, State, Thread
from forum.models.visibility import cases_visible_to
from forum.moderation import merging, moving, queue, reports, states, undoing
from forum.permissions import NotThere, may
from tests.effort import analyzed, effort
from tests.people import browser, fresh, make_member, pending, reply, start

pytestmark = pytest.mark.django_db
SECRET = "Said behind closed doors."


@pytest.fixture
def waiting(thread, answerer, opener, stranger, moderator) -> list[Case]:
    """Cases of each kind that has a place: two posts of a branch are reported, one waits, and the
    opener answers an act on a post and one on the debate."""
    first = reply(thread, answerer, SECRET)
    second = reply(thread, opener, "What answers it.", to=first)
    for post in (first, second):
        reports.report(user=stranger, post=post, reason="spam", text="Look.", token=uuid4())
    pending(thread, make_member("newcomer"))
    states.hide(user=moderator, post=second, reason="Off the point.")
    states.lock(user=moderator, thread=thread, reason="Enough.")
    reports.report(user=stranger, post=first, reason="rule", text="Again.", token=uuid4())
    for notice in Notice.objects.filter(member=opener, entry__verb__in=("hide", "lock")):
        cases.answer(user=opener, notice=notice, text="Why?")
    states.unlock(user=moderator, thread=fresh(thread), reason="Well.")
    found = list(Case.objects.order_by("pk"))
    assert {case.kind for case in found} == {"report", "held", "appeal"}
    assert {bool(case.thread) for case in found} == {True, False}
    return found


def elsewhere(thread, there, moderator):
    """What takes posts to the board of the debate `there`, by name."""
    first = thread.posts.get(body__html__contains=SECRET)
    into, user = partial(fresh, there), moderator
    return {
        "move": lambda: moving.move_thread(user=user, thread=fresh(thread), board=there.board),
        "split": lambda: moving.split(
            user=user,
            thread=fresh(thread),
            chosen=moving.branch(first),
            title="Of its own",
            board=there.board,
        ),
        "move branch": lambda: moving.move_branch(user=user, post=first, target=into()),
        "merge": lambda: merging.merge(user=user, thread=fresh(thread), into=into()),
    }


@pytest.mark.parametrize("act", ["move", "split", "move branch", "merge"])
def test_a_case_goes_where_its_post_goes_and_comes_back(
    waiting, thread, inner_board, stranger, moderator, board_moderator, act
):
    """Into a board that the moderators of the first one may not even see."""
    there = start(inner_board, moderator, title="What was said inside")
    type(there).objects.filter(pk=there.pk).update(created_at=thread.created_at)
    there.posts.update(loaded_at=thread.created_at)  # a branch goes into no later debate
    before = set(cases_visible_to(board_moderator))
    assert before == set(waiting)
    elsewhere(thread, there, moderator)[act]()
    assert not Case.objects.misplaced()
    seen = set(cases_visible_to(board_moderator))
    assert seen < before
    for case in Case.objects.all():
        assert (
            (case in seen)
            == may(board_moderator, "decide", case)
            == (case.board_id != there.board_id)
        )
    page = browser(board_moderator).get("/admin/").content.decode()
    assert SECRET not in page
    assert SECRET in browser(moderator).get("/admin/").content.decode()
    undoing.undo(user=moderator, entry=AuditEntry.objects.get(verb=act))
    assert not Case.objects.misplaced()
    assert set(cases_visible_to(board_moderator)) == before


def test_an_answer_to_an_act_is_decided_where_the_post_stands_by_then(
    thread, answer, inner_board, moderator, board_moderator
):
    states.hide(user=moderator, post=answer, reason="Off the point.")
    moving.move_thread(user=moderator, thread=fresh(thread), board=inner_board)
    case = cases.answer(user=answer.author, notice=Notice.objects.get(entry__verb="hide"), text="?")
    assert case.board_id == case.board_now == inner_board.pk
    assert not cases_visible_to(board_moderator)


def test_each_report_makes_its_case_as_grave_as_it_says(answer, opener, stranger):
    def gravity(user, reason: str) -> int:
        made = reports.report(user=user, post=answer, reason=reason, text="Look.", token=uuid4())
        assert not Case.objects.misweighed()
        return fresh(made.case).gravity

    assert gravity(opener, "attack") == Case.ATTACK
    assert gravity(stranger, "spam") == Case.ATTACK
    assert gravity(make_member("lawyer"), "illegal") == Case.UNLAWFUL
    assert gravity(make_member("watchful"), "attack") == Case.UNLAWFUL


def test_what_a_case_says_wrongly_is_found_and_healed(waiting, board, board_moderator):
    by_reports = dict(Case.objects.values_list("pk", "gravity"))
    Case.objects.update(board=None, gravity=Case.TRUSTED)
    assert not cases_visible_to(board_moderator)
    told = {fault.sentence for fault in check_cases(fix=False)}
    assert len(told) == 2
    assert {fault.sentence for fault in check_cases(fix=True) if fault.healed} == told
    assert list(check_cases(fix=False)) == []
    assert dict(Case.objects.values_list("pk", "gravity")) == by_reports
    assert set(Case.objects.values_list("board", flat=True)) == {board.pk}


def test_the_upgrade_writes_board_and_gravity(waiting, monkeypatch):
    """Whatever it finds there; it goes through the cases in parts."""
    lawyer, post = make_member("lawyer"), waiting[0].post
    reports.report(user=lawyer, post=post, reason="illegal", text="Look.", token=uuid4())
    right = dict(Case.objects.values_list("pk", "gravity"))
    assert len({*right.values()}) > 1
    places = dict(Case.objects.values_list("pk", "board"))
    Case.objects.update(board=None, gravity=Case.TRUSTED)
    migration = import_module("forum.migrations.0061_board_and_gravity_of_cases")
    monkeypatch.setattr(migration, "PART", 2)
    key = ("forum", "0061_board_and_gravity_of_cases")
    apps = MigrationLoader(connection).project_state(key, at_end=False).apps
    migration.fill(apps, SimpleNamespace(connection=connection))
    assert dict(Case.objects.values_list("pk", "gravity")) == right
    assert dict(Case.objects.values_list("pk", "board")) == places


def test_the_queue_shows_nothing_of_a_debate_that_left_unseen(
    waiting, thread, inner_board, board, moderator, board_moderator
):
    """A worker of the version before moves a debate and lets its cases say the former board."""
    moving.move_thread(user=moderator, thread=fresh(thread), board=inner_board)
    Case.objects.update(board=board)
    assert SECRET not in browser(board_moderator).get("/admin/").content.decode()
    assert SECRET in browser(moderator).get("/admin/").content.decode()


def test_what_a_decision_writes_to_the_log_stands_where_the_post_does(
    waiting, board, other_board, moderator
):
    case = waiting[0]
    Case.objects.filter(pk=case.pk).update(board=other_board)
    queue.decide(user=moderator, case=fresh(case), act="no action", reason="Fine.")
    assert fresh(case).decision.board == board


def test_no_case_is_opened_in_a_debate_that_is_being_loaded(
    thread, answer, stranger, moderator, administrator, guest
):
    """So the queue asks nobody whether one is."""
    pending(thread, stranger)
    Case.objects.all().delete()
    Thread.objects.filter(pk=thread.pk).update(state=State.LOADING)
    post = type(answer).objects.select_related("thread__board").get(pk=answer.pk)
    assert not may(guest, "report from outside", post)
    for user in (stranger, moderator, administrator):
        with pytest.raises(NotThere):
            reports.report(user=user, post=post, reason="spam", token=uuid4())
        with pytest.raises(NotThere):
            reply(post.thread, user)
    for user in (moderator, administrator):
        with pytest.raises(NotThere):
            states.hide(user=user, post=post, reason="Off the point.")
    assert list(check_cases(fix=True)) == []
    assert not Case.objects.exists()


@pytest.mark.parametrize("gravity", [Case.ORDINARY, Case.UNHEEDED])
@pytest.mark.parametrize("role", ["moderator", "board_moderator"])
def test_the_oldest_is_named_however_many_are_graver(board, gravity, role, request):
    wait(201, board)
    Case.objects.update(gravity=Case.UNLAWFUL)
    moment = timezone.now() - timedelta(days=3)
    wait(1, board)
    Case.objects.filter(pk=Case.objects.latest("pk").pk).update(gravity=gravity, opened_at=moment)
    page = browser(request.getfixturevalue(role)).get("/admin/")
    assert page.context["oldest"] == moment
    assert "The oldest came" in page.content.decode()


def wait(many: int, *boards) -> None:
    """Have so many cases of reports on each of the boards."""
    Case.objects.bulk_create(
        Case(kind="report", board=where, gravity=n % 5, report_count=1)
        for where in boards
        for n in range(many)
    )
    analyzed()


@pytest.mark.parametrize("role", ["moderator", "board_moderator"])
def test_the_queue_reads_as_many_rows_whatever_waits(board, other_board, role, request):
    """Of a moderator of all boards, and of one board beside others where as much waits."""
    client = browser(request.getfixturevalue(role))

    def read() -> list[int]:
        asked = ("/admin/", "/admin/?kind=report", "/admin/?after=2-1", "/")
        return [effort(partial(client.get, address), "forum_case") for address in asked]

    wait(250, board, other_board)
    read()
    few = read()
    wait(1_500, board, other_board)
    for before, now in zip(few, read(), strict=True):
        assert now < before * 1.2, (few, now)
