"""Workers that die while they send, at each statement and at any moment, and several at once."""

import os
import signal
from collections import Counter

import pytest
from django.core.mail.backends.smtp import EmailBackend
from django.db import transaction

from accounts.models import User
from forum.actions import post_notices
from forum.mailing import queueing
from forum.models import AuditEntry, Board, Job, Mail, MailSettings, Notice, Watch
from forum.outbox.worker import Worker
from tests.acts.ends import counted, cut, kill
from tests.mailing.conftest import make_due, pass_time
from tests.outbox.forks import (
    forked,
    kill_until_all_is_done,
    wait_until_all_is_done,
    workers,
)
from tests.people import make_member, reply, start

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races]
LONG = os.environ.get("JONBAR_LONG") == "1"


def tell(members) -> None:
    """One notice to each, of which mail is due."""
    entry = AuditEntry.objects.create(verb="lock", reason="Enough.")
    notices = [
        Notice.objects.create(member=member, entry=entry, sentence="Something happened.")
        for member in members
    ]
    queueing.queue(notices)
    make_due()


def test_a_worker_killed_at_each_statement_of_a_mail(server, record_property):
    member = make_member("member-a")
    tell([member])
    points = counted(lambda: Worker().drain())
    for statement in range(1, points + 1):
        Notice.objects.all().delete()
        Job.objects.all().delete()
        server.mails.clear()
        tell([member])
        (kill if LONG else cut)(lambda: Worker().drain(), statement)
        pass_time()
        assert [mail.outcome for mail in Mail.objects.all()] == ["sent"], statement
        assert not Job.objects.exists()
        assert len({mail["Message-ID"] for mail in server.mails}) == 1
        assert len(server.mails) == 1, statement
    record_property("measured", f"{points} {'kills' if LONG else 'cuts'}")


def test_a_worker_killed_at_each_statement_of_telling_watchers(
    server, monkeypatch, record_property
):
    """From the job that a reply leaves to the last mail about it, in several batches."""
    monkeypatch.setattr(post_notices, "BATCH", 2)
    opener, answerer = make_member("opener"), make_member("answerer")
    thread = start(Board.objects.create(name="After 1900", slug="after-1900"), opener)
    Worker().drain()
    people = [make_member(f"member-{number}") for number in range(3)]
    for one in people:
        Watch.objects.create(member=one, thread=thread)
        MailSettings.objects.create(member=one, rhythms={"watched": "now"})

    def begin() -> None:
        Notice.objects.all().delete()
        Job.objects.all().delete()
        User.objects.update(unread_notices=0)
        server.mails.clear()
        with transaction.atomic():
            post_notices.notify_of_new(post)

    def work() -> None:
        pass_time()
        pass_time()

    post = reply(thread, answerer)
    begin()
    points = counted(work)
    statements = range(1, points + 1, 1 if LONG else 9)
    for statement in statements:
        begin()
        (kill if LONG else cut)(work, statement)
        work()
        told = [*people, opener]
        assert Counter(Notice.objects.values_list("member", flat=True)) == Counter(
            one.pk for one in told
        ), statement
        counts = User.objects.filter(unread_notices=1).values_list("username", flat=True)
        assert set(counts) == {one.username for one in told}, statement
        assert {mail.outcome for mail in Mail.objects.all()} == {"sent"}, statement
        assert not Job.objects.exists()
        assert Counter(mail["To"] for mail in server.mails) == Counter(one.email for one in told), (
            statement
        )
    how = "kills" if LONG else "cuts"
    record_property("measured", f"{points} statements, {len(statements)} {how}")


def test_workers_that_are_killed_at_any_moment(server, record_property):
    count = 60 if LONG else 20
    members = [make_member(f"member-{number}") for number in range(count)]
    tell(members)
    killed = kill_until_all_is_done(count // 2, seed=8)
    assert not Mail.objects.unsettled().exists()
    sent = Counter(server.addresses)
    assert max(sent.values()) <= 2
    assured = Mail.objects.filter(outcome="sent").select_related("member")
    assert {mail.member.email for mail in assured} <= set(sent)
    assert set(Mail.objects.values_list("outcome", flat=True)) <= {"sent", "uncertain"}
    # Nothing was begun in vain but by who was killed then, and nothing a third time.
    begun = Mail.objects.values_list("begun", "outcome")
    assert sum(times - (outcome == "sent") for times, outcome in begun) <= killed
    assert all(times <= 2 for times, _ in begun)
    assert len({mail["Message-ID"] for mail in server.mails}) == len(sent)
    twice = sum(number > 1 for number in sent.values())
    record_property("measured", f"{count} mails, {killed} kills, {twice} sent twice")


def test_workers_at_once_send_nothing_twice(server):
    members = [make_member(f"member-{number}") for number in range(30)]
    tell(members)
    with workers(3, POLL_SECONDS=0.02):
        wait_until_all_is_done()
    assert Counter(server.addresses) == Counter(member.email for member in members)


def test_gatherings_at_once_put_each_notice_into_one_mail(server):
    """Several jobs of one member, as two acts at once leave them behind."""
    member = make_member("member-a")
    for _ in range(12):
        tell([member])
    assert Job.objects.count() == 12
    with workers(3, POLL_SECONDS=0.02):
        wait_until_all_is_done()
    told = sum(
        mail.get_body(("plain",)).get_content().count("Something happened.")
        for mail in server.mails
    )
    assert told == 12


def _die_after_the_yes() -> None:
    """Work, but be gone at the moment at which the server has taken a mail."""
    send = EmailBackend.send_messages

    def die(self, messages):
        send(self, messages)
        os.kill(os.getpid(), signal.SIGKILL)

    EmailBackend.send_messages = die
    Worker().drain()


def test_a_worker_killed_after_the_servers_yes_sends_it_once_more(server):
    tell([make_member("member-a")])
    os.waitpid(forked(_die_after_the_yes), 0)
    assert len(server.mails) == 1
    pass_time()
    assert len(server.mails) == 2
    assert len({mail["Message-ID"] for mail in server.mails}) == 1
    assert [mail.outcome for mail in Mail.objects.all()] == ["sent"]


def test_a_worker_killed_so_twice_does_not_send_it_a_third_time(server):
    tell([make_member("member-a")])
    for _ in range(3):
        os.waitpid(forked(_die_after_the_yes), 0)
        make_due()
    pass_time()
    assert len(server.mails) == 2
    assert [mail.outcome for mail in Mail.objects.all()] == ["uncertain"]
