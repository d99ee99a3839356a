"""Posts that members keep: a note of their own, a day on which to be reminded, nobody else's."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

import core.clock
from forum.actions import bookmarks
from forum.actions.composing import Unacceptable
from forum.models import Board, Bookmark, Job, Mail, Notice
from forum.moderation import states
from forum.outbox.worker import Worker
from forum.permissions import NotThere
from tests.people import browser, fresh, reply

pytestmark = pytest.mark.django_db
NOON = datetime(2031, 5, 10, 12, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch):
    """Sets the clock of all that asks Django what time it is."""

    def at(moment: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: moment)
        monkeypatch.setattr(core.clock, "now", lambda: moment)  # PostgreSQL has its own

    at(NOON)
    return at


def notices_of(member) -> list[Notice]:
    return list(Notice.objects.filter(member=member, kind="remind"))


def test_a_post_is_kept_once_with_the_newest_note(answer, stranger, clock):
    bookmarks.keep(user=stranger, post=answer, note="  Look   again ")
    kept = bookmarks.keep(user=stranger, post=answer, note="Twice", remind_on=date(2031, 5, 12))
    assert Bookmark.objects.get() == kept
    assert (kept.note, kept.remind_on) == ("Twice", date(2031, 5, 12))
    bookmarks.drop(user=fresh(answer.author), bookmark_id=kept.pk)  # another member's
    assert Bookmark.objects.exists()
    bookmarks.drop(user=stranger, bookmark_id=kept.pk)
    assert not Bookmark.objects.exists()


@pytest.mark.parametrize("note", ["x" * 201, "a\x07b"])
def test_a_note_is_one_short_line(answer, stranger, note):
    with pytest.raises(Unacceptable):
        bookmarks.keep(user=stranger, post=answer, note=note)
    assert not Bookmark.objects.exists()


def test_a_day_lies_ahead_where_the_member_lives(answer, stranger, clock):
    for day in (date(2031, 5, 9), date(2031, 5, 10), date(2061, 1, 1)):
        with pytest.raises(Unacceptable):
            bookmarks.keep(user=stranger, post=answer, remind_on=day)
    clock(datetime(2031, 5, 10, 13, tzinfo=UTC))  # in Auckland the eleventh has begun
    stranger.time_zone = "Pacific/Auckland"
    stranger.save()
    with pytest.raises(Unacceptable):
        bookmarks.keep(user=stranger, post=answer, remind_on=date(2031, 5, 11))
    bookmarks.keep(user=stranger, post=answer, remind_on=date(2031, 5, 12))


@pytest.mark.parametrize(
    ("zone", "moment"),
    [
        ("", datetime(2031, 5, 12, 8, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2031, 5, 11, 20, tzinfo=UTC)),
        ("America/New_York", datetime(2031, 5, 12, 12, tzinfo=UTC)),
    ],
)
def test_the_worker_reminds_in_the_morning_of_the_day_and_once(
    answer, stranger, clock, zone, moment
):
    stranger.time_zone = zone
    stranger.save()
    bookmarks.keep(user=stranger, post=answer, note="Who paid?", remind_on=date(2031, 5, 12))
    clock(moment - timedelta(minutes=1))
    Worker().drain()
    assert notices_of(stranger) == []
    clock(moment + timedelta(minutes=1))
    Worker().drain()
    (notice,) = notices_of(stranger)
    assert fresh(stranger).unread_notices == 1
    assert Mail.objects.get(notice=notice).member == stranger
    page = browser(fresh(stranger)).get("/notices/").content.decode()
    assert f"You wanted to be reminded of #{answer.number} in “{answer.thread.title}”" in page
    assert "Who paid?" in page
    assert Bookmark.objects.get().remind_on is None
    clock(moment + timedelta(days=2))
    Worker().drain()
    assert len(notices_of(stranger)) == 1
    browser(fresh(stranger)).get(answer.get_absolute_url(), follow=True)
    assert fresh(stranger).unread_notices == 0  # read by opening it


def test_another_day_or_no_bookmark_any_more_is_heeded(answer, stranger, clock):
    kept = bookmarks.keep(user=stranger, post=answer, remind_on=date(2031, 5, 12))
    bookmarks.keep(user=stranger, post=answer, remind_on=date(2031, 5, 20))
    clock(datetime(2031, 5, 13, tzinfo=UTC))
    Worker().drain()
    assert notices_of(stranger) == []
    bookmarks.drop(user=stranger, bookmark_id=kept.pk)
    clock(datetime(2031, 5, 21, tzinfo=UTC))
    Worker().drain()
    assert notices_of(stranger) == []
    assert not Job.objects.exists()


def test_who_moved_west_meanwhile_is_reminded_by_their_own_clock(answer, stranger, clock):
    bookmarks.keep(user=stranger, post=answer, remind_on=date(2031, 5, 12))
    stranger.time_zone = "America/New_York"
    stranger.save()
    clock(datetime(2031, 5, 12, 8, 1, tzinfo=UTC))
    Worker().drain()
    assert notices_of(stranger) == []
    clock(datetime(2031, 5, 12, 12, 1, tzinfo=UTC))
    Worker().drain()
    assert len(notices_of(stranger)) == 1


def test_a_bookmark_goes_and_comes_with_its_post(answer, thread, stranger, moderator, clock):
    bookmarks.keep(user=stranger, post=answer, note="Mine", remind_on=date(2031, 5, 12))
    client = browser(stranger)
    assert "Mine" in client.get("/bookmarks/").content.decode()
    states.hide(user=moderator, post=fresh(answer), reason="Off.")
    page = client.get("/bookmarks/").content.decode()
    assert "Mine" not in page
    assert thread.title not in page
    clock(datetime(2031, 5, 12, 9, tzinfo=UTC))
    Worker().drain()
    assert fresh(stranger).unread_notices == 0
    assert thread.title not in client.get("/notices/").content.decode()
    states.restore(user=moderator, post=fresh(answer))
    Worker().drain()
    assert "Mine" in client.get("/bookmarks/").content.decode()
    assert fresh(stranger).unread_notices == 1


def test_what_one_does_not_see_cannot_be_kept(answer, stranger):
    Board.objects.update(audience="moderators")
    with pytest.raises(NotThere):
        bookmarks.keep(user=stranger, post=fresh(answer), note="Mine")
    assert browser(stranger).get(f"/posts/{answer.pk}/bookmark/").status_code == 404


def test_bad_input_keeps_what_was_typed(answer, stranger):
    client = browser(stranger)
    address = f"/posts/{answer.pk}/bookmark/"
    for day in ("tomorrow", "2001-01-01", "99999-01-01", "2031-02-30"):
        response = client.post(address, {"note": "Mine, still", "remind_on": day})
        assert response.status_code == 422, day
        assert "Mine, still" in response.content.decode()
    assert not Bookmark.objects.exists()
    assert client.post("/bookmarks/drop/", {"bookmark": "9" * 30}).status_code == 302
    assert client.get("/bookmarks/?before=x").status_code == 404


def test_bookmarks_are_paged_without_counting(
    thread, answerer, stranger, django_assert_num_queries
):
    for _ in range(3):
        bookmarks.keep(user=stranger, post=reply(thread, answerer))
    client = browser(stranger)
    client.get("/bookmarks/")
    with django_assert_num_queries(4):
        client.get("/bookmarks/")
    posts = [reply(thread, answerer) for _ in range(40)]
    Bookmark.objects.bulk_create(Bookmark(member=stranger, post=post) for post in posts)
    with django_assert_num_queries(4):
        page = client.get("/bookmarks/").content.decode()
    assert page.count('id="bookmark-') == 30
    assert "Bookmarks (43)" in " ".join(page.split())
    older = page.rpartition("?before=")[2].partition('"')[0]
    assert client.get(f"/bookmarks/?before={older}").content.decode().count('id="bookmark-') == 13
