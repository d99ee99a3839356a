"""What is new: marked on every page, counted on every list, found by one link, precise to the post
across tabs and devices, and written only where something new was read."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from forum.actions import read_state
from forum.models import Post, ReadMark, Thread
from forum.models.listing import with_unread
from forum.moderation import states
from tests.people import (
    browser,
    cast,
    debate,
    fresh,
    make_member,
    pending,
    reply,
    settled_row,
    start,
)

pytestmark = pytest.mark.django_db


def of_yesterday(thread: Thread) -> Thread:
    """Let the debate be as old as that."""
    earlier = timezone.now() - timedelta(days=1)
    thread.posts.update(loaded_at=earlier)
    Thread.objects.filter(pk=thread.pk).update(last_post_at=earlier)
    return thread


@pytest.fixture(scope="module")
def world(settled):
    """A debate of 44 posts, and a member who was there when #1 to #4 had been written, and has read
    them. #5 to #44 are new: the odd ones answer #2, the others the opening."""
    made = cast()
    thread, answer = of_yesterday(made.thread), made.thread.posts.get(number=2)
    joined = timezone.now() - timedelta(hours=23)
    made.reader = make_member("reader", date_joined=joined)
    for number in range(5, 45):
        reply(thread, made.opener, to=answer if number % 2 else None)
    return made


board, other_board, news = settled_row("board"), settled_row("other_board"), settled_row("thread")
opener, answerer = settled_row("opener"), settled_row("answerer")
stranger, moderator = settled_row("stranger"), settled_row("moderator")
reader = settled_row("reader")


@pytest.fixture
def thread(board, opener, answerer) -> Thread:
    """Another debate, of four posts, which the reader has read."""
    return of_yesterday(debate(board, opener, answerer))


def page(thread: Thread, user, number: int = 1, view="flat", **headers) -> str:
    address = f"{thread.get_absolute_url()}?view={view}&page={number}"
    response = browser(user).get(address, **headers)
    assert response.status_code == 200
    return response.content.decode()


def marked(html: str) -> set[int]:
    """The numbers of the posts that are marked as new, by word and by class alike."""
    articles = re.findall(r"<article.*?</article>", html, re.S)
    found = {}
    for article in articles:
        number = int(re.search(r'aria-label="Link to post (\d+)"', article)[1])
        classes = re.search(r'class="([^"]*)"', article)[1].split()
        found[number] = "fresh" in classes
        assert ('<span class="new">new</span>' in article) == found[number]
    return {number for number, fresh in found.items() if fresh}


def unread(user, thread) -> int:
    listed = with_unread(Thread.objects.all(), user).get(pk=thread.pk).unread
    assert read_state.seen(user, fresh(thread)).unread(fresh(thread)) == listed
    return listed


def writes(queries) -> list[str]:
    return [q["sql"] for q in queries if q["sql"].startswith(("UPDATE", "INSERT", "DELETE"))]


# --- On the pages of a debate -----------------------------------------------------------------


def test_marked_in_the_flat_view(news, reader):
    html = page(news, reader)
    assert marked(html) == set(range(5, 21))
    divider = re.search(r'<p class="since[^>]*id="new">.*?</p>', html)[0]
    assert "16 new since your visit" in divider
    # It stands between the last post read and the first new one.
    assert html.index('Link to post 4"') < html.index(divider) < html.index('Link to post 5"')
    first = Post.objects.get(thread=news, number=5)
    assert f'id="next-new" href="#post-{first.pk}"' in html
    assert "40 new</span>" in html
    assert f'href="/threads/{news.pk}/new/">Next new</a>: 24 posts on other pages.' in html
    # Read once, they are new no more.
    assert marked(page(news, reader)) == set()
    assert marked(page(news, reader, 3)) == set(range(41, 45))
    assert unread(reader, news) == 20


def test_marked_in_the_tree(news, reader):
    """In tree order #5, #7, … stand before #4 and #6; what one page shows is read, no more."""
    html = page(news, reader, view="tree")
    shown = {int(n) for n in re.findall(r'aria-label="Link to post (\d+)"', html)}
    assert len(shown) == 20
    assert marked(html) == shown - {1, 2, 3, 4}
    assert "since your visit" not in html  # no line divides a tree
    seen = read_state.seen(reader, news)
    assert {n for n in range(1, 45) if seen.has(n)} == shown | {1, 2, 3, 4}
    assert marked(page(news, reader, view="tree")) == set()
    rest = marked(page(news, reader, 2, "tree")) | marked(page(news, reader, 3, "tree"))
    assert rest == set(range(5, 45)) - shown
    assert unread(reader, news) == 0


