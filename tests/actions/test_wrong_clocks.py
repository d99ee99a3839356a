"""A worker whose clock is two hours ahead or behind neither refuses a member something nor lets one
pass, whether it is the one that wrote or the one that reads: what counts is the database's clock.
(On SQLite the worker and the database have one clock; see also what is tested of one set back.)"""

import re
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import User
from core import clock
from core.tasks import task
from forum.actions import pace, posts, read_state
from forum.models import Job, Post, Report, Suspension, Thread
from forum.moderation import reports, sanctions, states
from forum.operations import readiness
from forum.outbox.worker import LEASE, Worker
from forum.permissions import Refused, may
from tests.people import browser, edit, fresh, reply, start

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db,
    pytest.mark.parametrize("hours", [2, -2], ids=["ahead", "behind"]),
]
LONG = "The bridges over the river were mined by order of the staff on the fourth of May, " * 2


@contextmanager
def worker_off_by(hours: int):
    """What is done within is done by a worker whose clock is so wrong. (It stands, but for what is
    tested here that is one wrong clock more.)"""
    with time_machine.travel(timezone.now() + timedelta(hours=hours), tick=False):
        yield


def ago(**past) -> dict:
    return {"loaded_at": timezone.now() - timedelta(**past)}


def test_what_a_wrong_worker_wrote_counts(thread, stranger, settings, hours):
    settings.POSTS_PER_MINUTE, settings.STARTS_PER_HOUR, settings.REPORTS_PER_DAY = 3, 1, 1
    with worker_off_by(hours):
        start(thread.board, stranger)
        first, second = reply(thread, stranger), reply(thread, stranger)
        _report(stranger, thread)
    now = timezone.now()
    for moment in (
        *(first.loaded_at, first.body.revision.created_at, second.loaded_at),
        *(Report.objects.get().created_at, Thread.objects.latest("pk").created_at),
        fresh(thread).last_post_at,
    ):
        assert abs(moment - now) < timedelta(minutes=1)
    for again in (
        lambda: reply(thread, stranger),
        lambda: start(thread.board, stranger),
        lambda: _report(stranger, start(thread.board, second.author, title="Its own")),
    ):
        with pytest.raises(pace.TooFast):
            again()


def _report(user, thread):
    opening = thread.posts.get(number=1)
    reports.report(user=user, post=opening, reason=Report.Reason.ATTACK, token=uuid4())


def test_what_was_written_long_ago_binds_nobody_at_a_wrong_worker(
    thread, stranger, moderator, settings, hours
):
    settings.STARTS_PER_HOUR, settings.REPORTS_PER_DAY = 1, 1
    thread = states.slow(user=moderator, thread=thread, minutes=180)
    started, first = start(thread.board, stranger), reply(thread, stranger)
    _report(stranger, thread)
    Post.objects.filter(author=stranger).update(**ago(hours=4))
    Thread.objects.filter(pk=started.pk).update(created_at=timezone.now() - timedelta(hours=2))
    Report.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert first.state == "visible"
    settings.POSTS_PER_MINUTE = 1
    with worker_off_by(hours):
        assert reply(thread, stranger).state == "visible"
        Post.objects.filter(author=stranger).update(**ago(hours=4 - hours))
        start(thread.board, stranger, title="Another")
        _report(stranger, start(thread.board, moderator, title="A third"))


def test_a_wrong_worker_counts_too(thread, stranger, moderator, settings, hours):
    settings.POSTS_PER_MINUTE, settings.STARTS_PER_HOUR = 2, 1
    thread = states.slow(user=moderator, thread=thread, minutes=30)
    start(thread.board, stranger)
    assert reply(thread, stranger).state == "visible"
    with worker_off_by(hours):
        with pytest.raises(pace.TooFast):
            start(thread.board, stranger)
        settings.POSTS_PER_MINUTE = 3
        held = reply(thread, stranger)
        assert held.state == "pending"
        with pytest.raises(Refused, match="Slow mode holds it"):
            posts.release(user=stranger, post=held)
        Post.objects.filter(pk=held.pk).update(held_until=clock.now() - timedelta(minutes=1))
        posts.release(user=stranger, post=fresh(held))


def test_repeated_texts_wait(thread, stranger, settings, hours):
    settings.REPEAT_MINUTES = 30
    reply(thread, stranger, LONG)
    with worker_off_by(hours):
        assert reply(thread, stranger, LONG + "And more.").state == "pending"


@pytest.mark.parametrize("measure", Suspension.Measure.values)
def test_what_binds_a_member_ends_when_it_ends(stranger, moderator, measure, hours):
    with worker_off_by(hours):
        sanctions.suspend(
            user=moderator, member=stranger, measure=measure, days=1, reason="Enough."
        )
    kept = Suspension.objects.get().ends_at
    assert abs(kept - timezone.now() - timedelta(days=1)) < timedelta(minutes=1)

    def binds() -> bool:
        member = fresh(stranger)
        return member.suspended or member.watched

    for left, bound in ((1, True), (-1, False)):
        ends = timezone.now() + timedelta(hours=left)
        column = {"silence": "suspended_until"}.get(measure, "approval_until")
        Suspension.objects.update(ends_at=ends)
        User.objects.filter(pk=stranger.pk).update(**{column: ends})
        client = browser(stranger)
        with worker_off_by(hours):
            assert binds() is bound
            assert sanctions.stands(fresh(stranger))
            page = client.get("/standing/").content.decode()
            assert ("Enough." in page.partition('id="history"')[0]) is bound


def test_the_window_of_edits_is_as_long_as_the_site_says(thread, stranger, settings, hours):
    settings.EDIT_WINDOW_HOURS = 1
    post = reply(thread, stranger)
    for minutes, open_ in ((30, True), (90, False)):
        Post.objects.filter(pk=post.pk).update(**ago(minutes=minutes))
        client = browser(stranger)
        with worker_off_by(hours):
            assert may(stranger, "edit", fresh(post)) is open_
            assert client.get(f"/posts/{post.pk}/edit/").status_code == (200 if open_ else 403)
            if open_:
                edit(fresh(post), "Another text.")


def test_what_arrives_after_all_was_read_is_new(thread, stranger, opener, hours):
    with worker_off_by(hours):
        read_state.mark_all_read(user=stranger)
    reply(thread, opener)
    with worker_off_by(-hours):
        reply(thread, opener)
    assert read_state.seen(fresh(stranger), fresh(thread)).unread(fresh(thread)) == 2


@task
def nothing() -> None:
    """A job."""


def test_jobs_are_due_when_they_are_and_somebodys_as_long_as_said(hours):
    with worker_off_by(hours):
        nothing.enqueue()
    assert Job.objects.due().exists()
    with worker_off_by(hours):
        job = Worker()._claim()
    assert job is not None
    assert not Job.objects.due().exists(), "another worker takes it too"
    assert abs(fresh(job).lease_until - timezone.now() - LEASE) < timedelta(minutes=1)
    with worker_off_by(-hours):
        assert not Job.objects.due().exists()


def test_readyz_says_that_the_clock_is_wrong(hours, monkeypatch):
    monkeypatch.setattr(readiness, "SECONDS", 30)  # however busy this machine is
    with worker_off_by(hours):
        where = {2: "ahead of", -2: "behind"}[hours]
        said = Client().get("/readyz").content.decode()
        assert re.search(rf"clock is 7\d\d\d s {where} the database's\n", said), said
    assert "clock" not in Client().get("/readyz").content.decode()
