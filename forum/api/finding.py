"""What is found all over the forum: divergences, open questions, what supports and disputes what,
and what holds some words."""

from dataclasses import replace
from typing import Annotated, Literal

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query

from core.problems import Problem
from forum.rendering import outline as outlines
from forum.rendering import outline_formats
from forum.rendering.quotes import ignored_by
from forum.search import finding as search_for
from forum.search.asking import understand
from forum.search.excerpts import excerpt
from forum.search.grammar import parse

from ..models.visibility import posts_visible_to
from ..views.fetch import thread_or_404
from ..views.narrowing import chosen_divergences
from ..views.questions import unanswered
from . import rows, shapes
from .reading import After, Kind, Limit, Slug, Year, years
from .service import service


@service.reads("divergences/", response=shapes.Divergences, url_name="api-divergences")
def divergences(
    request: HttpRequest,
    board: Slug = "",
    kind: Kind = "",
    place: Annotated[str, Query(max_length=120)] = "",
    first_year: Year = "",
    last_year: Year = "",
    after: Annotated[str, Query(pattern=r"^(-?\d{1,18}\.-?\d{1,18}\.\d{1,18})?$")] = "",
    limit: Limit = 30,
):
    """Where debates leave history, earliest first."""
    asked = {"board": board, "kind": kind, "place": place}
    found = chosen_divergences(request.user, asked, years(first_year, last_year))
    if after:
        first, last, pk = (int(part) for part in after.split("."))
        found = found.after(first, last, pk)
    page = list(found.select_related("thread").by_date()[: limit + 1])
    leads = None
    if len(page) > limit:
        end = page[limit - 1]
        leads = f"{end.first_day}.{end.last_day}.{end.pk}"
    return shapes.Divergences(
        divergences=[rows.divergence(row, row.thread) for row in page[:limit]], next=leads
    )


@service.reads("questions/", response=shapes.Questions, url_name="api-questions")
def questions(request: HttpRequest, after: After = "", limit: Limit = 30):
    """What debates ask and nobody has answered yet, newest first."""
    found = unanswered(request.user)
    if after:
        found = found.filter(pk__lt=int(after))
    page = list(found.select_related("thread")[: limit + 1])
    return shapes.Questions(
        questions=[rows.question(row, row.thread) for row in page[:limit]],
        next=str(page[limit - 1].pk) if len(page) > limit else None,
    )


@service.reads("threads/{int:thread_id}/outline/", response=dict, url_name="api-outline")
def outline(
    request: HttpRequest, thread_id: int, after: Annotated[str, Query(pattern=r"^(\d{1,9})?$")] = ""
):
    """What supports and disputes which passage of a debate: the file outline.json, a hundred
    replies at a time; `goes_on_at` leads on, as `after`."""
    found = thread_or_404(request.user, thread_id)
    part = outlines.outline_of(found, request.user, first=max(int(after or 1), 1), most=100)
    site = settings.SITE_URL or request.build_absolute_uri("/")
    return outline_formats.as_json(part, address=site.rstrip("/") + found.get_absolute_url())


@service.reads("search/", response=shapes.Found, url_name="api-search")
def search(
    request: HttpRequest,
    q: Annotated[str, Query(max_length=1_000, description="As typed into the field of the page.")],
    sort: Literal["", "newest", "best"] = "",
    after: After = "",
):
    """The posts that hold these words, and the debates; twenty at a time."""
    query = parse(q, today=timezone.localdate())
    if sort:
        query = replace(query, best=sort == "best")
    if query.errors or query.empty:
        raise Problem(" ".join(query.errors) or "Say what to look for.", status=400, field="q")
    try:
        return _found(request.user, query, int(after or 0))
    except OperationalError as error:
        if "statement timeout" not in str(error):
            raise
        sentence = "These words are too common to be searched. Add a rarer one."
        raise Problem(sentence, status=400, field="q") from error


def _found(user, query, after: int) -> shapes.Found:
    asked = understand(query, user)
    if asked.nothing:
        return shapes.Found(count=0, more=False, hits=[], debates=[], next=None)
    if asked.debates_only:
        debates, count, more, leads = search_for.debates(asked, after=after)
        lines = [rows.line(one) for one in search_for.listed(debates)]
        return shapes.Found(
            count=count, more=more, hits=[], debates=lines, next=str(leads) if leads else None
        )
    found = search_for.posts(asked, best=query.best, after=after)
    titles = [] if after else search_for.titles(asked)
    return shapes.Found(
        count=found.count,
        more=found.more,
        hits=_hits(user, found, asked),
        debates=[rows.line(one) for one in search_for.listed(titles)],
        next=str(found.after) if found.after else None,
    )


def _hits(user, found: search_for.Found, asked) -> list[shapes.HitShape]:
    seen = posts_visible_to(user).filter(pk__in=found.ids)
    known = seen.select_related("author", "thread__board", "body__revision").in_bulk()
    ignored = ignored_by(user)
    return [
        shapes.HitShape(
            post=one.pk,
            number=one.number,
            thread=one.thread_id,
            title=one.thread.title,
            board=one.thread.board.slug,
            writer=one.writer,
            ignored=one.author_id in ignored,
            written_at=one.written_at,
            excerpt=excerpt(one.body.revision, one.body.html, asked.match).pieces,
        )
        for one in (known[pk] for pk in found.ids if pk in known)
    ]
