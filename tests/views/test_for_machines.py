"""What programs read: feeds held to RFC 4287, the sitemap to its schema, JSON-LD, previews."""

import json
import os
import re
from copy import copy
from datetime import datetime
from io import BytesIO
from pathlib import Path
from time import process_time
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from lxml import etree
from PIL import Image

from forum.actions import description
from forum.actions.divergences import read_divergence
from forum.models import Board, Thread
from forum.moderation import states
from forum.views import robots
from forum.views.robots import PART
from tests.people import browser, edit, fresh, reply, start
from tests.views.test_feeds import addresses, read, titles

pytestmark = pytest.mark.django_db
HERE = Path(__file__).parent
ATOM = etree.RelaxNG(etree.parse(HERE / "atom.rng"))
SITEMAP = etree.XMLSchema(etree.parse(HERE / "sitemap.xsd"))
HOSTILE = 'A </script><b>"quoted"</b> & <!-- title \u2028'


@pytest.fixture
def debate(board, opener, answerer) -> Thread:
    thread = start(board, opener, title="Hastings", text="Say that ||the king|| lives. " * 20)
    reply(thread, answerer, 'The wall & the hill held. <b> "So." 東京')
    return fresh(thread)


# --- Feeds and sitemap --------------------------------------------------------------------------


def test_feeds_are_valid(client, debate, board, opener):
    start(board, opener, title=HOSTILE)
    post = debate.posts.get(number=2)
    every = [*addresses(debate, post), f"{reverse('search-feed')}?q=wall"]
    for address in every:
        assert ATOM.validate(etree.fromstring(client.get(address).content)), ATOM.error_log
        for entry in read(client, address):
            assert entry.find("{*}author/{*}name").text


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("<updated>", "<updated>yesterday, "),
        ("<id>http", "<id>no address, http"),
        ("<title>", "<heading>x</heading><title>"),
        ("<author>", "<author><name>x</name></author><author>no name"),
    ],
)
def test_the_schema_sees_what_is_wrong(client, debate, right, wrong):
    feed = client.get("/feed/").content.decode()
    assert not ATOM.validate(etree.fromstring(feed.replace(right, wrong, 1).encode()))


def test_the_sitemap_is_valid(client, debate, board, opener):
    start(board, opener, title=HOSTILE)
    index = etree.fromstring(client.get("/sitemap.xml").content)
    part = etree.fromstring(client.get(f"/sitemap-{debate.pk // PART}.xml").content)
    assert SITEMAP.validate(index) and SITEMAP.validate(part), SITEMAP.error_log
    part[0][0].text = "nowhere"
    assert not SITEMAP.validate(part)


def test_the_sitemap_of_a_large_forum_is_in_parts(client, debate, monkeypatch, record_property):
    """No part may name more than 50,000 addresses, and each costs one statement. JONBAR_LONG=1 does
    it with 60,000 debates."""
    each = 10_000 if os.environ.get("JONBAR_LONG") == "1" else 50
    monkeypatch.setattr(robots, "PART", each)
    assert PART <= 50_000
    debates = [copy(debate) for _ in range(6 * each)]
    first = debate.pk + 1
    for pk, one in enumerate(debates, first):
        one.pk, one.key, one.last_post = pk, f"debate-{pk}", None
    Thread.objects.bulk_create(debates, batch_size=500)

    def asked(address: str) -> tuple[etree._Element, int]:
        with CaptureQueriesContext(connection) as found:
            answer = client.get(address)
        assert answer.status_code == 200
        return etree.fromstring(answer.content), len(found)

    index, _ = asked("/sitemap.xml")
    parts = [urlsplit(loc.text).path for loc in index.iter("{*}loc")]
    named, costs, began = [], set(), process_time()
    for part in parts:
        tree, statements = asked(part)
        found = [loc.text for loc in tree.iter("{*}loc")]
        assert len(found) <= each
        assert SITEMAP.validate(tree) or not found, SITEMAP.error_log
        named += found
        costs.add(statements)
    took = (process_time() - began) / len(parts)
    assert len(named) == len(set(named)) == 6 * each + 1
    assert costs == {1}
    record_property("measured", f"{len(named):,} debates in {len(parts)} parts, {took:.2f} s each")


def test_a_search_has_a_feed_of_what_everybody_may_read(client, debate, stranger, moderator):
    address = f"{reverse('search-feed')}?q=wall"
    assert titles(read(client, address)) == ["Hastings"]
    page = browser(stranger).get("/search/", {"q": "wall"}).content.decode()
    assert f'href="{address}"' in page
    for nothing in ("", "kind:novel", "-wall", "*"):
        assert client.get(reverse("search-feed"), {"q": nothing}).status_code == 404
    assert titles(read(client, f"{reverse('search-feed')}?q=king")) == []  # under a spoiler
    states.hide(user=moderator, post=debate.posts.get(number=2), reason="Spam.")
    for who in (client, browser(stranger), browser(moderator)):
        assert titles(read(who, address)) == []


