"""Whatever ends the worker while it tells of a post, and however many workers tell of it, everybody
is told once and the counts are right."""

import os
from collections import Counter
from threading import Thread as WorkerThread

import pytest
from django.db import connection

from accounts.models import User
from forum.actions import post_notices
from forum.checking import check
from forum.models import Board, Job, Notice, Watch
from forum.outbox.worker import Worker
from tests.acts.ends import counted, cut, kill
from tests.people import make_member, quoting, reply, start

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races]
LONG = os.environ.get("JONBAR_LONG") == "1"
WATCHERS = 7


@pytest.fixture
def debate(monkeypatch):
    """A debate whose opener is answered, with seven watchers who are told by threes."""
    monkeypatch.setattr(post_notices, "BATCH", 3)
    opener, answerer = make_member("opener"), make_member("answerer")
    board = Board.objects.create(name="After 1900", slug="after-1900")
    thread = start(board, opener)
    Worker().drain()
    for n in range(WATCHERS):
        Watch.objects.create(member=make_member(f"reader{n}"), thread=thread)
    assert not Notice.objects.exists()
    return thread, answerer


def accept(thread, answerer) -> None:
    """A reply that quotes and mentions the opener, of which nobody was told yet."""
    Job.objects.all().delete()
    Notice.objects.all().delete()
    User.objects.update(unread_notices=0)
    text = quoting(thread.posts.get(number=1), "the party had obeyed", "No, @opener.")
    reply(thread, answerer, text)


def notified() -> Counter:
    return Counter(Notice.objects.values_list("member__username", "reasons"))


def everybody() -> Counter:
    readers = {(f"reader{n}", "thread"): 1 for n in range(WATCHERS)}
    return Counter({("opener", "reply,quote,mention"): 1, **readers})


def test_a_worker_killed_at_each_statement_tells_once(debate, record_property):
    accept(*debate)
    points = counted(lambda: Worker().drain())
    assert notified() == everybody()
    for statement in range(1, points + 1):
        accept(*debate)
        (kill if LONG else cut)(lambda: Worker().drain(), statement)
        Job.objects.filter(lease_until__isnull=False).update(lease_until="2000-01-01T00:00Z")
        Worker().drain()
        assert notified() == everybody(), f"after statement {statement}"
        assert not [fault for fault in check(quick=True) if fault.kind == "notices"]
    record_property("measured", f"{points} {'kills' if LONG else 'cuts'}")


def test_workers_at_once_tell_once(debate):
    accept(*debate)
    post = debate[0].posts.latest("pk")
    for _ in range(4):  # as if it was asked for again and again
        post_notices.notify_of_post.enqueue(post.pk)

    def work() -> None:
        try:
            Worker().drain()
        finally:
            connection.close()

    workers = [WorkerThread(target=work) for _ in range(3)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    Job.objects.update(run_after="2000-01-01T00:00Z")  # also what waits to be tried again
    Worker().drain()
    assert notified() == everybody()
    assert not [fault for fault in check(quick=True) if fault.kind == "notices"]
