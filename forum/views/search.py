"""Searching: /search/?q=, within a debate, a board or a member by filters of the query."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode

from django.conf import settings
from django.db import OperationalError
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.models import User
from core.compiled_queries import CompiledQuery
from forum.operations import limits
from forum.rendering.quotes import ignored_by
from forum.search import finding
from forum.search.asking import Asked, understand
from forum.search.excerpts import Excerpt, excerpt, marked
from forum.search.grammar import FILTERS, Query, parse

from ..models import Board, Lane, Post, Thread
from ..models.listing import opening_stands, with_opening
from ..models.visibility import ForReader, posts_visible_to

MOST_FACETS = 8
OFFERED = 6  # debates, and half as many members
LEAST_OFFERED_FOR = 3  # letters
PARTS = {"opening": ("Openings", "in:opening"), "reply": ("Replies", "-in:opening")}

# What the page is told where nothing is searched, or a part of it is not asked for.
NOTHING: Mapping[str, object] = {
    "asked": None,
    "terms": (),
    "found": None,
    "count": 0,
    "more": False,
    "lines": (),
    "debates": (),
    "facets": (),
    "wider": (),
    "next": "",
}


# The columns of which a line of the results is made, and one of a debate.
_OF_POSTS = (
    *("thread", "number", "byline", "parent_basis", "lane", "stance", "state"),
    *("written_at", "loaded_at"),
)
# What an excerpt needs of a text: as objects of their own they take as long to make as the post.
_OF_TEXTS = {
    "html": F("body__html"),
    "plain": F("body__revision__plain"),
    "passages": F("body__revision__passages"),
}
_OF_BOARDS = ("name", "slug")
_OF_THEIR_DEBATES = (
    *(f"thread__{name}" for name in ("title", "slug", "kind", "card")),
    *(f"thread__board__{name}" for name in _OF_BOARDS),
)
_OF_DEBATES = (
    *("title", "slug", "kind", "card", "byline", "state", "reply_count", "last_post_at"),
    *("author__username", *(f"board__{name}" for name in _OF_BOARDS)),
)


class ResultLine(NamedTuple):
    """A post that was found, as it is shown; `more` says how many others of its debate were."""

    post: Post
    thread: Thread
    excerpt: Excerpt
    title: list[tuple[str, bool]]
    year: str
    ignored: bool
    more: int = 0


def search(request: HttpRequest) -> HttpResponse:
    """The page of the field, and of what is found. What is not understood is told at the field, and
    nothing is searched then."""
    typed = f"{request.GET.get('within', '')} {request.GET.get('q', '')}".strip()
    after = request.GET.get("after", "")
    if after and (not after.isdecimal() or len(after) > 18):
        raise Http404
    query = parse(typed, today=timezone.localdate())
    if request.GET.get("sort") in ("best", "newest"):
        query = replace(query, best=request.GET["sort"] == "best")
    sort = "&sort=best" if query.best else ""
    page = {
        **NOTHING,
        "typed": typed,
        "query": query,
        "filters": FILTERS,
        "sorted": lambda sort: "?" + urlencode({"q": query.text, "sort": sort}),
        "searched": lambda text: f"?q={quote_plus(text)}{sort}",
    }
    if not query.empty and not query.errors:
        try:
            page |= _found(request.user, query, int(after or 0))
        except OperationalError as error:
            if "statement timeout" not in str(error):
                raise
            query.errors.append("These words are too common to be searched. Add a rarer one.")
    page["later"] = bool(after)
    return render(request, "search/search.html", page)


def offer(request: HttpRequest) -> HttpResponse:
    """A few debates whose title holds what is being typed, the last word as a beginning, and
    members whose name begins so: what the masthead's script lays below its field. Nothing (204) for
    what is too short or not understood. Raises TooOften."""
    network, most = limits.network_of(request), settings.OFFERS_PER_MINUTE
    limits.count("offers", network, most, "Type a little slower: that was a lot within a minute.")
    typed = " ".join(request.GET.get("q", "").split())
    begun = typed.rpartition(" ")[2]
    whole = len(begun) < LEAST_OFFERED_FOR or not begun.isalnum()
    query = parse(typed if whole else f"{typed}*", today=timezone.localdate())
    if len(typed) < LEAST_OFFERED_FOR or query.errors or query.empty:
        return HttpResponse(status=204)
    asked = understand(query, request.user)
    titled = _in_order(finding.titles(asked, most=OFFERED))
    called = User.objects.shaped_like(typed).filter(is_active=True)
    return render(
        request,
        "search/_offered.html",
        {
            "debates": [(thread, marked(thread.title, asked.match)) for thread in titled],
            "members": called.values_list("username", flat=True)[: OFFERED // 2],
            "typed": typed,
            "query": urlencode({"q": typed}),
        },
    )


def _sort(query: Query) -> dict[str, str]:
    return {"sort": "best"} if query.best else {}


def _found(user, query: Query, after: int) -> dict:
    asked = understand(query, user)
    page: dict = {"asked": asked, "terms": _terms(query)}
    if asked.debates_only:
        ids, count, more, leads = finding.debates(asked, after=after)
        return page | {
            "debates": _titled(_in_order(ids), asked),
            "count": count,
            "more": more,
            "next": _next(query, leads),
        }
    found = finding.posts(asked, best=query.best, after=after)
    first = [] if after else finding.titles(asked)
    posts = {post.pk: post for post in _posts(user, found.ids)}
    page |= {
        "found": found,
        "count": found.count,
        "more": found.more,
        "lines": _lines(found, posts, asked),
        "debates": _titled(_in_order(first), asked),
        "facets": _facets(found, query) if found.boards else [],
        "next": _next(query, found.after),
    }
    if not found.ids and not after and not asked.nothing and len(query.wanted) > 1:
        page["wider"] = _wider(user, query)
    return page


def _terms(query: Query) -> list[tuple[str, str]]:
    """What the filters were read as, and the query without each."""
    meanings = []
    for one in query.filters:
        means = FILTERS[one.key].means
        meanings.append((f"{one.typed}: {'not ' if one.negated else ''}{means}", one.typed))
    return [(words, query.without(typed)) for words, typed in meanings]


def _next(query: Query, after: int) -> str:
    return "?" + urlencode({"q": query.text, **_sort(query), "after": after}) if after else ""


def _in_order(ids: Sequence[int]) -> list[Thread]:
    found = {thread.pk: thread for thread in _debates(ids)}
    return [found[pk] for pk in ids if pk in found]


def _titled(threads: Sequence[Thread], asked: Asked) -> list[tuple]:
    return [
        (thread, marked(thread.title, asked.match), _year(thread.shown_card)) for thread in threads
    ]


def _year(card: Mapping) -> str:
    """The date of a debate's first divergence, which is shown where its opening is."""
    divergences = card["divergences"]
    return divergences[0]["edtf"] if divergences else ""


