"""Whoever an answer, a quote, a mention or a threadmark concerns is told of it, once."""

from uuid import uuid4

import pytest
from django.db import transaction

from accounts.models import User
from forum.actions import (
    arguments,
    boards,
    description,
    members,
    notices,
    post_notices,
    posts,
    threadmarks,
    watching,
)
from forum.actions.divergences import read_divergence
from forum.checking import check
from forum.models import Board, Job, Notice, Question, Watch
from forum.models.visibility import notices_visible_to, readers_of
from forum.moderation import merging, moving, states
from forum.outbox.worker import Worker
from forum.permissions import may
from tests.people import edit, fresh, make_member, pending, quoting, reply, start

pytestmark = pytest.mark.django_db


def notices_of(member, **where) -> list[str]:
    """The reasons of what `member` is told of posts, in order, once the worker is through."""
    Worker().drain()
    assert not Job.objects.due().exists()  # mail waits
    rows = notices_visible_to(fresh(member)).filter(kind=Notice.Kind.POST, **where).order_by("pk")
    unread = notices_visible_to(fresh(member)).unread()
    # Acts are counted after the commit, which no test here waits for.
    posts_alone = unread.filter(kind=Notice.Kind.POST).count()
    assert fresh(member).unread_notices in (posts_alone, unread.count())
    return list(rows.values_list("reasons", flat=True))


def test_one_notice_whatever_the_reasons(thread, opener, answerer, stranger):
    first = reply(thread, answerer, "The party would have split.")
    text = quoting(first, "The party would have split.", "I doubt it, @answerer and @opener.")
    reply(thread, stranger, text, to=first)
    assert notices_of(answerer) == ["reply,quote,mention"]
    assert notices_of(opener) == ["reply", "mention"]
    assert notices_of(stranger) == []


def test_who_asked_is_told_of_the_answer(thread, opener, answerer):
    description.describe(
        user=opener,
        thread=thread,
        divergences=(),
        questions=["Would the purges have come all the same?"],
    )
    tie = arguments.Tie(Question.objects.get().pk, "agrees")
    posts.reply(user=answerer, thread=thread, source="Yes.", token=uuid4(), ties=[tie])
    assert notices_of(opener) == ["reply,answer"]


def test_a_mind_that_changed_is_told_once_and_taken_back(
    thread, answer, answerer, stranger, django_capture_on_commit_callbacks
):
    def change() -> None:
        arguments.change_mind(user=stranger, post=answer, was="for", now="against", reason="So.")

    with django_capture_on_commit_callbacks(execute=True):
        change()
        change()
    assert Notice.objects.get(member=answerer, kind="mind").post == answer
    assert fresh(answerer).unread_notices == 1
    with django_capture_on_commit_callbacks(execute=True):
        arguments.keep_mind(user=stranger, post=answer)
    assert not Notice.objects.filter(kind="mind").exists()
    assert fresh(answerer).unread_notices == 0


def test_nobody_is_told_of_their_own_doing(thread, opener):
    first = reply(thread, opener, "I answer myself, @opener.")
    reply(thread, opener, quoting(first, "I answer myself"), to=first)
    watching.watch(user=opener, target=thread, level="all")
    reply(thread, opener, "And again.")
    assert notices_of(opener) == []


def test_nobody_hears_of_those_whom_they_ignore(thread, opener, answerer, stranger):
    members.ignore(user=opener, other=answerer, ignored=True)
    reply(thread, answerer, "@opener, hear me.")
    assert notices_of(opener) == []
    # Told already, then ignored: it goes, and comes back.
    reply(thread, stranger, "@opener, hear me.")
    assert notices_of(opener) == ["reply,mention"]
    members.ignore(user=fresh(opener), other=stranger, ignored=True)
    assert notices_of(opener) == []
    members.ignore(user=fresh(opener), other=stranger, ignored=False)
    assert notices_of(opener) == ["reply,mention"]


def test_an_edit_that_adds_a_mention_tells_once(thread, opener, answerer, stranger):
    post = reply(thread, answerer, "A word.")
    assert notices_of(stranger) == []
    post = edit(post, "A word to @stranger.")
    assert notices_of(stranger) == ["mention"]
    edit(edit(post, "A word."), "A word to @stranger again.")
    assert notices_of(stranger) == ["mention"]
    assert notices_of(opener) == ["reply"]


def test_a_past_name_is_still_a_member(thread, answerer, stranger, administrator):
    members.rename(user=administrator, member=stranger, name="Newcomer")
    reply(thread, answerer, "@stranger knows.")
    assert notices_of(stranger) == ["mention"]


