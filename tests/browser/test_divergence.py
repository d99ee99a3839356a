"""Where debates leave history, as it is seen: the card, the timeline, forms that name a date."""

import re

import pytest
from playwright.sync_api import expect

from forum.actions import description
from forum.actions.divergences import read_divergence

from . import world
from .readers import NARROW, WIDE, faults

TWENTY = [
    *("c. 1177 BC", "480 BC", "March 44 BC", "AD 9", "late 3rd century", "10 October 732", "1066"),
    *("before 1204", "29 May 1453", "August 1588", "1776", "18 June 1815", "1863", "June 1914"),
    *("about 1924", "1936-39", "1940", "November 1942", "after 1945", "October 1962"),
]
# Boxes of the letters that the picture shows, and how wide it is drawn.
LETTERS = """(picture) => [...picture.querySelectorAll("text")].map((text) => {
  const box = text.getBoundingClientRect(), whole = picture.getBoundingClientRect();
  return [text.textContent, box.left - whole.left, box.right - whole.left,
          box.top - whole.top, box.bottom - whole.top, whole.width, whole.height];
})"""


def crossed(letters: list) -> list:
    """Texts of a picture that lie on one another, or stick out of it."""
    found = [
        one[0] for one in letters if one[1] < -0.5 or one[2] > one[5] + 0.5 or one[4] > one[6] + 0.5
    ]
    for at, (text, left, right, top, bottom, *_) in enumerate(letters):
        found += [
            (text, other[0])
            for other in letters[:at]
            # Lines of letters are taller than the letters themselves.
            if left < other[2] and other[1] < right and top + 4 < other[4] and other[3] + 4 < bottom
        ]
    return found


@pytest.fixture
def ages(site):
    """Twenty debates from all ages."""
    world.load_source_thread()
    author = world.member("member-a")
    for when in TWENTY:
        thread = world.start(author, f"What if it had been otherwise, {when}?", "It was. Why?")
        divergence = read_divergence(
            change="It goes otherwise.", when=when, place="Somewhere far away"
        )
        description.describe(
            user=author, thread=thread, divergences=[divergence], questions=["Why?"]
        )
    return author


@pytest.mark.parametrize("javascript", [True, False])
def test_the_timeline_of_twenty(ages, sits_down, javascript):
    reader = sits_down(javascript=javascript)
    reader.opens("/timeline/")
    page = reader.page
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        picture = page.locator(".wide > svg")
        letters = picture.evaluate(LETTERS)
        assert crossed(letters) == []
        numbers = [text for text, *_ in letters if re.fullmatch(r"\d{1,2}", text)]
        assert sorted(map(int, numbers)) == list(range(1, 23))  # the source thread stands twice
        assert not javascript or not faults(page)  # axe is a script
        # Only the picture scrolls sideways, and on a narrow screen it has to.
        scrolls = page.evaluate(
            """() => [...document.querySelectorAll("body *")]
              .filter((e) => !e.closest("svg") && e.scrollWidth > e.clientWidth + 1
                             && getComputedStyle(e).overflowX !== "visible"
                             && getComputedStyle(e).overflowX !== "hidden")
              .map((e) => e.className)"""
        )
        assert scrolls == (["wide"] if size == NARROW else [])


def test_the_timeline_is_asked_for_words_and_says_what_it_cannot_read(ages, sits_down):
    reader = sits_down()
    reader.opens("/timeline/")
    reader.fills("From", "480 BC")
    reader.fills("To", "the day before yesterday")
    reader.presses("Show")
    assert not faults(reader.page)
    field = reader.page.get_by_label("To", exact=True)
    assert field.get_attribute("aria-invalid") == "true"
    said = reader.page.locator(f"#{field.get_attribute('aria-describedby')}").inner_text()
    assert "480 BC" in said
    reader.fills("To", "1 BC")
    reader.presses("Show")
    assert reader.page.locator(".spans .year").all_inner_texts() == [
        *("480 BC", "Mar 44 BC", "before 1204")
    ]


