"""What every template may use."""

from django.conf import settings

THEMES = ("auto", "light", "dark")


def site(request) -> dict:
    """The site's name and address, the reader's theme, and whether this is a member's page."""
    user = getattr(request, "user", None)
    member = user if user is not None and user.is_authenticated else None
    theme = member.theme if member else request.COOKIES.get("theme", "auto")
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL or f"{request.scheme}://{request.get_host()}",
        "theme": theme if theme in THEMES else "auto",
        "member": member,
        "confirm_address": settings.CONFIRM_ADDRESS,
    }
