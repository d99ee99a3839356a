"""The page of a debate as one leaf: the card as a band, the text, and the margin beside it."""

import pytest
from django.core.management import call_command

from forum.actions import arguments, description
from forum.actions.divergences import read_divergence
from forum.models import Question, Term, Thread

from . import world
from .readers import NARROW, WIDE, faults

PHONE = {"width": 360, "height": 800}
# Shifts of what stands there already, as the browser counts them.
SHIFTS = """() => { window.shifted = 0; new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shifted += entry.value;
}).observe({type: "layout-shift", buffered: true}); }"""
# Where the first line of the first words of the debate ends.
FIRST_WORDS = """() => {
  const range = document.createRange();
  range.selectNodeContents(document.querySelector(".posts .prose p"));
  return range.getClientRects()[0].bottom;
}"""
# Of each note in a margin: how far its top is from its passage's, whether it stands beside it, and
# whether it lies on another one.
NOTES = """() => [...document.querySelectorAll(".posts .prose > .margin")].map((note, n, all) => {
  const box = note.getBoundingClientRect();
  const text = note.previousElementSibling.getBoundingClientRect();
  const next = all[n + 1]?.getBoundingClientRect();
  const rtl = document.dir === "rtl";
  return {
    level: Math.round(box.top - text.top),
    beside: rtl ? box.right <= text.left : box.left >= text.right,
    under: box.top >= text.bottom - 12,
    over: Boolean(next) && next.top < box.bottom - 1,
  };
})"""


# Of each post: whether who wrote it stands before the line of the debate, level with its text.
NAMES = """() => [...document.querySelectorAll(".posts .post")].map((post) => {
  const who = post.querySelector(".who").getBoundingClientRect();
  const text = post.querySelector(".prose").getBoundingClientRect();
  return who.right < text.left && Math.abs(who.top - text.top) < 16;
})"""


@pytest.fixture
def example(site) -> Thread:
    call_command("loaddata", "boards", "fixtures/threads/worked-example.json", verbosity=0)
    return Thread.objects.get(key="example-fleets")


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["1280", "360"])
def test_the_first_words_stand_in_the_first_screen(site, sits_down, example, viewport):
    """For visitors and for members, with the source thread and the worked example."""
    source = world.load_source_thread()
    for member in (None, world.member("member-a")):
        reader = sits_down(member, viewport=viewport)
        for thread in (example, source):
            reader.opens(thread.get_absolute_url())
            assert reader.page.evaluate(FIRST_WORDS) <= viewport["height"], thread.key
            band = reader.page.locator(".band").bounding_box()
            assert band["height"] <= 230
            assert reader.page.locator("svg.axis").is_visible()
            assert not reader.page.locator(".asks").is_visible()


def test_names_stand_before_what_they_wrote(site, sits_down, example):
    for member in (None, world.member("member-a")):
        reader = sits_down(member, viewport=WIDE)
        reader.opens(example.get_absolute_url())
        placed = reader.page.evaluate(NAMES)
        assert len(placed) == 14
        assert all(placed), placed


@pytest.mark.parametrize("javascript", [True, False])
def test_the_card_unfolds(site, sits_down, javascript):
    thread = world.load_source_thread()
    reader = sits_down(javascript=javascript)
    reader.opens(thread.get_absolute_url())
    band = reader.page.locator(".band")
    assert "5 of 5 questions open" in band.inner_text()
    assert "Trotsky, not Stalin, succeeds Lenin" in band.inner_text()
    band.locator("summary").press("Enter")
    assert band.locator(".asks li").count() == 5
    assert band.locator(".asks li").first.is_visible()
    for size in (WIDE, NARROW):
        reader.page.set_viewport_size(size)
        assert not javascript or not faults(reader.page)


