"""A debate with thousands of watchers: a reply costs what it costs without them, and each is told
once, on the site and by mail, whatever ends the workers meanwhile."""

import time
from collections import Counter
from statistics import median

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.names import skeleton
from forum.models import Board, Job, Mail, MailSettings, Notice, Watch
from forum.outbox.worker import Worker
from tests.mailing.conftest import make_due
from tests.outbox import forks
from tests.people import make_member, reply, start

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races, pytest.mark.long]
WATCHERS = 5_000
REPLIES = 25


def watchers() -> list[User]:
    """Members with confirmed addresses, who want mail at once."""
    names = [f"reader{n}" for n in range(WATCHERS)]
    rows = User.objects.bulk_create(
        User(username=name, skeleton=skeleton(name), email=f"{name}@example.org", password="!")
        for name in names
    )
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in rows
    )
    MailSettings.objects.bulk_create(
        MailSettings(member=user, rhythms={"watched": "now"}) for user in rows
    )
    return rows


def cost_of_a_reply(thread, author) -> tuple[int, float]:
    """Its statements, and seconds of processor time in this process."""
    with CaptureQueriesContext(connection) as asked:
        before = time.process_time()
        reply(thread, author)
        spent = time.process_time() - before
    return len(asked), spent


def test_five_thousand_are_told_once(server, record_property, monkeypatch):
    monkeypatch.setattr(forks, "SECONDS", 1_200)
    opener, answerer = make_member("opener"), make_member("answerer")
    board = Board.objects.create(name="After 1900", slug="after-1900")
    quiet, watched = (start(board, opener, title=title) for title in ("A quiet one", "A loud one"))
    people = watchers()
    Worker().drain()  # the openings; nobody watches yet
    Watch.objects.bulk_create(Watch(member=user, thread=watched) for user in people)
    for thread in (quiet, watched) * 3:  # what only the first posts of a member bring
        reply(thread, answerer)
    costs: dict[str, list] = {"quiet": [], "watched": []}
    for _ in range(REPLIES):
        costs["quiet"].append(cost_of_a_reply(quiet, answerer))
        costs["watched"].append(cost_of_a_reply(watched, answerer))
    statements = {name: {count for count, _ in rows} for name, rows in costs.items()}
    assert statements["quiet"] == statements["watched"]
    ratio = median(t for _, t in costs["watched"]) / median(t for _, t in costs["quiet"])
    Job.objects.all().delete()

    post = reply(watched, answerer, "Whoever reads this reads it once.")
    began = time.monotonic()
    killed = forks.kill_until_all_is_done(20, seed=5, due=True)
    told = time.monotonic() - began
    mine = Notice.objects.filter(post=post, member__in=people)
    assert mine.count() == WATCHERS
    assert mine.values("member").distinct().count() == WATCHERS
    ids = [user.pk for user in people]
    counted = User.objects.filter(pk__in=ids).values_list("unread_notices", flat=True)
    assert set(counted) == {1}

    make_due()
    began = time.monotonic()
    killed += forks.kill_until_all_is_done(20, seed=6)
    sent = time.monotonic() - began
    outcomes = Counter(Mail.objects.values_list("outcome", flat=True))
    assert set(outcomes) <= {"sent", "uncertain"}
    got = Counter(address for address in server.addresses if address.startswith("reader"))
    assert set(got) == {user.email for user in people}
    # A worker that dies between the mail server's yes and its own note sends once more.
    twice = sum(number > 1 for number in got.values())
    assert max(got.values()) <= 2
    assert twice <= killed
    assert len({mail["Message-ID"] for mail in server.mails}) == len(set(server.addresses))
    record_property(
        "measured",
        f"a reply costs {ratio:.2f} of one without watchers ({statements['watched']} statements); "
        f"{WATCHERS} told in {told:.0f} s, mailed in {sent:.0f} s, {killed} kills, {twice} twice",
    )