def test_hidden_before_the_job_runs_nobody_is_told(thread, opener, answerer, moderator):
    post = reply(thread, answerer)
    states.hide(user=moderator, post=post, reason="Off the point.")
    assert notices_of(opener) == []
    assert not Notice.objects.filter(post=post).exists()
    states.restore(user=moderator, post=fresh(post))
    assert notices_of(opener) == ["reply"]


def test_what_is_hidden_or_withdrawn_takes_its_notice_with_it(thread, opener, answerer, moderator):
    post, other = reply(thread, answerer), reply(thread, answerer)
    assert notices_of(opener) == ["reply", "reply"]
    states.hide(user=moderator, post=post, reason="Off the point.")
    assert notices_of(opener) == ["reply"]
    posts.withdraw(user=answerer, post=other)
    assert notices_of(opener) == []
    states.restore(user=moderator, post=fresh(post))
    assert notices_of(opener) == ["reply"]
    states.hide_thread(user=moderator, thread=thread, reason="All of it.")
    assert notices_of(opener) == []


def test_what_moves_out_of_sight_takes_its_notices_with_it(thread, opener, answerer, moderator):
    private = Board.objects.create(name="Staff", slug="staff", audience="moderators")
    reply(thread, answerer)
    branch = reply(thread, answerer)
    assert notices_of(opener) == ["reply", "reply"]
    moving.split(
        user=moderator, thread=fresh(thread), chosen=[branch.pk], title="Elsewhere", board=private
    )
    assert notices_of(opener) == ["reply"]
    moving.move_thread(user=moderator, thread=fresh(thread), board=private)
    assert notices_of(opener) == []


def test_moved_away_before_the_job_runs(thread, opener, answerer, moderator):
    private = Board.objects.create(name="Staff", slug="staff", audience="moderators")
    reply(thread, answerer, "@keeper, look.")
    moving.move_thread(user=moderator, thread=fresh(thread), board=private)
    assert notices_of(opener) == []
    assert not Notice.objects.filter(member=opener, kind="post").exists()
    assert notices_of(moderator) == ["mention"]


def test_a_board_that_closes_or_drops_somebody_takes_its_notices(
    thread, opener, answerer, administrator, django_capture_on_commit_callbacks
):
    reply(thread, answerer)
    assert notices_of(opener) == ["reply"]
    boards.change(user=administrator, board=thread.board, audience="invited")
    assert notices_of(opener) == []
    with django_capture_on_commit_callbacks(execute=True):
        boards.invite(user=administrator, board=thread.board, members=[opener])
    assert notices_of(opener) == ["reply"]
    with django_capture_on_commit_callbacks(execute=True):
        boards.invite(user=administrator, board=thread.board, members=[])
    assert notices_of(opener) == []


def test_who_waits_for_approval_tells_when_let_in(thread, opener, answerer, moderator):
    post = pending(thread, answerer)
    assert notices_of(opener) == []
    states.approve(user=moderator, post=post)
    assert notices_of(opener) == ["reply"]


@pytest.mark.parametrize(
    ("level", "reasons"),
    [("all", ["thread"]), ("answers", []), ("marks", []), ("muted", [])],
)
def test_a_debate_is_watched_on_four_levels(thread, answerer, stranger, level, reasons):
    watching.watch(user=stranger, target=thread, level=level)
    reply(thread, answerer)
    assert notices_of(stranger) == reasons
    post = reply(thread, answerer, "To @stranger.")
    assert notices_of(stranger, post=post) == ([] if level in ("marks", "muted") else ["mention"])


def test_threadmarks_are_told_to_who_watches_the_story(thread, opener, answerer, stranger):
    watching.watch(user=stranger, target=thread, level="marks")
    watching.watch(user=answerer, target=thread, level="answers")
    post = reply(thread, opener, "Chapter one.")
    assert notices_of(stranger) == []
    for label in ("One", "The first"):
        threadmarks.mark(user=opener, post=post, category="story", label=label)
    assert notices_of(stranger) == ["mark"]
    assert notices_of(answerer) == []


