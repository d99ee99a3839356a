"""Keys, in a browser with an authenticator made for the purpose: added, used as the second step,
used in the password's place, renamed and removed. And how these pages look."""

from accounts.models import User

from . import world
from .test_pages import looked_at

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def signs_in(reader) -> None:
    reader.opens("/accounts/login/")
    reader.fills("Name or mail address", "member-a")
    reader.fills("Password", world.PASSWORD)
    reader.presses("Sign in")


def signs_out(reader) -> None:
    reader.opens("/accounts/logout/")
    reader.presses("Sign out")


def test_a_passkey_from_its_first_day_to_its_last(site, sits_down):
    world.member("member-a")
    reader = sits_down()
    page, found = reader.page, []
    tools = reader.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    device = tools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})

    signs_in(reader)
    reader.opens("/accounts/2fa/")
    found += looked_at(reader)
    reader.follows("Add a key")
    reader.fills("Password", world.PASSWORD)
    reader.presses("Go on")
    found += looked_at(reader)
    # A key that does not answer is no end of the page.
    tools.send(
        "WebAuthn.setUserVerified",
        {"authenticatorId": device["authenticatorId"], "isUserVerified": False},
    )
    page.get_by_label("A passkey").check()
    page.get_by_role("button", name="Add the key").click()
    page.get_by_text("The key did not answer").wait_for()
    tools.send(
        "WebAuthn.setUserVerified",
        {"authenticatorId": device["authenticatorId"], "isUserVerified": True},
    )
    reader.fills("Name", "My telephone")
    reader.presses("Add the key")
    assert page.get_by_role("heading", name="Recovery codes").is_visible()
    assert page.locator("main li code").count() == 10
    found += looked_at(reader)
    assert User.objects.get(username="member-a").two_step

    # The second step.
    signs_out(reader)
    signs_in(reader)
    assert page.get_by_role("heading", name="The second step").is_visible()
    found += looked_at(reader)
    reader.presses("Use a key")
    assert page.locator(".me summary").inner_text() == "member-a"

    # In the password's place.
    signs_out(reader)
    reader.opens("/accounts/login/")
    found += looked_at(reader)
    reader.presses("Use a passkey")
    assert page.locator(".me summary").inner_text() == "member-a"

    reader.opens("/accounts/2fa/webauthn/")
    found += looked_at(reader)
    reader.follows("Rename My telephone")
    # A passkey is no password given just now; the forum asks, and a key will do for an answer.
    found += looked_at(reader)
    reader.follows("Use a security key")
    found += looked_at(reader)
    reader.presses("Use a key")
    found += looked_at(reader)
    reader.fills("Name", "The old one")
    reader.presses("Rename it")
    reader.follows("Remove The old one")
    found += looked_at(reader)
    reader.presses("Remove it")
    assert not User.objects.get(username="member-a").two_step

    reader.opens("/accounts/2fa/totp/activate/")
    found += looked_at(reader)
    reader.fills("Code", "000000")
    reader.presses("Use this app")
    found += looked_at(reader)
    tools.detach()  # nobody else has this authenticator
    assert not found, "\n".join(found)
