"""Acts of moderation, from the post or debate itself: which act, what it will do, and why.

`/posts/<id>/moderate/` and `/threads/<id>/moderate/` offer what may be done; with `?act=` they say
what one act will do and take the reason. Everything works without script.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from core.counting import counted
from core.problems import Problem
from forum import rendering
from forum.actions import description
from forum.moderation import erasing, moving, undoing

from ..acts import Gravity
from ..models import AuditEntry, Page, Post, Quote, State, Thread
from ..permissions import may, require
from . import problems
from .acts_offered import (
    ERASE,
    POST_OFFERS,
    THREAD_OFFERS,
    BoardForm,
    Offer,
    ReasonForm,
    TargetForm,
)
from .fetch import post_or_404, thread_or_404
from .posts import where

LATEST = 10  # entries of the log beside the acts on a debate


# --- /posts/<id>/moderate/ and /threads/<id>/moderate/ ----------------------------------------


def moderate_post(request: HttpRequest, post_id) -> HttpResponse:
    """What may be done to a post, or one act on it."""
    post = post_or_404(request.user, post_id, verb="moderate")
    offers: tuple[Offer, ...] = POST_OFFERS
    if may(request.user, "erase", post):
        offers += (ERASE,)
    context = {
        "post": post,
        "entry": rendering.render_post(post, user=request.user),
        "thread": post.thread,
        "waiting": (),
        "back": post.get_absolute_url(),
        "log": _latest(request.user, post.thread, post),
        "warn_at": _warn_at(request.user, post),
    }
    return _page(request, post, offers, context)


def _warn_at(user, post: Post) -> str:
    """Where the writer of a post is warned for it; "" where `user` may not."""
    if post.author is None or not may(user, "warn", post.author):
        return ""
    page = reverse("admin:forum_member_change", args=[post.author_id])
    return f"{page}?post={post.pk}#warn"


def moderate_thread(request: HttpRequest, thread_id) -> HttpResponse:
    """What may be done to a debate, or one act on it."""
    thread = thread_or_404(request.user, thread_id)
    require(request.user, "moderate", thread)
    waiting = Post.objects.filter(thread=thread, state=State.PENDING).order_by("pk")
    context = {
        "thread": thread,
        "post": None,
        "back": thread.get_absolute_url(),
        "waiting": waiting.select_related("author")[:50],
        "warn_at": "",
        "log": _latest(request.user, thread),
    }
    return _page(request, thread, THREAD_OFFERS, context)


def _page(
    request: HttpRequest, thing: Post | Thread, offers: Sequence[Offer], context: dict
) -> HttpResponse:
    """All that may be done, or one act: `?act=` names it."""
    name = request.GET.get("act", "")
    if not name:
        acts = {offer.act.name: _shown(offer, thing) for offer in offers if offer.offered(thing)}
        return render(request, "acts/acts.html", {**context, "acts": acts})
    offer = next((offer for offer in offers if offer.act.name == name), None)
    if offer is None:
        raise Http404
    status = 200
    options: dict[str, Any] = (
        {"user": request.user} if issubclass(offer.form, BoardForm | TargetForm) else {}
    )
    form = offer.form(request.POST if request.method == "POST" else None, auto_id="%s", **options)
    if request.method == "POST" and form.is_valid() and not _asks_again(offer, form, thing):
        try:
            done = offer.do(request.user, thing, form.cleaned_data)
        except Problem as problem:
            problems.show(form, problem)
        else:
            messages.success(request, f"{offer.act.label}: done, and written to the log.")
            return redirect(_after(request.user, thing, done))
    if form.is_bound and form.errors:
        status = 422
    shown = {
        "name": name,
        "act": _shown(offer, thing),
        "form": form,
        "changes": _changes(offer.act.verb, thing),
        "reasons": Page.reasons,
    }
    return render(request, "acts/act.html", {**context, **shown}, status=status)


def _shown(offer: Offer, thing: Post | Thread) -> dict:
    """What the page says of an act."""
    kind = "post" if isinstance(thing, Post) else "thread"
    return {
        "label": offer.act.label,
        "says": offer.act.effect[kind],
        "grave": offer.act.gravity == Gravity.FINAL,
    }


def _asks_again(offer: Offer, form: forms.Form, thing: Post | Thread) -> bool:
    """Whether words are not erased yet: the page says first in how many texts they stand, and
    wants that confirmed."""
    if offer is not ERASE or not isinstance(thing, Post):
        return False
    try:
        texts = erasing.find(thing, form.cleaned_data["words"]).texts
    except Problem as problem:
        problems.show(form, problem, typed="words")
        return True
    if form.cleaned_data["sure"] and form.cleaned_data["texts"] == texts:
        return False
    form.data = {name: form.data[name] for name in form.data} | {"texts": texts}
    form.add_error(
        "sure", f"Texts in which they stand: {texts:,}. Confirm that all of them are meant."
    )
    return True


def _after(user, thing: Post | Thread, done) -> str:
    """Where to go when it is done: to what became of it."""
    if isinstance(done, Thread):
        return done.get_absolute_url()
    if isinstance(thing, Post):
        post = Post.objects.select_related("thread").get(pk=thing.pk)
        return f"/posts/{post.pk}/moderate/" if post.number is None else where(user, post)
    return thing.get_absolute_url()


def _changes(verb: str, thing: Post | Thread) -> Sequence[str]:
    """What exactly an act that moves posts will move, in sentences."""
    if isinstance(thing, Post):
        moves = verb in ("split", "move branch")
        return _of_posts(moving.branch(thing), thing.thread) if moves else []
    if verb in ("merge", "merge duplicates"):
        ids = list(thing.posts.values_list("pk", flat=True))
        return [*_of_posts(ids, thing), *_not_shown(verb, thing)]
    if verb == "move":
        quoted = Quote.objects.filter(source_post__thread=thing).exclude(post__thread=thing)
        found = [f"{counted(thing.numbered, 'post goes,posts go')} along."]
        if elsewhere := quoted.count():
            keep = "quote elsewhere keeps its words,quotes elsewhere keep their words"
            found.append(
                f"{counted(elsewhere, keep)}; who may not see the new board reads them without "
                "name and link."
            )
        return found
    return ()


def _of_posts(ids: Sequence[int], thread: Thread) -> list[str]:
    found = [f"{counted(len(ids), 'post goes,posts go')} along."]
    posts = Post.objects.filter(thread=thread)
    waiting = posts.filter(state=State.PENDING, parent__pk__among=ids).count()
    if waiting:
        found.append(f"{waiting:,} that wait for approval go with what they answer.")
    writers = posts.filter(pk__among=ids, author__isnull=False).values("author").distinct().count()
    if writers:
        found.append(f"{counted(writers, 'member is,members are')} told.")
    found.append(
        "Links to the posts, quotes, what was read and drafts stay right; numbers are given anew."
    )
    return found


def _not_shown(verb: str, thread: Thread) -> list[str]:
    """What of a debate is kept, but not shown beside the one that takes it in."""
    found = []
    if thread.own_answer:
        found.append("Its own answer is kept with it, but not shown beside the other debate's.")
    if thread.card:
        found.append(
            f"Its divergences and questions go along as far as there is room: "
            f"{description.MAX_DIVERGENCES} and {description.MAX_QUESTIONS} stand beside a debate. "
            "The rest is kept with it."
        )
    if verb == "merge duplicates":
        found.append(
            "Of a post that is there twice, stances, answers and part in the story are those of "
            "the one that stays; those of the double are kept with it."
        )
    if found:
        found.append("What is kept so comes back when the merge is undone; the log tells of it.")
    return found


def _latest(
    user, thread: Thread, post: Post | None = None
) -> list[tuple[AuditEntry, datetime | None, bool]]:
    """The newest entries about a debate, the one too that made it or moved posts into it, or about
    one of its posts; and of each when it was taken back and whether `user` may take it back."""
    rows = AuditEntry.objects.filter(Q(thread=thread) | Q(other_thread=thread.pk))
    if post is not None:
        rows = AuditEntry.objects.filter(post=post)
    entries = rows.for_undo().select_related("actor").order_by("-pk").in_short(LATEST)
    return [(entry, _taken_back(entry), undoing.may_undo(user, entry)) for entry in entries]


def _taken_back(entry: AuditEntry) -> datetime | None:
    return entry.undone_by.created_at if hasattr(entry, "undone_by") else None


# --- /log/<id>/undo/ --------------------------------------------------------------------------


def undo(request: HttpRequest, entry_id) -> HttpResponse:
    """Take an act back: a page that asks, a form that does."""
    entry = (
        AuditEntry.objects.for_undo()
        .select_related("actor")
        .filter(pk=entry_id, thread__isnull=False)
        .first()
    )
    if entry is None:
        raise Http404
    require(request.user, "moderate", entry.thread)
    form = ReasonForm(request.POST if request.method == "POST" else None, auto_id="%s")
    if request.method == "POST" and form.is_valid():
        try:
            undoing.undo(user=request.user, entry=entry, reason=form.cleaned_data["reason"])
        except Problem as problem:
            problems.show(form, problem)
        else:
            messages.success(request, "Taken back, and written to the log.")
            return redirect(f"/threads/{entry.thread_id}/moderate/")
    return render(
        request,
        "acts/undo.html",
        {
            "entry": entry,
            "thread": entry.thread,
            "form": form,
            "possible": undoing.may_undo(request.user, entry),
            "reasons": Page.reasons,
        },
        status=422 if form.errors else 200,
    )
