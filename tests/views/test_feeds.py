"""Feeds, sitemap and robots.txt: well-formed, what visitors may read and nothing else."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from django.urls import reverse

from forum.actions import feeds, threadmarks, watching
from forum.models import Board
from forum.moderation import states
from forum.views.robots import PART
from tests.people import browser, fresh, make_member, reply, start
from tests.views.test_queries import queries

pytestmark = pytest.mark.django_db
ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def read(client, address: str) -> list[ElementTree.Element]:
    """The entries of a feed; what RFC 4287 (4.1.1, 4.1.2) demands is asked for here."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    assert answer["Content-Type"].startswith("application/atom+xml")
    feed = ElementTree.fromstring(answer.content)
    assert feed.tag == f"{ATOM}feed"
    for name in ("id", "title", "updated"):
        assert len(feed.findall(f"{ATOM}{name}")) == 1
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
    assert links["self"].endswith(address)
    assert client.get(links["alternate"].partition("testserver")[2]).status_code in (200, 302)
    entries = feed.findall(f"{ATOM}entry")
    for entry in entries:
        for name in ("id", "title", "updated", "author"):
            assert len(entry.findall(f"{ATOM}{name}")) == 1, name
        datetime.fromisoformat(entry.findtext(f"{ATOM}updated"))
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(ids) == len(set(ids))
    return entries


def titles(entries) -> list[str]:
    return [entry.findtext(f"{ATOM}title") for entry in entries]


@pytest.fixture
def told(board, opener, answerer):
    thread = start(board, opener, title="Hastings")
    first = reply(thread, answerer, "The wall holds.", to=None)
    second = reply(thread, opener, "It does not.", to=first)
    threadmarks.mark(user=opener, post=first, category="story", label="The wall")
    return fresh(thread), first, second


def addresses(thread, post) -> list[str]:
    return [
        *(reverse(name) for name in ("feed", "timeline-feed")),
        reverse("board-feed", args=[thread.board.slug]),
        *(reverse(name, args=[thread.pk]) for name in ("thread-feed", "story-feed")),
        *(reverse("branch-feed", args=[post.pk]), reverse("member-feed", args=["answerer"])),
    ]


def test_each_feed_holds_what_it_is_called(client, told):
    thread, first, _ = told
    forum, timeline, board, debate, story, branch, member = (
        titles(read(client, address)) for address in addresses(thread, first)
    )
    assert forum == board == ["Hastings"]
    assert timeline == []
    assert debate == ["#3 by opener", "#2 by answerer", "#1 by opener"]
    assert story == ["#2 by answerer"]
    assert branch == ["#3 by opener", "#2 by answerer"]
    assert member == ["Hastings"]


def test_what_is_taken_back_leaves_every_feed(client, told, moderator):
    thread, first, _ = told
    states.hide(user=moderator, post=fresh(first), reason="Spam.")
    for address in addresses(thread, first):
        assert "The wall holds" not in client.get(address).content.decode(), address


def test_nobody_gets_more_than_a_visitor(told, moderator):
    """Not even who moderates: a feed is fetched by services that keep it."""
    thread, first, _ = told
    Board.objects.filter(pk=thread.board_id).update(audience=Board.Audience.MEMBERS)
    for who in (None, moderator, make_member("reader")):
        client = browser(who) if who else browser()
        for address in addresses(thread, first):
            answer = client.get(address)
            assert answer.status_code in (200, 404)
            assert "Hastings" not in answer.content.decode(), address
        part = client.get(f"/sitemap-{thread.pk // PART}.xml").content.decode()
        assert f"/threads/{thread.pk}/" not in part


def test_a_spoiler_is_not_open_in_a_feed(client, told):
    thread, first, _ = told
    text = 'See ||the *king* dies||.\n\n[spoiler="End"]All ||must|| die.[/spoiler]\n\nSo be it.'
    reply(thread, fresh(first).author, text)
    shown = client.get(reverse("thread-feed", args=[thread.pk])).content.decode()
    assert "king" not in shown
    assert "must" not in shown and "die." not in shown
    assert "So be it." in shown
    assert "[spoiler]" in shown


