"""What every template may use."""

from django.conf import settings
from django.core.exceptions import DisallowedHost

THEMES = ("auto", "light", "dark")


def site(request) -> dict:
    """The site's name and address, the reader's theme, and whether this is a member's page."""
    user = getattr(request, "user", None)
    member = user if user is not None and user.is_authenticated else None
    theme = member.theme if member else request.COOKIES.get("theme", "auto")
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL or _asked_for(request),
        "theme": theme if theme in THEMES else "auto",
        "member": member,
        "confirm_address": settings.CONFIRM_ADDRESS,
    }


def _asked_for(request) -> str:
    """The site's address as the browser wrote it; empty if this site has no such host, since the
    page that says so needs a context too."""
    try:
        return f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        return ""
