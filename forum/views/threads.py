"""A debate: read flat or as a tree, renamed, closed."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from math import ceil
from secrets import token_hex
from uuid import uuid4

from django import forms
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import redirect, render
from django.template.backends.utils import csrf_input
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_POST

from accounts.models import User
from core.database_answers import database_errors, did_not_answer, takes_no_writes
from core.opened_texts import BaseField, ChangedMeanwhile, base_of
from core.problems import Problem
from forum.actions import arguments, notices, read_state
from forum.operations import caching
from forum.operations.follow_up import FollowedUp
from forum.rendering import fragments, thread_page
from forum.rendering.thread_page import ThreadPage, Wanted

from ..actions import threads as acts
from ..jinja import fragment_renderer
from ..models import Lane, Post, Thread
from ..permissions import require
from . import linked_data, problems
from .fetch import page_or_404, thread_or_404
from .opened_forms import conflict, without_erased
from .posts import per_page, where
from .replying import ReplyForm, reply_address
from .writing import asked_in

log = logging.getLogger("forum.reading")

MAX_FOLDED = 100  # branches that an address can fold
VIEWS = ("flat", "tree")
# Stand in a form that is kept where each reader's own go: the field against forgery, and the token
# of the form. Nobody can write them into a text: each process draws its own, and no reader is ever
# shown them.
TOKENS = (token_hex(24), token_hex(24))


def thread(request: HttpRequest, thread_id: int, slug: str = "") -> HttpResponse:
    """One page of a debate."""
    thread = thread_or_404(request.user, thread_id, with_maps=True)
    if request.path != thread.get_absolute_url():
        return _moved(request, thread)
    wanted = _wanted(request, thread)
    user = request.user
    seen = read_state.seen(user, thread) if user.is_authenticated else None
    page = thread_page.build(user, thread, wanted, seen)
    follow_up = None
    # A prefetch is no reading.
    if user.is_authenticated and seen and "Sec-Purpose" not in request.headers:
        follow_up = _count_as_read(user, page, seen)
    context = {"page": page, "thread": thread, "reply_form": _reply_form(request, page)}
    context["linked_data"] = "" if user.is_authenticated else linked_data.of_debate(request, page)
    if follow_up:
        html = render_to_string("threads/thread.html", context, request)
        return FollowedUp(html, follow_up=follow_up)
    return caching.allow_keeping(render(request, "threads/thread.html", context))


def _moved(request: HttpRequest, thread: Thread) -> HttpResponse:
    """To the debate's own address, which its title is a part of."""
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    moved = HttpResponsePermanentRedirect(thread.get_absolute_url() + query)
    # Kept by browsers, two of these would lead to each other after a renaming there and back.
    moved.headers["Cache-Control"] = "no-cache"
    return moved


def _wanted(request: HttpRequest, thread: Thread) -> Wanted:
    """The page that the address asks for; Http404 if there is no such page."""
    user, asked = request.user, request.GET
    view = asked.get("view") or (user.view if user.is_authenticated else "flat")
    lane = asked.get("lane", "")
    if view not in VIEWS or lane not in ("", *Lane.values):
        raise Http404
    size = per_page(user)
    pages = max(ceil(thread.numbered / size), 1)
    number = page_or_404(request, pages)
    start = "1"
    if lane and view == "flat":
        number, pages, start = 1, 1, asked.get("from", "1")
        if not start.isdecimal() or len(start) > 9:
            raise Http404
    fold, opened = asked.get("fold", "").split("."), asked.get("open", "")
    return Wanted(
        view=view,
        number=number,
        pages=pages,
        size=size,
        lane=lane,
        start=int(start),
        folded=[int(pk) for pk in fold if _is_id(pk)][:MAX_FOLDED],
        opened=int(opened) if _is_id(opened) else None,
    )


def _count_as_read(
    user: User, page: ThreadPage, seen: read_state.Seen
) -> Callable[[], None] | None:
    """Count as read what stands on a page. Gives what is left to be done after the answer: SQLite
    lets one write at a time, and who only reads does not stand in that line."""
    with _as_far_as_it_writes():
        notices.mark_opened(
            user=user, thread=page.thread, posts=page.shown, placeholders=page.placeholders
        )
    if not page.fresh:
        return None
    mark_read = partial(_mark_read, user, page, seen)
    if connection.vendor == "sqlite":
        return mark_read
    mark_read()
    return None


