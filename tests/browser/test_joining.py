"""Making an account in a browser: with a sum that it works out, without scripts, and by approval.
And how these pages look."""

import pytest

from accounts.models import User
from forum.models import Case

from . import world
from .test_pages import looked_at


@pytest.fixture(autouse=True)
def nobody_confirms(settings):
    settings.CONFIRM_ADDRESS, settings.ACCOUNT_EMAIL_VERIFICATION = "optional", "optional"


def fills(reader) -> None:
    reader.opens("/accounts/signup/")
    reader.fills("Name", "member-x")
    reader.fills("Mail address", "x@example.org")
    reader.fills("Password", world.PASSWORD)


def test_a_browser_works_out_the_sum(site, sits_down, settings):
    settings.PROOF_OF_WORK = 10
    reader = sits_down()
    fills(reader)
    reader.page.get_by_text("Your browser's sum is done.").wait_for()
    found = looked_at(reader)
    reader.presses("Make the account")
    assert reader.page.locator(".me summary").inner_text() == "member-x"
    assert not found, "\n".join(found)


def test_without_scripts_the_account_waits(site, sits_down, settings):
    settings.PROOF_OF_WORK = 10
    reader = sits_down(javascript=False)
    fills(reader)
    assert reader.page.get_by_text("Without JavaScript your account waits").is_visible()
    reader.presses("Make the account")
    assert reader.page.get_by_role("heading", name="Your account waits").is_visible()
    assert User.objects.get(username="member-x").waits_since


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no scripts"])
def test_somebody_asks_to_be_let_in(site, sits_down, settings, javascript):
    settings.JOINING = "approval"
    reader, desk, found = sits_down(javascript=javascript), sits_down(javascript=javascript), []

    def looks(who=reader, ours=True) -> None:
        if javascript:
            found.extend(looked_at(who, ours=ours))

    fills(reader)
    looks()
    reader.fills("Your answer", "I read of Sealion.")
    reader.presses("Make the account")
    looks()
    assert reader.page.get_by_role("heading", name="Your account waits").is_visible()

    desk.comes_signed_in(world.member("chief", is_superuser=True, is_staff=True))
    desk.opens("/admin/forum/case/?kind=join")
    looks(desk, ours=False)
    assert desk.page.get_by_text("I read of Sealion.").is_visible()
    desk.page.get_by_role("button", name="Let in").first.click()
    desk.page.get_by_text("Decided, and written to the log.").wait_for()
    assert Case.objects.get().decision.verb == "admit"

    reader.opens("/accounts/login/")
    reader.fills("Name or mail address", "member-x")
    reader.fills("Password", world.PASSWORD)
    reader.presses("Sign in")
    assert reader.page.locator(".me summary").inner_text() == "member-x"
    assert not found, "\n".join(found)
