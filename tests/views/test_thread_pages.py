"""The pages of a debate: flat and tree, page by page, permalinks, what is new, one address."""

import html
import re
from datetime import timedelta
from itertools import product
from urllib.parse import urljoin

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from forum.actions import read_state
from forum.models import Post, ReadMark
from forum.moderation import states
from forum.operations.follow_up import FollowedUp
from tests.people import browser, fresh, make_member, pending, reply, start
from tests.tree.test_tree import preorder

pytestmark = pytest.mark.django_db
WRITES = ("INSERT", "UPDATE", "DELETE")


def post_ids(response) -> list[int]:
    """The posts drawn on a page, in their order."""
    return [int(n) for n in re.findall(r'<article [^>]*id="post-(\d+)"', response.content.decode())]


def reader(size=20, view="flat", name="reader") -> User:
    return make_member(name, posts_per_page=size, view=view)


@pytest.fixture
def long_thread(board, opener, answerer):
    """45 posts in branches of many shapes."""
    thread = start(board, opener)
    posts = [thread.posts.get()]
    for n in range(2, 46):
        to = posts[n * 7 % len(posts)] if n % 4 else None
        posts.append(reply(thread, (opener, answerer)[n % 2], f"Post number {n}.", to=to))
    return fresh(thread)


def in_order(thread, view) -> list[int]:
    rows = list(thread.posts.order_by("number").values_list("pk", "parent_id"))
    return preorder(rows) if view == "tree" else [pk for pk, _ in rows]


# --- Pages and permalinks ---------------------------------------------------------------------


