"""A debate: read flat or as a tree, renamed, closed."""

import logging
from math import ceil
from secrets import token_hex
from uuid import uuid4

from django import forms
from django.conf import settings
from django.db import InternalError, OperationalError
from django.http import Http404, HttpResponsePermanentRedirect
from django.shortcuts import redirect, render
from django.template.backends.utils import csrf_input
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_POST

from accounts.models import UNSHOWN, User
from core.compiled_queries import CompiledQuery
from core.database_answers import takes_no_writes
from core.problems import Problem
from forum import rendering, tree
from forum.actions import arguments, read_state
from forum.operations import caching
from forum.rendering import fragments, glossary
from forum.rendering.fragments import Page
from forum.rendering.pictures import axis

from ..actions import threads as acts
from ..jinja import fragment_renderer
from ..models import Board, Lane, Post, State, Thread, Threadmark
from ..models.visibility import moderates, moderates_all, posts_visible_to, threads_visible_to
from ..permissions import may, require, verbs
from . import lanes, problems
from .fetch import page_or_404, thread_or_404
from .posts import (
    ReplyForm,
    per_page,
    reply_address,
    where,
)
from .writing import asked_in

log = logging.getLogger("forum.reading")

MAX_FOLDED = 100  # branches that an address can fold
MAX_LISTED = 60  # marks in the index above a debate; the reader mode leads to all of them
MAX_VARIANTS = 20
VIEWS = ("flat", "tree")
# Stand in a form that is kept where each reader's own go: the field against forgery, and the token
# of the form. Nobody can write them into a text: each process draws its own, and no reader is ever
# shown them.
TOKENS = (token_hex(24), token_hex(24))


def thread(request, thread_id, slug=""):
    """One page of a debate."""
    thread = thread_or_404(request.user, thread_id)
    if request.path != thread.get_absolute_url():
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        moved = HttpResponsePermanentRedirect(thread.get_absolute_url() + query)
        # Kept by browsers, two of these would lead to each other after a renaming there and back.
        moved.headers["Cache-Control"] = "no-cache"
        return moved
    user = request.user
    view = request.GET.get("view") or (user.view if user.is_authenticated else "flat")
    lane = request.GET.get("lane", "")
    if view not in VIEWS or lane not in ("", *Lane.values):
        raise Http404
    size = per_page(user)
    pages = max(ceil(thread.numbered / size), 1)
    page = page_or_404(request, pages)
    seen = read_state.seen(user, thread) if user.is_authenticated else None
    terms = glossary.for_reader(user, thread.edition)
    alike = not lane and _shares(user, thread, seen, view)
    if view == "tree":
        context = _tree(request, thread, page, size, seen, terms, alike)
    elif lane:
        context = lanes.flat(request, thread, lane, size)
        page = pages = 1
    else:
        context = _flat(thread, page, size, terms, alike)
    posts, key = context["posts"], context.pop("key", None)
    if lane:
        for post in posts:
            post.aside = not post.is_opening and post.lane != lane
    for post in posts:
        if not alike:
            post.thread = thread
        post.fresh = seen is not None and not seen.has(post.number)
    waiting = _waiting(user, thread, seen) if page == pages else []
    if any(p.author_id == user.pk and p.state != State.VISIBLE for p in posts):
        alike = False
    if alike:
        rendering.offer(posts, user=user)
        rendering.render_posts(waiting, user=user, terms=terms)
    else:
        rendering.render_posts([*posts, *waiting], user=user, terms=terms)
    marks = list(Threadmark.objects.story_of(thread.pk)) if thread.marked else []
    by_post = {mark.post_id: mark for mark in marks}
    for post in posts:
        post.mark = by_post.get(post.pk)
    if alike and thread.policy != Thread.Policy.GRANTED:  # whose doubts change their places
        fragments.finish(posts, key, user=user)
    first_fresh = next((post for post in posts if post.fresh), None)
    fresh = [post.number for post in posts if post.fresh]
    if thread.policy == Thread.Policy.GRANTED and not lane:
        context |= lanes.doubts_folded(posts, first_fresh, request.GET.get("open", ""))
    unread = seen.unread(thread) if seen else 0
    if fresh and not request.headers.get("Sec-Purpose"):  # a prefetch is no reading
        try:
            numbers = [(n, n) for n in fresh]
            read_state.mark_read(user=user, thread=thread, numbers=numbers, known=seen.ranges)
        except (OperationalError, InternalError) as error:
            # A full disk, or a server to read from only, keeps nobody from reading: what is new
            # stays new.
            if isinstance(error, InternalError) and not takes_no_writes(error):
                raise
            log.warning("not marked as read", exc_info=error)
    reads_opening = may(user, "see opening", thread)
    card = thread.card if reads_opening else {}
    offered = verbs(user, thread)
    response = render(
        request,
        "threads/thread.html",
        {
            "thread": thread,
            "verbs": offered,
            "view": view,
            "page": page,
            "pages": pages,
            "pager": pager(page, pages),
            "waiting": waiting,
            "waiting_count": _waiting_count(user, thread),
            "end": posts[-1].pk if posts else None,
            "first_fresh": first_fresh,
            "lane": lane,
            "lanes": lanes.tabs(thread),
            "left_aside": sum(post.aside for post in posts),
            "fresh_count": len(fresh),
            "unread": unread,
            "unread_elsewhere": unread - len(fresh),
            "reply_form": _reply_form(request, thread, alike=alike)
            if page == pages and not lane and "reply" in offered
            else None,
            "marks": marks,
            **_variants(user, thread),
            "marks_listed": marks[:MAX_LISTED] if page == 1 else (),
            "card": card,
            "axis": axis(card.get("divergences", ())) if page == 1 and not lane else None,
            "own_answer": thread.own_answer if reads_opening else "",
            **context,
        },
    )
    return caching.allow_keeping(response)


