"""The sum that a form asks for, worked out in a real browser and judged by the server."""

import pytest
from django.core.cache import cache

from core import proof_of_work

FORM = """(challenge) => {
  document.querySelector("main").innerHTML = `<form method="get" action="/keys/">
    <input type="hidden" name="proof"><p role="status" data-proof>Without</p>
    <button>Send it</button></form>`;
  document.querySelector("[name=proof]").dataset.challenge = challenge;
  document.querySelector("main form").onsubmit = (event) => {
    document.querySelector("main form").dataset.sent = document.querySelector("[name=proof]").value;
    event.preventDefault();
  };
}"""


@pytest.mark.parametrize("rounds", [10, 5_000])
def test_a_browser_solves_it(sits_down, settings, rounds):
    settings.PROOF_OF_WORK = rounds
    reader = sits_down()
    reader.opens("/keys/")
    reader.page.evaluate(FORM, proof_of_work.challenge("report"))
    reader.page.evaluate("import('/static/js/proof.js')")
    reader.page.locator("[data-proof]", has_text="sum is done").wait_for()
    assert proof_of_work.spend(reader.page.input_value("[name=proof]"), "report")


def test_a_form_sent_too_early_waits_for_it(sits_down, settings):
    settings.PROOF_OF_WORK = 5_000
    cache.clear()
    reader = sits_down()
    reader.opens("/keys/")
    # Until it is let go, the first try takes for ever.
    reader.page.evaluate(
        """() => { const { deriveBits } = crypto.subtle;
        const gate = new Promise((open) => (window.go = open));
        crypto.subtle.deriveBits = async (...all) => {
          await gate;
          return deriveBits.apply(crypto.subtle, all);
        }; }"""
    )
    reader.page.evaluate(FORM, proof_of_work.challenge("report"))
    reader.page.evaluate("void import('/static/js/proof.js')")
    reader.page.locator("[data-proof]", has_text="works out").wait_for()
    reader.page.get_by_role("button", name="Send it").click()
    reader.page.locator("[data-proof]", has_text="as soon as").wait_for()
    reader.page.evaluate("window.go()")
    sent = reader.page.locator("form[data-sent]:not([data-sent=''])").get_attribute("data-sent")
    assert proof_of_work.spend(sent, "report")


def test_a_browser_that_cannot_says_so_and_sends(sits_down, settings):
    """Web Crypto is there under HTTPS only."""
    settings.PROOF_OF_WORK = 10
    reader = sits_down()
    reader.opens("/keys/")
    reader.page.evaluate("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    reader.page.evaluate(FORM, proof_of_work.challenge("report"))
    reader.page.evaluate("import('/static/js/proof.js')")
    assert reader.page.inner_text("[data-proof]") == "Without"
    reader.page.get_by_role("button", name="Send it").click()
    assert reader.page.locator("form[data-sent]").get_attribute("data-sent") == ""
