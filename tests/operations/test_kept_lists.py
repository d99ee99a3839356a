"""Pages that list what one may see, kept for visitors: front page, boards, members."""

import pickle

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forum.models import Board
from forum.moderation import states
from forum.operations import caching
from tests.people import browser, fresh, reply, start

pytestmark = [pytest.mark.django_db, pytest.mark.reads]


@pytest.fixture(autouse=True)
def kept(settings, unhurried, stopped_clock):
    """Pages are kept, beginning with none."""
    settings.KEPT_PAGES_MB = 4
    caching.pages.clear()
    caching.fragments.clear()
    yield
    caching.pages.clear()
    caching.fragments.clear()


@pytest.fixture
def addresses(thread, answerer) -> list[str]:
    return ["/", f"/boards/{thread.board.slug}/", f"/members/{answerer.username}/"]


def words(address: str, user=None, **headers) -> str:
    response = browser(user).get(address, **headers)
    assert response.status_code == 200
    return response.content.decode()


def test_a_list_is_drawn_once_for_visitors(thread, answer, addresses, monkeypatch):
    drawn = []
    for view in ("boards", "members"):
        module = __import__(f"forum.views.{view}", fromlist=[view])
        monkeypatch.setattr(
            module, "render", lambda *given, real=module.render: drawn.append(given) or real(*given)
        )
    for times in (3, 3):
        for address in addresses:
            words(address)
        assert len(drawn) == times
    reply(thread, thread.author, "Newly said.")
    words("/")
    assert len(drawn) == 4


def test_a_browser_that_has_the_list_is_told_so(thread, answer, addresses):
    for address in addresses:
        first = browser().get(address)
        again = browser().get(address, headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert "Content-Length" not in again
        for answer_ in (first, again):
            assert answer_["Cache-Control"] == "private, no-cache"
            assert answer_["Content-Security-Policy"]
        packed = browser().get(address, headers={"Accept-Encoding": "br"})
        assert packed["Content-Encoding"] == "br"
        assert int(packed["Content-Length"]) == len(packed.content) < len(first.content) / 2


def test_each_reader_gets_their_own(thread, answer, opener, answerer, moderator, addresses):
    for address in addresses:
        mine = words(address, opener)
        assert "Sign in</a>" in words(address)
        assert "ETag" not in browser(opener).get(address)
        assert words(address, opener).count("<bdi>opener</bdi>") == mine.count("<bdi>opener</bdi>")
        assert "Desk" in words(address, moderator) and "Desk" not in words(address)


def test_what_is_asked_for_by_a_query_is_drawn_each_time(thread, answer, addresses):
    for address in addresses:
        assert "ETag" not in browser().get(address, {"kind": "essay"})


def test_a_theme_of_the_visitors_own(thread, addresses):
    for address in addresses:
        assert 'data-theme="auto"' in words(address)
        client = browser()
        client.cookies["theme"] = "dark"
        assert 'data-theme="dark"' in client.get(address).content.decode()
        assert 'data-theme="auto"' in words(address)


def changed(row, **values) -> None:
    """What a settings page or the desk writes, past all that raises a number."""
    type(row).objects.filter(pk=row.pk).update(**values)


# What changes one of these pages, the page, and what it says then.
CHANGES = {
    "about": (2, lambda w: changed(w["answerer"], about="Reads maps."), "Reads maps."),
    "made a moderator": (
        2,
        lambda w: changed(w["answerer"], is_moderator=True),
        "<span>moderator</span>",
    ),
    "an answer": (0, lambda w: reply(w["thread"], w["opener"], "Said."), "opener"),
    "a debate in the board": (
        1,
        lambda w: start(w["thread"].board, w["opener"], title="Another debate"),
        "Another debate",
    ),
    "a post": (2, lambda w: reply(w["thread"], w["answerer"], "Newly said."), "Newly said."),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_on_the_next_page(thread, answer, opener, answerer, addresses, change):
    at, happens, found = CHANGES[change]
    before = words(addresses[at])
    assert words(addresses[at]) == before
    happens({"thread": thread, "opener": opener, "answerer": answerer})
    after = words(addresses[at])
    assert found in after and after != before
    caching.pages.clear()
    assert words(addresses[at]) == after


def test_what_is_taken_away_is_gone_at_once(thread, answer, other_board, opener, moderator):
    there = start(other_board, opener, title="Seen by guests")
    lists = ["/", f"/boards/{other_board.slug}/", f"/members/{opener.username}/"]
    for address in lists:
        assert "Seen by guests" in words(address)
    states.hide_thread(user=moderator, thread=there, reason="Off the point.")
    for address in lists:
        assert "Seen by guests" not in words(address)
    states.restore_thread(user=moderator, thread=fresh(there))
    for address in lists:
        assert "Seen by guests" in words(address)
    # Even by who forgets to raise a number: rights are asked at each request.
    Board.objects.filter(pk=other_board.pk).update(audience="members")
    for address in (lists[0], lists[2]):
        assert "Seen by guests" not in words(address)
    assert browser().get(lists[1]).status_code in (403, 404)


def test_a_kept_list_asks_for_its_rows_alone(thread, answer, addresses):
    for address, most in zip(addresses, (3, 3, 3), strict=True):
        words(address)
        with CaptureQueriesContext(connection) as asked:
            words(address)
        assert len(asked) <= most, address


def test_what_is_kept_is_as_large_as_it_says(thread, answer, addresses):
    """Of many boards, too, of which a page lists the names, and of words in any letters."""
    Board.objects.bulk_create(
        Board(name=f"What if {n} \N{EARTH GLOBE EUROPE-AFRICA}", slug=f"b{n}", tree_id=100 + n)
        for n in range(200)
    )
    addresses += ["/timeline/", "/map/"]
    for address in addresses:
        words(address)
    for (path, *_), (page, size) in caching.pages._kept.items():
        assert len(pickle.dumps((page.numbers, page.headers, page.body))) < size, path
    for key, (thing, size) in caching.fragments._kept.items():
        assert len(pickle.dumps(key)) < 400 and len(pickle.dumps(thing)) < size, key


def test_what_is_larger_than_all_room_is_not_kept(thread, addresses):
    words(addresses[0])
    before = caching.fragments.size()
    caching.fragments.put(("large",), b"", 2**40)
    assert caching.fragments.get(("large",)) is None
    assert caching.fragments.size() == before
