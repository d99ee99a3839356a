"""The atlas of a debate, two of its maps compared, and the gallery: what they show, to whom."""

import re
from io import BytesIO
from zipfile import ZipFile
from zlib import crc32

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forum.actions import description, divergences, maps, pictures
from forum.models import Picture
from forum.moderation import states
from forum.views.atlas import ON_A_PAGE
from tests.operations.pictures import corpus
from tests.people import browser, fresh, reply, start

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("picture_folder")]


def drawn(user, title: str, moment="1900", shows="map") -> Picture:
    data = corpus.packed(corpus.drawn(40, 30, "P", crc32(title.encode())), "PNG")
    picture = pictures.send(user=user, file=BytesIO(data), alt=f"Alt of {title}")
    details = maps.Mark(shows, title, moment, f"Legend of {title}")
    return maps.mark(user=user, picture=picture, details=details)


def headings(page: str) -> list[str]:
    return re.findall(r"<h3[^>]*>(?:<span[^>]*>([^<]*)</span>)?", page.split("compared", 1)[0])


def atlas(thread, user=None, asked="") -> str:
    return browser(user).get(f"/threads/{thread.pk}/atlas/{asked}").content.decode()


def all_reached(thread) -> list[str]:
    """The keys of the maps that a visitor comes to by following the links from the first page."""
    seen, asked, links = [], "", set()
    while asked not in links:
        links.add(asked)
        page = atlas(thread, asked=asked)
        seen += re.findall(r'id="map-(\w+)"', page)
        following = re.search(r'href="(\?after=\w+)"', page)
        if not following:
            return seen
        asked = following[1]
    raise AssertionError(f"{asked} leads back to itself")


def test_the_maps_of_a_debate_stand_in_the_order_of_their_moments(thread, opener, answerer):
    for user, title, moment in (
        (opener, "Late", "May 1937, in this timeline"),
        (answerer, "Early", "480 BC"),
        (opener, "Middle", "c. 1460"),
    ):
        reply(thread, user, drawn(user, title, moment).markdown)
    reply(thread, opener, drawn(opener, "A flag", shows="flag").markdown)
    page = atlas(thread)
    assert headings(page) == ["480 BC", "c. 1460", "May 1937, in this timeline"]
    assert "3 maps" in page
    assert "A flag" not in page
    assert "Legend of Early" in page
    assert ">Atlas</a>" in browser().get(thread.get_absolute_url()).content.decode()


def test_a_debate_without_maps_has_an_empty_atlas_and_no_link_to_it(thread, opener):
    assert "No map has a moment here yet" in atlas(thread)
    assert "compared" not in atlas(thread)
    assert ">Atlas</a>" not in browser().get(thread.get_absolute_url()).content.decode()


def test_only_the_page_of_a_debate_asks_whether_it_has_maps(thread, opener):
    client = browser(opener)
    for page, times in (("", 1), ("outline/", 0), ("reply/", 0), ("watch/", 0)):
        address = f"/threads/{thread.pk}/{page}" if page else thread.get_absolute_url()
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200, address
        found = [q["sql"] for q in asked if '"picture_id"' in q["sql"] and "EXISTS" in q["sql"]]
        assert len(found) == times, address


def test_two_maps_are_compared(thread, opener):
    one, two, three = (drawn(opener, title) for title in ("One", "Two", "Three"))
    reply(thread, opener, "\n".join(each.markdown for each in (one, two, three)))
    page = atlas(thread, asked=f"?a={three.key}&b={one.key}")
    pair = page.split('id="pair"')[1]
    assert pair.index(three.shown) < pair.index(one.shown)
    assert two.shown not in pair
    assert two.shown not in atlas(thread).split('id="pair"')[1]  # the first and the last
    assert atlas(thread, asked="?a=nothing&b=").count('id="pair"') == 1


def test_an_atlas_goes_on_by_a_seek(thread, opener, monkeypatch):
    monkeypatch.setattr("forum.views.atlas.ON_A_PAGE", 2)
    made = [drawn(opener, f"Map {n}", "1900") for n in range(5)]
    reply(thread, opener, "\n".join(each.markdown for each in made))
    assert all_reached(thread) == [each.key for each in made]
    assert browser().get(f"/threads/{thread.pk}/atlas/?after=nothing").status_code == 404


