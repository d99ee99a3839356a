"""How a post came about, and what came of it: the road to it, and everything that quotes it."""

from math import ceil

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from forum import rendering
from forum.rendering import glossary
from forum.rendering.posts import Connector

from ..models import Post, Quote, State
from ..models.visibility import posts_visible_to
from .fetch import page_or_404, post_or_404

STEPS = 40  # posts on one page of a road
QUOTES = 40


def road(request: HttpRequest, post_id) -> HttpResponse:
    """The dialogue from the opening to this post, each step with the words it answers."""
    post = post_or_404(request.user, post_id)
    if post.number is None:
        raise Http404
    pages = ceil((post.level + 1) / STEPS)
    page = page_or_404(request, pages)
    first = (page - 1) * STEPS
    # One post more: which words of the last step the next page answers.
    steps = list(
        Post.objects.for_reading()
        .select_related("author", "body__revision")
        .leading_to(post, first, first + STEPS)
        .order_by("level")
    )
    if not post.is_opening and page == 1:
        opening = (
            Post.objects.for_reading()
            .select_related("author", "body__revision")
            .opening_of(post.thread_id)
        )
        steps = [*opening, *steps]
    for step in steps:
        step.thread = post.thread
    terms = glossary.for_reader(request.user, post.site_version)
    entries = rendering.render_posts(
        steps, user=request.user, road=True, terms=terms, lines=_lines(steps, page, post)
    )
    shown = [entry for entry in entries if entry.post.level < first + STEPS]
    return render(
        request,
        "posts/road.html",
        {
            "post": post,
            "thread": post.thread,
            "steps": shown,
            "length": post.level + 1 + (not post.is_opening),
            "page": page,
            "pages": pages,
            "passages": sum(len(step.answered) for step in shown),
        },
    )


def _lines(steps: list[Post], page: int, end: Post) -> dict[int, Connector]:
    """The line along a page of the road to `end`, and where on it nobody knows whether the first
    answer answers the opening. Then nothing of the opening is shown, as if it were answered."""
    doubt = page == 1 and len(steps) > 1 and steps[1].parent_basis == Post.Basis.UNKNOWN
    return {
        step.pk: Connector(
            up=number > 0 or page > 1,
            down=step.pk != end.pk,
            loose=doubt and number == 0,
            unsure=doubt and number == 1,
        )
        for number, step in enumerate(steps)
    }


def quoted_by(post: Post, user) -> QuerySet[Quote]:
    """Everything that quotes a post, newest first, as far as `user` may see it."""
    # Asked of each quote in turn, until a page is full. As a join or as EXISTS, PostgreSQL would
    # take what is asked for to be rare, and read all quotes of the post before it sorts them.
    shown = posts_visible_to(user).filter(
        pk=OuterRef("post"), body__revision=OuterRef("revision"), state=State.VISIBLE
    )
    return (
        Quote.objects.alias(shown=Subquery(shown.values("pk")))
        .filter(source_post=post, shown__isnull=False)
        .select_related("post__author", "post__thread__board", "post__body")
        .order_by("-pk")
    )


def quotes(request: HttpRequest, post_id) -> HttpResponse:
    """Everything that quotes a post, page by page."""
    post = post_or_404(request.user, post_id)
    rows = quoted_by(post, request.user)
    before = request.GET.get("before", "")
    if before:
        if not before.isdecimal() or len(before) > 18:
            raise Http404
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: QUOTES + 1])
    return render(
        request,
        "posts/quotes.html",
        {
            "post": post,
            "quotes": [
                (quote, rendering.quoted_words(quote.post.body.html).get(quote.ordinal, ""))
                for quote in found[:QUOTES]
            ],
            "ignoring": rendering.ignored_by(request.user),
            "older": found[QUOTES - 1].pk if len(found) > QUOTES else None,
            "later": bool(before),
        },
    )
