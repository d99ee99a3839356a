"""The map of what-ifs: what stands where, how much of it, and who sees what."""

import json
import random
import re
from html import unescape
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from forum.actions import description
from forum.actions.composing import Unacceptable
from forum.actions.divergences import read_divergence
from forum.models import AuditEntry, Board, Divergence, Draft, State, Thread
from forum.moderation import erasing, undoing
from forum.moderation.words_found import find
from forum.rendering import maps
from tests.people import browser, fresh, make_member
from tests.views.test_describe import errors, words
from tests.views.test_timeline import ROWS, many

pytestmark = pytest.mark.django_db
LINK = re.compile(r'<a href="([^"]*)"[^>]*><title>(.*?)</title>', re.S)


def lying(board, author, spots: list[tuple], when: str = "1066", first: int = 0) -> None:
    """Debates that are nothing but a row, a date and a place, "Debate 0" and so on."""
    many(board, author, [when] * len(spots), first=first)
    rows = list(Divergence.objects.order_by("-pk")[: len(spots)])[::-1]
    for row, spot in zip(rows, spots, strict=True):
        row.latitude, row.longitude, row.radius = (*spot, 0)[:3]
    Divergence.objects.bulk_update(rows, ["latitude", "longitude", "radius"], batch_size=500)


def opened(user=None, query: str = "") -> str:
    response = browser(user).get(f"/map/{query}")
    assert response.status_code == 200, query
    return response.content.decode()


def drawn(body: str, which: str = "large") -> list[tuple[str, str]]:
    """Where the marks of a drawing lead, and what they say."""
    svg = body[body.index(f'class="map {which}-one"') :]
    found = LINK.findall(svg[: svg.index("</svg>")])
    return [(unescape(href), unescape(said).strip()) for href, said in found]


def titles(body: str) -> list[str]:
    return re.findall(r"<h3><a[^>]*>(.*?)</a>", body[body.index('id="places"') :])


# --- Where a divergence lies ------------------------------------------------------------------


@pytest.fixture
def starts(board, opener):
    def send(**fields):
        given = {"board": board.slug, "title": "The bridge", "kind": "TL", "text": "It held."}
        given |= {
            "change": "It holds.",
            "when": "1066",
            "token": "2b1c36a2-0d0a-4bd0-9a3e-0f2a6d2b4c11",
        }
        return browser(opener).post("/threads/new/", {**given, **fields})

    return send


def test_a_place_is_found_by_its_name(starts):
    assert starts(place="Moscow").status_code == 302
    one = Divergence.objects.get()
    assert (one.place, one.latitude, one.longitude, one.radius) == ("Moscow", 55.75, 37.62, 0)
    thread = Thread.objects.get()
    assert thread.card["divergences"][0]["spot"] == [55.75, 37.62, 0]
    assert "Where Moscow On the map" in words(browser().get(thread.get_absolute_url()))
    assert drawn(opened())[0][1] == "1066: The bridge (Moscow)"


def test_what_is_not_found_stays_unknown_and_keeps_its_words(starts):
    assert starts(place="Upper Zqland").status_code == 302
    one = Divergence.objects.get()
    assert (one.place, one.spot) == ("Upper Zqland", None)
    body = opened()
    assert "1 more names no place that is known." in body
    assert drawn(body) == []


def test_a_name_of_several_places_offers_a_choice_and_takes_it(starts):
    response = starts(place="Córdoba")
    assert response.status_code == 422
    assert "several places" in errors(response)["place"]
    body = response.content.decode()
    offered = re.findall(r'type="radio" name="found" value="(.*?)"> <span>(.*?)</span>', body)
    chosen = next(value for value, name in offered if name == "Córdoba, Spain")
    assert starts(place="Córdoba", found=chosen).status_code == 302
    assert str(Divergence.objects.get().spot) == chosen


def test_a_choice_outlives_another_mistake_on_the_form(starts):
    response = starts(place="Córdoba", found="37.89, -4.77", title="")
    assert response.status_code == 422
    assert '<input type="hidden" name="found" value="37.89, -4.77">' in response.content.decode()


def test_a_choice_for_a_name_typed_before_is_not_taken(starts):
    assert starts(place="Riga", found="37.89, -4.77").status_code == 302
    assert round(Divergence.objects.get().latitude) == 57


def test_none_of_several_is_a_choice(starts):
    assert starts(place="Córdoba", found="none").status_code == 302
    assert Divergence.objects.get().spot is None


