"""/posts/<id>/history/: every text a post had, page by page, each with what it changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from forum import rendering
from forum.text import markup, quoting

from ..models import Post, PostRevision
from ..models.visibility import moderates_all
from ..permissions import require
from .comparing import compared
from .fetch import post_or_404

PER_PAGE = 10  # each may hold 60,000 characters


@dataclass(frozen=True, slots=True)
class RevisionEntry:
    """One text on the page: its source as this reader sees it, and the runs of what it changed;
    None where that is too much to compare, empty for the first one."""

    revision: PostRevision
    source: str
    difference: Sequence[tuple[str, str]] | None


def history(request: HttpRequest, post_id) -> HttpResponse:
    """The texts of a post, newest first; `?before=12` begins with number 11. `?rev=2&at=10-50`
    shows one text with the words that somebody quoted from it. Who the quotes say they are of is
    left out where the post's page does not name all of them, but for who wrote it and who may see
    everything."""
    post = post_or_404(request.user, post_id)
    require(request.user, "see history", post)
    rows = post.revisions.select_related("editor").order_by("-number")
    if before := request.GET.get("before", ""):
        rows = rows.filter(number__lt=_number(before))
    found = list(rows[: PER_PAGE + 1])
    if not found:
        raise Http404
    pinned = request.GET.get("rev", "")
    quoted = post.revisions.filter(number=_number(pinned)).first() if pinned else None
    if pinned and quoted is None:
        raise Http404
    return render(
        request,
        "posts/history.html",
        {
            "post": post,
            "count": post.body.revision.number,
            "entries": list(_entries(found, hide=hides_names(request.user, post, found))),
            "older": found[PER_PAGE - 1].number if len(found) > PER_PAGE else None,
            "quoted": quoted,
            "parts": _quoted_parts(quoted, request.GET.get("at", "")) if quoted else (),
        },
    )


def hides_names(user, post: Post, revisions: Sequence[PostRevision]) -> bool:
    """Whether attributions are left out of these texts for this reader."""
    own = post.author_id == user.pk is not None or moderates_all(user)
    return not (own or rendering.names_every_source(revisions, user))


def _entries(found: Sequence[PostRevision], *, hide: bool) -> Iterator[RevisionEntry]:
    """The texts of one page; all their differences share a budget."""
    budget = quoting.Budget()
    sources = [markup.without_attributions(one.source) if hide else one.source for one in found]
    for n, revision in enumerate(found[:PER_PAGE]):
        before = sources[n + 1] if n + 1 < len(sources) else None
        difference = () if before is None else compared(sources[n], before, budget)
        yield RevisionEntry(revision, sources[n], difference)


def _quoted_parts(revision: PostRevision, at: str) -> tuple[str, str, str]:
    """The words before a quote, those of it and those after; `at` is "10-50"."""
    start, _, end = at.partition("-")
    plain = revision.plain
    if start.isdecimal() and end.isdecimal() and len(start) < 9 and len(end) < 9:
        return plain[: int(start)], plain[int(start) : int(end)], plain[int(end) :]
    return plain, "", ""


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 8:
        raise Http404
    return int(text)
