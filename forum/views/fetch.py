"""Getting things through the charter: what a reader may not see is not there (404)."""

import re

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.lookups import IsNull
from django.http import Http404, HttpRequest, HttpResponsePermanentRedirect
from django.urls import reverse

from accounts.models import SITE_VERSION, UNSHOWN, User
from core.compiled_queries import CompiledQuery

from ..models import (
    AuditEntry,
    Board,
    Picture,
    PictureUse,
    Post,
    PostBody,
    State,
    Thread,
    Threadmark,
)
from ..models.listing import with_opening
from ..permissions import NotThere, may, require

# How somebody names a debate: by its address or its number.
NAMED = re.compile(r"(?:.*/threads/)?(\d{1,18})(?:/.*)?\Z")


def member_of(request: HttpRequest) -> User:
    """The member who asks for a page that its rule keeps from visitors. Raises NotThere for one."""
    if not request.user.is_authenticated:
        raise NotThere
    return request.user


class Moved(Exception):
    """What was asked for went into another debate or post, given here; the reader may see it. Its
    addresses lead there: middleware.ErrorPages answers with `follow`."""

    def __init__(self, thing: Thread | Post) -> None:
        super().__init__(f"went into {thing.pk}")
        self.thing = thing


def follow(request: HttpRequest, thing: Thread | Post) -> HttpResponsePermanentRedirect:
    """The same page of the debate or post that took the place of the one asked for. A form that
    was sent goes along (308)."""
    match = request.resolver_match
    if match is None:
        raise Http404
    if isinstance(thing, Post):
        address = reverse(match.view_name, kwargs={**match.kwargs, "post_id": thing.pk})
    elif "slug" in match.kwargs or match.view_name == "thread-id":
        address = thing.get_absolute_url()
    else:
        address = reverse(match.view_name, kwargs={**match.kwargs, "thread_id": thing.pk})
        address += f"?{request.GET.urlencode()}" if request.GET else ""
    answer = HttpResponsePermanentRedirect(
        address, preserve_request=request.method not in ("GET", "HEAD")
    )
    # Undoing the merge makes the old address the debate's own again.
    answer.headers["Cache-Control"] = "no-cache"
    return answer


def _taken_in(user, thread: Thread | None, thread_id: int) -> Thread | None:
    """The debate that a merged one went into, or to which an undone split gave its posts back;
    only if `user` may see that."""
    if thread is None:
        splits = AuditEntry.objects.filter(other_thread=thread_id, verb="split")
        split = splits.defer("detail").first()
        target = split.thread if split else None
    else:
        target = thread.merged_into
    while target is not None and target.state == State.MERGED:
        target = target.merged_into
    if target is not None:
        require(user, "see thread", target)
    return target


_board = CompiledQuery(
    "board",
    lambda slug: (
        Board.objects.select_related("parent").annotate(site_version=SITE_VERSION).filter(slug=slug)
    ),
    "text",
)


def board_or_404(user, slug: str) -> Board:
    """The board with this slug, its parent and the site version, if `user` may see it; else
    Http404 or NotThere is raised."""
    board = next(iter(_board(slug)), None)
    if board is None:
        raise Http404
    require(user, "see board", board)
    return board


def _thread_rows(pk) -> QuerySet[Thread]:
    rows = with_opening(Thread.objects.select_related("board", "author"))
    return (
        rows.defer(*(f"author__{name}" for name in UNSHOWN))
        .annotate(  # type: ignore[no-redef]  # declared for its readers
            has_variants=Exists(Thread.objects.filter(variant_of=OuterRef("pk"))),
            marked=Exists(Threadmark.objects.filter(thread=OuterRef("pk"))),
            site_version=SITE_VERSION,
        )
        .filter(pk=pk)
    )


def _with_maps(pk) -> QuerySet[Thread]:
    # Each use is asked for its own text and picture: joined to them, PostgreSQL may read all texts.
    body = PostBody.objects.filter(post=OuterRef("post"), post__state=State.VISIBLE)
    drawn = Picture.objects.filter(pk=OuterRef("picture"), shows="map", state="ready")
    uses = PictureUse.objects.filter(thread=OuterRef("pk"))
    uses = uses.filter(revision=Subquery(body.values("revision")[:1]))
    standing = uses.alias(drawn=Subquery(drawn.values("pk"))).filter(drawn__isnull=False)
    # In order, so that PostgreSQL takes the index; EXISTS has none, and may look at all pictures.
    first = Subquery(standing.order_by("picture").values("pk")[:1])
    return _thread_rows(pk).annotate(has_maps=IsNull(first, False))  # type: ignore[no-redef]


_thread = CompiledQuery("thread", _thread_rows, "number")
_thread_with_maps = CompiledQuery("thread_with_maps", _with_maps, "number")


def thread_or_404(user, thread_id: int, *, with_maps: bool = False) -> Thread:
    """The debate with its board and author, whether posts of it are marked, and the number of the
    site version, if `user` may see it; else as above. Raises Moved if it went into another.
    `with_maps`: also whether it has maps, which looks at its pictures up to the first."""
    rows = _thread_with_maps if with_maps else _thread
    thread = next(iter(rows(thread_id)), None) if thread_id < 2**63 else None
    if thread is None or thread.state == State.MERGED:
        if target := _taken_in(user, thread, thread_id):
            raise Moved(target)
        raise Http404
    require(user, "see thread", thread)
    return thread


def thread_named(user, typed: str) -> Thread | None:
    """The debate that somebody named by its address or number, or the one that it went into; None
    if `user` sees none there."""
    found = NAMED.match(typed.strip())
    rows = Thread.objects.select_related("board", "merged_into__board")
    thread = rows.filter(pk=int(found[1])).first() if found else None
    while thread is not None and thread.state == State.MERGED:
        thread = thread.merged_into
    return thread if thread is not None and may(user, "see thread", thread) else None


_post = CompiledQuery(
    "post",
    lambda pk: (
        Post.objects.for_reading()
        .select_related("author", "body__revision", "thread__board", "thread__author")
        .annotate(site_version=SITE_VERSION)
        .filter(pk=pk)
    ),
    "number",
)


def post_or_404(user, post_id: int, *, verb: str = "see post") -> Post:
    """A post with its thread, board, text and author, through `verb` of the charter. Raises Moved
    if it was here twice and another one stays for it."""
    post = next(iter(_post(post_id)), None) if post_id < 2**63 else None
    if post is None:
        raise Http404
    if post.merged_into_id:
        require(user, verb, post.merged_into)
        raise Moved(post.merged_into)
    require(user, verb, post)
    return post


def place_or_404(user, post_id: int) -> Post:
    """The post to whose place a permalink leads. A placeholder has its place too: who sees the
    debate is led there; a post without a place only who may read it."""
    found = Post.objects.select_related("thread__board").filter(pk=post_id).first()
    if found is None:
        raise Http404
    if found.merged_into_id:
        found = found.merged_into
    require(user, "see thread", found.thread)
    if found.number is None:
        require(user, "see post", found)
    return found


def sent_id(text: str) -> int:
    """The id that a form or an address names; 0, which no row has, if it names none. Longer numbers
    than a database holds are none: Python refuses to read those of thousands of digits."""
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def page_or_404(request: HttpRequest, pages: int) -> int:
    """The page asked for, 1..pages; anything else is not there."""
    asked = request.GET.get("page", "1")
    if not asked.isdecimal() or len(asked) > 9 or not 1 <= int(asked) <= max(pages, 1):
        raise Http404
    return int(asked)
