"""Members are told of what concerns them, and of nothing that they may not know."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forum.actions import notices, threads
from forum.models import AuditEntry, Board, Notice
from forum.moderation import states
from forum.outbox.worker import Worker
from tests.effort import analyzed, effort
from tests.people import browser, fresh, reply, start
from tests.views.test_road import grow

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("verb", ["hide", "remove"])
def test_the_author_is_told_of_an_act_and_of_its_undoing(
    answer, answerer, moderator, verb, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        getattr(states, verb)(user=moderator, post=answer, reason="Off the point.")
        states.restore(user=moderator, post=fresh(answer), reason="It was not.")
    told = list(Notice.objects.filter(member=answerer).order_by("pk"))
    assert [n.entry.verb for n in told] == [verb, "restore"]
    assert [n.entry.reason for n in told] == ["Off the point.", "It was not."]
    assert fresh(answerer).unread_notices == 2
    assert not Notice.objects.exclude(member=answerer).exists()


def test_debates_are_their_openers_affair(thread, opener, moderator):
    for verb in ("lock", "unlock", "pin", "unpin", "hide_thread", "restore_thread"):
        getattr(states, verb)(user=moderator, thread=thread, reason="Because.")
    threads.rename(user=moderator, thread=thread, title="Another title")
    assert [n.entry.verb for n in Notice.objects.filter(member=opener).order_by("pk")] == [
        *("lock", "unlock", "pin", "unpin", "hide", "restore", "rename")
    ]


def test_nobody_is_told_of_their_own_acts_or_without_an_account(thread, moderator, opener):
    mine = reply(thread, moderator)
    states.hide(user=moderator, post=mine, reason="Mine.")
    threads.rename(user=opener, thread=thread, title="My own title")
    entry = AuditEntry.objects.latest("pk")
    assert notices.notify(None, entry=entry) is None
    assert not Notice.objects.exists()


def test_an_act_that_fails_tells_nobody(answer, moderator, monkeypatch):
    monkeypatch.setattr(notices, "notify", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        states.hide(user=moderator, post=answer, reason="Off the point.")
    assert fresh(answer).state == "visible"
    assert not AuditEntry.objects.exists()


def test_reading_one_and_reading_all_up_to_what_was_shown(thread, opener, moderator):
    for verb in ("lock", "unlock", "pin", "unpin"):
        getattr(states, verb)(user=moderator, thread=thread)
    first, second, third, last = Notice.objects.order_by("pk")
    client = browser(opener)
    client.post("/notices/read/", {"notice": second.pk})
    assert fresh(opener).unread_notices == 3
    client.post("/notices/read/", {"until": third.pk})
    assert fresh(opener).unread_notices == 1
    assert [fresh(n).read_at is None for n in (first, second, third, last)] == [
        *(False, False, False, True)
    ]
    # Another member's are left alone.
    browser(moderator).post("/notices/read/", {"until": last.pk})
    assert fresh(last).read_at is None
    for junk in ({}, {"until": "x"}, {"notice": "9" * 30}):
        assert client.post("/notices/read/", junk).status_code == 404


def test_the_page_names_what_the_member_may_know(thread, answer, answerer, moderator):
    states.hide(user=moderator, post=answer, reason="Off the point.")
    client = browser(answerer)
    page = client.get("/notices/").content.decode()
    assert "Your post was hidden." in page
    assert "Off the point." in page
    assert thread.title in page
    assert f'href="/posts/{answer.pk}/"' in page
    Board.objects.update(audience="moderators")
    page = client.get("/notices/").content.decode()
    assert "Off the point." in page
    assert thread.title not in page
    assert f"/posts/{answer.pk}/" not in page


def test_the_menu_counts_without_a_query_and_pages_do_not_grow(thread, opener, moderator):
    def asked() -> int:
        client = browser(opener)
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/notices/").status_code == 200
        return len(queries)

    states.lock(user=moderator, thread=thread)
    notices.recount(opener.pk)
    few = asked()
    for _ in range(20):
        states.unlock(user=moderator, thread=thread)
        states.lock(user=moderator, thread=thread)
    notices.recount(opener.pk)
    assert asked() == few
    page = browser(opener).get("/").content.decode()
    assert '<span class="new">41<span class="vh"> new</span></span>' in page
    client = browser(opener)
    first = client.get("/notices/").content.decode()
    oldest = first.rpartition("?before=")[2].partition('"')[0]
    second = client.get(f"/notices/?before={oldest}").content.decode()
    assert first.count('id="notice-') + second.count('id="notice-') == 41
    assert client.get("/notices/?before=x").status_code == 404


def test_a_page_of_notices_reads_no_posts_but_those_it_tells_of(
    thread, answer, opener, answerer, other_board
):
    there = start(other_board, opener, title="All that is written")
    posts = grow(there, opener, [None] * 8_000)
    Notice.objects.bulk_create(
        Notice(member=answerer, kind="post", reasons="thread", post=post, read_at=there.created_at)
        for post in posts[:1_000]
    )
    reply(thread, opener, "I doubt it.", to=answer)
    Worker().drain()
    client = browser(answerer)
    assert "opener" in client.get("/notices/").content.decode()
    analyzed()
    # As PostgreSQL chooses: it read all posts, so as to know which may be seen.
    read = effort(lambda: client.get("/notices/"), "forum_notice", without=())
    assert 0 < read < 6_000, read