# What XML 1.0 cannot hold: control characters, and two that are no characters.
UNFIT = ("\x01", "\x0b", "\x1b", "\ufffe", "\uffff")


@pytest.mark.parametrize("sign", UNFIT)
def test_a_sign_that_xml_lacks_takes_a_feed_from_nobody(client, told, opener, sign):
    """Any member can write one into a post, anybody can search for one."""
    thread, first, _ = told
    reply(thread, opener, f"Odd{sign}signs, `{sign}` and [a{sign}](https://example.org/{sign}).")
    feeds.make(user=opener)
    watching.watch(user=opener, target=thread, level="all")
    own = [feeds.address(fresh(opener), f"own-{name}-feed") for name in ("watching", "notices")]
    found = f"{reverse('search-feed')}?{urlencode({'q': f'odd{sign}signs'})}"
    for address in (*addresses(thread, first), *own, found):
        answer = client.get(address)
        assert answer.status_code == 200, address
        ElementTree.fromstring(answer.content)
    assert "Odd" in client.get(found).content.decode()


def test_an_unchanged_debate_is_not_sent_again(client, told):
    thread, first, _ = told
    address = reverse("thread-feed", args=[thread.pk])
    tag = client.get(address)["ETag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
    reply(fresh(thread), fresh(first).author, "Once more.")
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_feeds_cost_the_same_at_any_length(client, told, opener):
    thread, first, _ = told
    few = [queries(client, address) for address in addresses(thread, first)]
    for n in range(40):
        reply(fresh(thread), opener, f"Answer {n}.", to=fresh(first))
        start(thread.board, opener, title=f"Debate {n}")
    assert [queries(client, address) for address in addresses(thread, first)] == few


def test_the_sitemap_leads_to_every_debate_in_the_open(client, told):
    thread, *_ = told
    index = ElementTree.fromstring(client.get("/sitemap.xml").content)
    assert index.tag == f"{MAP}sitemapindex"
    found = []
    for part in index.iter(f"{MAP}loc"):
        listed = ElementTree.fromstring(client.get(part.text.partition("testserver")[2]).content)
        assert listed.tag == f"{MAP}urlset"
        for entry in listed:
            found.append(entry.findtext(f"{MAP}loc"))
            assert datetime.fromisoformat(entry.findtext(f"{MAP}lastmod"))
    assert found == [f"http://testserver{thread.get_absolute_url()}"]
    assert client.get("/sitemap-99999999999.xml").status_code == 404


@pytest.mark.parametrize(
    ("crawlers", "holds", "lacks"),
    [
        ("all", "Disallow: /admin/", "GPTBot"),
        ("search", "User-agent: GPTBot", "Disallow: /\n\nSitemap"),
        ("none", "User-agent: *\nDisallow: /\n", "Sitemap"),
    ],
)
def test_robots_are_told_what_the_site_says(client, settings, crawlers, holds, lacks):
    settings.CRAWLERS = crawlers
    answer = client.get("/robots.txt")
    assert answer["Content-Type"].startswith("text/plain")
    assert holds in answer.content.decode()
    assert lacks not in answer.content.decode()


def test_whom_to_tell_of_a_hole(client, settings):
    address = "/.well-known/security.txt"
    settings.SECURITY_CONTACT = "mailto:security@example.org"
    lines = client.get(address).content.decode().splitlines()
    told = dict(line.split(": ", 1) for line in lines)
    assert told["Contact"] == "mailto:security@example.org"
    assert told["Canonical"].endswith(address)
    until = datetime.fromisoformat(told["Expires"].replace("Z", "+00:00"))
    assert timedelta(days=180) < until - datetime.now(UTC) < timedelta(days=366)


def test_password_managers_find_where_a_password_is_changed(client, opener):
    address = "/.well-known/change-password"
    assert client.get(address).headers["Location"] == reverse("account_change_password")
    assert browser(opener).get(address, follow=True).status_code == 200