def test_boards_members_and_branches_are_watched(thread, opener, answerer, stranger, board):
    watching.watch(user=stranger, target=board, level="openings")
    root = reply(thread, answerer)
    assert notices_of(stranger) == []
    new = start(board, answerer, title="Another what if")
    assert notices_of(stranger) == ["board"]
    watching.watch(user=stranger, target=board, level="all")
    reply(new, opener)
    assert notices_of(stranger) == ["board", "board"]
    # The nearer watch decides.
    watching.watch(user=stranger, target=thread, level="muted")
    reply(thread, answerer, to=root)
    assert notices_of(stranger) == ["board", "board"]
    watching.watch(user=stranger, target=root, level="all")
    below = reply(thread, opener, to=root)
    reply(thread, opener, to=below)
    reply(thread, opener)
    assert notices_of(stranger) == ["board", "board", "post", "post"]
    watcher = make_member("watcher")
    watching.watch(user=watcher, target=opener, level="openings")
    reply(thread, opener)
    assert notices_of(watcher) == []
    watching.watch(user=watcher, target=opener, level="all")
    reply(thread, opener)
    assert notices_of(watcher) == ["author"]


def test_a_stretch_of_history_is_watched(board, thread, opener, stranger):
    watching.watch_history(user=stranger, start="1900", end="1945", place="Spain")
    elsewhere = read_divergence(change="No putsch.", when="1923", place="Munich")
    description.describe(user=opener, thread=thread, divergences=[elsewhere], questions=())
    assert notices_of(stranger) == []
    late = read_divergence(change="No death.", when="1975", place="Madrid, Spain")
    description.describe(user=opener, thread=thread, divergences=[late], questions=())
    assert notices_of(stranger) == []
    there = read_divergence(change="The coup fails.", when="July 1936", place="Madrid, Spain")
    description.describe(user=opener, thread=thread, divergences=[there], questions=())
    assert notices_of(stranger) == ["stretch"]
    description.describe(user=opener, thread=thread, divergences=[there, late], questions=())
    assert notices_of(stranger) == ["stretch"]


@pytest.mark.parametrize(("wish", "level"), [("all", "all"), ("answers", "answers"), ("", None)])
def test_who_writes_watches_as_they_prefer(thread, answerer, wish, level):
    User.objects.filter(pk=answerer.pk).update(watch_written=wish)
    reply(thread, fresh(answerer))
    Worker().drain()
    mine = Watch.objects.filter(member=answerer)
    assert [watch.level for watch in mine] == ([level] if level else [])
    if level:
        watching.set_levels(user=answerer, levels={mine.get().pk: "muted"})
        reply(thread, fresh(answerer))
        Worker().drain()
        assert mine.get().level == "muted"


def test_who_watched_a_debate_watches_what_it_went_into(
    thread, board, opener, answerer, stranger, moderator
):
    other = start(board, opener, title="What if Lenin had lived on?")
    Worker().drain()
    watching.watch(user=stranger, target=other, level="all")
    merging.merge(user=moderator, thread=other, into=thread)
    reply(thread, answerer)
    assert notices_of(stranger) == ["thread"]


def test_many_are_told_in_batches(thread, answerer, monkeypatch):
    monkeypatch.setattr(post_notices, "BATCH", 3)
    people = User.objects.bulk_create(
        User(username=f"reader{n}", skeleton=f"reader{n}") for n in range(10)
    )
    Watch.objects.bulk_create(Watch(member=one, thread=thread) for one in people)
    reply(thread, answerer)
    Worker().drain()
    assert Notice.objects.filter(member__in=people, reasons="thread").count() == 10
    assert set(
        User.objects.filter(username__startswith="reader").values_list("unread_notices", flat=True)
    ) == {1}


def test_a_job_done_twice_tells_once(thread, opener, answerer):
    post = reply(thread, answerer)
    for _ in range(2):
        with transaction.atomic():
            post_notices.notify_of_post.call(post.pk)
    assert notices_of(opener) == ["reply"]


@pytest.mark.parametrize("audience", Board.Audience.values)
def test_readers_of_a_board_are_those_who_may_see_it(
    board, opener, stranger, moderator, board_moderator, administrator, audience
):
    board.audience = audience
    board.save()
    board.invited.set([stranger])
    readers = set(readers_of(board))
    for user in (opener, stranger, moderator, board_moderator, administrator):
        assert (user in readers) == may(fresh(user), "see board", board), user


def test_reading_what_a_notice_is_about(thread, opener, answerer):
    post, other = reply(thread, answerer), reply(thread, answerer)
    assert notices_of(opener) == ["reply", "reply"]
    user = fresh(opener)
    notices.mark_opened(user=user, posts=[post.pk])
    assert user.unread_notices == fresh(opener).unread_notices == 1
    assert Notice.objects.unread().get().post == other


def test_the_check_finds_counts_that_are_off(thread, opener, answerer, moderator):
    reply(thread, answerer)
    Worker().drain()
    User.objects.filter(pk=opener.pk).update(unread_notices=7)
    assert [fault.kind for fault in check(fix=True)] == ["notices"]
    assert fresh(opener).unread_notices == 1
    assert not list(check())