def _variants(user, thread: Thread) -> dict:
    """The debate that this one is a variant of, and its own variants, as far as `user` sees them;
    asked only where there are some."""
    found: dict = {}
    if not (thread.variant_of_id or thread.has_variants):
        return found
    seen = threads_visible_to(user).filter(state=State.VISIBLE).order_by("pk")
    if thread.variant_of_id:
        found["variant"] = seen.filter(pk=thread.variant_of_id).first()
    if thread.has_variants:
        found["variants"] = seen.filter(variant_of=thread)[:MAX_VARIANTS]
    return found


def _reply_form(request, thread: Thread, *, alike: bool) -> SafeString:
    """The form of an answer to the debate. To readers who see the same it is the same, but for its
    tokens."""
    user, target = request.user, reply_address(thread, None)

    def draw() -> str:
        lane = arguments.default_lane(thread, None)
        form = ReplyForm(
            thread=thread,
            asked=asked_in(user, thread),
            initial={"token": TOKENS[1], "lane": lane, "stance": ""},
        )
        context = {"form": form, "thread": thread, "target": target, "member": user}
        return fragment_renderer("threads/_reply.html")({**context, "csrf_input": TOKENS[0]})

    key = ("reply form", thread.pk, thread.version, thread.edition, user.is_new)
    html = (fragments.held(key) or fragments.keep(key, draw)) if alike else draw()
    for mark, token in zip(TOKENS, (csrf_input(request), uuid4()), strict=True):
        html = html.replace(mark, str(token))
    return mark_safe(html)


def _rows():
    return Post.objects.for_reading().defer(
        *(f"author__{name}" for name in UNSHOWN),
        *("key", "origin", "loaded_at", "merged_into", "body__revision_number", "body__renderer"),
    )


# By how many posts a page holds: the statement's limit is a part of it.
_numbered = {
    size: CompiledQuery(
        "posts_by_number",
        lambda thread, first, last, size=size: (
            _rows()
            .filter(thread=thread, number__gte=first, number__lte=last)
            .order_by("number")[:size]
        ),
        *("number", "number", "number"),
    )
    for size in User.PAGE_SIZES
}
_by_id = CompiledQuery("posts_by_id", lambda ids: _rows().filter(pk__in=ids), "numbers")


