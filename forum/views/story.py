"""The story of a debate: marking its posts, and reading only those."""

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.opened_texts import BaseField, ChangedMeanwhile, base_of
from core.problems import Problem
from forum import rendering
from forum.rendering import glossary

from ..actions import threadmarks
from ..models import Post, Threadmark
from ..permissions import require
from . import problems
from .fetch import post_or_404, thread_or_404
from .opened_forms import conflict, without_erased

NEAR = 40  # marks listed before and after the one that is read
WORDS_A_MINUTE = 230


# --- /threads/<id>/read/ ----------------------------------------------------------------------


def read(request: HttpRequest, thread_id) -> HttpResponse:
    """One marked post, with the one before and the one after it; `?show=` chooses categories."""
    thread = thread_or_404(request.user, thread_id)
    marks = list(Threadmark.objects.story_of(thread.pk))
    known = [
        value for value in Threadmark.Category.values if any(m.category == value for m in marks)
    ]
    shown = [value for value in known if value in request.GET.getlist("show")] or known
    chosen = [mark for mark in marks if mark.category in shown]
    context = {
        "thread": thread,
        "query": "".join(f"&show={value}" for value in shown) if shown != known else "",
        "categories": [
            (value, label, value in shown, sum(mark.category == value for mark in marks))
            for value, label in Threadmark.Category.choices
            if value in known
        ],
    }
    if not chosen:
        return render(request, "threads/read.html", {**context, "mark": None})
    at = _at(chosen, request.GET.get("post"))
    post = (
        Post.objects.for_reading()
        .select_related("author", "body__revision")
        .get(pk=chosen[at].post_id)
    )
    post.thread = thread
    terms = glossary.for_reader(request.user, thread.site_version)
    words = len(post.body.revision.plain.split())
    near = list(enumerate(chosen, 1))[max(at - NEAR, 0) : at + NEAR + 1]
    return render(
        request,
        "threads/read.html",
        {
            **context,
            "mark": chosen[at],
            "post": post,
            "entry": rendering.render_post(post, user=request.user, terms=terms),
            "at": at + 1,
            "length": len(chosen),
            "before": chosen[at - 1] if at else None,
            "after": chosen[at + 1] if at + 1 < len(chosen) else None,
            "words": words,
            "minutes": max(round(words / WORDS_A_MINUTE), 1),
            "near": near,
            "left_out": len(chosen) - len(near),
        },
    )


def _at(marks: list[Threadmark], wanted: str | None) -> int:
    """Where the mark of the post asked for stands; the first if none is asked for. A post whose
    category is left out leads to the next one that is not."""
    if wanted is None:
        return 0
    if not wanted.isdecimal() or len(wanted) > 18:
        raise Http404
    for at, mark in enumerate(marks):
        if mark.post_id == int(wanted):
            return at
    number = Post.objects.filter(pk=int(wanted), thread=marks[0].thread_id).values_list("number")
    if not (found := number.first()) or found[0] is None:
        raise Http404
    return next((at for at, mark in enumerate(marks) if mark.number > found[0]), len(marks) - 1)


# --- /posts/<id>/mark/ ------------------------------------------------------------------------


class MarkForm(forms.Form):
    """The label and category of a mark."""

    label = forms.CharField(required=False)
    category = forms.CharField(required=False)
    base = BaseField()


def mark(request: HttpRequest, post_id) -> HttpResponse:
    """Mark a post as part of the story, change its mark, or take it away."""
    post = post_or_404(request.user, post_id)
    require(request.user, "mark", post)
    before, status = Threadmark.objects.filter(post=post).first(), 200
    stored = threadmarks.stored_texts(before)
    if request.method == "POST":
        form, status = MarkForm(without_erased(request.POST, stored, ["label"])), 422
        try:
            if request.POST.get("do") == "unmark":
                threadmarks.unmark(user=request.user, post=post)
            elif form.is_valid():
                threadmarks.mark(user=request.user, post=post, **form.cleaned_data)
            if not form.errors:
                return redirect(post)
        except ChangedMeanwhile as problem:
            form, status = conflict(form, problem, ["label"]), problem.status
        except Problem as problem:
            problems.show(form, problem, typed="label")
    else:
        initial: dict[str, str] = {"category": Threadmark.Category.STORY}
        if before:
            initial = {"label": before.label, "category": before.category}
        form = MarkForm(initial={**initial, "base": base_of(stored)})
    return render(
        request,
        "posts/mark.html",
        {
            "post": post,
            "entry": rendering.render_post(post, user=request.user),
            "form": form,
            "marked": before,
            "categories": Threadmark.Category.choices,
            "longest": threadmarks.MAX_LABEL,
        },
        status=status,
    )