def test_every_post_is_on_one_page_and_its_permalink_leads_there(long_thread):
    address = long_thread.get_absolute_url()
    for size, view in product(User.PAGE_SIZES, ("flat", "tree")):
        client = browser(reader(size, view, name=f"reader-{view}-{size}"))
        pages = [client.get(address, {"page": n + 1}) for n in range(-(-45 // size))]
        assert client.get(address, {"page": len(pages) + 1}).status_code == 404
        assert [pk for page in pages for pk in post_ids(page)] == in_order(long_thread, view)
        on_page = {pk: n for n, page in enumerate(pages, 1) for pk in post_ids(page)}
        for pk, number in on_page.items():
            query = f"?page={number}" if number > 1 else ""
            place = f"{address}{query}#post-{pk}"
            assert client.get(f"/posts/{pk}/")["Location"] == place, (size, view)
        assert client.get(f"/posts/{pk}/?p=1")["Location"] == f"{place}-1"
        assert f'id="post-{pk}-1"' in pages[-1].content.decode()


@pytest.mark.parametrize("view", ["flat", "tree"])
def test_visitors_get_twenty_posts_a_page_and_choose_the_view_by_address(long_thread, view):
    read = []
    for number in (1, 2, 3):
        page = browser().get(long_thread.get_absolute_url(), {"view": view, "page": number})
        read += post_ids(page)
        # The switch keeps one's place.
        tabs = re.search(r'aria-label="View">(.*?)</nav>', page.content.decode(), re.S)[1]
        other = re.search(rf'href="([^"]*view={"flat" if view == "tree" else "tree"}[^"]*)"', tabs)
        there = urljoin(long_thread.get_absolute_url(), html.unescape(other[1]))
        assert post_ids(page)[0] in post_ids(browser().get(there, follow=True))
    assert read == in_order(long_thread, view)


def test_a_permalink_in_the_other_view(long_thread):
    post = long_thread.posts.get(number=44)
    location = browser().get(f"/posts/{post.pk}/?view=tree")["Location"]
    assert "view=tree" in location
    assert post.pk in post_ids(browser().get(location.partition("#")[0]))


def test_a_tree_page_inside_a_branch_says_what_it_continues(board, opener):
    thread = start(board, opener)
    post = reply(thread, opener)
    for _ in range(24):
        post = reply(thread, opener, to=post)
    page = browser().get(fresh(thread).get_absolute_url(), {"view": "tree", "page": 2})
    said = re.search(r"continues the branch of(.*?)</p>", page.content.decode(), re.S)[1]
    assert re.findall(r">#(\d+)<", said) == ["18", "19", "20"]


def test_parents_are_named_and_led_to(thread, answer):
    page = browser().get(thread.get_absolute_url()).content.decode()
    third = page[page.index(f'id="post-{thread.posts.get(number=3).pk}"') :]
    assert re.search(rf'answers <a[^>]* href="#post-{answer.pk}">#2</a>', third)
    assert page.count("answers the opening") == 2
    assert "<span>opening</span>" in page


def test_there_is_one_address(thread, opener, stranger):
    right = thread.get_absolute_url()
    for path in (f"/threads/{thread.pk}/", f"/threads/{thread.pk}/something-else/"):
        response = browser().get(path + "?view=tree&page=1")
        assert response.status_code == 301
        assert response["Location"] == right + "?view=tree&page=1"
    page = browser().get(right + "?view=tree").content.decode()
    assert f'<link rel="canonical" href="http://testserver{right}?view=tree">' in page
    # A name that had been another's keeps leading here.
    browser(opener).post(f"/threads/{thread.pk}/rename/", {"title": "Another title"})
    moved = browser().get(right)
    assert moved["Location"] == f"/threads/{thread.pk}/another-title/"


def test_a_redirect_to_the_current_name_does_not_outlive_it(thread, opener):
    """Browsers keep a permanent redirect; after a renaming back and forth two of them would lead
    to each other for ever."""
    response = browser().get(f"/threads/{thread.pk}/old-name/")
    assert "no-cache" in response.headers.get("Cache-Control", "")


def test_letters_of_all_scripts_in_an_address(board, opener):
    thread = start(board, opener, title="Что если бы Троцкий победил? 日本")
    assert thread.slug == "что-если-бы-троцкий-победил-日本"
    response = browser(opener).get(f"/threads/{thread.pk}/")
    assert browser().get(response["Location"]).status_code == 200
    nameless = start(board, opener, title="???")
    assert nameless.get_absolute_url().endswith("/debate/")
    assert browser().get(nameless.get_absolute_url()).status_code == 200


# --- What is offered --------------------------------------------------------------------------


def test_what_is_offered_is_what_may_be_done(thread, answer, opener, answerer, stranger, moderator):
    def offers(user):
        page = browser(user).get(thread.get_absolute_url()).content.decode()
        acts = ("reply/?to=", "edit/", "withdraw/", "rename/", "close/", "moderate/")
        return [page.count(f'{act}"') + page.count(f"{act}{answer.pk}") for act in acts]

    for user in (None, opener, answerer, stranger, moderator):
        client = browser(user)
        page = client.get(thread.get_absolute_url()).content.decode()
        for address in set(re.findall(r'href="(/[^"#]*)"', page)):
            response = client.get(address.replace("&amp;", "&"))
            wanted = (200, 301, 302)
            assert response.status_code in wanted, (user, address)
            if user is not None:
                assert "/accounts/login/" not in response.get("Location", ""), (user, address)
    assert offers(stranger)[1:] == [0, 0, 0, 0, 0]


def test_locked_and_closed_debates_say_so_and_offer_no_form(thread, stranger, opener, moderator):
    address = thread.get_absolute_url()
    assert 'name="text"' in browser(stranger).get(address).content.decode()
    browser(opener).post(f"/threads/{thread.pk}/close/", {"do": "close"})
    page = browser(stranger).get(address).content.decode()
    assert 'name="text"' not in page
    assert "has closed it" in page
    states.lock(user=moderator, thread=thread)
    page = browser(stranger).get(address).content.decode()
    assert 'name="text"' not in page
    assert "is locked" in page
    assert 'name="text"' in browser(moderator).get(address).content.decode()


def test_a_waiting_post_is_shown_to_its_author_and_moderators(thread, stranger, opener, moderator):
    post = pending(thread, stranger, "May I come in?")
    for user, sees in ((None, False), (opener, False), (stranger, True), (moderator, True)):
        page = browser(user).get(thread.get_absolute_url())
        assert ("May I come in?" in page.content.decode()) == sees
        assert (post.pk in post_ids(page)) == sees
        response = browser(user).get(f"/posts/{post.pk}/")
        assert response.status_code == (302 if sees else 404)


def test_a_member_who_left_is_unnamed_and_the_argument_stays(thread, answer, answerer):
    Post.objects.filter(author=answerer).update(author=None)
    page = browser().get(thread.get_absolute_url()).content.decode()
    assert "Unnamed member" in page
    assert "The party obeyed nobody." in page
    assert "answerer" not in page


# --- What is new ------------------------------------------------------------------------------


def fresh_posts(page) -> set[int]:
    articles = re.findall(r'<article class="([^"]*)" id="post-(\d+)"', page.content.decode())
    return {int(pk) for classes, pk in articles if "fresh" in classes.split()}


@pytest.mark.parametrize("view", ["flat", "tree"])
def test_new_posts_are_marked_once(thread, opener, view):
    user = reader(view=view)
    client, address = browser(user), thread.get_absolute_url()
    assert fresh_posts(client.get(address)) == set()
    new = {reply(thread, opener).pk, reply(thread, opener, to=thread.posts.get(number=2)).pk}
    first = client.get(address)
    assert fresh_posts(first) == new
    if view == "flat":
        assert "2 new since your visit" in first.content.decode()
    assert fresh_posts(client.get(address)) == set()
    assert ReadMark.objects.get(user=user).ranges == "1-6"


def test_ones_own_answer_is_not_new(thread, opener):
    user = reader()
    client = browser(user)
    client.post(
        f"/threads/{thread.pk}/reply/",
        {"text": "Mine.", "token": "7e40c9d2-1f6b-4f5e-9c55-8f0e3f0c0b9c"},
    )
    assert fresh_posts(client.get(thread.get_absolute_url())) == set()


@pytest.mark.parametrize("view", ["flat", "tree"])
def test_reading_a_page_without_news_writes_nothing(thread, opener, view):
    user = reader(view=view)
    client, address = browser(user), thread.get_absolute_url()
    reply(thread, opener)
    client.get(address)
    for path in (address, "/", "/boards/after-1900/", f"/posts/{thread.posts.first().pk}/"):
        with CaptureQueriesContext(connection) as queries:
            client.get(path)
        written = [q["sql"] for q in queries if q["sql"].startswith(WRITES)]
        assert written == [], path


def test_on_sqlite_who_reads_waits_for_no_writer(thread, opener, monkeypatch):
    """What was read is marked after the page is sent; PostgreSQL does it before."""
    reader, marked = make_member("reader", read_until=thread.created_at), []
    close = FollowedUp.close

    def closing(response):
        marked.append(ReadMark.objects.filter(user=reader).exists())
        close(response)
        marked.append(ReadMark.objects.filter(user=reader).exists())

    monkeypatch.setattr(FollowedUp, "close", closing)
    client = browser(reader)
    client.get(thread.get_absolute_url())
    assert marked == ([False, True] if connection.vendor == "sqlite" else [])
    assert ReadMark.objects.get(user=reader).ranges
    client.get(thread.get_absolute_url())
    assert len(marked) <= 2  # nothing was left to mark


def test_a_prefetch_is_no_reading(thread, opener):
    user = reader()
    reply(thread, opener)
    for purpose in ("prefetch", "prefetch;prerender"):
        browser(user).get(thread.get_absolute_url(), headers={"sec-purpose": purpose})
    assert not ReadMark.objects.filter(user=user).exists()


def test_pages_read_out_of_order(long_thread, opener):
    user = reader(10)
    User.objects.filter(pk=user.pk).update(date_joined=timezone.now() - timedelta(days=1))
    client, address = browser(user), long_thread.get_absolute_url()
    for page in (4, 1, 4, 2):
        client.get(address, {"page": page})
    assert ReadMark.objects.get(user=user).ranges == "1-20,31-40"
    assert client.get(f"/threads/{long_thread.pk}/new/")["Location"].endswith(
        f"?page=3#post-{long_thread.posts.get(number=21).pk}"
    )
    home = client.get("/").content.decode()
    assert "15 new" in home
    client.post("/read/")
    assert read_state.seen(fresh(user), fresh(long_thread)).unread(fresh(long_thread)) == 0
    assert "15 new" not in client.get("/").content.decode()


def test_lists_say_what_is_new_as_the_debate_does(thread, board, opener):
    user = reader()
    client = browser(user)
    reply(thread, opener)
    for path in ("/", "/boards/after-1900/", "/boards/after-1900/?only=unread"):
        assert "1 new" in client.get(path).content.decode(), path
    client.get(thread.get_absolute_url())
    for path in ("/", "/boards/after-1900/"):
        assert "1 new" not in client.get(path).content.decode(), path
    assert (
        "You have read everything" in client.get("/boards/after-1900/?only=unread").content.decode()
    )