@pytest.mark.parametrize("typed", ["95, 0", "Spain", "1, 2, 99999 km"])
def test_a_point_that_is_none_is_said_at_its_field(starts, typed):
    response = starts(place="Moscow", spot=typed)
    assert response.status_code == 422
    assert errors(response).keys() == {"spot"}
    assert not Thread.objects.exists()


def test_a_point_set_by_hand_wins_over_the_name(starts, opener):
    starts(place="Moscow", spot="40.3, -3.6, 400 km")
    thread = Thread.objects.get()
    assert str(thread.divergences.get().spot) == "40.3, -3.6, 400 km"
    # The form to describe it anew shows what the name alone does not say, and changes nothing.
    form = browser(opener).get(f"/threads/{thread.pk}/describe/").content.decode()
    assert re.search(r'name="form-0-spot"[^>]*value="40.3, -3.6, 400 km"', form)


def test_described_anew_another_place_is_looked_up(starts, opener, moderator):
    starts(place="Moscow")
    thread = Thread.objects.get()

    def describe(place, **more):
        one = read_divergence(change="It holds.", when="1066", place=place, **more)
        description.describe(user=opener, thread=thread, divergences=[one], questions=[])
        return thread.divergences.get().spot

    assert round(describe("Riga").longitude) == 24
    assert describe("Riga", spot="none") is None
    undoing.undo(user=moderator, entry=AuditEntry.objects.filter(verb="describe").latest("pk"))
    assert round(thread.divergences.get().spot.longitude) == 24
    assert fresh(thread).card["divergences"][0]["spot"][1] == thread.divergences.get().longitude


def test_what_was_described_before_there_was_a_map_has_not_changed(thread, opener):
    """A card without a place on the map is what it was: saving it again writes nothing."""
    one = read_divergence(change="It holds.", when="1066", place="Zqland")
    description.describe(user=opener, thread=thread, divergences=[one], questions=[])
    assert "spot" not in fresh(thread).card["divergences"][0]
    before = AuditEntry.objects.count()
    description.describe(user=opener, thread=thread, divergences=[one], questions=[])
    assert AuditEntry.objects.count() == before


def test_places_that_were_named_before_are_looked_up_once(thread, opener):
    one = read_divergence(change="It holds.", when="1066", place="Riga", spot="none")
    two = read_divergence(change="It falls.", when="1067", place="Córdoba", spot="none")
    description.describe(user=opener, thread=thread, divergences=[one, two], questions=[])
    version = fresh(thread).version
    call_command("place_debates", verbosity=0)
    assert [bool(row.spot) for row in thread.divergences.order_by("order")] == [True, False]
    assert [row.place for row in thread.divergences.order_by("order")] == ["Riga", "Córdoba"]
    assert "spot" in fresh(thread).card["divergences"][0]
    assert fresh(thread).version > version
    call_command("place_debates", verbosity=0)
    assert fresh(thread).version == version + 1


def test_a_draft_given_back_keeps_the_point(starts, settings):
    assert starts(place="Moscow", spot="1, 2", do="draft").status_code in (200, 302)
    assert Draft.objects.get().fields["spot"] == ["1, 2"]