def test_a_map_shown_twice_or_covered_does_not_end_an_atlas(thread, opener):
    covered, *made = (drawn(opener, f"Map {n:02}", str(1900 + n)) for n in range(ON_A_PAGE + 10))
    reply(thread, opener, f"[spoiler]\n{covered.markdown}\n[/spoiler]")
    for start_at in range(0, len(made), 10):
        shown = made[start_at : start_at + 10]
        reply(thread, opener, "\n".join(each.markdown for each in shown))
    reply(thread, opener, made[0].markdown)
    assert all_reached(thread) == [each.key for each in made]


def test_an_atlas_leads_on_past_maps_that_are_covered(thread, opener, monkeypatch):
    monkeypatch.setattr("forum.views.atlas.ON_A_PAGE", 2)
    one, two, three, four = (drawn(opener, f"Map {n}", str(1900 + n)) for n in range(4))
    reply(
        thread, opener, f"[spoiler]\n{one.markdown}\n{two.markdown}\n{three.markdown}\n[/spoiler]"
    )
    reply(thread, opener, f"{three.markdown}\n{four.markdown}")
    assert "No map stands openly on this page" in atlas(thread)
    assert all_reached(thread) == [three.key, four.key]
    assert browser().get(f"/threads/{thread.pk}/atlas/?after={four.key}").status_code == 200


def test_what_is_hidden_covered_taken_out_or_ignored_is_in_neither(
    thread, opener, answerer, stranger, moderator
):
    hidden = reply(thread, opener, drawn(opener, "Hidden").markdown)
    covered = drawn(opener, "Covered").markdown
    reply(thread, opener, f'[spoiler="The end"]\n{covered}\n[/spoiler]')
    reply(thread, answerer, drawn(answerer, "Ignored").markdown)
    reply(thread, opener, drawn(opener, "Shown").markdown)
    states.hide(user=moderator, post=fresh(hidden), reason="No.")
    stranger.ignoring = [answerer.pk]
    stranger.save()
    for address in (f"/threads/{thread.pk}/atlas/", "/gallery/"):
        page = browser(stranger).get(address).content.decode()
        assert "Shown" in page
        for title in ("Hidden", "Covered", "Ignored"):
            assert f"Alt of {title}" not in page, (address, title)
        assert "Alt of Ignored" in browser().get(address).content.decode()


def test_the_gallery_is_narrowed_by_kind_age_and_place(board, opener, answerer):
    spain = start(board, opener, "What if Spain held?", "Suppose.")
    moscow = start(board, answerer, "What if Moscow fell?", "Suppose.")
    for thread, user, when, place in (
        (spain, opener, "1937", "Spain"),
        (moscow, answerer, "1480", "Moscow"),
    ):
        fork = divergences.read_divergence(change="It does", when=when, place=place)
        description.describe(user=user, thread=fresh(thread), divergences=[fork], questions=[])
    reply(spain, opener, drawn(opener, "Iberia", "1938").markdown)
    reply(moscow, answerer, drawn(answerer, "Rus", "1481").markdown)
    reply(moscow, answerer, drawn(answerer, "Banner", shows="flag").markdown)

    def found(query: str) -> set[str]:
        page = browser().get(f"/gallery/{query}").content.decode()
        return {title for title in ("Iberia", "Rus", "Banner") if f"Alt of {title}" in page}

    assert found("") == {"Iberia", "Rus"}
    assert found("?shows=flag") == {"Banner"}
    assert found("?shows=flag&age=1") == {"Banner"}  # of its divergence
    assert found("?shows=flag&age=3") == set()
    assert found("?age=3") == {"Iberia"}  # of its own moment
    assert found("?in=mediterranean") == {"Iberia"}
    assert found("?in=europe&age=1") == {"Rus"}
    assert found("?in=oceania") == set()
    assert "None of these yet" in browser().get("/gallery/?in=oceania").content.decode()
    far = "9" * 40
    for wrong in ("shows=photo", "age=9", "age=x", "in=mars", "before=x", f"before={far}"):
        assert browser().get(f"/gallery/?{wrong}").status_code == 404