def _mark_read(user: User, page: ThreadPage, seen: read_state.Seen) -> None:
    with _as_far_as_it_writes():
        read_state.mark_read(
            user=user,
            thread=page.thread,
            numbers=[(number, number) for number in page.fresh],
            known=seen.ranges,
        )


@contextmanager
def _as_far_as_it_writes() -> Iterator[None]:
    """A full disk, or a server to read from only, keeps nobody from reading: what is new stays
    new."""
    try:
        yield
    except database_errors() as error:
        if not did_not_answer(error) and not takes_no_writes(error):
            raise
        log.warning("not marked as read", exc_info=error)


def _reply_form(request: HttpRequest, page: ThreadPage) -> SafeString | None:
    """The form of an answer to the debate, where it is offered. To readers who see the same it is
    the same, but for its tokens and for what each chose in the last one, if the page shows it."""
    user, thread = request.user, page.thread
    if not page.is_last or page.wanted.lane or "reply" not in page.verbs:
        return None
    assert user.is_authenticated  # or nobody would be offered it
    target = reply_address(thread, None)
    lane, stance = _chosen_last(user, page) or (arguments.default_lane(thread, None), "")

    def render_form() -> str:
        form = ReplyForm(
            thread=thread,
            asked=asked_in(user, thread),
            initial={"token": TOKENS[1], "lane": lane, "stance": stance},
        )
        context = {"form": form, "thread": thread, "target": target, "member": user}
        nothing = {"parent": None, "draft": None, "preview": "", "added": "", "back": ""}
        return fragment_renderer("threads/_reply.html")(
            {**context, **nothing, "csrf_input": TOKENS[0]}
        )

    key = ("reply form", thread.pk, thread.version, thread.site_version, user.is_new, lane, stance)
    html = (fragments.get(key) or fragments.put(key, render_form)) if page.common else render_form()
    for mark, token in zip(TOKENS, (csrf_input(request), uuid4()), strict=True):
        html = html.replace(mark, str(token))
    return mark_safe(html)


def _chosen_last(user, page: ThreadPage) -> tuple[str, str] | None:
    """Lane and stance of the last answer by `user` to the opening that stands on the page."""
    mine = [entry.post for entry in page.all_entries if entry.post.author_id == user.pk]
    answers = [one for one in mine if not one.parent_id and one.parent_basis == Post.Basis.REPLY]
    last = max(answers, key=lambda post: post.pk, default=None)
    return (last.lane, last.stance) if last else None


def _is_id(text: str) -> bool:
    return text.isdecimal() and len(text) < 19


@require_POST
def fold(request: HttpRequest, thread_id) -> HttpResponse:
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


def new(request: HttpRequest, thread_id) -> HttpResponse:
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


# --- /threads/<id>/rename/ and close/ ---------------------------------------------------------


class RenameForm(forms.Form):
    title = forms.CharField(
        max_length=acts.MAX_TITLE, error_messages={"required": "Give the debate a title."}
    )
    reason = forms.CharField(max_length=300, required=False)
    base = BaseField()


def rename(request: HttpRequest, thread_id) -> HttpResponse:
    """Give a debate another title."""
    thread = thread_or_404(request.user, thread_id)
    require(request.user, "rename", thread)
    title = thread.title
    form, status = RenameForm(initial={"title": title, "base": base_of([title])}), 200
    if request.method == "POST":
        form = RenameForm(without_erased(request.POST, [title], ["title", "reason"]))
        status = 422
    if form.is_valid():
        try:
            return redirect(acts.rename(user=request.user, thread=thread, **form.cleaned_data))
        except ChangedMeanwhile as problem:
            form, status = conflict(form, problem, ["title", "reason"]), problem.status
        except Problem as problem:
            problems.show(form, problem, typed="title")
    return render(
        request,
        "threads/rename.html",
        {"form": form, "thread": thread},
        status=status,
    )


def close(request: HttpRequest, thread_id) -> HttpResponse:
    """Close one's own debate to answers, or open it again: a page that asks, a form that does."""
    thread = thread_or_404(request.user, thread_id)
    require(request.user, "close", thread)
    if request.method == "POST" and (wanted := request.POST.get("do")) in ("close", "open"):
        return redirect(acts.close(user=request.user, thread=thread, closed=wanted == "close"))
    return render(request, "threads/close.html", {"thread": thread})
