"""The field in the masthead: a search without script, and what it offers while one types."""

import re
from html import unescape

import pytest
from lxml import html

from forum.models import Board
from forum.moderation import states
from tests.browser.hostile import pieces, strings
from tests.people import browser, make_member, reply, start
from tests.views.test_queries import queries

pytestmark = [pytest.mark.django_db, pytest.mark.reads]
OFFER = "/search/offer/"


def offered(client, typed: str) -> list[str]:
    """What is offered, as words alone."""
    answer = client.get(OFFER, {"q": typed})
    assert answer.status_code in (200, 204)
    items = re.findall(r"<li>(.*?)</li>", answer.content.decode(), re.S)
    return [" ".join(unescape(re.sub(r"<[^>]+>", "", item)).split()) for item in items]


def test_the_field_stands_on_every_page_and_searches_without_script(client, board, opener):
    start(board, opener, title="Hastings is lost")
    for path in ("/", "/timeline/", "/help/", "/nowhere/"):
        page = client.get(path).content.decode()
        form = re.search(r'<search class="find"[^>]*>.*?</search>', page, re.S)[0]
        assert 'action="/search/"' in form and 'name="q"' in form and "<label" in form
    assert (
        "<mark>Hastings</mark> is lost"
        in client.get("/search/", {"q": "hastings"}).content.decode()
    )
    # The page of the search has its own.
    assert 'class="find"' not in client.get("/search/").content.decode()


def test_debates_come_first_then_members_then_the_search(client, board, opener):
    start(board, opener, title="Łódź and Hastings")
    start(board, opener, title="Something else")
    make_member("hastings-fan")
    assert offered(client, "hast") == [
        "Łódź and Hastings",
        "hastings-fan member",
        "All posts with hast",
    ]
    assert offered(client, "lodz")[0] == "Łódź and Hastings"
    assert offered(client, "lodz hast")[0] == "Łódź and Hastings"
    assert offered(client, "HASTINGS")[0] == "Łódź and Hastings"
    assert offered(client, "else hast") == ["All posts with else hast"]
    page = client.get(OFFER, {"q": "hast"}).content.decode()
    assert "<mark>Hastings</mark>" in page and 'href="/search/?q=hast"' in page


@pytest.mark.parametrize(
    "typed", ["", "ha", "  h  ", "*", "kind:novel", "-hastings", "\u202e", "%", "_" * 3, '"""']
)
def test_nothing_is_offered_for_what_is_too_short_or_means_nothing(client, typed):
    assert client.get(OFFER, {"q": typed}).status_code == 204


@pytest.mark.parametrize("typed", ["<script>", "hastings'; --", "x" * 5000, "東京都", "war of the"])
def test_whatever_is_typed_is_shown_as_words(client, typed):
    assert "<script" not in client.get(OFFER, {"q": typed}).content.decode()


def shown(client, typed: str) -> list[tuple[str, dict[str, str]]]:
    """The elements that are offered for it, with their attributes, as a browser reads them."""
    body = client.get(OFFER, {"q": typed}).content.decode()
    found = html.document_fromstring(f"<body>{body}").body.iterdescendants()
    return [(str(one.tag), dict(one.attrib)) for one in found]


def test_strings_that_want_to_be_programs_are_offered_as_words(client, board, opener, settings):
    """All of them typed, and as titles of debates that are offered."""
    settings.OFFERS_PER_MINUTE = 0
    lines = strings()
    titles = pieces(lines, 140)[:40]
    for number, title in enumerate(titles):
        start(board, opener, title=f"Hastings q{number:02} {' '.join(title.split())}")
    typed = [*lines, *(f"hastings q{number:02}" for number in range(len(titles)))]
    known = {"ul": set(), "li": set(), "a": {"href"}, "mark": set(), "bdi": set()}
    known["span"] = {"dir", "class"}
    offered_at_all = 0
    for text in typed:
        for tag, attributes in shown(client, text):
            assert set(attributes) <= known.get(tag, {"no such element"}), (text, tag, attributes)
            assert attributes.get("href", "/").startswith("/"), (text, attributes)
            offered_at_all += tag == "a"
    assert offered_at_all > len(titles)


def test_nobody_is_offered_what_they_may_not_see(client, board, opener, stranger, moderator):
    thread = start(board, opener, title="Hastings in secret")
    Board.objects.filter(pk=board.pk).update(audience=Board.Audience.INVITED)
    for who in (client, browser(stranger)):
        assert offered(who, "hastings") == ["All posts with hastings"]
    board.invited.add(stranger)
    assert offered(browser(stranger), "hastings")[0] == "Hastings in secret"
    states.hide_thread(user=moderator, thread=thread, reason="Spam.")
    assert offered(browser(stranger), "hastings") == ["All posts with hastings"]
    assert client.get(OFFER, {"q": "hastings"})["Cache-Control"] == "private, no-cache"


def test_members_who_left_are_not_offered(client):
    gone = make_member("hastings-fan")
    gone.is_active = False
    gone.save()
    assert offered(client, "hastings") == ["All posts with hastings"]


def test_it_costs_the_same_at_any_size(client, board, opener, settings):
    settings.OFFERS_PER_MINUTE = 0
    start(board, opener, title="Hastings 0")
    few = queries(client, f"{OFFER}?q=hastings")
    for n in range(1, 12):
        start(board, opener, title=f"Hastings {n}")
        make_member(f"hastings-{n}a")
    assert len(offered(client, "hastings")) == 6 + 3 + 1
    assert queries(client, f"{OFFER}?q=hastings") == few


def test_who_asks_too_often_is_told_nothing(client, settings, stopped_clock):
    settings.OFFERS_PER_MINUTE = 3
    answers = [client.get(OFFER, {"q": "hastings"}).status_code for _ in range(5)]
    assert answers == [200, 200, 200, 429, 429]
    assert client.get("/search/", {"q": "hastings"}).status_code == 200


@pytest.mark.parametrize("query", ["hastings", "hastings&sort=best", "kind:AHC", "by:opener"])
def test_the_search_itself_costs_the_same_at_any_size(board, opener, stranger, query):
    """As visitor and as member: of few hits and of many, in few debates and many."""
    clients = (browser(), browser(stranger))
    for n in range(2):
        thread = start(board, opener, title=f"Hastings {n}", kind="AHC")
        reply(thread, stranger, f"Hastings once more {n}.")

    def asked() -> list[int]:
        return [queries(client, f"/search/?q={query}") for client in clients]

    asked()  # terms of the glossary are kept from here on
    few = asked()
    for n in range(2, 25):
        thread = start(board, opener, title=f"Hastings {n}", kind="AHC")
        reply(thread, make_member(f"fan-{n:02}x"), f"Hastings, and {n} wounds.")
    many = asked()
    # Of what the newest rows hold often enough, the boards that are closed are asked first.
    assert max(many) - max(few) <= 1, (few, many)
    assert max(many) <= 15, many  # of a word in few of the newest rows: two looks at these, and all
