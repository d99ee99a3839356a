"""What moderation came to, in figures: each is counted by hand here."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from forum.actions import cases
from forum.models import AuditEntry, Case, Notice, Quarter, Report
from forum.models.transparency import next_quarter
from forum.moderation import queue, reports, sanctions, states, transparency, undoing
from tests.people import browser, fresh, reply

pytestmark = pytest.mark.django_db
BEGINS = date(2026, 1, 1)


def figures() -> dict:
    today = datetime.now(UTC).date()
    return transparency.figures(today - timedelta(days=1), today + timedelta(days=2))


def report(user, post, reason="spam"):
    return reports.report(user=user, post=post, reason=reason, text="", token=uuid4())


def test_a_forum_in_which_nothing_happened(db):
    assert transparency.count_quarters() == 0
    told = figures()
    assert told["median_hours"] is None
    assert not any(value for value in told.values() if value)
    page = browser().get("/transparency/").content.decode()
    assert "Nothing was counted yet" in page
    assert browser().get("/transparency/figures.json").json() == {"quarters": []}


def test_what_happened_is_counted(thread, opener, answerer, stranger, moderator, settings):
    first, second, third = (reply(thread, answerer, f"Text {n}.") for n in range(3))
    report(opener, first), report(stranger, first, "attack"), report(stranger, second)
    queue.decide(user=moderator, case=first.cases.get(), act="hide", reason="So.")
    queue.decide(user=moderator, case=second.cases.get(), act="no action", reason="Fine.")
    now = fresh(first.cases.get()).opened_at
    Case.objects.filter(post=first).update(decided_at=now + timedelta(hours=3))
    Case.objects.filter(post=second).update(opened_at=now, decided_at=now + timedelta(hours=6))
    states.hide(user=moderator, post=third, reason="So.")
    sanctions.warn(user=moderator, member=answerer, points=1, reason="So.", post=third)
    for post in (first, third):
        notice = Notice.objects.get(member=answerer, entry__post=post, entry__verb="hide")
        cases.answer(user=answerer, notice=notice, text="Why?")
    appeals = Case.objects.filter(kind="appeal").order_by("pk")
    other = type(moderator).objects.get(pk=moderator.pk)
    queue.decide(user=other, case=appeals[1], act="undo", reason="You are right.")
    told = figures()
    assert told["reports"] == {"attack": 1, "spam": 2}
    assert told["posts_reported"] == 2
    assert told["reports_decided"] == 2
    assert told["median_hours"] == 4.5
    assert told["acts"]["hide"] == 2
    assert told["acts"]["warn"] == 1
    assert told["by_moderators"] == 3
    assert told["by_the_site_itself"] == 0
    assert (told["answers"], told["answers_decided"], told["answers_followed"]) == (2, 1, 1)
    assert told["taken_back"] == {"hide": 1}


def test_what_reports_alone_did_is_the_sites_own(thread, board, answerer, opener, stranger):
    type(board).objects.filter(pk=board.pk).update(hide_after_reports=2)
    post = fresh(reply(thread, answerer, "Buy maps."))
    report(opener, post)
    report(stranger, post)
    told = figures()
    assert told["by_moderators"] == 0
    assert told["by_the_site_itself"] == told["acts"].get("hide", 0)


def test_quarters_follow_each_other_and_are_counted_until_they_are_over(
    thread, answer, moderator, monkeypatch
):
    states.hide(user=moderator, post=answer, reason="So.")
    entry = AuditEntry.objects.get(verb="hide")
    today = transparency._quarter_of(entry.created_at)
    monkeypatch.setattr(transparency.clock, "now", lambda: entry.created_at)  # no quarter ends here
    assert transparency.count_quarters() == 1
    assert transparency.count_quarters() == 1  # it goes on
    assert Quarter.objects.get().begins == today
    undoing.undo(user=moderator, entry=entry, reason="Not so.")
    transparency.count_quarters()
    assert Quarter.objects.get().figures["taken_back"] == {"hide": 1}
    later = datetime.combine(next_quarter(next_quarter(today)), datetime.min.time(), UTC)
    monkeypatch.setattr(transparency.clock, "now", lambda: later)
    assert transparency.count_quarters() == 3
    assert transparency.count_quarters() == 1  # those that are over stay as they are
    assert [q.begins for q in Quarter.objects.all()][-1] == today
    assert next_quarter(date(2026, 10, 1)) == date(2027, 1, 1)
    assert next_quarter(BEGINS) == date(2026, 4, 1)


def test_everybody_reads_it_and_nothing_but_counts_is_in_it(
    thread, answer, moderator, opener, answerer
):
    report(opener, answer)
    states.hide(user=moderator, post=answer, reason="A reason of mine.")
    transparency.count_quarters()
    page = browser().get("/transparency/").content.decode()
    for words in ("1 post was reported", "It is spam", "hid …", "half of them within"):
        assert words in page, words
    sent = browser().get("/transparency/figures.json").json()["quarters"][0]
    assert sent["reports"] == {"spam": 1}
    for text in (page, str(sent)):
        assert "A reason of mine." not in text
        assert answerer.username not in text
        assert thread.title not in text
    assert Report.objects.count() == 1


def test_the_pages_cost_one_statement_for_all_quarters(django_assert_num_queries, db):
    for year in range(2016, 2026):
        Quarter.objects.create(
            begins=date(year, 1, 1), figures=figures(), counted_at=datetime.now(UTC)
        )
    browser().get("/transparency/")
    with django_assert_num_queries(1):
        browser().get("/transparency/figures.json")