def test_visitors_see_no_news(news):
    html = page(news, None)
    assert marked(html) == set()
    assert "since your visit" not in html
    assert "next-new" not in html


def test_a_page_that_is_all_new_needs_no_divider(news, reader):
    html = page(news, reader, 2)
    assert marked(html) == set(range(21, 41))
    assert "since your visit" not in html


def test_what_is_prefetched_is_not_read(news, reader):
    for _ in range(2):
        html = page(news, reader, headers={"sec-purpose": "prefetch"})
        assert marked(html) == set(range(5, 21))
    assert not ReadMark.objects.filter(user=reader).exists()


def test_ones_own_reply_is_read(thread, reader):
    response = browser(reader).post(
        f"/threads/{thread.pk}/reply/",
        {"text": "Mine.", "token": "11111111-1111-4111-8111-111111111111", "do": "post"},
    )
    assert response.status_code == 302
    assert unread(reader, thread) == 0
    assert read_state.seen(reader, fresh(thread)).ranges == [(1, 5)]


def test_waiting_posts_are_not_news(thread, reader, stranger, moderator):
    pending(thread, stranger)
    for user in (reader, moderator, stranger):
        assert "since your visit" not in page(fresh(thread), user)
    assert unread(reader, thread) == 0


# --- The first unread -------------------------------------------------------------------------


def leads_to(user, thread: Thread) -> int | None:
    """The number of the post to which /new/ leads; None if to the debate."""
    location = browser(user).get(f"/threads/{thread.pk}/new/")["Location"]
    if location == thread.get_absolute_url():
        return None
    address, _, place = location.partition("#post-")
    html = browser(user).get(address, headers={"sec-purpose": "prefetch"}).content.decode()
    assert f'id="post-{place}"' in html
    return Post.objects.get(pk=place).number


@pytest.mark.parametrize("view", ["flat", "tree"])
@pytest.mark.parametrize("size", [10, 50])
def test_first_unread(news, reader, view, size):
    User.objects.filter(pk=reader.pk).update(view=view, posts_per_page=size)
    reader = fresh(reader)
    assert leads_to(reader, news) == 5
    read_state.mark_read(user=reader, thread=news, numbers=[(5, 30), (32, 40)])
    assert leads_to(reader, news) == 31
    read_state.mark_read(user=reader, thread=news, numbers=[(31, 31)])
    assert leads_to(reader, news) == 41
    read_state.mark_read(user=reader, thread=news, numbers=[(41, 44)])
    assert leads_to(reader, news) is None


def test_next_new_ends(news, reader):
    """Followed again and again it leads through everything once, and to the top in the end."""
    client, visits = browser(reader), 0
    while unread(reader, news):
        assert client.get(f"/threads/{news.pk}/new/", follow=True).status_code == 200
        visits += 1
        assert visits <= 3
    assert visits == 3


def test_first_unread_for_visitors_and_of_what_is_not_there(news, inner_board, moderator, stranger):
    assert leads_to(None, news) is None
    inner = start(inner_board, moderator, title="Behind doors")
    for user in (None, stranger):
        assert browser(user).get(f"/threads/{inner.pk}/new/").status_code == 404


# --- Tabs and devices -------------------------------------------------------------------------


def test_two_devices_read_different_pages(news, reader):
    for number in (3, 1):
        page(news, reader, number)  # each call is a session of its own
    assert read_state.seen(reader, news).ranges == [(1, 20), (41, 44)]
    assert unread(reader, news) == 20
    assert leads_to(reader, news) == 21
    html = page(news, reader, 3)
    assert marked(html) == set()
    assert '<a class="elsewhere" id="next-new"' in html


def test_a_tab_opened_before_does_not_take_back_what_another_read(news, reader):
    stale = read_state.seen(reader, news)
    page(news, reader, 1)
    page(news, reader, 2)
    assert not stale.has(30)
    read_state.mark_read(user=reader, thread=news, numbers=[(5, 5)])
    assert unread(reader, news) == 4


