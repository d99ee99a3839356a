"""What a reply is to the debate, said afterwards: its lane, stances and answers; and whose mind it
changed."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.opened_texts import BaseField, ChangedMeanwhile, base_of
from core.problems import Problem
from forum import rendering
from forum.text import markup

from ..actions import arguments as acts
from ..actions import notices
from ..models import Answer, ChangeOfMind, Quote
from ..permissions import may, require
from . import problems
from .fetch import post_or_404
from .opened_forms import conflict, without_erased
from .posts import where
from .writing import ArgumentForm, asked_in, quote_key

MOST_MINDS = 100  # shown on one page, the newest first; a debate in which more changed is a wonder


# --- /posts/<id>/argument/ ----------------------------------------------------------------------


class PlaceForm(ArgumentForm):
    """Lane, stances and answers, as in the form of a reply; and why somebody else changes them."""

    reason = forms.CharField(max_length=300, required=False)


def argument(request: HttpRequest, post_id) -> HttpResponse:
    """Change the lane of a reply, its stances and the questions that it answers."""
    post = post_or_404(request.user, post_id)
    require(request.user, "argue", post)
    own = may(request.user, "take stance", post)
    quotes = list(Quote.objects.filter(revision=post.body.revision_id).order_by("ordinal"))
    keys = {row.ordinal: f"quote-{quote_key(row.words)}" for row in quotes}
    words = rendering.quoted_words(post.body.html)
    shown = {quote_key(row.words): words.get(row.ordinal, "") for row in quotes}
    several = shown if own and len(quotes) > 1 else {}
    fields = {
        "thread": post.thread,
        "asked": asked_in(request.user, post.thread),
        "quotes": list(several.items()),
    }
    if request.method == "POST":
        form = PlaceForm(request.POST, **fields)
        if form.is_valid():
            data = form.cleaned_data
            try:
                done = acts.argue(
                    user=request.user,
                    post=post,
                    lane=data["lane"],
                    stance=data["stance"] if own else post.stance,
                    quotes={n: data[key] for n, key in keys.items() if key in data},
                    ties=form.ties(),
                    reason=" ".join(data["reason"].split()),
                )
                return redirect(where(request.user, done))
            except Problem as problem:
                problems.show(form, problem)
    else:
        initial: dict[str, object] = {"lane": post.lane, "stance": post.stance}
        initial |= {keys[row.ordinal]: row.stance for row in quotes}
        for row in Answer.objects.filter(post=post):
            initial[f"answer-{row.question_id}"] = row.verdict
            initial[f"passage-{row.question_id}"] = row.passage or None
        form = PlaceForm(initial=initial, **fields)
    revision = post.body.revision
    return render(
        request,
        "posts/argument.html",
        {
            "form": form,
            "post": post,
            "entry": rendering.render_post(post, user=request.user),
            "stance_fixed": not own,
            "theirs": post.author_id != request.user.pk,
            "passages": markup.passages_without_spoilers(
                post.body.html, plain=revision.plain, passages=revision.passages
            ),
        },
        status=422 if form.errors else 200,
    )


# --- /posts/<id>/minds/ -------------------------------------------------------------------------


class MindForm(forms.Form):
    """From which view of the debate's case to which, and why."""

    was = forms.ChoiceField(
        choices=ChangeOfMind.View.choices,
        error_messages={"required": "Say what you thought before."},
    )
    now = forms.ChoiceField(
        choices=ChangeOfMind.View.choices, error_messages={"required": "Say what you think now."}
    )
    reason = forms.CharField(
        max_length=acts.MAX_REASON,
        error_messages={"required": "Say in a sentence what changed your mind."},
    )
    base = BaseField()


def minds(request: HttpRequest, post_id) -> HttpResponse:
    """Whose minds a reply changed, from what to what and why; members add their own here."""
    post = post_or_404(request.user, post_id)
    offered = may(request.user, "change mind", post)
    mine, status = None, 200
    if request.user.is_authenticated:
        mine = ChangeOfMind.objects.filter(post=post, member=request.user).first()
    form, stored = None, acts.stored_texts(mine)
    if request.method == "POST":
        if request.POST.get("do") == "keep":
            require(request.user, "write")
            acts.keep_mind(user=request.user, post=post)
            return redirect("minds", post.pk)
        require(request.user, "change mind", post)
        form, status = MindForm(without_erased(request.POST, stored, ["reason"])), 422
        if form.is_valid():
            try:
                acts.change_mind(user=request.user, post=post, **form.cleaned_data)
                return redirect("minds", post.pk)
            except ChangedMeanwhile as problem:
                form, status = conflict(form, problem, ["reason"]), problem.status
            except Problem as problem:
                problems.show(form, problem)
    elif offered:
        stored_reason = {"was": mine.was, "now": mine.now, "reason": mine.reason} if mine else {}
        form = MindForm(initial={**stored_reason, "base": base_of(stored)})
    if request.user.is_authenticated and post.author_id == request.user.pk:
        notices.mark_opened(user=request.user, posts=[post.pk])
    changes = ChangeOfMind.objects.filter(post=post).select_related("member").order_by("-pk")
    return render(
        request,
        "posts/minds.html",
        {
            "post": post,
            "entry": rendering.render_post(post, user=request.user),
            "changes": changes[:MOST_MINDS],
            "more": max(post.minds_changed - MOST_MINDS, 0),
            "mine": mine,
            "form": form,
            "views": ChangeOfMind.View.choices,
        },
        status=status,
    )
