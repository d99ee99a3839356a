"""Lists of debates: complete, without repeats, in the order asked for, whatever arrives."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from forum.models import Board, Post, ReadMark, Thread
from forum.moderation import states
from forum.views import boards, debate_lists
from forum.views.debate_lists import FILTERS, ORDERS
from tests.effort import analyzed, effort
from tests.people import browser, fresh, make_member, reply, start
from tests.tree.test_tree import grow
from tests.views.test_queries import write_texts

pytestmark = pytest.mark.django_db
ADDRESS = "/boards/after-1900/"


@pytest.fixture
def many(board, opener):
    """95 debates of all kinds; three share each moment, some are pinned, hidden, unanswered."""
    now = timezone.now()
    kinds = Thread.Kind.values
    for n in range(95):
        thread = grow(board, [None])
        Thread.objects.filter(pk=thread.pk).update(
            title=f"Debate {n}",
            kind=kinds[n % len(kinds)],
            created_at=now - timedelta(hours=n // 3),
            last_post_at=now - timedelta(minutes=n % 32),
            reply_count=n % 2,
            pinned=n in (7, 60),
            state="hidden" if n == 50 else "visible",
        )
    return Thread.objects.filter(board=board, state="visible")


def thread_ids(response) -> list[int]:
    main = response.content.decode().partition("<main")[2]
    return [int(n) for n in re.findall(r'<h3>.*?href="/threads/(\d+)/', main, re.S)]


def walk(client, path) -> list[int]:
    """All debates of a list, by following "Further debates"."""
    found = []
    while path:
        response = client.get(path)
        assert response.status_code == 200
        found += thread_ids(response)
        further = re.search(r'<a rel="next" href="([^"]*)"', response.content.decode())
        path = ADDRESS + further[1].replace("&amp;", "&") if further else None
    return found


@pytest.mark.parametrize("order", ORDERS)
def test_all_debates_once_in_their_order(many, order):
    moment = ORDERS[order][0]
    rows = sorted(many, key=lambda t: (t.pinned, getattr(t, moment), t.pk), reverse=True)
    assert walk(browser(), f"{ADDRESS}?order={order}") == [t.pk for t in rows]


@pytest.mark.parametrize("kind", ["", "AHC"])
@pytest.mark.parametrize("only", ["", "answered", "unanswered"])
def test_filters(many, kind, only):
    wanted = {
        t.pk
        for t in many
        if (not kind or t.kind == kind)
        and (not only or (t.reply_count > 0) == (only == "answered"))
    }
    found = walk(browser(), f"{ADDRESS}?kind={kind}&only={only}")
    assert len(found) == len(set(found))
    assert set(found) == wanted


def test_unread(many, board, opener):
    user = make_member("reader")
    new = {reply(thread, opener).thread_id for thread in many.order_by("pk")[:40]}
    some = fresh(many.first())
    write_texts(some)
    client = browser(user)
    assert set(walk(client, f"{ADDRESS}?only=unread")) == new
    client.get(some.get_absolute_url())
    assert set(walk(client, f"{ADDRESS}?only=unread")) == new - {some.pk}
    assert browser().get(f"{ADDRESS}?only=unread").status_code == 404


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("path", [ADDRESS, "/debates/"])
def test_the_last_unread_of_many_are_found_part_by_part(many, monkeypatch, path, order):
    """Who has read nearly all of a large forum is not kept waiting for the rest."""
    monkeypatch.setattr(debate_lists, "LOOKED_AT", 20)
    user = long_here(many)
    rows = many.filter(pinned=False).order_by(f"-{ORDERS[order][0]}", "-pk")
    unread = [rows[n].pk for n in (19, 20, 79)]
    ReadMark.objects.filter(thread__in=unread).delete()
    client, found, parts = browser(user), [], 0
    asked = f"{path}?only=unread&order={order}"
    while asked:
        page = client.get(asked).content.decode()
        assert "You have read everything" not in page
        found += thread_ids(client.get(asked))
        further = re.search(r'<a rel="next" href="([^"]*)"[^>]*>([^<]*)', page)
        assert not further or "before these 20" in further[2]
        asked = path + further[1].replace("&amp;", "&") if further else None
        parts += 1
    assert found == unread
    assert parts == 5  # of 92 debates, or of 94 with those that are pinned here


@pytest.mark.parametrize("path", ["/debates/?only=unread", ADDRESS + "?only=unread", "/"])
def test_pages_of_unread_cost_no_more_the_more_was_read(many, monkeypatch, settings, path):
    settings.PLAIN_QUERIES = ["all"]  # a statement that is compiled already knows the bound
    for module in (debate_lists, boards):
        monkeypatch.setattr(module, "LOOKED_AT", 20)
    user = long_here(many)
    client = browser(user)
    client.get(path)
    analyzed()  # or what it reads depends on when PostgreSQL last looked by itself
    all_of_them = effort(lambda: client.get(path))
    few = list(many.order_by("-last_post_at", "-pk").values_list("pk", flat=True)[:40])
    many.exclude(pk__in=few).update(last_post_at=user.read_until - timedelta(days=1))
    analyzed()
    assert 0 < all_of_them < effort(lambda: client.get(path)) * 1.2


@pytest.mark.parametrize("order", ORDERS)
def test_the_list_costs_half_way_down_what_it_costs_above(board, opener, settings, order):
    settings.PLAIN_QUERIES = ["all"]
    now = timezone.now()
    columns = {"board": board, "author": opener, "numbered": 1}
    rows = []
    for n in range(600):
        at = now - timedelta(minutes=n)
        rows.append(Thread(key=f"many-{n}", slug="many", created_at=at, last_post_at=at, **columns))
    made = Thread.objects.bulk_create(rows)
    analyzed()
    client, moment = browser(), ORDERS[order][0]

    def older_than(thread) -> int:
        before = debate_lists.cursor_of(getattr(thread, moment), thread.pk)
        address = f"{ADDRESS}?order={order}&before={before}"
        client.get(address)  # its lines are kept from now on
        return effort(lambda: client.get(address))

    above = older_than(made[0])
    assert 0 < older_than(made[500]) < above * 1.3


def one_of_another_kind(board, opener, count: int) -> int:
    """The id of the oldest of `count` debates, the only challenge and the only one answered."""
    now = timezone.now()
    rows = []
    for n in range(count):
        at = now - timedelta(minutes=n)
        rows.append(Thread(key=f"many-{n}", slug="many", created_at=at, last_post_at=at))
        rows[n].board, rows[n].author, rows[n].numbered = board, opener, 1
    rows[-1].kind, rows[-1].reply_count = "AHC", 1
    return Thread.objects.bulk_create(rows)[-1].pk


def cut_down(threads: int) -> None:
    """Leave that many of the oldest debates."""
    newer = Thread.objects.order_by("-created_at").values_list("pk", flat=True)
    Thread.objects.filter(pk__in=list(newer[: Thread.objects.count() - threads])).delete()
    analyzed()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("path", [ADDRESS, "/debates/"])
def test_a_first_page_does_not_sort_all(board, opener, settings, path, order):
    settings.PLAIN_QUERIES = ["all"]
    one_of_another_kind(board, opener, 600)
    analyzed()
    client, address = browser(), f"{path}?order={order}"
    client.get(address)  # its lines are kept from now on
    many = effort(lambda: client.get(address))
    cut_down(100)
    client.get(address)
    assert 0 < many < effort(lambda: client.get(address)) * 1.3


@pytest.mark.parametrize("narrowed", ["kind=AHC", "only=answered", "kind=AHC&only=answered"])
@pytest.mark.parametrize("path", [ADDRESS, "/debates/"])
def test_what_fits_seldom_is_looked_for_part_by_part(board, opener, monkeypatch, path, narrowed):
    monkeypatch.setattr(debate_lists, "LOOKED_AT", 50)
    last = one_of_another_kind(board, opener, 600)
    analyzed()
    client, asked = browser(), f"?{narrowed}"
    for _ in range(11):
        page = client.get(path + asked).content.decode()
        assert "None of these 50 debates fits." in page
        link = re.search(r'<a rel="next" href="([^"]*)"[^>]*>([^<]*)', page)
        assert link[2] == "Look among the debates before these 50"
        asked = link[1].replace("&amp;", "&")
    assert thread_ids(client.get(path + asked)) == [last]
    many = effort(lambda: client.get(f"{path}?{narrowed}"))
    cut_down(100)
    assert 0 < many < effort(lambda: client.get(f"{path}?{narrowed}")) * 1.3


def long_here(threads) -> User:
    """A member who read these debates, and never said so of all at once."""
    user = make_member("reader")
    user.read_until = timezone.now() - timedelta(days=9)
    user.save(update_fields=["read_until"])
    ReadMark.objects.bulk_create(
        ReadMark(user=user, thread=thread, ranges="1", count=thread.numbered) for thread in threads
    )
    return user


def test_a_debate_answered_meanwhile_is_not_shown_twice(many, opener):
    client = browser()
    first = client.get(ADDRESS)
    older = re.search(r'<a rel="next" href="([^"]*)"', first.content.decode())[1]
    last = Thread.objects.get(pk=thread_ids(first)[-1])
    reply(last, opener)
    rest = walk(client, ADDRESS + older.replace("&amp;", "&"))
    assert not set(thread_ids(first)) & set(rest)


def test_moderators_see_hidden_debates_and_their_state(many, board_moderator, stranger):
    hidden = Thread.objects.get(state="hidden")
    assert hidden.pk in walk(browser(board_moderator), ADDRESS)
    assert hidden.pk not in walk(browser(stranger), ADDRESS)


def test_pinned_debates_stand_first_and_only_on_the_first_page(many, moderator):
    thread = many.get(title="Debate 30")
    states.pin(user=moderator, thread=thread)
    assert thread.pk in thread_ids(browser().get(ADDRESS))[:3]
    assert walk(browser(), ADDRESS).count(thread.pk) == 1


def test_boards_within_boards(board, inner_board, stranger, moderator):
    Board.objects.create(name="Spain", slug="spain", parent=board)
    Board.objects.create(name="Papers", slug="papers", parent=board, audience="moderators")
    page = browser(stranger).get(ADDRESS).content.decode()
    assert 'href="/boards/spain/"' in page
    assert "Papers" not in page
    assert "Papers" in browser(moderator).get(ADDRESS).content.decode()
    child = browser().get("/boards/spain/").content.decode()
    assert f'href="{ADDRESS}"' in child


def test_a_parent_that_one_may_not_see_is_not_named(inner_board):
    Board.objects.create(name="Open room", slug="open", parent=inner_board)
    page = browser().get("/boards/open/").content.decode()
    assert "Behind closed doors" not in page
    assert 'href="/boards/closed/"' not in page


def test_home_shows_the_newest_answers_of_what_one_may_see(
    board, other_board, inner_board, opener, moderator, stranger
):
    inner = start(inner_board, moderator, title="Behind doors")
    for n in range(12):
        start((board, other_board)[n % 2], opener, title=f"Debate {n}")
    newest = list(Thread.objects.exclude(pk=inner.pk).order_by("-last_post_at", "-pk")[:10])
    assert thread_ids(browser().get("/")) == [t.pk for t in newest]
    page = browser(stranger).get("/").content.decode()
    assert "Behind doors" not in page
    assert "Behind closed doors" not in page
    seen = browser(moderator).get("/").content.decode()
    assert "Behind closed doors" in seen


def test_lists_of_an_empty_forum(db, administrator):
    for client in (browser(), browser(administrator)):
        page = client.get("/").content.decode()
        assert "There are no boards yet" in page
    Board.objects.create(name="Empty", slug="empty")
    assert "Nobody has opened a debate here yet" in browser().get("/boards/empty/").content.decode()


def test_a_debate_whose_posts_are_all_hidden_is_still_listed(board, opener, moderator):
    thread = start(board, opener)
    states.hide(user=moderator, post=thread.posts.get(), reason="Off the point.")
    for path in ("/", ADDRESS):
        assert thread_ids(browser().get(path)) == [thread.pk]


def test_a_profile_lists_all_posts_once(thread, answerer, opener):
    for n in range(45):
        reply(thread, answerer, f"Post {n}.")
    found, path = [], "/members/answerer/"
    while path:
        page = browser().get(path).content.decode()
        found += [int(n) for n in re.findall(r'<h3>.*?href="/posts/(\d+)/"', page, re.S)]
        older = re.search(r'<a rel="next" href="([^"]*)"', page)
        path = "/members/answerer/" + older[1] if older else None
    mine = Post.objects.filter(author=answerer).order_by("-pk").values_list("pk", flat=True)
    assert found == list(mine)


def test_profiles_are_found_in_any_case_and_not_of_closed_accounts(opener):
    assert browser().get("/members/OPENER/").status_code == 200
    User.objects.filter(pk=opener.pk).update(is_active=False)
    assert browser().get("/members/opener/").status_code == 404


def test_only_filters_that_exist(board):
    assert set(FILTERS) == {"unread", "mine", "opened", "unanswered", "answered"}
    for junk in ("order=x", "kind=x", "only=x", "before=x-1", "before=1"):
        assert browser().get(f"{ADDRESS}?{junk}").status_code == 404