# --- JSON-LD ------------------------------------------------------------------------------------


def linked_data(client, thread) -> dict | None:
    page = client.get(thread.get_absolute_url())
    assert page.status_code == 200
    found = re.findall(
        r'<script type="application/ld\+json">(.*?)</script>', page.content.decode(), re.S
    )
    assert len(found) <= 1
    return json.loads(found[0]) if found else None


def test_a_debate_says_what_it_is(client, debate):
    said = linked_data(client, debate)
    address = f"http://testserver{debate.get_absolute_url()}"
    assert said["@context"] == "https://schema.org"
    assert said["@type"] == "DiscussionForumPosting"
    assert said["url"] == said["@id"] == address
    assert said["headline"] == "Hastings"
    assert said["author"] == {
        "@type": "Person",
        "name": "opener",
        "url": "http://testserver/members/opener/",
    }
    began = debate.created_at.replace(microsecond=0)
    assert datetime.fromisoformat(said["datePublished"]) == began
    assert said["commentCount"] == 1
    assert said["text"].startswith("Say that [spoiler] lives.") and len(said["text"]) < 510
    page = client.get(debate.get_absolute_url()).content.decode()
    assert f'<link rel="canonical" href="{address}">' in page
    assert f'<meta property="og:image" content="{said["image"]}">' in page


def test_no_title_ends_its_block(client, board, opener):
    assert linked_data(client, start(board, opener, title=HOSTILE))["headline"] == HOSTILE.strip()


def test_an_imported_debate_names_its_byline_and_its_own_date(client, debate):
    Thread.objects.filter(pk=debate.pk).update(author=None, byline="Voice 1")
    assert linked_data(client, debate)["author"] == {"@type": "Person", "name": "Voice 1"}


def test_only_what_visitors_see_is_said(client, debate, stranger, moderator):
    assert linked_data(browser(stranger), debate) is None
    edit(debate.posts.get(number=1), "Other words.")
    assert linked_data(client, debate)["text"] == "Other words."
    states.hide(user=moderator, post=debate.posts.get(number=1), reason="Spam.")
    said = linked_data(client, fresh(debate))
    assert "text" not in said and "Other words" not in json.dumps(said)
    assert linked_data(browser(moderator), debate) is None


# --- The picture of a preview -------------------------------------------------------------------


def picture(client, thread) -> Image.Image:
    answer = client.get(reverse("thread-picture", args=[thread.pk]))
    assert answer.status_code == 200 and answer["Content-Type"] == "image/png"
    found = Image.open(BytesIO(answer.content))
    assert found.size == (1200, 630) and found.format == "PNG"
    return found.convert("RGB")


def reddish(image: Image.Image) -> int:
    """How many points are as red as what leaves history."""
    counted = image.getcolors(2**20)
    return sum(n for n, (red, green, blue) in counted if red > 120 > 90 > max(green, blue))


def test_the_picture_shows_the_title_and_where_history_is_left(client, debate):
    plain = picture(client, debate)
    assert not reddish(plain)
    description.describe(
        user=debate.author,
        thread=debate,
        divergences=[read_divergence(change="He lives", when="1066")],
        questions=[],
        own_answer="x",
    )
    assert reddish(picture(client, debate)) > 1000


@pytest.mark.parametrize(
    "title", [HOSTILE, "W" * 160, "ماذا لو لم يُهزم", "Łódź Αθήνα Казань 東京", "a " * 79 + "b"]
)
def test_every_title_can_be_drawn(client, debate, title):
    Thread.objects.filter(pk=debate.pk).update(title=title)
    assert picture(client, debate).size == (1200, 630)


def test_the_picture_is_there_for_what_everybody_sees(client, debate, moderator):
    Board.objects.filter(pk=debate.board_id).update(audience=Board.Audience.MEMBERS)
    for who in (client, browser(moderator)):
        address = reverse("thread-picture", args=[debate.pk])
        assert who.get(address).status_code == 404


def test_the_picture_is_made_anew_when_the_debate_changes(client, debate, settings, monkeypatch):
    from forum.rendering import preview_pictures

    settings.DOWNLOADS_MB = 5
    made = []

    def render(thread, site):
        made.append(thread.title)
        return b"png"

    monkeypatch.setattr(preview_pictures, "render", render)
    address = reverse("thread-picture", args=[debate.pk])
    for _ in range(3):
        assert client.get(address).content == b"png"
    assert made == ["Hastings"]
    reply(debate, debate.author, "Once more.")
    client.get(address)
    assert made == ["Hastings"] * 2
