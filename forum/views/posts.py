"""Single posts: permalink, edit, release, withdraw."""

from functools import partial
from urllib.parse import urlencode
from uuid import uuid4

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from core.problems import Problem
from core.spellings import BLACK, blackened_as
from forum import rendering, tree
from forum.actions import drafts, read_state
from forum.text import quoting

from ..actions import posts as acts
from ..models import Draft, Lane, Post, PostRevision, State, Thread
from ..permissions import require
from .fetch import place_or_404, post_or_404
from .writing import (
    keep_draft,
    kept_in,
    posted,
    previewed,
    write_page,
)

PER_PAGE = 20  # posts on a page, for visitors


# --- /posts/<id>/ -----------------------------------------------------------------------------


def post(request: HttpRequest, post_id) -> HttpResponse:
    """The permalink: to the page of the debate where the post stands, and to its element."""
    found = place_or_404(request.user, post_id)
    if found.state == State.REJECTED:
        return redirect("history", found.pk)  # it stands nowhere; there its text is
    passage = request.GET.get("p", "")
    place = int(passage) if passage.isdecimal() and len(passage) < 6 else 0
    view = request.GET.get("view", "")
    if view not in ("", "flat", "tree"):
        raise Http404
    return redirect(where(request.user, found, passage=place, view=view))


def per_page(user) -> int:
    """How many posts a page holds for this reader."""
    return user.posts_per_page if user.is_authenticated else PER_PAGE


def where(user, post: Post, *, passage: int = 0, view: str = "") -> str:
    """The address of a post (or passage) on its page, in the reader's page size and in `view`
    ("flat" or "tree"; the reader's own if not given)."""
    size = per_page(user)
    usual = user.view if user.is_authenticated else "flat"
    view = view or usual
    if post.number is None:
        page = max(-(-post.thread.numbered // size), 1)
    elif view == "tree":
        page = tree.page_of(post, size)
    else:
        page = (post.number - 1) // size + 1
    query = {"view": view} if view != usual else {}
    if page > 1:
        query["page"] = page
    folded = post.thread.policy == Thread.Policy.GRANTED and post.lane == Lane.PREMISE
    if folded or (view == "tree" and user.is_authenticated and read_state.folds_over(user, post)):
        query["open"] = post.pk  # else it would lead to nothing
    place = f"-{passage}" if passage else ""
    asked = f"?{urlencode(query)}" if query else ""
    return f"{post.thread.get_absolute_url()}{asked}#post-{post.pk}{place}"


# --- /posts/<id>/edit/ ------------------------------------------------------------------------


class EditForm(forms.Form):
    """A new text; `base` tells which one the form was opened with (`posts.base_of`)."""

    text = forms.CharField(
        strip=False, widget=forms.Textarea, error_messages={"required": "Write your text."}
    )
    reason = forms.CharField(max_length=300, required=False)
    base = forms.CharField(max_length=40, widget=forms.HiddenInput)
    token = forms.UUIDField(required=False, initial=uuid4, widget=forms.HiddenInput)


def edit(request: HttpRequest, post_id: int) -> HttpResponse:
    """Change one's own post. If it was saved elsewhere meanwhile, both texts are shown."""
    post = post_or_404(request.user, post_id)
    require(request.user, "edit", post)
    if request.method != "POST":
        return _edit_opened(request, post)
    form = EditForm(_as_erased(request, post.body.revision))
    label = drafts.label_for(post.thread, post, edit=True)
    seen = {"board": post.thread.board, "thread": post.thread, "earlier": post.body.revision}

    def save(data: dict) -> HttpResponse:
        acts.edit(
            user=request.user,
            post=post,
            source=data["text"],
            reason=data["reason"],
            base=data["base"],
        )
        drafts.discard(user=request.user, token=data["token"])
        return posted(request, data["token"], where(request.user, post))

    return write_page(
        request,
        form,
        draft=lambda: keep_draft(request, target=f"/posts/{post.pk}/edit/", label=label),
        preview=lambda data: previewed(
            request, data["text"], parent=acts.answered_by(post), **seen
        ),
        post=save,
        page=partial(_edit_page, request, form, post),
    )


def _edit_opened(request: HttpRequest, post: Post) -> HttpResponse:
    """The form with the text as it is, or the draft that waits for it."""
    draft = drafts.newest(request.user, f"/posts/{post.pk}/edit/")
    revision = post.body.revision
    form = EditForm(
        initial={
            # The revision that the draft was begun with: if another one was saved since, that
            # is said before it is overwritten.
            "base": acts.base_of(revision),
            **kept_in(draft).dict(),
            "text": draft.text if draft else revision.source,
            "token": uuid4(),
        }
    )
    return _edit_page(request, form, post, draft=draft)


def _edit_page(
    request: HttpRequest,
    form: EditForm,
    post: Post,
    *,
    draft: Draft | None = None,
    preview: str | None = None,
    problem: Problem | None = None,
    status: int = 200,
) -> HttpResponse:
    """The form; with both texts, where another was saved meanwhile."""
    conflict = None
    if isinstance(problem, acts.EditedMeanwhile):
        sent = _as_erased(request, problem.current)
        conflict = {
            "revision": problem.current,
            "difference": quoting.difference(sent["text"], problem.current.source),
            "erased": BLACK in problem.current.source,
        }
        form = EditForm({**sent, "base": acts.base_of(problem.current)})
    context = {
        "form": form,
        "post": post,
        "as_it_is": rendering.render_post(post, user=request.user),
        "preview": preview,
        "conflict": conflict,
        "draft": draft,
        "target": f"/posts/{post.pk}/edit/",
    }
    return render(request, "posts/edit.html", context, status=status)


def _as_erased(request: HttpRequest, current: PostRevision) -> dict[str, str]:
    """What the form sent, without the words that were erased from the post since it was opened."""
    sent = request.POST.dict()
    if not acts.opened_with(sent.get("base", ""), current):
        sent["text"] = blackened_as(sent.get("text", ""), current.source)
    return sent


# --- /posts/<id>/release/ ---------------------------------------------------------------------


@require_POST
def release(request: HttpRequest, post_id) -> HttpResponse:
    """Let one's own reply appear that slow mode held."""
    done = acts.release(user=request.user, post=post_or_404(request.user, post_id))
    read_state.mark_read(
        user=request.user, thread=done.thread, numbers=[(done.number or 0, done.number or 0)]
    )
    return redirect(where(request.user, done))


# --- /posts/<id>/withdraw/ --------------------------------------------------------------------


class WithdrawForm(forms.Form):
    reason = forms.CharField(max_length=300, required=False)


def withdraw(request: HttpRequest, post_id) -> HttpResponse:
    """Take one's own post back: a page that asks, a form that does."""
    post = post_or_404(request.user, post_id)
    require(request.user, "withdraw", post)
    form = WithdrawForm(request.POST) if request.method == "POST" else WithdrawForm()
    if form.is_valid():
        done = acts.withdraw(user=request.user, post=post, reason=form.cleaned_data["reason"])
        return redirect(where(request.user, done))
    entry = rendering.render_post(post, user=request.user)
    return render(
        request,
        "posts/withdraw.html",
        {"post": post, "entry": entry, "form": form},
        status=422 if form.errors else 200,
    )
