"""Signing in by a provider, in a browser, with and without scripts: there and back, a new account,
a connection made and taken away. And how these pages look."""

import pytest
from allauth.socialaccount.models import SocialAccount

from accounts.models import User
from tests.accounts.provider import serving

from . import world
from .test_pages import looked_at

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the provider's


@pytest.fixture
def provider(settings):
    settings.CONFIRM_ADDRESS, settings.ACCOUNT_EMAIL_VERIFICATION = "optional", "optional"
    with serving(("sub-1", {"email": "x@example.org", "preferred_username": "member-x"})) as made:
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [made.settings()]}}
        yield made


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no scripts"])
def test_a_provider_from_the_first_day_to_the_last(site, sits_down, provider, javascript):
    reader = sits_down(javascript=javascript)
    page, found = reader.page, []
    # The provider's pages ask for a style from elsewhere.
    page.route("https://cdn.jsdelivr.net/**", lambda route: route.fulfill(body=""))

    def looks() -> None:
        if javascript:  # what measures is a script
            found.extend(looked_at(reader))

    def goes(button: str) -> None:
        """By way of the provider, back to the forum."""
        page.get_by_role("button", name=button).click()
        page.wait_for_url(f"{provider.url}/**")
        page.get_by_role("button", name="sub-1").first.click()
        page.wait_for_url(f"{site.url}/**")

    reader.opens("/accounts/oidc/example/login/")
    looks()
    reader.opens("/accounts/login/")
    looks()
    goes("Sign in with Example")
    looks()
    reader.presses("Make the account")
    assert page.locator(".me summary").inner_text() == "member-x"

    reader.opens("/accounts/connections/")
    looks()
    reader.presses("Disconnect Example")  # what only the member may do
    looks()
    goes("Sign in again with Example")
    assert page.get_by_text("This is the only way into your account.").is_visible()
    looks()
    reader.follows("Set a password")
    reader.fills("New password", world.PASSWORD)
    reader.fills("New password, again", world.PASSWORD)
    reader.presses("Set the password")
    reader.opens("/accounts/login/")
    reader.fills("Name or mail address", "member-x")
    reader.fills("Password", world.PASSWORD)
    reader.presses("Sign in")
    reader.opens("/accounts/connections/")
    reader.presses("Disconnect Example")
    reader.fills("Password", world.PASSWORD)
    reader.presses("Go on")
    assert page.get_by_text("You do not sign in by Example any more.").is_visible()
    assert not SocialAccount.objects.exists()
    goes("Connect Example")
    assert page.get_by_text("you can sign in with Example now").is_visible()
    looks()
    assert SocialAccount.objects.get().user == User.objects.get(username="member-x")

    reader.opens("/accounts/3rdparty/login/cancelled/")
    looks()
    reader.opens("/accounts/oidc/example/login/callback/?code=x&state=x", status=401)
    looks()
    assert not found, "\n".join(found)
