"""A newcomer's first minute: from the front page to a quote that was altered, in two clicks."""

import pytest
from django.core.management import call_command
from playwright.sync_api import expect


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("javascript", [True, False])
def test_two_clicks_lead_to_an_altered_quote_and_its_source(site, sits_down, width, javascript):
    call_command("loaddata", "boards", verbosity=0)
    call_command("loaddata", "fixtures/threads/worked-example.json", verbosity=0)
    reader = sits_down(javascript=javascript)
    page = reader.page
    page.set_viewport_size({"width": width, "height": 900})
    reader.opens("/")
    page.locator("main a.btn.main").click()
    altered = page.locator('[data-status="altered"]').first
    expect(altered).to_contain_text("altered")
    altered.locator("summary", has_text="Compare with the source").click()
    expect(altered.locator("del, ins").first).to_be_visible()