def test_a_page_without_news_writes_nothing(news, reader):
    page(news, reader)
    client = browser(reader)
    client.get("/")
    for address in ("?view=flat&page=1", "?view=tree&page=1"):
        client.get(news.get_absolute_url() + address)
    for address in (
        f"{news.get_absolute_url()}?view=flat&page=1",
        f"{news.get_absolute_url()}?view=tree&page=1",
        f"/threads/{news.pk}/new/",
        f"/boards/{news.board.slug}/",
        "/",
    ):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code in (200, 302)
        assert writes(queries) == [], address


def test_a_page_of_news_is_one_write(news, reader):
    page(news, reader, 2)
    with CaptureQueriesContext(connection) as queries:
        page(news, reader, 1)
    assert len([sql for sql in writes(queries) if "readmark" in sql]) == 1


# --- Lists ------------------------------------------------------------------------------------


def news_of(html: str) -> list[str]:
    return re.findall(r'<span class="new">(\d+ new)</span>', html)


def test_counts_on_lists_and_boards(news, reader, board, other_board, opener):
    start(other_board, opener, title="Another one")
    home = browser(reader).get("/").content.decode()
    # Two debates, and two boards with one debate each that holds something new.
    assert news_of(home) == ["1 new", "40 new", "1 new", "1 new"]
    assert f'href="/threads/{news.pk}/new/"' in home
    listed = browser(reader).get(f"/boards/{board.slug}/").content.decode()
    assert news_of(listed) == ["40 new"]
    page(news, reader, 1)
    assert news_of(browser(reader).get(f"/boards/{board.slug}/").content.decode()) == ["24 new"]
    page(news, reader, 2)
    page(news, reader, 3)
    listed = browser(reader).get(f"/boards/{board.slug}/").content.decode()
    assert news_of(listed) == []
    assert f'href="{news.get_absolute_url()}"' in listed
    assert news_of(browser(reader).get("/").content.decode()) == ["1 new", "1 new"]
    assert news_of(browser().get("/").content.decode()) == []


def test_the_list_of_what_is_unread(news, reader, board, opener):
    other = start(board, opener, title="Another one")
    address = f"/boards/{board.slug}/?only=unread"
    for title in (news.title, "Another one"):
        assert title in browser(reader).get(address).content.decode()
    page(other, reader)
    html = browser(reader).get(address).content.decode()
    assert news.title in html
    assert "Another one" not in html
    assert browser().get(address).status_code == 404


def test_mark_all_read(news, reader, board, opener):
    page(news, reader, 2)
    read_state.fold(user=reader, thread=news, post_id=news.posts.get(number=2).pk, folded=True)
    other = start(board, opener, title="Another one")
    assert browser(reader).get("/read/").status_code == 405
    assert unread(reader, news) == 20
    assert browser(reader).post("/read/")["Location"] == "/"
    reader = fresh(reader)
    for thread in (news, other):
        assert unread(reader, thread) == 0
        assert marked(page(thread, reader)) == set()
        assert leads_to(reader, thread) is None
    assert news_of(browser(reader).get("/").content.decode()) == []
    # Folds are not forgotten, and what comes after is new.
    assert read_state.seen(reader, news).folded
    reply(news, opener)
    assert unread(reader, news) == 1
    assert leads_to(reader, news) == 45


def test_nobody_marks_for_somebody_else(news, reader, stranger):
    browser(stranger).post("/read/", {"user": reader.pk})
    assert unread(reader, news) == 40
    assert browser().post("/read/").status_code in (302, 403)
    assert browser(reader, enforce_csrf_checks=True).post("/read/").status_code == 403
    assert unread(reader, news) == 40


# --- After moderation -------------------------------------------------------------------------


def test_numbers_hold_after_hiding_and_restoring(news, reader, moderator):
    page(news, reader, 1)
    some = [news.posts.get(number=n) for n in (10, 30, 44)]
    for post in some:
        states.hide(user=moderator, post=post, reason="Off the point.")
    assert unread(reader, news) == 24
    assert leads_to(reader, news) == 21
    # Placeholders are new like posts, until they were seen.
    assert marked(page(news, reader, 2)) == set(range(21, 41))
    assert marked(page(news, reader, 3)) == set(range(41, 45))
    assert unread(reader, news) == 0
    for post in some:
        states.restore(user=moderator, post=post)
    assert unread(reader, news) == 0
    assert leads_to(reader, news) is None
    assert marked(page(news, reader, 3)) == set()
