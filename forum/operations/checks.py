"""What `manage.py check` says of settings that contradict each other."""

from django.conf import settings
from django.core.checks import Warning, register


@register()
def addresses(**_options) -> list[Warning]:
    """Mails are written where nobody asks for a page, so their links need the site's address."""
    if settings.SITE_URL or settings.DEBUG or settings.CONFIRM_ADDRESS == "off":
        return []
    hint = "Set SITE_URL to the address that people type, such as https://forum.example."
    return [Warning("Links in mails would lead nowhere.", hint=hint, id="forum.W002")]


@register()
def screening(**_options) -> list[Warning]:
    """How long a member is new, against how many of their posts are looked at first."""
    new, first = settings.NEW_MEMBER_POSTS, settings.APPROVE_FIRST_POSTS
    if not new or first <= new:
        return []
    sentence = (
        f"The first {first} posts of each member are looked at, but after {new} a member counts as "
        "new no more: the rules for new members end while approval goes on."
    )
    hint = "Set NEW_MEMBER_POSTS to at least APPROVE_FIRST_POSTS."
    return [Warning(sentence, hint=hint, id="forum.W001")]
