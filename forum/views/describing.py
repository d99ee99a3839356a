"""Saying anew what a debate is about, after it was opened."""

import re

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.opened_texts import ChangedMeanwhile, base_of
from forum.actions import composing, description
from forum.actions.divergences import spot_to_type
from forum.text.history_dates import spoken
from forum.text.questions import open_questions

from ..models import Post, Thread
from ..permissions import may, require
from .fetch import thread_or_404
from .opened_forms import without_erased
from .opening_forms import MISTAKEN, DivergenceForm

DivergenceForms = forms.formset_factory(
    DivergenceForm,
    max_num=description.MAX_DIVERGENCES,
    absolute_max=description.MAX_DIVERGENCES,
    validate_max=True,
)

WORDS = re.compile(r"form-\d{1,2}-(?:change|place|actor)|own_answer|reason")


def describe(request: HttpRequest, thread_id) -> HttpResponse:
    """Say where a debate leaves history and which of its questions stand beside it."""
    thread = thread_or_404(request.user, thread_id)
    require(request.user, "describe", thread)
    kept = [one["text"] for one in thread.card.get("questions", ())]
    known = list(dict.fromkeys([*kept, *_proposed(request.user, thread)]))
    ticked = request.POST.getlist("question") if request.method == "POST" else kept
    stored, errors, meanwhile = description.stored_texts(thread), [], None
    sent = without_erased(request.POST, stored, filter(WORDS.fullmatch, request.POST))
    base = sent.get("base", base_of(stored))
    own = thread.author_id == request.user.pk
    if request.method == "POST":
        # Without `initial`: a row sent a second time differs from what stands there by nothing,
        # and an unchanged row would count as an empty one.
        rows = DivergenceForms(sent, error_messages=MISTAKEN)
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
                        policy=sent.get("policy"),
                        own_answer=sent.get("own_answer"),
                        base=base,
                        reason=_one_line(sent.get("reason", "")),
                    )
                )
            except ChangedMeanwhile as problem:
                meanwhile = Thread.objects.get(pk=thread.pk)
                sent = without_erased(sent, problem.stored, filter(WORDS.fullmatch, sent))
                base = base_of(problem.stored)
                rows = DivergenceForms(sent, error_messages=MISTAKEN)
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
                    "spot": spot_to_type(one),
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
            "policy": sent.get("policy", thread.policy),
            "own_answer": sent.get("own_answer", thread.own_answer),
            "reason": sent.get("reason", ""),
            "questions": [(text, text in ticked) for text in known],
        },
        status=409 if meanwhile else 422 if rows.is_bound else 200,
    )


def _proposed(user, thread: Thread) -> tuple[str, ...]:
    """The questions in the opening of a debate, unless its words are hidden from `user`."""
    opening = Post.objects.select_related("body__revision").opening_of(thread.pk).get()
    opening.thread = thread
    if not may(user, "see post", opening):
        return ()
    revision = opening.body.revision
    return open_questions(opening.body.html, plain=revision.plain, passages=revision.passages)


def _one_line(text: str) -> str:
    """A reason as the log takes it."""
    return " ".join(text.replace("\0", "").split())[:300]
