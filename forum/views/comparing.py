"""/posts/<id>/quotes/<n>/: one quote beside its source, where that is too long for the debate's
page."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe

from forum import rendering
from forum.text import markup, quoting

from ..actions.following import match_of
from ..actions.rendering import marks_of
from ..models import PostRevision, Quote
from .fetch import post_or_404

KEPT = 64  # differences of two texts, so that a page asked for again compares nothing


def quote(request: HttpRequest, post_id, ordinal) -> HttpResponse:
    """What a quote changed or left out, and how its source reads by now. A quote whose source the
    reader may not know of has no such page."""
    post = post_or_404(request.user, post_id)
    quotes = rendering.judged([post], request.user).get(post.body.revision_id, ())
    found = next(((one, status) for one, status in quotes if one.ordinal == ordinal), None)
    if found is None or found[1] in ("unverifiable", "removed"):
        raise Http404
    one, status = found
    budget = quoting.Budget()
    texts = PostRevision.objects.in_bulk([one.source_revision_id, one.current_id])
    pinned, current = texts[one.source_revision_id], texts[one.current_id]
    return render(
        request,
        "posts/compare.html",
        {
            "post": post,
            "quote": one,
            "ignoring": rendering.ignored_by(request.user),
            "words": mark_safe(markup.insides(post.body.html).get(ordinal, "")),
            "status": status,
            "word": rendering.STATUS[status],
            "beside": _beside(one, pinned, budget),
            "now": _now(one, pinned, current, budget) if pinned != current else None,
        },
    )


def _beside(one: Quote, pinned: PostRevision, budget: quoting.Budget):
    """What the quote changed or left out; None where that is too much to compare."""
    marks = marks_of(one.source_post, pinned)
    if one.verdict != Quote.Verdict.ALTERED:
        return quoting.all_beside(match_of(one), one.words, pinned.plain, marks)
    start, end = quoting.in_whole(one.words, pinned.plain, one.start or 0, one.end or 0)
    source = pinned.plain[start:end]
    runs = compared(one.words, source, budget)
    return runs and quoting.marked_runs(runs, source, quoting.shifted(marks, start))


@dataclass(frozen=True, slots=True)
class Now:
    """How a passage reads in its source's current text: it `stands` there, it is too `long` to
    compare, it has `changes`, or nothing like it is found."""

    stands: bool = False
    long: bool = False
    changes: Sequence[tuple] = ()


def _now(one: Quote, pinned: PostRevision, current: PostRevision, budget: quoting.Budget) -> Now:
    if one.stands:
        return Now(stands=True)
    was = pinned.plain[one.start : one.end]
    new = quoting.find(was, [quoting.Source(current.pk, current.plain)], named=1, budget=budget)
    if new.stopped:
        return Now(long=True)
    if new.start is None:
        return Now()
    now = current.plain[new.start : new.end]
    runs = compared(now, was, budget)
    if runs is None:
        return Now(long=True)
    marks = quoting.shifted(marks_of(one.source_post, pinned), one.start or 0)
    of_now = quoting.shifted(marks_of(one.source_post, current), new.start)
    return Now(changes=quoting.marked_runs(runs, was, marks, quoted=now, of_quoted=of_now))


def compared(new: str, old: str, budget: quoting.Budget):
    """The runs of `quoting.difference`; None where they may take more steps than the budget has
    left, whether they are kept or not: what a page shows does not hang on who was there before."""
    try:
        budget.spend(quoting.difference_steps(new, old))
    except quoting.TooMuch:
        return None
    return _kept_difference(new, old)


@lru_cache(maxsize=KEPT)
def _kept_difference(new: str, old: str):
    return quoting.difference(new, old)
