"""Choosing posts of a debate for one of their own: boxes to tick in its tree, page by page."""

from dataclasses import dataclass
from math import ceil

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.problems import Problem
from forum.moderation import moving
from forum.text.markup import words_without_spoilers

from .. import tree
from ..models import Page, Post
from ..permissions import require
from . import problems
from .acts_offered import TitleForm
from .fetch import thread_or_404

PER_PAGE = 100
EXCERPT = 100  # characters of each post
MOST = 20_000  # ids that the form carries


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A post with the box to tick."""

    post: Post
    position: tree.Position
    chosen: bool
    excerpt: str


def split(request: HttpRequest, thread_id) -> HttpResponse:
    """Tick posts, alone or with all that hangs below them; then give the new debate a title. What
    was ticked on one page is carried along to the next."""
    thread = thread_or_404(request.user, thread_id)
    require(request.user, "moderate", thread)
    pages = max(ceil(thread.numbered / PER_PAGE), 1)
    chosen, page, form = _chosen(request, thread), 1, TitleForm(auto_id="%s")
    wanted = request.POST.get("page", "")
    if wanted.isdecimal() and len(wanted) < 7:
        page = min(max(int(wanted), 1), pages)
    if request.POST.get("do") == "split":
        form = TitleForm(request.POST, auto_id="%s")
        if form.is_valid():
            try:
                new = moving.split(
                    user=request.user, thread=thread, chosen=chosen, **form.cleaned_data
                )
            except Problem as problem:
                problems.show(form, problem)
            else:
                messages.success(request, "Split off, and written to the log.")
                return redirect(new)
    elif request.method == "POST":
        form = TitleForm(
            initial={name: request.POST.get(name, "") for name in ("title", "reason")},
            auto_id="%s",
        )
    cut = tree.page(thread, page, PER_PAGE)
    posts = Post.objects.select_related("author", "body").in_bulk(cut.ids)
    rows = [
        Row(
            post=posts[pk],
            position=cut.positions[pk],
            chosen=pk in chosen,
            excerpt=words_without_spoilers(posts[pk].body.html, EXCERPT),
        )
        for pk in cut.ids
    ]
    return render(
        request,
        "acts/split.html",
        {
            "thread": thread,
            "form": form,
            "rows": rows,
            "chosen": ".".join(map(str, sorted(chosen))),
            "count": len(chosen),
            "reasons": Page.reasons,
            "here": ".".join(map(str, cut.ids)),
            "page": page,
            "pages": pages,
            "back": f"/threads/{thread.pk}/moderate/",
        },
        status=422 if form.is_bound and form.errors else 200,
    )


def _chosen(request: HttpRequest, thread) -> set[int]:
    """The ids of all that was ticked: carried along, on this page, and below those ticked with
    their branches."""
    before = _ids(request.POST.get("chosen", "").split("."))
    here = _ids(request.POST.get("here", "").split("."))
    found = (before - here) | _ids(request.POST.getlist("post"))
    tops = Post.objects.filter(thread=thread, pk__in=_ids(request.POST.getlist("branch")))
    for top in tops.exclude(number=None):
        found |= set(moving.branch(top))
    return found


def _ids(texts) -> set[int]:
    return {int(text) for text in texts[:MOST] if text.isdecimal() and len(text) < 19}