def test_half_a_point_is_kept_by_no_database(thread, opener):
    one = read_divergence(change="It holds.", when="1066", place="Moscow")
    description.describe(user=opener, thread=thread, divergences=[one], questions=[])
    for columns in (
        {"longitude": None},
        {"latitude": 91},
        {"latitude": None, "longitude": None, "radius": 5},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            thread.divergences.update(**columns)


def test_where_the_name_of_a_place_is_erased_it_goes_off_the_map(starts, administrator):
    starts(place="Moscow", text="It held at Moscow.")
    thread = Thread.objects.get()
    post = thread.posts.get()
    texts = find(post, "Moscow").texts
    erasing.erase(user=administrator, post=post, words="Moscow", reason="Order 7.", texts=texts)
    assert thread.divergences.get().spot is None
    assert "spot" not in fresh(thread).card["divergences"][0]
    assert "37.62" not in json.dumps([entry.detail for entry in AuditEntry.objects.all()])
    assert drawn(opened()) == []


def test_erased_places_leave_the_log_and_drafts_too(starts, opener, administrator):
    starts(place="Moscow", text="It held at Moscow.")
    thread = Thread.objects.get()
    one = read_divergence(change="It holds.", when="1066", place="Riga")
    description.describe(user=opener, thread=thread, divergences=[one], questions=[])
    starts(
        place="Moscow", spot="55.7, 37.6", do="draft", token="2b1c36a2-0d0a-4bd0-9a3e-0f2a6d2b4c12"
    )
    post = thread.posts.get()
    texts = find(post, "Moscow").texts
    erasing.erase(user=administrator, post=post, words="Moscow", reason="Order 7.", texts=texts)
    kept = [entry.detail for entry in AuditEntry.objects.all()]
    kept += [draft.fields for draft in Draft.objects.all()]
    assert "37.6" not in json.dumps(kept)
    assert thread.divergences.get().spot is not None


# --- The page ---------------------------------------------------------------------------------


def test_the_source_thread_stands_on_it():
    call_command("loaddata", "boards", "trotsky-spain", "worked-example", verbosity=0)
    body = opened(query="?in=europe")
    said = [said for _, said in drawn(body)]
    assert any(one.startswith("c. 1924: ") and one.endswith("(Moscow)") for one in said)
    assert any(one.startswith("1936–39: ") and one.endswith("(Spain)") for one in said)
    assert '<ellipse class="hit area"' in body
    assert '<span dir="auto">Spain</span> (area)' in body
    assert [said for _, said in drawn(opened(query="?in=east-asia"))] == [
        "1433: Example: the treasure fleets sail for another fifty years (Nanjing)"
    ]


def test_nobody_has_said_where(thread):
    body = opened()
    assert "No debate has said yet where it leaves history." in body
    assert drawn(body) == []


def test_close_ones_are_gathered_and_lead_closer_until_they_part(board, opener):
    lying(board, opener, [(52.5, 13.4), (52.5, 14.9), (-33.9, 151.2)])
    (_, said), (two, _) = sorted(drawn(opened()), key=lambda mark: mark[1])
    assert said == "1066: Debate 2"
    query = two
    for _ in range(6):
        body = opened(query=query)
        assert titles(body)[:2] == ["Debate 0", "Debate 1"]
        marks = drawn(body)
        if len(marks) == 2:
            break
        ((query, said),) = marks
        assert said == "2 divergences, closer"
    assert sorted(said for _, said in marks) == ["1066: Debate 0", "1066: Debate 1"]


def test_many_on_one_spot_lead_to_the_list_in_the_end(board, opener):
    lying(board, opener, [(48.9, 2.35)] * 3)
    query, seen = "", []
    while query != "#places":
        ((query, said),) = drawn(opened(query=query))
        seen.append(query)
        assert said == "3 divergences, closer"
        assert len(seen) < 5


def test_a_part_of_the_world_holds_what_lies_in_it_and_nothing_else(board, opener):
    spots = [(48.9, 2.35), (39.9, 116.4), (-13.5, -72), (0, -179.9), (-89, 0), (90, 180)]
    lying(board, opener, spots)
    assert len(titles(opened())) == 6
    assert titles(opened(query="?in=europe")) == ["Debate 0"]
    assert titles(opened(query="?in=east-asia")) == ["Debate 1"]
    assert titles(opened(query="?in=-13.50,-72.00,20.0")) == ["Debate 2"]
    body = opened()
    assert "World 6" in body
    assert re.search(r"Europe 1</a>", body)
    assert "Oceania" not in body


@pytest.mark.parametrize(
    "where", ["nowhere", "1,2", "1,2,3,4", "nan,0,30", "0,0,1", "91,0,30", "x" * 99]
)
def test_no_such_part_of_the_world(where):
    assert browser().get(f"/map/?in={where}").status_code == 404


def test_years_narrow_it_as_they_narrow_the_timeline(board, opener):
    lying(board, opener, [(48.9, 2.35)], when="1066")
    lying(board, opener, [(48.9, 2.35)], when="1924")
    body = opened(query="?from=1900&to=1950")
    assert [said for _, said in drawn(body)] == ["1924: Debate 0"]
    assert "/timeline/?from=1900&amp;to=1950" in body
    assert (
        "/map/?from=1900&amp;to=1950"
        in browser().get("/timeline/?from=1900&to=1950").content.decode()
    )
    assert "Leave" not in opened(query="?from=1900&to=1950&in=europe")
    wrong = opened(query="?from=never")
    assert 'id="from-error"' in wrong


def test_every_map_of_the_charter_shows_what_the_timeline_shows(board, opener, stranger, moderator):
    """One rule: whoever may not read the opening finds neither ring, words nor count."""
    lying(board, opener, [(48.9, 2.35), (10, 10)])
    hidden = Thread.objects.order_by("pk").last()
    for changes in ({"state": State.PENDING}, {"state": State.HIDDEN}):
        Thread.objects.filter(pk=hidden.pk).update(**changes)
        for user, sees in ((None, False), (stranger, False), (moderator, True)):
            body = opened(user)
            assert ("Debate 1" in body) is sees
            assert (f"World {1 + sees}" in body) is sees or not sees
            assert len(drawn(body)) == 1 + sees
    Thread.objects.filter(pk=hidden.pk).update(state=State.VISIBLE)
    Board.objects.update(audience=Board.Audience.INVITED)
    for user in (None, stranger, make_member("another")):
        assert drawn(opened(user)) == []
        assert "World 0" in opened(user)


def test_what_members_typed_is_text(thread, opener):
    evil = '</title><script>alert(1)</script>" onload="x'
    one = read_divergence(change="It.", when="1066", place=evil, spot="1, 2")
    description.describe(user=opener, thread=thread, divergences=[one], questions=[])
    assert "<script>alert" not in opened()


# --- However many -----------------------------------------------------------------------------


def test_it_costs_the_same_at_any_size(board, opener, stranger):
    rng = random.Random(7)
    asked, sizes = [], []
    for count in (3, ROWS):
        spots = [(rng.uniform(-55, 75), rng.uniform(-179, 179)) for _ in range(count)]
        lying(board, opener, spots, first=len(asked) * 10)
        client = browser(stranger)
        client.get("/map/")
        with CaptureQueriesContext(connection) as captured:
            body = client.get("/map/").content
        asked.append(len(captured))
        sizes.append(len(body))
    assert asked[0] == asked[1] <= 8
    assert sizes[1] < 120_000
    marks = drawn(body.decode())
    assert len(marks) < 600
    assert len(drawn(body.decode(), "small")) < len(marks)


def test_all_are_counted_once_in_either_drawing(board, opener):
    rng = random.Random(8)
    spots = [(rng.gauss(48, 9), rng.gauss(10, 30)) for _ in range(300)]
    lying(board, opener, spots)
    rows = Divergence.objects.all()
    for least in (maps.WIDE, maps.NARROW):
        groups = maps.gather(rows.by_cell(360 / maps.COLUMNS), maps.WORLD, least)
        assert sum(group.count for group in groups) == 300
        for n, one in enumerate(groups):
            for other in groups[n + 1 :]:
                assert (one.x - other.x) ** 2 + (one.y - other.y) ** 2 >= least**2 * 0.99


# --- What is made beforehand ------------------------------------------------------------------


def test_the_land_fits_into_the_drawing():
    land = (Path(__file__).parents[2] / "static/img/land.svg").read_text()
    assert len(land) < 40_000
    assert "<script" not in land
    numbers = re.search(r' d="(.*?)"', land)[1]
    at, reached = [0.0, 0.0], []
    for kind, steps in re.findall(r"([Ml])([^Mlz]*)", numbers):
        pairs = [float(one) for one in re.findall(r"-?\d*\.?\d+", steps)]
        for dx, dy in zip(pairs[::2], pairs[1::2], strict=True):
            # An edge from one side of the map to the other would be drawn across the oceans.
            assert kind == "M" or abs(dx) < 400
            at = [dx, dy] if kind == "M" else [at[0] + dx, at[1] + dy]
            reached.append(at[0])
    assert -501 < min(reached) < -499
    assert 499 < max(reached) < 501


@pytest.mark.parametrize("latitude", [91, "north", True, None])
def test_a_fixture_with_half_a_place_is_refused(latitude, tmp_path):
    path = Path(__file__).parents[2] / "fixtures/threads/worked-example.json"
    objects = json.loads(path.read_text())
    one = next(thing for thing in objects if thing["model"] == "forum.divergence")
    one["fields"]["latitude"] = latitude
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(objects))
    with pytest.raises(Exception, match=r"forum\.divergence.*(latitude|Latitude)"):
        call_command("loaddata", "boards", str(broken), verbosity=0)
    assert not Divergence.objects.exists()


def test_a_point_that_was_typed_wrongly_is_refused_by_the_action():
    with pytest.raises(Unacceptable):
        read_divergence(change="It.", when="1066", spot="95, 0")