def test_nothing_on_the_axis_is_crossed_or_cut_off(site, sits_down):
    world.load_source_thread()
    author = world.member("member-a")
    reader = sits_down()
    for dates in (
        ("about 1924", "1936-39"),
        ("late 15th century", "29 May 1453"),
        ("before 3500 BC", "10 October 732"),
        ("between 1177 and 1150 BC", "after 1945", "1588", "1 BC", "18 June 1815"),
        ("12 March 1917",),
    ):
        thread = world.start(author, "What if?", "It was.")
        divergences = [read_divergence(change="It goes otherwise.", when=when) for when in dates]
        description.describe(user=author, thread=thread, divergences=divergences, questions=[])
        reader.opens(thread.get_absolute_url())
        for size in (WIDE, NARROW):
            reader.page.set_viewport_size(size)
            assert crossed(reader.page.locator("svg.axis").evaluate(LETTERS)) == [], dates
            assert not faults(reader.page), dates


def test_the_source_threads_card_is_the_same_without_javascript(site, sits_down):
    thread = world.load_source_thread()
    cards = []
    for javascript in (True, False):
        reader = sits_down(javascript=javascript)
        reader.opens(thread.get_absolute_url())
        card = reader.page.locator("section.card")
        assert card.count() == 1
        card.locator("summary").click()
        cards.append((card.evaluate("(card) => card.outerHTML"), card.inner_text()))
        assert card.locator(".asks li").count() == 5
        assert card.locator("dl").count() == 3  # two divergences, and what holds for the debate
        assert "about 1924 (dated by the editor)" in card.inner_text()
        assert "between 1936 and 1939 (dated by the editor)" in card.inner_text()
    assert cards[0] == cards[1]


@pytest.mark.parametrize("javascript", [True, False])
def test_a_debate_is_opened_with_a_date_that_is_read_at_the_second_attempt(
    site, sits_down, javascript
):
    world.load_source_thread()
    author = world.member("member-a")
    reader = sits_down(author, javascript=javascript)
    reader.careless = True
    page = reader.page
    reader.opens("/threads/new/?board=after-1900")
    reader.fills("Title", "What if the bridge had held?")
    reader.fills("What changes?", "The bridge holds.")
    reader.fills("When?", "some day")
    reader.fills("Opening", "It holds. Who crosses it?")
    reader.fills("What do you think follows?", "Nobody dares to.")
    reader.presses("Open the debate")
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        assert not javascript or not faults(page)
    page.get_by_role("alert").get_by_role("link").click()
    expect(page.locator("[name=when]")).to_be_focused()
    assert page.get_by_label("Opening").input_value() == "It holds. Who crosses it?"
    reader.fills("When?", "c. 1924")
    reader.presses("Preview")
    assert "Read as about 1924" in page.locator("#when-hint").inner_text()
    reader.presses("Open the debate")
    page.locator("section.card summary").click()
    assert "about 1924" in page.locator("section.card").inner_text()
    page.locator(".title .more summary").first.click()
    reader.follows("What changes")
    assert page.get_by_label("When?").first.input_value() == "about 1924"
    page.get_by_label("Who crosses it?").check()
    page.get_by_label("What changes?").last.fill("And so does the other.")
    reader.presses("Save")
    assert not javascript or not faults(page)
    page.get_by_label("When?").last.fill("spring 1936")
    reader.presses("Save")
    page.locator("section.card summary").click()
    card = page.locator("section.card").inner_text()
    assert "spring 1936" in card
    assert "Who crosses it?" in card
    assert not javascript or not faults(page)


@pytest.mark.parametrize("address", ["/threads/new/", "/threads/{}/describe/"])
def test_places_are_offered_while_one_types(site, sits_down, address):
    world.load_source_thread()  # with its board
    author = world.member("member-a")
    thread = world.start(author, "What if it had been otherwise?", "It was. Why?")
    reader = sits_down(author)
    reader.careless = True
    reader.opens(address.format(thread.pk))
    fields = reader.page.get_by_label("Where?")
    field = fields.last
    field.press_sequentially("Mosk")
    offered = field.locator("+ datalist option")
    offered.first.wait_for(state="attached")
    assert offered.first.get_attribute("value") == "Moscow, Russia"
    assert fields.count() == 1 or not fields.first.locator("+ datalist option").count()
    field.fill("M")
    offered.first.wait_for(state="detached")
    assert not faults(reader.page)


def test_without_javascript_a_place_is_a_field_like_any(site, sits_down):
    world.load_source_thread()  # with its board
    reader = sits_down(world.member("member-a"), javascript=False)
    reader.opens("/threads/new/")
    assert reader.page.get_by_label("Where?").get_attribute("list") is None
    assert not reader.page.locator("datalist option").count()
