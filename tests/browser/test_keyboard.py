"""Everything can be reached and done with the keyboard alone, in the order in which it is read."""

import os

import pytest

from . import world
from .readers import NARROW, WIDE

LONG = os.environ.get("JONBAR_LONG") == "1"
# Where the focus is: the element, whether one sees that it is there, and its place in the page.
FOCUS = """() => {
  const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
  if (e === document.body) return null;
  const all = [...document.querySelectorAll("*")];
  return {
    tag: e.tagName, text: (e.innerText || e.value || e.name || "").trim().slice(0, 60),
    order: all.indexOf(e),
    seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
          && box.width > 1 && box.height > 1 && box.bottom > 0 && box.top < innerHeight,
  };
}"""
REACHABLE = """() => [...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex='0']")]
  .filter((e) => e.checkVisibility({visibilityProperty: true}) && e.type !== "hidden"
    && e.tabIndex >= 0 && !e.disabled && !e.closest(".trap")
    && !(e.type === "radio" && !e.checked
         && document.querySelector(`[name="${e.name}"]:checked`))).length"""


def walk(page) -> list[dict]:
    """Press Tab until the focus leaves the page; where it was on the way."""
    steps = []
    while len(steps) < 2_000:
        page.keyboard.press("Tab")
        step = page.evaluate(FOCUS)
        if step is None or (steps and step["order"] == steps[0]["order"]):
            return steps
        steps.append(step)
    raise AssertionError(f"the focus goes round and round: {steps[-5:]}")


def test_the_focus_goes_everywhere_in_reading_order(site, sits_down):
    """Page by page wide and narrow in turn; with JONBAR_LONG=1 each page in both sizes."""
    made = world.furnish()
    addresses = (
        "/",
        "/boards/after-1900/",
        made.source.get_absolute_url(),
        f"{made.deep.get_absolute_url()}?view=tree",
        made.quotes.get_absolute_url(),
        "/threads/new/",
        "/accounts/settings/",
    )
    sizes = [[WIDE, NARROW]] * len(addresses) if LONG else [[WIDE], [NARROW]] * len(addresses)
    reader = sits_down(made.one)
    for address, size in (
        (a, size) for a, each in zip(addresses, sizes, strict=False) for size in each
    ):
        reader.page.set_viewport_size(size)
        reader.opens(address)
        count = reader.page.evaluate(REACHABLE)
        steps = walk(reader.page)
        assert steps[0]["text"] == "Skip to the text"
        assert [step for step in steps if not step["seen"]] == [], address
        orders = [step["order"] for step in steps]
        assert orders == sorted(orders), address
        assert len(steps) == count, address


def test_the_skip_link_leads_to_the_text(site, sits_down):
    thread = world.load_source_thread()
    page = sits_down().page
    page.goto(thread.get_absolute_url())
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.parametrize("javascript", [False, True], ids=["without script", "with script"])
def test_a_folded_quote_opens_by_keyboard(javascript, site, sits_down):
    thread = world.load_source_thread()
    page = sits_down(javascript=javascript).page
    page.goto(thread.get_absolute_url())
    summary = page.locator(".quote summary")
    words = page.locator(".quote details blockquote")
    assert not words.is_visible()
    summary.focus()
    page.keyboard.press("Enter")
    assert words.is_visible()
    page.keyboard.press("Space")
    assert not words.is_visible()


def test_a_spoiler_opens_by_keyboard(site, sits_down):
    made = world.furnish()
    page = sits_down().page
    page.goto(made.quotes.get_absolute_url())
    spoiler = page.locator("span.spoiler")
    covered = "(e) => getComputedStyle(e).color === getComputedStyle(e).backgroundColor"
    assert spoiler.evaluate(covered)
    spoiler.focus()
    assert not spoiler.evaluate(covered)