def _shares(user, thread: Thread, seen, view: str) -> bool:
    """Whether `user` reads the posts of this debate as any other member does, so that they need to
    be drawn once only: a public or members' debate, no rights beyond a member's, nobody ignored,
    nothing folded."""
    return bool(
        settings.KEPT_PAGES_MB
        and seen is not None
        and thread.state == State.VISIBLE
        and thread.board.audience in (Board.Audience.PUBLIC, Board.Audience.MEMBERS)
        and not (user.is_staff or moderates_all(user) or user.ignoring or seen.invited)
        and not (view == "tree" and seen.folded)
    )


def _key(thread: Thread, terms, *page) -> tuple:
    """Under what the posts of a page are kept: the numbers rise when anything about them changes,
    and were read before the posts."""
    return "page", thread.pk, thread.version, thread.edition, terms is not None, *page


def _flat(thread: Thread, page: int, size: int, terms, alike: bool) -> dict:
    first = (page - 1) * size + 1

    def load() -> Page:
        rows = _numbered[size](thread.pk, first, page * size)
        for post in rows:
            post.thread = thread
            # One line through all of them; it ends at the last.
            post.line_up, post.line_down = post.number > 1, post.number < thread.numbered
        return Page(rows, ())

    key = _key(thread, terms, "flat", page, size)
    posts = (fragments.page(key, load, terms=terms) if alike else load()).posts
    return {
        "posts": posts,
        "key": key,
        "here": posts[0].pk if posts else None,
        "first": first,
        "last": first + len(posts) - 1,
    }


def _tree(request, thread: Thread, page: int, size: int, seen, terms, alike: bool) -> dict:
    """A page in tree order. What is folded is left out of it, but not out of the count: a page
    keeps its posts whoever reads it."""

    def load() -> Page:
        cut = tree.page(thread, page, size)
        found = {post.pk: post for post in _by_id([*cut.ids, *cut.continues])}
        for post in found.values():
            post.thread = thread
            post.place = cut.places.get(post.pk)
        return Page([found[pk] for pk in cut.ids], (cut, [found[pk] for pk in cut.continues]))

    key = _key(thread, terms, "tree", page, size)
    kept = fragments.page(key, load, terms=terms) if alike else load()
    cut, continues = kept.rest
    folded = _folded(request, thread, seen)
    rows = {post.pk: post for post in [*continues, *kept.posts]}
    posts, hidden = [], []
    for pk in cut.ids:
        post = rows[pk]
        below = next(
            (
                fold
                for fold in folded
                if fold.tree_id == post.tree_id and fold.lft < post.lft < fold.rght
            ),
            None,
        )
        if below is None:
            posts.append(post)
        else:
            hidden.append((below.pk, post))
    for fold in folded:
        if fold.pk in rows and fold.rght - fold.lft > 1:
            mine = [post for pk, post in hidden if pk == fold.pk]
            rows[fold.pk].folded = {
                "count": (fold.rght - fold.lft) // 2,
                "fresh": sum(seen is not None and not seen.has(post.number) for post in mine),
                "href": _fold_href(page, [f.pk for f in folded if f.pk != fold.pk]),
            }
    first = (page - 1) * size + 1
    shown = {post.pk for post in posts}
    visitors = "" if seen is not None else ".".join(str(fold.pk) for fold in folded)
    return {
        "posts": posts,
        "key": key,
        "here": cut.ids[0] if cut.ids else None,
        "continues": continues,
        "first": first,
        "last": first + len(cut.ids) - 1,
        "fold_base": _fold_href(page, [f.pk for f in folded], more=True),
        "fold_query": f"&fold={visitors}" if visitors else "",
        "left_out": sum(pk not in shown for pk, _ in hidden),
        "left_out_of": [fold for fold in folded if fold.pk in {pk for pk, _ in hidden} - shown],
    }


def _folded(request, thread: Thread, seen) -> list[Post]:
    """The posts whose branches are folded, outer ones first: a member's own choice, or `?fold=` of
    the address. Not those above the post that `?open=` names: it is to be seen."""
    if seen is not None:
        ids = seen.folded
    else:
        ids = [int(pk) for pk in request.GET.get("fold", "").split(".") if _is_id(pk)][:MAX_FOLDED]
    if not ids:
        return []
    folded = Post.objects.filter(pk__in=ids, thread=thread, number__isnull=False)
    wanted = request.GET.get("open", "")
    post = Post.objects.filter(pk=wanted, thread=thread).first() if _is_id(wanted) else None
    return [
        fold
        for fold in folded.order_by("tree_id", "lft")
        if not (post and fold.tree_id == post.tree_id and fold.lft < post.lft < fold.rght)
    ]


