"""What one is told and what one watches, on the pages that show it."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forum.actions import arguments, notices, watching
from forum.models import Board, Notice, Post, Watch
from forum.moderation import states
from forum.outbox.worker import Worker
from tests.people import browser, fresh, pending, reply, start

pytestmark = pytest.mark.django_db


def page_of(member, address="/notices/") -> str:
    Worker().drain()
    response = browser(fresh(member)).get(address)
    assert response.status_code == 200
    return response.content.decode()


def queries(member, address: str) -> int:
    client = browser(fresh(member))
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


def test_three_replies_to_one_post_are_one_line(thread, answer, answerer, opener, stranger):
    for author in (opener, stranger, opener):
        reply(thread, author, "Two holds in three.", to=answer)
    page = page_of(answerer)
    assert f"3 replies to your #{answer.number} in “{thread.title}”" in page
    assert "opener and stranger." in page
    assert "Two holds in three." in page
    assert '<span class="new">3 new</span>' in page
    assert page.count('id="notice-') == 1
    assert '<span class="new">3<span class="vh"> new</span></span>' in page  # in the masthead


def test_each_kind_says_what_it_is(thread, board, answer, answerer, opener, stranger):
    watching.watch(user=answerer, target=board, level="openings")
    watching.watch(user=answerer, target=stranger, level="all")
    start(board, opener, title="A new one")
    reply(thread, stranger, "A word to nobody.")
    reply(thread, opener, "A word to @answerer.")
    arguments.change_mind(user=stranger, post=answer, was="for", now="against", reason="So.")
    page = page_of(answerer)
    for said in (
        "opener opened “A new one”",
        "You watch this board.",
        f"stranger wrote in “{thread.title}”",
        "You watch this member.",
        f"opener mentions you in “{thread.title}”",
        "You changed stranger’s mind",
        f"In “{thread.title}”, by your #{answer.number}.",
    ):
        assert said in page, said


def test_what_concerns_me_is_read_by_opening_it(thread, opener, answerer):
    reply(thread, answerer)
    Worker().drain()
    assert fresh(opener).unread_notices == 1
    # A prefetch is no reading.
    address = thread.get_absolute_url()
    browser(fresh(opener)).get(address, headers={"sec-purpose": "prefetch"})
    assert fresh(opener).unread_notices == 1
    page = browser(fresh(opener)).get(address).content.decode()
    assert fresh(opener).unread_notices == 0
    assert '<span class="vh"> new</span>' not in page  # counted anew before it was drawn
    assert 'class="fresh"' not in page_of(opener)


def test_opening_one_page_leaves_what_stands_on_another(thread, opener, answerer):
    for _ in range(25):
        reply(thread, answerer)
    Worker().drain()
    browser(fresh(opener)).get(f"{thread.get_absolute_url()}?view=flat&page=1")
    shown = Post.objects.filter(thread=thread, number__lte=20)
    assert not Notice.objects.unread().filter(post__in=shown).exists()
    left = Notice.objects.unread().filter(member=opener)
    assert left.count() == fresh(opener).unread_notices == thread.posts.count() - 20


def test_one_click_stops_a_watch_or_mutes_a_debate(thread, board, opener, answerer, stranger):
    watch = watching.watch(user=stranger, target=thread, level="all")
    reply(thread, answerer)
    assert f'name="watch" value="{watch.pk}"' in page_of(stranger)
    client = browser(stranger)
    response = client.post("/watching/stop/", {"watch": watch.pk, "back": "notices"})
    assert response["Location"] == "/notices/"
    assert not Watch.objects.filter(member=stranger).exists()
    page = page_of(opener)
    assert f'action="/threads/{thread.pk}/watch/"' in page
    browser(opener).post(f"/threads/{thread.pk}/watch/", {"level": "muted", "back": "notices"})
    reply(thread, answerer, "@opener, again.")
    Worker().drain()
    assert Notice.objects.filter(member=opener).count() == 1


def test_another_members_watches_are_left_alone(thread, opener, stranger):
    watch = watching.watch(user=opener, target=thread, level="all")
    client = browser(stranger)
    client.post("/watching/stop/", {"watch": watch.pk})
    client.post("/watching/", {f"level-{watch.pk}": "muted"})
    assert fresh(watch).level == "all"
    for junk in ("", "x", "9" * 30):
        assert client.post("/watching/stop/", {"watch": junk}).status_code == 302
    assert client.post("/watching/", {"level-x": "all", "level-": "", "q": "1"}).status_code == 302
    assert client.get("/watching/?before=x").status_code == 404


def test_all_that_is_watched_stands_on_one_page(thread, board, answer, opener, answerer, stranger):
    watching.watch(user=stranger, target=board, level="all")
    watching.watch(user=stranger, target=thread, level="marks")
    watching.watch(user=stranger, target=answer, level="all")
    watching.watch(user=stranger, target=opener, level="openings")
    watching.watch_history(user=stranger, start="1900", end="1945", place="Spain")
    page = page_of(stranger, "/watching/")
    for said in (board.name, thread.title, f"What grows from #{answer.number}", "opener"):
        assert said in page
    assert "1900 to 1945, in Spain" in page
    debate = Watch.objects.get(thread=thread)
    browser(stranger).post("/watching/", {f"level-{debate.pk}": "muted"})
    assert fresh(debate).level == "muted"
    browser(stranger).post("/watching/", {f"level-{debate.pk}": "openings"})  # no level of a debate
    assert fresh(debate).level == "muted"
    # What one does not see any more is named no more, and can be stopped.
    Board.objects.update(audience="moderators")
    page = page_of(stranger, "/watching/")
    assert board.name not in page
    assert thread.title not in page
    assert page.count('name="watch"') == 5


def test_a_stretch_that_is_no_date_says_so_and_keeps_what_was_typed(stranger):
    client = browser(stranger)
    response = client.post("/watching/history/", {"from": "once", "to": "1945", "place": "Spain"})
    page = response.content.decode()
    assert response.status_code == 422
    assert "In “from”: " in page
    assert 'value="once"' in page
    assert 'value="Spain"' in page
    for typed in ({}, {"from": "1945", "to": "1900"}, {"from": "1900", "place": "x\0y"}):
        assert client.post("/watching/history/", typed).status_code == 422
    assert not Watch.objects.exists()
    for _ in range(2):
        assert client.post("/watching/history/", {"to": "1945"}).status_code == 302
    assert Watch.objects.get().years == "until 1945"


def test_what_may_be_watched_leads_to_it(thread, answer, board, opener, stranger):
    address = thread.get_absolute_url()
    for page, link in (
        (board.get_absolute_url(), f"/boards/{board.slug}/watch/"),
        (address, f"/threads/{thread.pk}/watch/"),
        (address, f"/posts/{answer.pk}/watch/"),
        ("/members/opener/", "/members/opener/watch/"),
        ("/timeline/?from=1900&to=1945", "/watching/?from=1900&amp;to=1945&amp;place=#stretch"),
    ):
        assert f'href="{link}"' in browser(stranger).get(page).content.decode()
        assert "/watch" not in browser().get(page).content.decode()
    client = browser(stranger)
    assert client.post(f"/posts/{thread.posts.get(number=1).pk}/watch/", {"level": "all"})
    assert Watch.objects.get(member=stranger).thread == thread
    client.post(f"/threads/{thread.pk}/watch/", {"level": "stop"})
    assert not Watch.objects.exists()
    assert client.post(f"/threads/{thread.pk}/watch/", {"level": "x"}).status_code == 422
    assert browser(opener).post("/members/opener/watch/", {"level": "all"}).status_code == 403


def test_pages_ask_no_more_however_much_there_is(thread, opener, answerer, moderator):
    for _ in range(3):
        reply(thread, answerer, "@opener")
    states.lock(user=moderator, thread=thread)
    Worker().drain()
    notices.recount(opener.pk)
    few = [queries(opener, address) for address in ("/notices/", "/watching/", "/")]
    post = thread.posts.get(number=2)
    rows = Post.objects.bulk_create(
        Post(
            thread=thread,
            number=1000 + n,
            author=answerer,
            loaded_at=post.loaded_at,
            tree_id=-n,
            parent=post,
            lft=n,
        )
        for n in range(1, 2001)
    )
    Notice.objects.bulk_create(
        Notice(member=opener, post=row, kind="post", reasons="mention") for row in rows
    )
    notices.recount(opener.pk)
    assert fresh(opener).unread_notices == 2004
    many = [queries(opener, address) for address in ("/notices/", "/watching/", "/")]
    assert all(now <= before for now, before in zip(many, few, strict=True))
    assert "150 posts mention you" in page_of(opener)
    older = page_of(opener).rpartition("?before=")[2].partition('"')[0]
    assert "150 posts mention you" in page_of(opener, f"/notices/?before={older}")


def test_what_vanished_is_not_shown_and_counted_no_more_once_read(thread, opener, answerer):
    reply(thread, answerer)
    Worker().drain()
    Board.objects.update(audience="moderators")  # past the actions
    assert fresh(opener).unread_notices == 1
    assert "Nothing has happened that you need to know of." in page_of(opener)
    browser(fresh(opener)).post("/notices/read/", {"until": "1"})
    assert fresh(opener).unread_notices == 0


def test_answers_stand_alone_behind_a_lens(thread, answer, answerer, opener, stranger):
    reply(thread, stranger, "To the debate, as @answerer knows.")
    reply(thread, stranger, "To the post.", to=answer)
    page = page_of(answerer, "/notices/?only=answers")
    assert f"stranger replied to your #{answer.number}" in page
    assert "mentions you" not in page
    assert 'aria-current="page">Answers to me' in " ".join(page.split())
    assert browser(answerer).get("/notices/?only=x").status_code == 404
    rows = Post.objects.filter(thread=thread)
    Notice.objects.bulk_create(
        Notice(member=opener, post=row, kind="post", reasons="reply")
        for row in rows.exclude(notices__member=opener)
    )
    assert queries(opener, "/notices/?only=answers") <= queries(opener, "/notices/")


def test_own_debates_stand_behind_a_lens_with_what_is_unread(
    thread, board, answerer, opener, stranger
):
    other = start(board, stranger, title="Another one")
    reply(thread, stranger)
    page = page_of(opener, "/debates/?only=mine")
    assert thread.title in page
    assert other.title not in page
    assert re.search(r'<span class="new">\d new</span>', page)
    assert thread.title in page_of(answerer, "/debates/?only=mine")
    assert "You have not opened any debate here." in page_of(answerer, "/debates/?only=opened")
    assert thread.title in page_of(opener, "/debates/?only=opened")
    for only in ("mine", "opened", "unread"):
        assert browser().get(f"/debates/?only={only}").status_code == 404
    few = queries(opener, "/debates/?only=mine")
    for n in range(20):
        start(board, opener, title=f"Number {n}")
    assert queries(opener, "/debates/?only=mine") <= few


def test_one_bar_links_all_lenses_and_says_how_many(thread, stranger):
    watching.watch(user=stranger, target=thread, level="all")
    for address in (
        *("/notices/", "/notices/?only=answers", "/debates/?only=unread", "/debates/?only=mine"),
        *("/watching/", "/bookmarks/"),
    ):
        page = " ".join(page_of(stranger, address).split())
        assert "Watching (1)" in page, address
        for link in ("/notices/?only=answers", "/debates/?only=unread", "/debates/?only=mine"):
            assert f'href="{link}"' in page, address


def test_all_unread_are_marked_read_where_they_are_listed(thread, answerer, stranger, opener):
    assert "Mark all read" not in page_of(stranger, "/debates/?only=unread")
    reply(thread, answerer)
    page = page_of(stranger, "/debates/?only=unread")
    assert "Mark all read" in page
    assert f'href="/threads/{thread.pk}/new/"' in page  # the first unread
    response = browser(fresh(stranger)).post("/read/", {"back": "unread"})
    assert response["Location"] == "/debates/?only=unread"
    assert "You have read everything here." in page_of(stranger, "/debates/?only=unread")


def test_ones_own_new_debate_is_not_new_to_oneself(board, opener, stranger):
    thread = start(board, opener, title="A new one")
    assert thread.title not in page_of(opener, "/debates/?only=unread")
    assert thread.title in page_of(stranger, "/debates/?only=unread")


def test_ones_own_post_is_not_new_once_it_was_let_in(thread, stranger, moderator):
    waiting = pending(thread, stranger)
    browser(fresh(stranger)).post("/read/")
    states.approve(user=moderator, post=waiting)
    assert thread.title not in page_of(stranger, "/debates/?only=unread")


def test_acts_are_read_by_opening_what_they_are_about(
    thread, answer, answerer, opener, moderator, stranger
):
    states.hide(user=moderator, post=answer, reason="Off.")
    states.lock(user=moderator, thread=thread, reason="Settled.")
    assert [notices.recount(member.pk) for member in (answerer, opener)] == [1, 1]
    other = start(thread.board, opener, title="Another one")
    for member in (answerer, opener):
        browser(fresh(member)).get(other.get_absolute_url())
        assert fresh(member).unread_notices == 1
        browser(fresh(member)).get(thread.get_absolute_url())
        assert fresh(member).unread_notices == 0
    assert not Notice.objects.unread().filter(member__in=[answerer, opener]).exists()


def test_an_act_on_a_post_of_another_page_stays_new(thread, answerer, moderator):
    for _ in range(25):
        last = reply(thread, answerer)
    states.hide(user=moderator, post=last, reason="Off.")
    assert notices.recount(answerer.pk) == 1
    browser(fresh(answerer)).get(f"{thread.get_absolute_url()}?page=1")
    assert fresh(answerer).unread_notices == 1
    browser(fresh(answerer)).get(f"{thread.get_absolute_url()}?page=2")
    assert fresh(answerer).unread_notices == 0
