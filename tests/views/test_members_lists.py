"""What a member wrote: filtered, counted, page by page, as far as the reader may see it."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from forum.actions import members as acts
from forum.models import Board, Post, Thread
from forum.moderation import states
from forum.views import members
from tests.people import browser, reply, start
from tests.views.test_queries import queries

pytestmark = pytest.mark.django_db
PROFILE = "/members/opener/"


def listed(client, address: str) -> list[str]:
    """The titles of the list, in order."""
    page = client.get(address)
    assert page.status_code == 200
    titles = re.findall(r"<h3>.*?<a [^>]*>(.*?)</a>", page.content.decode(), re.S)
    return [" ".join(title.split()) for title in titles]


def counted(client, address: str) -> str:
    """How many posts there are, as the page says it."""
    page = client.get(address).content.decode()
    return re.search(r'<p class="small">((?:More than )?[\d,]+ posts?)\b', page)[1]


@pytest.fixture
def written(board, other_board, opener, answerer):
    """Two debates of the opener in one board, one in the other, and an answer elsewhere."""
    start(board, opener, title="Hastings", kind="WI")
    start(board, opener, title="Marathon", kind="AHC")
    start(other_board, opener, title="Salamis", kind="AHC")
    post = reply(start(board, answerer, title="Cannae"), opener)
    Post.objects.filter(pk=post.pk).update(loaded_at=timezone.now() - timedelta(days=100))
    return post


def test_posts_are_filtered_and_counted(client, written, board, other_board):
    for query, titles in {
        "": ["Cannae", "Salamis", "Marathon", "Hastings"],
        f"?board={other_board.slug}": ["Salamis"],
        f"?board={board.slug}&kind=AHC": ["Marathon"],
        "?kind=AHC": ["Salamis", "Marathon"],
        "?age=30": ["Salamis", "Marathon", "Hastings"],
        "?age=365": ["Cannae", "Salamis", "Marathon", "Hastings"],
        "?board=nowhere": [],
    }.items():
        assert listed(client, PROFILE + query) == titles, query
        assert counted(client, PROFILE + query) == (
            f"{len(titles)} post" + "s" * (len(titles) != 1)
        )
    assert counted(client, f"{PROFILE}?before=1") == "4 posts"  # behind the last of them


@pytest.mark.parametrize("query", ["?kind=novel", "?age=7", "?before=x", f"?before={'9' * 30}"])
def test_what_there_is_not_is_not_found(client, written, query):
    assert client.get(PROFILE + query).status_code == 404


def test_nothing_is_counted_that_the_reader_may_not_see(written, board, stranger, moderator):
    Board.objects.filter(pk=board.pk).update(audience="moderators")
    for client in (browser(), browser(stranger)):
        assert listed(client, PROFILE) == ["Salamis"]
        assert counted(client, PROFILE) == "1 post"
        assert board.slug not in client.get(PROFILE).content.decode()
        assert listed(client, f"{PROFILE}?board={board.slug}") == []
    assert counted(browser(moderator), PROFILE) == "4 posts"
    states.hide(user=moderator, post=written, reason="Spam.")
    assert counted(browser(moderator), PROFILE) == "3 posts"


def test_pages_keep_the_filter(client, board, opener, monkeypatch):
    monkeypatch.setattr(members, "PER_PAGE", 3)
    monkeypatch.setattr(members, "COUNTED", 5)
    for n in range(7):
        start(board, opener, title=f"Debate {n}", kind="AHC")
    address, seen = f"{PROFILE}?kind=AHC", []
    while address:
        seen += listed(client, address)
        page = client.get(address).content.decode()
        assert "More than 5 posts" in page
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = PROFILE + following[1].replace("&amp;", "&") if following else ""
    assert seen == [f"Debate {n}" for n in range(6, -1, -1)]


def test_they_cost_the_same_at_any_length(written, board, opener, stranger):
    paths = (PROFILE, f"{PROFILE}?kind=AHC&age=30")
    clients = (browser(), browser(stranger))
    few = [queries(client, path) for client in clients for path in paths]
    for n in range(25):
        start(board, opener, title=f"Debate {n}", kind="AHC")
    assert [queries(client, path) for client in clients for path in paths] == few
    assert max(few) <= 10


# --- Debates ----------------------------------------------------------------------------------

BEGUN = "/members/opener/debates/"


def begun(client, query: str = "") -> tuple[list[str], int]:
    """The titles of the list, and how many debates the page says there are."""
    page = client.get(BEGUN + query)
    assert page.status_code == 200
    said = re.search(r'<p class="small">(\d+) debates?\b', page.content.decode())
    return listed(client, BEGUN + query), int(said[1]) if said else 0


def test_debates_are_filtered_and_counted(client, written, board, other_board, opener):
    """The answer in another's debate is none of them."""
    for query, titles in {
        "": ["Salamis", "Marathon", "Hastings"],
        "?order=newest": ["Salamis", "Marathon", "Hastings"],
        f"?board={other_board.slug}": ["Salamis"],
        f"?board={board.slug}&kind=AHC": ["Marathon"],
        "?only=answered": [],
        "?from=1900&to=1950": [],
    }.items():
        assert begun(client, query) == (titles, len(titles)), query
    assert f'href="{BEGUN}"' in client.get(PROFILE).content.decode()
    assert f'href="{PROFILE}"' in client.get(BEGUN).content.decode()


def test_of_debates_none_is_counted_that_the_reader_may_not_see(
    written, board, stranger, moderator
):
    Board.objects.filter(pk=board.pk).update(audience="moderators")
    for client in (browser(), browser(stranger)):
        assert begun(client) == (["Salamis"], 1)
    assert begun(browser(moderator))[1] == 3
    Thread.objects.filter(title="Salamis").update(state="hidden")
    assert begun(browser(stranger)) == ([], 0) and begun(browser(moderator))[1] == 3
    page = browser(stranger).get("/members/answerer/debates/?kind=TL").content.decode()
    assert "No debate fits." in page
    empty = browser().get("/members/stranger/debates/").content.decode()
    assert "No debate begun yet that you can see." in empty


def test_debates_go_on_where_the_page_ends(client, board, opener):
    for n in range(33):
        start(board, opener, title=f"Debate {n}", kind="AHC")
    address, seen = "?kind=AHC", []
    while address:
        titles, count = begun(client, address)
        assert count == 33
        seen += titles
        page = client.get(BEGUN + address).content.decode()
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = following[1].replace("&amp;", "&") if following else ""
    assert seen == [f"Debate {n}" for n in range(32, -1, -1)]


def test_an_earlier_name_leads_on(client, opener, administrator):
    acts.rename(user=administrator, member=opener, name="Opener-2")
    response = client.get(BEGUN)
    assert (response.status_code, response["Location"]) == (302, "/members/Opener-2/debates/")


def test_debates_cost_the_same_at_any_length(written, board, opener, stranger):
    clients = (browser(), browser(stranger))
    paths = (BEGUN, f"{BEGUN}?kind=AHC&only=unanswered")
    few = [queries(client, path) for client in clients for path in paths]
    for n in range(25):
        start(board, opener, title=f"Debate {n}", kind="AHC")
    assert [queries(client, path) for client in clients for path in paths] == few
    assert max(few) <= 10
