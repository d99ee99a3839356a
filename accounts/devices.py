"""Which browser somebody signs in with: in words for the member, and whether they used it before.

Whether a browser is known is remembered by the browser itself, in a signed cookie that lists the
accounts which signed in with it. The forum keeps no list of devices.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

COOKIE = "known"
KEPT = 400 * 24 * 60 * 60  # seconds; browsers keep no cookie longer
MOST = 10  # accounts that one browser lists
# What a browser says of itself, the more particular first: many call themselves Chrome or Safari.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "a Mac"),
    ("Linux", "Linux"),
)


def device_of(request: HttpRequest) -> str:
    """The browser that sends a request, in words: "Firefox on Linux"."""
    agent = request.META.get("HTTP_USER_AGENT", "")
    browser = next((name for mark, name in BROWSERS if mark in agent), "A browser")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return f"{browser} on {system}" if system else browser


def is_known(request: HttpRequest, account_id: int) -> bool:
    """Whether the account signed in with this browser before."""
    return account_id in _known(request)


def remember(request: HttpRequest, response: HttpResponseBase, account_id: int) -> None:
    """Have the browser remember that the account signed in with it."""
    known = [account_id, *(pk for pk in _known(request) if pk != account_id)][:MOST]
    response.set_signed_cookie(
        COOKIE,
        ".".join(map(str, known)),
        salt=COOKIE,
        max_age=KEPT,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def _known(request: HttpRequest) -> list[int]:
    listed = request.get_signed_cookie(COOKIE, default="", salt=COOKIE, max_age=KEPT)
    return [int(pk) for pk in (listed or "").split(".") if pk]
