"""What happens to the site's own pages: rules, contact, privacy, imprint."""

from django.db import transaction
from django.utils import timezone

from accounts.models import raise_site_version
from forum.rendering.context import forget_links
from forum.rendering.help_pages import page_html
from forum.text import markup

from ..models import Page
from ..permissions import require
from .audit import record
from .composing import Unacceptable


def edit(*, user, kind: str, source: str, reason: str = "") -> Page:
    """Give the page of this kind another text and return it; an empty one takes it out of sight.

    The text before stands in the audit log. Raises permissions.Refused, and
    composing.Unacceptable for a text that cannot be drawn.
    """
    require(user, "administer")
    source = source if source.strip() else ""
    html = render(source)
    with transaction.atomic():
        # The row is there before it is locked, so that two first writers meet at the lock.
        Page.objects.get_or_create(kind=kind)
        page = Page.objects.select_for_update(no_key=True).get(kind=kind)
        if page.source != source:
            before, page.source, page.html = page.source, source, html
            page.renderer, page.edited_at = markup.RENDERER_VERSION, timezone.now()
            page.save(update_fields=["source", "html", "renderer", "edited_at"])
            record(user, "edit page", reason=reason, page=kind, before=before, after=source)
            raise_site_version()
            transaction.on_commit(forget_links)
    return page


def render(source: str) -> str:
    """The HTML of a page's Markdown. Raises composing.Unacceptable."""
    try:
        return page_html(source)
    except markup.MarkupError as error:
        raise Unacceptable(str(error)) from error
