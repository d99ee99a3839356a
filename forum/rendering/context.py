"""What every template may use."""

from dataclasses import dataclass
from functools import partial
from time import monotonic

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import DatabaseError

from forum.models import Page
from forum.models.visibility import cases_visible_to
from forum.operations import caching

THEMES = ("auto", "light", "dark")
# The links at the foot of every page are asked for this often (seconds) by each worker, not at
# every page. A page that is kept asks once for each edition of the site, so that it is right.
LINKS_HOLD = 30
MOST = 100  # cases are counted up to here


def site(request) -> dict:
    """The site's name, address and face, the reader's theme, and whether it is a member's page."""
    user = getattr(request, "user", None)
    member = user if user is not None and user.is_authenticated else None
    theme = member.theme if member else request.COOKIES.get("theme", "auto")
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL or _asked_for(request),
        "own_face": settings.OWN_FACE,
        "theme": theme if theme in THEMES else "auto",
        "member": member,
        "confirm_address": settings.CONFIRM_ADDRESS,
        "joining": settings.JOINING,
        "two_step_demanded": settings.REQUIRE_TWO_STEP_FOR_STAFF,
        "site_pages": _written(),
        "cases_waiting": partial(_cases_waiting, member),
    }


def _cases_waiting(member) -> int:
    """How many cases wait for a moderator, as far as MOST; the masthead of theirs asks."""
    return cases_visible_to(member).open()[:MOST].count()


@dataclass(slots=True)
class _Links:
    pages: tuple[Page.Kind, ...] = ()
    edition: int | None = None
    until: float = 0.0


_links = _Links()


def forget_links() -> None:
    """Ask anew which pages of the site are written, at the next page that this worker draws."""
    _links.until, _links.edition = 0.0, None


def _written() -> tuple[Page.Kind, ...]:
    """The pages of the site that hold text, in order; the rules have a page in any case."""
    edition = caching.edition()
    known = _links.until > monotonic() if edition is None else _links.edition == edition
    if not known:
        try:
            kinds = set(Page.objects.exclude(source="").values_list("kind", flat=True))
            kinds.add(Page.Kind.PRIVACY)  # which says in any case what is kept how long
        except DatabaseError:
            return ()  # the page that says so has a foot too
        _links.pages = tuple(kind for kind in Page.AT_THE_FOOT if kind in kinds)
        _links.edition, _links.until = edition, monotonic() + LINKS_HOLD
    return _links.pages


def _asked_for(request) -> str:
    """The site's address as the browser wrote it; empty if this site has no such host, since the
    page that says so needs a context too."""
    try:
        return f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        return ""
