"""Saying anew what a debate is about, after it was opened."""

from django import forms
from django.http import HttpRequest
from django.shortcuts import redirect, render

from forum.actions import composing, description
from forum.text.history_dates import spoken
from forum.text.questions import questions_in

from ..models import Post, Thread
from ..permissions import may, require
from .fetch import thread_or_404
from .openings import MISTAKEN, DivergenceForm

DivergenceForms = forms.formset_factory(
    DivergenceForm,
    max_num=description.MAX_DIVERGENCES,
    absolute_max=description.MAX_DIVERGENCES,
    validate_max=True,
)


def describe(request: HttpRequest, thread_id):
    """Say where a debate leaves history and which of its questions stand beside it."""
    thread = thread_or_404(request.user, thread_id)
    require(request.user, "describe", thread)
    kept = [one["text"] for one in thread.card.get("questions", ())]
    known = list(dict.fromkeys([*kept, *_proposed(request.user, thread)]))
    ticked = request.POST.getlist("question") if request.method == "POST" else kept
    errors, meanwhile, base = [], None, thread.descriptions
    own = thread.author_id == request.user.pk
    if request.method == "POST":
        # Without `initial`: a row sent a second time differs from what stands there by nothing,
        # and an unchanged row would count as an empty one.
        rows = DivergenceForms(request.POST, error_messages=MISTAKEN)
        said = request.POST.get("base", "")
        base = int(said) if said.isdecimal() and len(said) < 9 else base
        if rows.is_valid():
            divergences = [
                row.cleaned_data["divergence"] for row in rows if row.cleaned_data.get("divergence")
            ]
            try:
                return redirect(
                    description.describe(
                        user=request.user,
                        thread=thread,
                        divergences=divergences,
                        questions=[text for text in known if text in ticked],
                        policy=request.POST.get("policy"),
                        own_answer=request.POST.get("own_answer"),
                        base=base,
                        reason=_one_line(request.POST.get("reason", "")),
                    )
                )
            except description.DescribedMeanwhile as problem:
                meanwhile, base = problem.thread, problem.thread.descriptions
            except composing.Unacceptable as problem:
                errors.append(problem.sentence)
        errors += map(str, rows.non_form_errors())
    else:
        rows = DivergenceForms(
            initial=[
                {
                    "change": one["change"],
                    "when": spoken(one["edtf"]),
                    "place": one["place"],
                    "actor": one["actor"],
                }
                for one in thread.card.get("divergences", ())
            ]
        )
    return render(
        request,
        "threads/describe.html",
        {
            "thread": thread,
            "rows": rows,
            "errors": errors,
            "own": own,
            "base": base,
            "meanwhile": meanwhile,
            "policy": request.POST.get("policy", thread.policy),
            "own_answer": request.POST.get("own_answer", thread.own_answer),
            "reason": request.POST.get("reason", ""),
            "questions": [(text, text in ticked) for text in known],
        },
        status=409 if meanwhile else 422 if rows.is_bound else 200,
    )


def _proposed(user, thread: Thread) -> tuple[str, ...]:
    """The questions in the opening of a debate, unless its words are hidden from `user`."""
    opening = Post.objects.select_related("body__revision").opening_of(thread.pk).get()
    opening.thread = thread
    return questions_in(opening.body.revision.plain) if may(user, "see post", opening) else ()


def _one_line(text: str) -> str:
    """A reason as the log takes it."""
    return " ".join(text.replace("\0", "").split())[:300]
