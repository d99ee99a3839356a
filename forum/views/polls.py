"""The poll of a post: voting in it, who chose what, and what its maker does with it."""

from dataclasses import replace

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.opened_texts import BaseField, ChangedMeanwhile, base_of
from core.problems import Problem
from forum import rendering

from ..actions import polls as acts
from ..models import Ballot, Poll
from ..permissions import require
from . import problems
from .fetch import post_or_404
from .opened_forms import conflict, without_erased
from .poll_fields import PollFields
from .posts import where

PER_PAGE = 100  # voters
TEXTS = ["poll_question", "poll_choices"]


# --- /posts/<id>/poll/ ------------------------------------------------------------------------


def poll(request: HttpRequest, post_id: int) -> HttpResponse:
    """The poll with its post; of an open one, to whom its results are shown, who chose what. A POST
    votes, changes one's vote or takes it back."""
    post = post_or_404(request.user, post_id)
    if not post.has_poll:
        raise Http404
    chosen, problem = [], None
    if request.method == "POST":
        chosen = _chosen(request)
        try:
            if request.POST.get("do") == "back":
                acts.take_back(user=request.user, post=post)
            else:
                acts.vote(user=request.user, post=post, chosen=chosen)
            return redirect(where(request.user, post))
        except acts.NoVote as refused:
            problem = refused
    entry = rendering.render_post(post, user=request.user)
    shown = entry.poll
    if shown is None:  # taken out a moment ago
        raise Http404
    if problem:  # what was ticked stays so
        ticked = [
            replace(choice, mine=place in chosen) for place, choice in enumerate(shown.choices)
        ]
        entry = replace(entry, poll=replace(shown, choices=ticked))
    ballots = _ballots(request, shown.poll) if shown.results and shown.poll.is_open else []
    context = {
        "post": post,
        "entry": entry,
        "problem": problem,
        "voters": [
            (ballot.member, [shown.poll.choices[place] for place in ballot.chosen])
            for ballot in ballots[:PER_PAGE]
        ],
        "before": ballots[PER_PAGE - 1].pk if len(ballots) > PER_PAGE else None,
    }
    return render(request, "posts/poll.html", context, status=problem.status if problem else 200)


def _chosen(request: HttpRequest) -> list[int]:
    """The places that were ticked; what is no number is a choice that is not there."""
    return [
        int(value) if value.isdecimal() and len(value) < 4 else -1
        for value in request.POST.getlist("choice")
    ]


def _ballots(request: HttpRequest, of: Poll) -> list[Ballot]:
    """The votes of an open poll, the newest first: those of a page, and one more if there are."""
    rows = Ballot.objects.filter(poll=of).select_related("member").order_by("-pk")
    before = request.GET.get("before", "")
    if before:
        if not before.isdecimal() or len(before) > 18:
            raise Http404
        rows = rows.filter(pk__lt=int(before))
    return list(rows[: PER_PAGE + 1])


# --- /posts/<id>/poll/change/ -----------------------------------------------------------------


class ChangeForm(PollFields):
    """The poll anew; `base` says with which words the form was opened."""

    base = BaseField()

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **{**kwargs, "auto_id": "%s"})


def change(request: HttpRequest, post_id: int) -> HttpResponse:
    """What its maker does with a poll: asks something else while nobody has voted, or closes it."""
    post = post_or_404(request.user, post_id)
    if not post.has_poll:
        raise Http404
    require(request.user, "close poll", post)
    form, stored = None, acts.stored_texts(post.poll)
    status = 200
    if request.method == "POST" and request.POST.get("do") == "close":
        acts.close(user=request.user, post=post)
        return redirect(where(request.user, post))
    if request.method == "POST":
        require(request.user, "edit", post)
        form, status = ChangeForm(without_erased(request.POST, stored, TEXTS)), 422
        try:
            if form.is_valid() and form.cleaned_data["poll"] is None:
                form.add_error("poll_question", "Ask something: a poll needs a question.")
            elif form.is_valid():
                asked, base = form.cleaned_data["poll"], form.cleaned_data["base"]
                acts.change(user=request.user, post=post, asked=asked, base=base)
                return redirect(where(request.user, post))
        except ChangedMeanwhile as problem:
            form, status = conflict(form, problem, TEXTS), problem.status
        except Problem as problem:
            status = problems.show(form, problem)
    elif not post.poll.voters:
        typed = {name: values[0] for name, values in acts.typed(post.poll).items()}
        form = ChangeForm(initial={**typed, "base": base_of(stored)})
    return render(
        request,
        "posts/change_poll.html",
        {"post": post, "entry": rendering.render_post(post, user=request.user), "form": form},
        status=status,
    )
