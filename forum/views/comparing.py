"""/posts/<id>/quotes/<n>/: one quote beside its source, where that is too long for the debate's
page."""

from django.http import Http404, HttpRequest
from django.shortcuts import render
from django.utils.safestring import mark_safe

from forum import rendering
from forum.text import markup, quoting

from ..actions.following import match_of
from ..models import PostRevision, Quote
from .fetch import post_or_404

# Characters of quote and passage together that are compared word by word; nobody reads more so.
COMPARED = 20_000


def quote(request: HttpRequest, post_id, ordinal):
    """What a quote changed or left out, and how its source reads by now. A quote whose source the
    reader may not know of has no such page."""
    post = post_or_404(request.user, post_id)
    quotes = rendering.judged([post], request.user).get(post.body.revision_id, ())
    found = next(((one, status) for one, status in quotes if one.ordinal == ordinal), None)
    if found is None or found[1] in ("unverifiable", "removed"):
        raise Http404
    one, status = found
    texts = PostRevision.objects.in_bulk([one.source_revision_id, one.current_id])
    pinned, current = texts[one.source_revision_id], texts[one.current_id]
    return render(
        request,
        "posts/compare.html",
        {
            "post": post,
            "quote": one,
            "words": mark_safe(markup.insides(post.body.html).get(ordinal, "")),
            "status": status,
            "word": rendering.STATUS[status],
            "beside": _beside(one, pinned),
            "now": _now(one, pinned, current) if pinned != current else None,
        },
    )


def _beside(one: Quote, pinned: PostRevision):
    """What the quote changed or left out; None where that is too long to compare."""
    length = len(one.words) + (one.end or 0) - (one.start or 0)
    if one.verdict == Quote.Verdict.ALTERED and length > COMPARED:
        return None
    return quoting.all_beside(match_of(one), one.words, pinned.plain)


def _now(one: Quote, pinned: PostRevision, current: PostRevision) -> dict:
    """How the passage reads in the source's current text: whether it `stands` there, and if not,
    `changes` since (None where nothing like it is found, or it is too long to compare)."""
    if one.stands:
        return {"stands": True}
    was = pinned.plain[one.start : one.end]
    if len(was) > COMPARED // 2:
        return {"long": True}
    new = quoting.find(was, [quoting.Source(current.pk, current.plain)], named=1)
    if new.start is None:
        return {}
    return {"changes": quoting.difference(current.plain[new.start : new.end], was)}
