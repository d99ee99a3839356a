"""What is read: boards, debates, posts, and what is found beside and behind them."""

from typing import Annotated, Literal

from django.http import Http404, HttpRequest
from ninja import Query

from core.problems import Problem
from forum.text import markup

from .. import tree
from ..models import Divergence, Post, Question
from ..models.listing import for_listing, with_unread
from ..models.visibility import boards_visible_to, threads_visible_to
from ..permissions import require
from ..views import debate_lists
from ..views.fetch import post_or_404, thread_or_404
from ..views.history import hides_names
from ..views.road import quoted_by
from ..views.years import read_years
from . import rows, shapes
from .service import service

NODES = 100  # of a tree, at a time
TEXTS = 10  # of a post, at a time: each may hold 60,000 characters
Limit = Annotated[int, Query(ge=1, le=50, description="How many at most.")]
# A place in a list by one number: an id, the number of a post or of a revision.
After = Annotated[
    str, Query(pattern=r"^(\d{1,18})?$", description="`next` of the part before this one.")
]
Kind = Literal["", "WI", "AHC", "PC", "DBWI", "TL", "discussion"]
Year = Annotated[str, Query(max_length=60, description="A date, as “1914” or “c. 1066”.")]
Slug = Annotated[str, Query(max_length=80, description="The slug of a board.")]


@service.reads("boards/", response=shapes.Boards, url_name="api-boards")
def boards(request: HttpRequest):
    """The boards that the reader sees, in order."""
    return shapes.Boards(boards=rows.boards(list(boards_visible_to(request.user).in_order())))


@service.reads("threads/", response=shapes.Lines, url_name="api-threads")
def threads(
    request: HttpRequest,
    board: Slug = "",
    kind: Kind = "",
    only: Literal["", "unread", "unanswered", "answered"] = "",
    order: Literal["answer", "newest"] = "answer",
    first_year: Year = "",
    last_year: Year = "",
    after: Annotated[str, Query(pattern=r"^(\d{1,18}-\d{1,18})?$")] = "",
    limit: Limit = 30,
):
    """All debates, filtered and ordered as on the page of all debates."""
    user = request.user
    if only == "unread" and not user.is_authenticated:
        raise Problem("Only members have read something: send a token.", status=400, field="only")
    try:
        cursor = debate_lists.cursor(after)
    except Http404:
        raise _bad_cursor() from None
    asked = debate_lists.Asked(order, kind, only, cursor)
    seen = debate_lists.chosen_threads(user, board=board, limits=years(first_year, last_year))
    found = debate_lists.narrowed(with_unread(for_listing(seen), user), user, asked)
    page, end = debate_lists.page_of(found, user, asked, limit)
    leads = end or None
    if len(page) > limit:
        last = page[limit - 1]
        leads = debate_lists.cursor_of(getattr(last, asked.moment), last.pk)
    return shapes.Lines(threads=[rows.line(thread) for thread in page[:limit]], next=leads)


@service.reads("threads/{int:thread_id}/", response=shapes.ThreadShape, url_name="api-thread")
def thread(request: HttpRequest, thread_id: int):
    """A debate with its divergences and questions."""
    found = thread_or_404(request.user, thread_id)
    original = threads_visible_to(request.user).filter(variants=found)
    return rows.thread(
        found,
        user=request.user,
        variant_of=original.values_list("pk", flat=True).first(),
        divergences=Divergence.objects.filter(thread=found).order_by("order"),
        questions=Question.objects.filter(thread=found, stands=True).order_by("order"),
    )


@service.reads("threads/{int:thread_id}/posts/", response=shapes.Posts, url_name="api-posts")
def posts(request: HttpRequest, thread_id: int, after: After = "", limit: Limit = 20):
    """The posts of a debate by number, from the one behind `after` on."""
    found = thread_or_404(request.user, thread_id)
    last = int(after or 0)
    page = list(
        Post.objects.for_reading()
        .select_related("body__revision")
        .filter(thread=found, number__gt=last)
        .order_by("number")[: limit + 1]
    )
    for post in page:
        post.thread = found
    leads = str(page[limit - 1].number) if len(page) > limit else None
    return shapes.Posts(posts=rows.posts(page[:limit], user=request.user), next=leads)