_posts = ForReader(
    "posts_shown",
    lambda user, ids: (
        posts_visible_to(user)
        .filter(pk__in=ids)
        .annotate(opening_stands=opening_stands("thread"), **_OF_TEXTS)
        .select_related("author", "thread__board")
        .only(*_OF_POSTS, "author__username", *_OF_THEIR_DEBATES)
    ),
    "numbers",
    alike=True,
)
_debates = CompiledQuery(
    "debates_shown",
    lambda ids: (
        with_opening(Thread.objects.filter(pk__in=ids))
        .select_related("board", "author")
        .only(*_OF_DEBATES)
    ),
    "numbers",
)
_boards = CompiledQuery(
    "boards_found", lambda ids: Board.objects.filter(pk__in=ids).only(*_OF_BOARDS), "numbers"
)


def _lines(found: finding.Found, posts: Mapping[int, Any], asked: Asked) -> list[ResultLine]:
    ignored = ignored_by(asked.user)
    here = Counter(post.thread_id for post in posts.values())
    lines, seen = [], set()
    for post in (posts[pk] for pk in found.ids if pk in posts):
        thread = post.thread
        vars(thread)["opening_stands"] = post.opening_stands  # or each would be asked for it
        more = found.threads[thread.pk] - here[thread.pk] if thread.pk not in seen else 0
        seen.add(thread.pk)
        lines.append(
            ResultLine(
                post,
                thread,
                excerpt(post, post.html, asked.match),
                marked(thread.title, asked.match),
                _year(thread.shown_card),
                post.author_id in ignored,
                max(more, 0),
            )
        )
    return lines


def _facets(found: finding.Found, query: Query) -> list[tuple[str, list[tuple[str, int, str]]]]:
    """By what the hits can be narrowed down: for each group its heading, and for each way its
    words, how many hits it leaves and the query for it."""
    boards = {board.pk: board for board in _boards(list(found.boards))}
    lanes = dict(Lane.choices)
    groups = (
        ("Where it stands", _counted(found.parts, PARTS)),
        (
            "Board",
            _counted(found.boards, {pk: (b.name, f"board:{b.slug}") for pk, b in boards.items()}),
        ),
        (
            "What it is about",
            _counted(found.lanes, {lane: (lanes[lane], f"lane:{lane}") for lane in found.lanes}),
        ),
    )
    return [
        (heading, [(name, count, f"{query.text} {term}") for name, count, term in ways])
        for heading, ways in groups
        if len(ways) > 1
    ]


def _counted(counts: Counter, named: Mapping) -> list[tuple[str, int, str]]:
    common = counts.most_common(MOST_FACETS)
    return [(named[key][0], count, named[key][1]) for key, count in common if key in named]


def _wider(user, query: Query) -> list[tuple[str, str, int, bool]]:
    """Where nothing holds all of the words: without which of them something would be found."""
    ways = []
    for phrase in query.wanted[:4]:
        text = query.without(phrase.typed)
        less = parse(text, today=timezone.localdate())
        if less.errors or less.empty:
            continue
        found = finding.posts(understand(less, user))
        if found.count:
            ways.append((phrase.typed, text, found.count, found.more))
    return ways
