"""What every template may use."""

from dataclasses import dataclass
from functools import partial
from time import monotonic

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.template.backends.utils import csrf_input
from django.utils.functional import SimpleLazyObject

from accounts import connections
from core.database_answers import database_errors
from forum.models import Page
from forum.models.visibility import cases_visible_to
from forum.operations import caching

THEMES = ("auto", "light", "dark")
# The links at the foot of every page are asked for this often (seconds) by each worker, not at
# every page. A page that is kept asks once for each version of the site, so that it is right.
LINKS_HOLD = 30


def site(request) -> dict:
    """The site's name, address and face, the reader's theme, and whether it is a member's page."""
    user = getattr(request, "user", None)
    member = user if user is not None and user.is_authenticated else None
    theme = member.theme if member else request.COOKIES.get("theme", "auto")
    return {
        # Django would make another one for each form of the page; one for all is as hard to guess.
        "csrf_input": SimpleLazyObject(partial(csrf_input, request)),
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL or _asked_for(request),
        "own_face": settings.OWN_FACE,
        "theme": theme if theme in THEMES else "auto",
        "member": member,
        "confirm_address": settings.CONFIRM_ADDRESS,
        "joining": settings.JOINING,
        "emblems": settings.EMBLEMS,
        "sign_in_providers": connections.offered,
        "two_step_demanded": settings.REQUIRE_TWO_STEP_FOR_STAFF,
        "site_pages": _written(),
        "cases_waiting": partial(_cases_waiting, member),
    }


def _cases_waiting(member) -> int:
    """How many cases wait for a moderator, as far as they are counted; the masthead asks."""
    return cases_visible_to(member).open().counted()


@dataclass(frozen=True, slots=True)
class _Links:
    """What was asked last, put in place as a whole: threads draw pages at once, and what one of
    them has read never stands under the number that another has."""

    pages: tuple[Page.Kind, ...] = ()
    site_version: int | None = None
    until: float = 0.0


_links = _Links()


def forget_links() -> None:
    """Ask anew which pages of the site are written, at the next page that this worker draws."""
    global _links
    _links = _Links()


def _written() -> tuple[Page.Kind, ...]:
    """The pages of the site that hold text, in order; the rules have a page in any case."""
    global _links
    site_version, links = caching.site_version(), _links
    unchanged = links.site_version == site_version
    known = links.until > monotonic() if site_version is None else unchanged
    if not known:
        try:
            kinds = set(Page.objects.exclude(source="").values_list("kind", flat=True))
            kinds.add(Page.Kind.PRIVACY)  # which says in any case what is kept how long
        except database_errors():
            return ()  # the page that says so has a foot too
        pages = tuple(kind for kind in Page.AT_THE_FOOT if kind in kinds)
        _links = links = _Links(pages, site_version, monotonic() + LINKS_HOLD)
    return links.pages


def _asked_for(request) -> str:
    """The site's address as the browser wrote it; empty if this site has no such host, since the
    page that says so needs a context too."""
    try:
        return f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        return ""
