"""What is being written survives: a browser that is killed, a network that goes, a session that
ends. What was posted does not come back. JONBAR_LONG=1 tries each form in each way."""

import re

import pytest
from playwright.sync_api import expect

from accounts.models import Session
from forum.models import Draft, Post

from . import world
from .readers import LONG

TEXT = 'Some words, "quoted" & <kept>.\n\nAnd a second paragraph.'


@pytest.fixture
def member(site):
    world.load_source_thread()
    return world.member("member-a")


@pytest.fixture
def debate(member):
    return world.start(member, "Does it hold?", "The first words of the debate.")


def field(page):
    return page.locator("textarea[name=text]")


def state(page):
    return page.locator(".draft-state")


def types(page, text: str) -> None:
    """As by hand: a filled field fires the same event once."""
    field(page).fill(text)


def forgets(reader, *known: str) -> None:
    """Leave out the troubles that the test itself made."""
    reader.trouble[:] = [said for said in reader.trouble if not any(part in said for part in known)]


PLACES = ("/threads/{pk}/debate/", "/threads/{pk}/reply/", "/threads/new/", "edit")


@pytest.mark.parametrize("place", PLACES if LONG else PLACES[3:])
def test_a_browser_that_is_killed(place, member, debate, sits_down):
    """The server has the text; another device opens the form with it."""
    if place == "edit":
        place = f"/posts/{world.opening(debate).pk}/edit/"
    address = place.format(pk=debate.pk)
    reader = sits_down(member)
    reader.opens(address)
    types(reader.page, TEXT)
    expect(state(reader.page)).to_have_text(re.compile(r"Draft kept \d\d:\d\d\."))
    reader.context.close()
    again = sits_down(member)
    again.opens(address)
    expect(field(again.page)).to_have_value(TEXT)
    assert Draft.objects.get().text.replace("\r\n", "\n") == TEXT


def test_a_tab_that_is_killed_before_anything_was_sent(member, debate, sits_down):
    """The browser itself has the text, from the first letter on."""
    reader = sits_down(member)
    reader.opens(f"/threads/{debate.pk}/reply/")
    reader.context.set_offline(True)
    types(reader.page, TEXT)
    reader.page.close(run_before_unload=False)
    reader.context.set_offline(False)
    reader.page = reader.context.new_page()
    reader.opens(f"/threads/{debate.pk}/reply/")
    expect(field(reader.page)).to_have_value(TEXT)
    # From here on the server has it too, unless the tab could still send it when it was closed: its
    # network comes back a moment before it is gone.
    has_it = re.compile("Draft kept|restored from the draft")
    expect(reader.page.locator("form[data-draft]")).to_contain_text(has_it)
    assert Draft.objects.get().target == f"/threads/{debate.pk}/reply/"
    forgets(reader, "ERR_INTERNET_DISCONNECTED")


def test_without_a_network(member, debate, sits_down):
    reader = sits_down(member)
    page = reader.page
    reader.opens(f"/threads/{debate.pk}/reply/")
    reader.context.set_offline(True)
    types(page, TEXT)
    kept = "No connection. The draft is kept in this browser."
    expect(state(page)).to_have_text(kept)
    assert not Draft.objects.exists()
    assert page.evaluate("Object.keys(localStorage).filter((k) => k.startsWith('draft:')).length")
    reader.context.set_offline(False)
    expect(state(page)).to_have_text(re.compile("Draft kept"))
    assert Draft.objects.get().text.replace("\r\n", "\n") == TEXT
    forgets(reader, "ERR_INTERNET_DISCONNECTED")


def test_two_tabs_write_two_texts(member, debate, sits_down):
    reader = sits_down(member)
    reader.opens(f"/threads/{debate.pk}/reply/")
    second = reader.context.new_page()
    second.goto(f"/threads/{debate.pk}/reply/")
    for page, text in ((reader.page, "From the first tab."), (second, "From the second tab.")):
        page.bring_to_front()
        types(page, text)
        expect(state(page)).to_have_text(re.compile("Draft kept"))
    texts = Draft.objects.order_by("pk").values_list("text", flat=True)
    assert list(texts) == ["From the first tab.", "From the second tab."]
    listed = reader.context.new_page()
    listed.goto("/drafts/")
    for text in texts:
        expect(listed.get_by_text(text).first).to_be_visible()


