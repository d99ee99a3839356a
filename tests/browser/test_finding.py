"""The search field in the masthead, with and without its script."""

from playwright.sync_api import expect

from . import world


def test_the_masthead_offers_debates_while_one_types(site, sits_down):
    world.load_source_thread()
    member = world.member("member-a")
    thread = world.start(member, "Hastings is lost", "Words enough to open with. " * 5)
    reader = sits_down(member)
    page = reader.page
    reader.opens("/")
    field, offered = page.locator("#find"), page.locator(".offered a")
    field.click()
    field.press_sequentially("hast", delay=60)
    expect(offered).to_have_text(["Hastings is lost", "All posts with hast"])
    page.keyboard.press("Escape")
    expect(offered).to_have_count(0)
    expect(field).to_have_value("hast")
    field.press_sequentially("ings", delay=60)
    expect(offered).to_have_count(2)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{thread.get_absolute_url()}")


def test_without_script_return_searches(site, sits_down):
    world.load_source_thread()
    world.start(world.member("member-a"), "Hastings is lost", "Words enough to open with. " * 5)
    reader = sits_down(javascript=False)
    page = reader.page
    reader.opens("/")
    page.locator("#find").fill("hastings")
    page.locator("#find").press("Enter")
    page.wait_for_url("**/search/?q=hastings")
    expect(page.get_by_role("link", name="Hastings is lost").first).to_be_visible()
