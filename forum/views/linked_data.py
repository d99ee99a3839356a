"""What a debate says of itself to search engines: JSON-LD of schema.org, as visitors see it."""

import json
import re

from django.http import HttpRequest
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe

from forum.text.markup import without_spoilers

from ..jinja import url
from ..models import Thread
from ..rendering.thread_page import ThreadPage
from .feeds import base_of

_BREAK = re.compile(r"<(?:br|/p|/li|/h\d|/blockquote|/summary|/figure)\b")
LONGEST = 500  # characters of the opening's words
# A block of data ends where "</script" begins, whatever it is in.
_ESCAPED = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


def of_debate(request: HttpRequest, page: ThreadPage) -> SafeString:
    """A debate as a DiscussionForumPosting, ready for its block; `page` is what a visitor is shown.
    The opening's words are given where they stand on the page, without what a spoiler hides."""
    thread = page.thread
    base = base_of(request)
    address = base + thread.get_absolute_url()
    data = {
        "@context": "https://schema.org",
        "@type": "DiscussionForumPosting",
        "@id": address,
        "url": address,
        "headline": thread.title,
        "datePublished": thread.created_at.isoformat(timespec="seconds"),
        "author": _author(thread, base),
        "commentCount": thread.reply_count,
        "image": f"{base}{url('thread-picture', thread.pk)}",
        "isPartOf": {
            "@type": "CollectionPage",
            "name": thread.board.name,
            "url": base + thread.board.get_absolute_url(),
        },
    }
    if text := _opening_words(page):
        data["text"] = text
    return mark_safe(json.dumps(data, ensure_ascii=False).translate(_ESCAPED))


def _author(thread: Thread, base: str) -> dict[str, str]:
    author = {"@type": "Person", "name": thread.opener}
    if thread.author and thread.author.is_active:
        author["url"] = f"{base}/members/{thread.author.username}/"
    return author


def _opening_words(page: ThreadPage) -> str:
    for entry in page.entries[:1]:
        if entry.post.is_opening and entry.html is not None:
            # Paragraphs have nothing between them but their tags.
            html = _BREAK.sub(r" \g<0>", without_spoilers(entry.html))
            words = " ".join(strip_tags(html).split())
            return words if len(words) <= LONGEST else words[:LONGEST].rpartition(" ")[0] + " …"
    return ""