@service.reads("threads/{int:thread_id}/tree/", response=shapes.Nodes, url_name="api-tree")
def in_tree(
    request: HttpRequest,
    thread_id: int,
    after: Annotated[str, Query(pattern=r"^(\d{1,9})?$")] = "",
):
    """The places of the posts of a debate, in the order of its tree: each below the one that it
    answers. A hundred at a time."""
    found = thread_or_404(request.user, thread_id)
    number = int(after or 1)
    page = tree.page(found, max(number, 1), NODES)
    known = Post.objects.in_bulk(page.ids)
    nodes = [
        shapes.NodeShape(
            id=pk,
            number=known[pk].number or 0,
            parent=known[pk].parent_id,
            level=known[pk].level,
            state=known[pk].state,
        )
        for pk in page.ids
    ]
    more = page.total > number * NODES
    return shapes.Nodes(posts=nodes, next=str(number + 1) if more else None)


@service.reads("posts/{int:post_id}/", response=shapes.PostShape, url_name="api-post")
def post(request: HttpRequest, post_id: int):
    """One post."""
    return _alone(request.user, post_or_404(request.user, post_id))


def _alone(user, post: Post) -> shapes.PostShape:
    return rows.posts([post], user=user)[0]


@service.reads("posts/{int:post_id}/replies/", response=shapes.Posts, url_name="api-replies")
def replies(request: HttpRequest, post_id: int, after: After = "", limit: Limit = 20):
    """What answers a post, by number; for an opening, what answers the debate."""
    answered = post_or_404(request.user, post_id)
    parent = None if answered.is_opening else answered
    found = Post.objects.for_reading().select_related("body__revision")
    found = found.filter(thread=answered.thread, parent=parent, number__gt=int(after or 0))
    if answered.is_opening:
        found = found.exclude(pk=answered.pk)
    page = list(found.order_by("number")[: limit + 1])
    for one in page:
        one.thread = answered.thread
    leads = str(page[limit - 1].number) if len(page) > limit else None
    return shapes.Posts(posts=rows.posts(page[:limit], user=request.user), next=leads)


@service.reads(
    "posts/{int:post_id}/revisions/", response=shapes.Revisions, url_name="api-revisions"
)
def revisions(request: HttpRequest, post_id: int, after: After = ""):
    """The texts that a post had, newest first, ten at a time."""
    found = post_or_404(request.user, post_id)
    require(request.user, "see history", found)
    texts = found.revisions.select_related("editor").order_by("-number")
    if after:
        texts = texts.filter(number__lt=int(after))
    page = list(texts[: TEXTS + 1])
    hide = hides_names(request.user, found, page[:TEXTS])
    return shapes.Revisions(
        revisions=[
            shapes.RevisionShape(
                number=one.number,
                created_at=one.created_at,
                editor=one.editor.username if one.editor else None,
                reason=one.reason,
                source=markup.without_attributions(one.source) if hide else one.source,
            )
            for one in page[:TEXTS]
        ],
        next=str(page[TEXTS - 1].number) if len(page) > TEXTS else None,
    )


@service.reads("posts/{int:post_id}/quotes/", response=shapes.Quoters, url_name="api-quotes")
def quotes(request: HttpRequest, post_id: int, after: After = "", limit: Limit = 30):
    """Where a post is quoted, newest first. What it quotes itself stands with it (`quotes`)."""
    found = quoted_by(post_or_404(request.user, post_id), request.user)
    if after:
        found = found.filter(pk__lt=int(after))
    page = list(found[: limit + 1])
    return shapes.Quoters(
        quotes=[
            shapes.QuoterShape(
                post=one.post_id,
                number=one.post.number,
                thread=one.post.thread_id,
                title=one.post.thread.title,
                ordinal=one.ordinal,
                words=one.words,
                verdict=one.verdict,
                stance=one.stance,
            )
            for one in page[:limit]
        ],
        next=str(page[limit - 1].pk) if len(page) > limit else None,
    )


def years(first: str, last: str):
    """The dates that limit a list. Raises Problem with what to do for one that is none."""
    limits, errors = read_years({"from": first.strip(), "to": last.strip()})
    for name, sentence in errors.items():
        field = {"from": "first_year", "to": "last_year"}[name]
        raise Problem(sentence, status=400, field=field)
    return limits


def _bad_cursor() -> Problem:
    return Problem("There is no such place in this list.", status=400, field="after")