def _is_id(text: str) -> bool:
    return text.isdecimal() and len(text) < 19


def _fold_href(page: int, ids: list[int], *, more: bool = False) -> str:
    """The address of this tree page with these branches folded; `more`: room for one id more."""
    fold = ".".join(map(str, ids))
    query = f"?view=tree&page={page}"
    if more:
        return f"{query}&fold={fold}." if ids else f"{query}&fold="
    return f"{query}&fold={fold}" if ids else query


def _waiting(user, thread: Thread, seen) -> list[Post]:
    """Posts that wait to appear, for those who may read them; asked only where there may be
    some."""
    if not (seen and (seen.waiting or moderates(user, thread.board_id))):
        return []
    posts = list(
        posts_visible_to(user).filter(thread=thread, state=State.PENDING).for_reading()[:50]
    )
    for post in posts:
        post.thread, post.fresh = thread, False
    return posts


def _waiting_count(user, thread: Thread) -> int:
    """How many posts of the debate wait; only moderators are told, and only for them it is
    asked."""
    if not may(user, "moderate", thread):
        return 0
    return Post.objects.filter(thread=thread, state=State.PENDING).count()


@require_POST
def fold(request, thread_id):
    """Fold the branch under a post, or unfold it; remembered for the member."""
    require(request.user, "use account")
    thread = thread_or_404(request.user, thread_id)
    folded = "fold" in request.POST
    wanted = request.POST.get("fold") or request.POST.get("unfold") or ""
    post = Post.objects.filter(pk=wanted, thread=thread).first() if _is_id(wanted) else None
    if post is None or post.number is None:
        raise Http404
    post.thread = thread
    read_state.fold(user=request.user, thread=thread, post_id=post.pk, folded=folded)
    return redirect(where(request.user, post, view="tree"))


def new(request, thread_id):
    """To the first post that the member has not read; to the debate if there is none."""
    thread = thread_or_404(request.user, thread_id)
    if not request.user.is_authenticated:
        return redirect(thread)
    number = read_state.seen(request.user, thread).first_unread(thread)
    post = Post.objects.filter(thread=thread, number=number).first() if number else None
    if post is None:
        return redirect(thread)
    post.thread = thread
    return redirect(where(request.user, post))


def pager(page: int, pages: int) -> list[int | None]:
    """The page numbers to offer: the ends, the neighbours, None for a gap."""
    wanted = sorted({1, 2, page - 1, page, page + 1, pages - 1, pages} & set(range(1, pages + 1)))
    out: list[int | None] = []
    for number in wanted:
        if out and number - (out[-1] or 0) == 2:
            out.append(number - 1)
        elif out and number - (out[-1] or 0) > 2:
            out.append(None)
        out.append(number)
    return out


# --- /threads/<id>/rename/ and close/ ---------------------------------------------------------


class RenameForm(forms.Form):
    title = forms.CharField(
        max_length=acts.MAX_TITLE, error_messages={"required": "Give the debate a title."}
    )
    reason = forms.CharField(max_length=300, required=False)


def rename(request, thread_id):
    """Give a debate another title."""
    thread = thread_or_404(request.user, thread_id)
    require(request.user, "rename", thread)
    form = RenameForm(request.POST or None, initial={"title": thread.title})
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(acts.rename(user=request.user, thread=thread, **form.cleaned_data))
        except Problem as problem:
            problems.show(form, problem, typed="title")
    return render(
        request,
        "threads/rename.html",
        {"form": form, "thread": thread},
        status=422 if form.errors else 200,
    )


def close(request, thread_id):
    """Close one's own debate to answers, or open it again: a page that asks, a form that does."""
    thread = thread_or_404(request.user, thread_id)
    require(request.user, "close", thread)
    if request.method == "POST" and (wanted := request.POST.get("do")) in ("close", "open"):
        return redirect(acts.close(user=request.user, thread=thread, closed=wanted == "close"))
    return render(request, "threads/close.html", {"thread": thread})
