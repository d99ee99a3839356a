"""A person before a browser, and what a page must be for that person to use it."""

import os
from pathlib import Path

import axe_playwright_python
from django.conf import settings
from django.test import Client
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Response,
    WebError,
)

from tests.waiting import PATIENCE

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
LONG = os.environ.get("JONBAR_LONG") == "1"
QUICK = os.environ.get("JONBAR_QUICK") == "1"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
# Tells of what the policy stopped, also where the console would stay silent.
LISTEN = """addEventListener("securitypolicyviolation",
    (event) => console.error("policy: " + event.violatedDirective + " " + event.blockedURI))"""
# What keeps a page from being used: see there.
FAULTS = Path(__file__).with_name("faults.js").read_text()


def profile(browser: Browser, url: str, *, javascript: bool, **options) -> BrowserContext:
    """A browser profile without a past; `options` are Playwright's."""
    context = browser.new_context(
        base_url=url,
        java_script_enabled=javascript,
        reduced_motion="reduce",  # what stands there, not what is on its way
        **options,
    )
    context.set_default_timeout(1_000 * PATIENCE)
    context.add_init_script(LISTEN)
    return context


class Reader:
    """One person: a browser profile with a page, and the troubles that its pages had: errors in
    the console, what the content policy stopped, scripts that failed, dialogs nobody expected."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.trouble: list[str] = []
        self.pages = 0  # that were looked at
        self.careless = False  # leaves forms without sending, whatever the page asks
        self.clock_turned = False
        self.context.on("page", self._watch)
        self.context.on("console", self._heard)
        self.context.on("weberror", self._failed)
        if self.context.pages:
            self.page = self.context.pages[0]
            self._watch(self.page)
        else:
            self.page = self.context.new_page()

    def turns_clock(self) -> None:
        """Have the pages' time go on where the test says so alone. Nobody sits down here after
        that: it would stand still for them too."""
        self.clock_turned = True
        self.page.clock.install()

    def leaves(self) -> bool:
        """Get up; True if somebody else may sit down: nothing of what was done here is left."""
        if (
            self.clock_turned
            or self.trouble
            or self.context.pages != [self.page]
            or self.page.is_closed()
        ):
            return False
        if self.page.url.startswith(self.url):
            self.page.evaluate("localStorage.clear(), sessionStorage.clear()")
        # A form that is left tries to keep its draft: nobody's any more, and no trouble of a test.
        self.context.remove_listener("console", self._heard)
        self.context.remove_listener("weberror", self._failed)
        self.context.clear_cookies()
        self.careless = True
        self.page.goto("about:blank")
        self.page.remove_listener("dialog", self._interrupted)
        self.context.remove_listener("page", self._watch)
        self.page.unroute_all()
        self.page.emulate_media(media="screen", color_scheme="light")
        self.context.set_offline(False)
        # The next test's pages have the same addresses, and may have the same tags.
        tools = self.context.new_cdp_session(self.page)
        tools.send("Network.clearBrowserCache")
        tools.detach()
        return True

    def _watch(self, page: Page) -> None:
        page.on("dialog", self._interrupted)

    def _interrupted(self, dialog) -> None:
        if self.careless and dialog.type == "beforeunload":
            dialog.accept()
        else:
            self.trouble.append(f"dialog: {dialog.type} {dialog.message}")
            dialog.dismiss()

    def _failed(self, error: WebError) -> None:
        self.trouble.append(f"script: {error.error}")

    def _heard(self, message: ConsoleMessage) -> None:
        # The browser also calls the page's own status an error: what opens it checks the status.
        own = message.location["url"].partition("#")[0] == message.page.url.partition("#")[0]
        if message.type in ("error", "warning") and not (
            own and message.text.startswith("Failed to load resource: the server responded with")
        ):
            self.trouble.append(f"{message.location['url']}: {message.text}")

    def comes_signed_in(self, member) -> None:
        """Give the browser a session as signing in does."""
        client = Client()
        client.force_login(member)
        name = settings.SESSION_COOKIE_NAME
        value = client.cookies[name].value
        self.context.add_cookies([{"name": name, "value": value, "url": self.url}])

    def opens(self, path: str, status: int = 200) -> Response:
        """Go to an address, which answers with `status`."""
        response = self.page.goto(path)
        assert response.status == status, f"{path}: {response.status}"
        return response

    def presses(self, name: str) -> Response:
        """Press the one button with this name, and arrive where it leads."""
        return self.goes_by(self.page.get_by_role("button", name=name, exact=True))

    def follows(self, name: str) -> None:
        """Follow the one link with this name."""
        self.goes_by(self.page.get_by_role("link", name=name, exact=True))

    def goes_by(self, thing: Locator) -> Response:
        """Click something that leads to another page, and arrive there."""
        with self.page.expect_navigation() as arrival:
            thing.click()
        return arrival.value

    def opens_more(self, post) -> Locator:
        """Open the rest of what can be done about a post; its list."""
        more = self.page.locator(f"#post-{post.pk} .more")
        more.locator("summary").click()
        return more.get_by_role("list")

    def fills(self, label: str, text: str) -> None:
        """Type into the field with this label, over what stands there."""
        self.page.get_by_label(label, exact=True).fill(text)


known_looks: set[str] = set()  # whose contrast was found to be enough, or told


def faults(page: Page, *, ours: bool = True, rules: str = "all") -> list[str]:
    """What keeps the page as it stands from being used by everybody: findings of axe-core, text
    that needs scrolling sideways and, on pages of `ours`, targets that are small however much room
    is around them (Django's admin relies on the room, which axe measures).

    Contrast is asked of one element of each look that no page of this run had so far, colours
    included (faults.js says what a look is): nearly all of axe's time went into computing it anew
    for posts that look alike. JONBAR_LONG=1 asks it of every element. Of axe's other rules "all"
    are asked, or those that depend on the "size" and theme, or "none"."""
    asked = {
        "ours": ours,
        "standards": STANDARDS,
        "rules": "all" if LONG else rules,
        "known": [] if LONG else sorted(known_looks),
        "all": LONG,
    }
    told = page.evaluate(FAULTS, asked)
    if told is None:  # no axe yet
        # Without the 0 axe itself would be the answer, and take longer to arrive than to look.
        page.evaluate(f"(() => {{ {AXE}; return 0; }})()")
        told = page.evaluate(FAULTS, asked)
    known_looks.update(told["looks"])
    return told["faults"]