def test_later_pages_have_one_line_of_the_card(site, sits_down):
    author = world.member("member-a")
    world.load_source_thread()
    thread = world.start(author, "Tin", "Without tin, what bronze?")
    for number in range(2, 23):
        world.reply(author, thread, f"Remark {number}.")
    divergences = [read_divergence(change="Cornwall has no tin. " * 9, when="900 BC")]
    description.describe(user=author, thread=thread, divergences=divergences, questions=["Iron?"])
    reader = sits_down()
    for size in (WIDE, NARROW):
        reader.page.set_viewport_size(size)
        reader.opens(f"{thread.get_absolute_url()}?page=2")
        assert reader.page.locator(".axis").count() == 0
        band = reader.page.locator(".band").bounding_box()
        assert band["height"] <= (48 if size == WIDE else 80)
        assert reader.page.evaluate(FIRST_WORDS) <= size["height"]
    # The line leads to the card, unfolded.
    reader.follows("All of it")
    assert reader.page.locator(".asks li").is_visible()


def test_what_belongs_to_a_passage_stands_beside_it(site, sits_down):
    """Who quotes it, what it answers, what a word means, how a quote stands to its source: beside
    it in wide windows, in the order of reading under it in narrow ones; never on one another."""
    one, two = world.member("member-a"), world.member("member-b")
    world.load_source_thread()
    Term.objects.create(name="POD", meaning="The point at which a timeline leaves our own. " * 4)
    Term.objects.create(name="OTL", meaning="As it was.")
    text = "The POD of our OTL.\n\nThe second, short.\n\n- an item\n- another"
    thread = world.start(one, "Would it?", text)
    first = world.opening(thread)
    divergences = [read_divergence(change="It forks.", when="1924")]
    description.describe(
        user=one, thread=thread, divergences=divergences, questions=["Would it hold?"]
    )
    quote = '[quote="member-a, post: {}"]\n{}\n[/quote]\n\nSo it would, I say.'
    answer = world.reply(two, thread, quote.format(first.pk, "The POD of our OTL."))
    world.reply(two, thread, quote.format(first.pk, "The second, short."))
    ties = [arguments.Tie(Question.objects.get(thread=thread).pk, "agrees", 0)]
    arguments.argue(
        user=two, post=answer, lane="consequence", stance="supports", quotes={}, ties=ties
    )
    reader = sits_down()
    page = reader.page
    reader.opens(thread.get_absolute_url())
    notes = page.evaluate(NOTES)
    assert len(notes) == 3
    assert all(abs(note["level"]) < 12 and note["beside"] for note in notes), notes
    assert not any(note["over"] for note in notes), notes
    opening = page.locator(f"#post-{first.pk} .margin")
    assert "quoted in #2" in opening.first.inner_text()
    assert "POD: The point at which" in opening.first.inner_text()
    assert "Answers question 1" in page.locator(f"#post-{answer.pk} .margin").inner_text()
    # The verdict: level with the first line of the quote, right of it, and before it in the order.
    verdict = page.locator(f"#post-{answer.pk} figcaption")
    words = page.locator(f"#post-{answer.pk} blockquote").bounding_box()
    assert verdict.bounding_box()["x"] >= words["x"] + words["width"]
    assert abs(verdict.bounding_box()["y"] - words["y"]) < 12
    assert not faults(page)
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert all(note["beside"] for note in page.evaluate(NOTES))
    page.evaluate("document.documentElement.dir = ''")
    page.set_viewport_size(NARROW)
    notes = page.evaluate(NOTES)
    assert all(note["under"] and not note["over"] for note in notes), notes
    term = page.locator("dfn", has_text="POD")
    meaning = page.get_by_text("The point at which a timeline")
    assert not meaning.is_visible()
    term.focus()
    assert meaning.is_visible()
    assert meaning.bounding_box()["y"] > term.bounding_box()["y"]
    assert not faults(page)


def test_nothing_moves_while_a_debate_loads(site, sits_down, example):
    source = world.load_source_thread()
    reader = sits_down(world.member("member-a"))
    reader.page.add_init_script(f"({SHIFTS})()")
    for size in (WIDE, PHONE):
        reader.page.set_viewport_size(size)
        for thread in (example, source):
            reader.opens(thread.get_absolute_url())
            reader.page.wait_for_timeout(300)
            assert reader.page.evaluate("window.shifted") == 0
