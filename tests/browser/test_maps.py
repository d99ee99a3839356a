"""Maps: looked at closely by their tiles, by mouse and keyboard; and without scripts."""

import re

import pytest
from playwright.sync_api import expect

from forum.actions import maps, pictures
from forum.models import Picture
from forum.outbox.worker import Worker
from tests.operations.pictures import corpus

from . import world

pytestmark = pytest.mark.django_db(transaction=True)


def drawn(member, seed=1, size=(640, 360), **details) -> Picture:
    """A map that a member sent, made ready."""
    file = corpus.packed(corpus.drawn(*size, "P", seed), "PNG")
    picture = pictures.send(user=member, file=world.BytesIO(file), alt=f"Map {seed}.")
    details = {"shows": "map", "title": f"Map {seed}", "moment": str(1900 + seed)} | details
    maps.mark(user=member, picture=picture, details=maps.Mark(**details))
    Worker().drain()
    return Picture.objects.get(pk=picture.pk)


def until(page, wanted: str) -> None:
    """Wait up to a minute until something is so on a page, whose policy lets no text be run."""
    for _ in range(600):
        if page.evaluate(wanted):
            return
        page.wait_for_timeout(100)
    raise AssertionError(wanted)


@pytest.fixture
def debate(site, settings):
    settings.HOLD_NEW_LINKS = False
    world.load_source_thread()  # brings the boards
    member = world.member("member-a")
    return world.start(member, "What if there were maps?", "Suppose that there were.")


def test_a_large_map_is_looked_at_closely(debate, sits_down):
    picture = drawn(debate.author, size=(3200, 900))
    world.reply(debate.author, debate, picture.markdown)
    reader = sits_down(debate.author)
    page, asked = reader.page, []
    page.on("request", lambda request: asked.append(request.url))
    reader.opens(f"/pictures/{picture.key}/zoom/")
    frame = page.locator("#viewer .openseadragon-canvas")
    expect(frame).to_have_attribute("aria-label", "Map 1.")
    until(page, "performance.getEntriesByType('resource').some(r => /tiles.*webp/.test(r.name))")
    tiles = [url for url in asked if "/tiles/" in url]
    assert 0 < len(tiles) < 24
    assert picture.shown not in " ".join(asked)
    frame.focus()
    for _ in range(4):
        page.keyboard.press("+")
    for _ in range(2):
        page.get_by_role("button", name="Closer").click()
    smooth = "document.querySelector('#viewer canvas').getContext('2d').imageSmoothingEnabled"
    until(page, f"!{smooth}")  # enlarged: every pixel is sharp


def test_two_maps_are_compared_by_a_slider(debate, sits_down):
    made = [drawn(debate.author, seed) for seed in (1, 2)]
    world.reply(debate.author, debate, "\n".join(each.markdown for each in made))
    reader = sits_down(debate.author)
    reader.opens(f"/threads/{debate.pk}/atlas/")
    page = reader.page
    second = page.locator("#pair img").nth(1)
    first = page.locator("#pair img").nth(0)
    assert first.bounding_box() == second.bounding_box()
    slider = page.get_by_label("How much of the second is shown")
    slider.focus()
    page.keyboard.press("Home")
    expect(second).to_have_css("clip-path", "inset(0px 0px 0px 100%)")
    page.keyboard.press("End")
    expect(second).to_have_css("clip-path", "inset(0px 0px 0px 0%)")
    reader = sits_down(debate.author, javascript=False)
    reader.opens(f"/threads/{debate.pk}/atlas/")
    boxes = [reader.page.locator("#pair img").nth(n).bounding_box() for n in (0, 1)]
    assert boxes[0]["width"] == boxes[1]["width"]
    assert boxes[0]["y"] + boxes[0]["height"] < boxes[1]["y"]


def test_without_scripts_the_preview_and_the_whole_file_are_there(debate, sits_down):
    picture = drawn(debate.author, size=(3200, 900))
    world.reply(debate.author, debate, picture.markdown)
    reader = sits_down(debate.author, javascript=False)
    reader.opens(f"/pictures/{picture.key}/zoom/")
    image = reader.page.locator("#viewer img")
    expect(image).to_have_js_property("naturalWidth", 3200)  # its preview would be larger
    expect(reader.page.get_by_role("button", name="Closer")).to_be_hidden()
    link = reader.page.get_by_role("link", name=re.compile("The whole file"))
    expect(link).to_have_attribute("href", picture.file)