def test_the_gallery_goes_on_by_a_seek(thread, opener, monkeypatch):
    monkeypatch.setattr("forum.views.atlas.IN_THE_GALLERY", 2)
    made = [drawn(opener, f"Map {n}") for n in range(5)]
    reply(thread, opener, "\n".join(each.markdown for each in made))
    seen, address = [], "/gallery/"
    while address:
        page = browser().get(address).content.decode()
        seen += re.findall(r'id="map-(\w+)"', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = following[1].replace("&amp;", "&") if following else ""
    assert seen == [each.key for each in reversed(made)]


def test_a_choice_that_hardly_matches_is_looked_for_step_by_step(thread, opener, monkeypatch):
    monkeypatch.setattr("forum.rendering.atlas.LOOKED_AT", 3)
    wanted = [drawn(opener, f"Old {n}", "1460") for n in range(2)]
    others = [drawn(opener, f"Map {n}", "1937") for n in range(7)]
    wanted.append(drawn(opener, "New", "1461"))
    reply(thread, opener, "\n".join(each.markdown for each in (*wanted, *others)))
    seen, pages, address = [], [], "/gallery/?age=1"
    while address:
        page = browser().get(address).content.decode()
        pages.append(page)
        seen += re.findall(r'id="map-(\w+)"', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = following[1].replace("&amp;", "&") if following else ""
    assert seen == [each.key for each in reversed(wanted)]
    assert len(pages) == 4
    assert "None of these among the next 3 pictures." in pages[1]
    assert ["Look further" in page for page in pages] == [True, True, True, False]
    page = browser().get("/gallery/?age=0").content.decode()
    assert "None of these among the newest 3 pictures." in page


def test_one_page_of_the_gallery_asks_about_so_many_pictures_only(thread, opener, monkeypatch):
    monkeypatch.setattr("forum.rendering.atlas.LOOKED_AT", 4)
    made = [drawn(opener, f"Map {n}", "1937") for n in range(12)]
    reply(thread, opener, "\n".join(each.markdown for each in made))
    with CaptureQueriesContext(connection) as asked:
        browser().get("/gallery/?in=oceania")
    (chosen,) = [q["sql"] for q in asked if "EXISTS" in q["sql"] and '"forum_picture"' in q["sql"]]
    assert f'"id" >= {made[-4].pk}' in chosen
    (bound,) = [q["sql"] for q in asked if "LIMIT 2 OFFSET 3" in q["sql"]]
    if connection.vendor == "sqlite":  # PostgreSQL takes no index for so few rows
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {bound}")
            assert "picture_marked" in str(cursor.fetchall())


def test_both_ask_as_much_of_the_database_for_many_maps_as_for_few(thread, opener):
    counts, client = [], browser(opener)
    for first in (0, 2):
        for n in range(first, first + 2 + first * 4):
            reply(thread, opener, drawn(opener, f"Map {n}", str(1900 + n)).markdown)
        for address in (f"/threads/{thread.pk}/atlas/", "/gallery/?in=europe&age=3", "/gallery/"):
            client.get(address)
            with CaptureQueriesContext(connection) as asked:
                assert client.get(address).status_code == 200
            counts.append(len(asked))
    assert counts[:3] == counts[3:]
    assert max(counts) <= 6


def test_a_book_ends_with_the_maps_by_their_moments(thread, opener):
    for title, moment in (("Late", "1937"), ("Early", "480 BC")):
        reply(thread, opener, drawn(opener, title, moment).markdown)
    reply(thread, opener, drawn(opener, "A flag", shows="flag").markdown)
    book = browser().get(f"/threads/{thread.pk}/epub/")
    data = BytesIO(b"".join(book.streaming_content) if book.streaming else book.content)
    with ZipFile(data) as packed:
        page = packed.read("OPS/atlas.xhtml").decode()
    assert re.findall(r"<figcaption>([^<]*)<br/>", page) == ["480 BC: Early", "1937: Late"]
    assert page.count("<img") == 2
    assert "Legend of Late" in page