def test_a_session_that_ended(member, debate, sits_down):
    reader = sits_down(member)
    page = reader.page
    reader.opens(f"/threads/{debate.pk}/reply/")
    Session.objects.all().delete()
    types(page, TEXT)
    said = "The draft is kept in this browser only: sign in again in another tab."
    expect(state(page)).to_have_text(said)
    assert field(page).input_value() == TEXT
    page.close(run_before_unload=False)
    reader.page = reader.context.new_page()
    reader.comes_signed_in(member)
    reader.opens(f"/threads/{debate.pk}/reply/")
    expect(field(reader.page)).to_have_value(TEXT)
    forgets(reader, "/drafts/save/")


WAYS = [(PLACES[0], False), (PLACES[1], True), (PLACES[0], True), (PLACES[1], False)]


@pytest.mark.parametrize(("place", "preview"), WAYS if LONG else WAYS[:2])
def test_what_was_posted_does_not_come_back(place, preview, member, debate, sits_down):
    address = place.format(pk=debate.pk)
    reader = sits_down(member)
    page = reader.page
    reader.opens(address)
    types(page, TEXT)
    expect(state(page)).to_have_text(re.compile("Draft kept"))
    types(page, f"{TEXT} More, and at once:")
    if preview:
        reader.presses("Preview")
        page.get_by_text("Not posted yet.").wait_for()
        assert field(page).input_value() == f"{TEXT} More, and at once:"
    reader.presses("Post reply")
    page.wait_for_url("**#post-*")
    page.wait_for_load_state("networkidle")
    assert Post.objects.filter(thread=debate).count() == 2
    assert not Draft.objects.exists()
    for again in (address, f"/threads/{debate.pk}/reply/"):
        reader.opens(again)
        page.wait_for_load_state("networkidle")
        assert field(page).input_value() == ""
    assert page.evaluate("Object.keys(localStorage).filter((k) => k.startsWith('draft:'))") == []


def test_without_script_a_button_keeps_the_draft(member, debate, sits_down):
    reader = sits_down(member, javascript=False)
    page = reader.page
    reader.opens(debate.get_absolute_url())
    types(page, TEXT)
    reader.presses("Keep draft")
    page.wait_for_url("**/drafts/")
    reader.follows(f"Answer to {debate.title}")
    assert field(page).input_value() == TEXT
    reader.presses("Post reply")
    page.wait_for_url("**#post-*")
    assert not Draft.objects.exists()
    assert Post.objects.latest("pk").body.revision.source.replace("\r\n", "\n") == TEXT


def test_a_draft_that_is_discarded_is_gone(member, debate, sits_down):
    reader = sits_down(member)
    page = reader.page
    reader.opens(f"/threads/{debate.pk}/reply/")
    types(page, TEXT)
    expect(state(page)).to_have_text(re.compile("Draft kept"))
    page.close(run_before_unload=False)
    page = reader.page = reader.context.new_page()
    reader.opens("/drafts/")
    page.get_by_role("button", name="Discard").click()
    page.get_by_text("You have no drafts.").wait_for()
    reader.opens(f"/threads/{debate.pk}/reply/")
    page.wait_for_load_state("networkidle")
    assert field(page).input_value() == ""


@pytest.fixture
def sealed():
    """Seal the way of drafts: nothing arrives, or what arrives is not acknowledged."""

    def seal(page, *, arrives: bool = False) -> None:
        def lose(route) -> None:
            if arrives:
                route.fetch()
            route.abort()

        page.route("**/drafts/save/", lose)

    return seal


UNSENT = "No connection. The draft is kept in this browser."


def again(reader, address: str):
    """Close the tab as it stands, and open the address in another."""
    reader.page.close(run_before_unload=False)
    reader.page = reader.context.new_page()
    reader.opens(address)
    return reader.page


def nothing_is_left(reader, *addresses: str) -> None:
    """No form opens with a text, neither server nor browser has a copy."""
    page = reader.page
    for address in addresses:
        reader.opens(address)
        page.wait_for_load_state("networkidle")
        assert field(page).input_value() == "", address
    assert page.evaluate("Object.keys(localStorage).filter((k) => k.startsWith('draft:'))") == []
    assert not Draft.objects.exists()


