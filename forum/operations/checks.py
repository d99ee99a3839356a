"""What `manage.py check` says of settings that contradict each other."""

from django.conf import settings
from django.core.checks import Warning, register

from core.counting import counted


@register()
def addresses(**_options) -> list[Warning]:
    """Mails are written where nobody asks for a page, so their links need the site's address."""
    if settings.SITE_URL or settings.DEBUG or settings.CONFIRM_ADDRESS == "off":
        return []
    hint = "Set SITE_URL to the address that people type, such as https://forum.example."
    return [Warning("Links in mails would lead nowhere.", hint=hint, id="forum.W002")]


@register()
def pictures(**_options) -> list[Warning]:
    """A proxy sends files of a folder, not of a bucket."""
    if not (settings.PICTURES_BUCKET and settings.PICTURES_BY_PROXY):
        return []
    sentence = "The proxy has no pictures to send: they stand in PICTURES_BUCKET."
    return [Warning(sentence, hint="Unset PICTURES_BY_PROXY.", id="forum.W003")]


@register()
def screening(**_options) -> list[Warning]:
    """How long a member is new, against how many of their posts are looked at first."""
    new, first = settings.NEW_MEMBER_POSTS, settings.APPROVE_FIRST_POSTS
    if not new or first <= new:
        return []
    sentence = (
        f"Of each member the first {counted(first, 'post is,posts are')} looked at, but after "
        f"{new} they count as new no more: the rules for new members end while approval goes on."
    )
    hint = "Set NEW_MEMBER_POSTS to at least APPROVE_FIRST_POSTS."
    return [Warning(sentence, hint=hint, id="forum.W001")]