@pytest.mark.parametrize("place", PLACES[:2])
@pytest.mark.parametrize("arrives", [False, True])
def test_what_was_posted_after_an_outage_does_not_come_back(
    arrives, place, member, debate, sits_down, sealed
):
    address = place.format(pk=debate.pk)
    reader = sits_down(member)
    reader.opens(address)
    types(reader.page, TEXT)
    expect(state(reader.page)).to_have_text(re.compile("Draft kept"))
    sealed(reader.page, arrives=arrives)
    types(reader.page, f"{TEXT} Written on.")
    expect(state(reader.page)).to_have_text(UNSENT)
    page = again(reader, address)
    expect(field(page)).to_have_value(f"{TEXT} Written on.")
    page.wait_for_load_state("networkidle")
    reader.presses("Post reply")
    page.wait_for_url("**#post-*")
    assert Post.objects.filter(thread=debate).count() == 2
    nothing_is_left(reader, *(one.format(pk=debate.pk) for one in PLACES[:2]))
    forgets(reader, "/drafts/save/")


def test_what_was_discarded_is_gone_from_the_browser_too(member, debate, sits_down, sealed):
    reader = sits_down(member)
    address = f"/threads/{debate.pk}/reply/"
    reader.opens(address)
    sealed(reader.page, arrives=True)
    types(reader.page, TEXT)
    expect(state(reader.page)).to_have_text(UNSENT)
    page = again(reader, "/drafts/")
    page.get_by_role("button", name="Discard").click()
    page.get_by_text("You have no drafts.").wait_for()
    nothing_is_left(reader, address, debate.get_absolute_url())
    forgets(reader, "/drafts/save/")


@pytest.mark.parametrize("saved", [True, False], ids=["saved since", "not saved since"])
def test_discarding_in_the_form_takes_what_was_written_since_along(
    saved, member, debate, sits_down, sealed
):
    reader = sits_down(member)
    address = f"/threads/{debate.pk}/reply/"
    reader.opens(address)
    types(reader.page, TEXT)
    expect(state(reader.page)).to_have_text(re.compile("Draft kept"))
    page = again(reader, address)
    reader.careless = True
    if not saved:
        sealed(page)
    types(page, f"{TEXT} Written on.")
    said = re.compile("Draft kept" if saved else "No connection")
    expect(state(page)).to_have_text(said)
    page.unroute_all()
    page.get_by_role("button", name="Discard it").click()
    page.get_by_text("You have no drafts.").wait_for()
    nothing_is_left(reader, address)
    forgets(reader, "/drafts/save/")


def test_posting_leaves_another_devices_draft(member, debate, sits_down, sealed):
    """What this browser kept comes back here; what was written elsewhere since stays a draft."""
    reader = sits_down(member)
    address = f"/threads/{debate.pk}/reply/"
    reader.opens(address)
    sealed(reader.page)
    types(reader.page, TEXT)
    expect(state(reader.page)).to_have_text(UNSENT)
    other = sits_down(member)
    other.opens(address)
    types(other.page, "From elsewhere.")
    expect(state(other.page)).to_have_text(re.compile("Draft kept"))
    page = again(reader, address)
    expect(field(page)).to_have_value(TEXT)
    page.wait_for_load_state("networkidle")
    reader.presses("Post reply")
    page.wait_for_url("**#post-*")
    assert Draft.objects.get().text == "From elsewhere."
    reader.opens(address)
    expect(field(page)).to_have_value("From elsewhere.")
    forgets(reader, "/drafts/save/")


def test_words_quoted_by_a_link_join_what_this_browser_kept(member, debate, sits_down, sealed):
    reader = sits_down(member)
    opening = world.opening(debate)
    address = f"/threads/{debate.pk}/reply/?to={opening.pk}"
    reader.opens(address)
    sealed(reader.page)
    types(reader.page, TEXT)
    expect(state(reader.page)).to_have_text(UNSENT)
    page = again(reader, f"{address}&quote={opening.pk}")
    expect(field(page)).to_have_value(re.compile(re.escape(TEXT) + r"\n\n\[quote="))
    forgets(reader, "/drafts/save/")
