"""Of which debate another one is a variant: said, changed and taken back after it was opened."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.problems import Problem
from forum.search import similarity

from ..actions import variants as acts
from ..models import Thread
from ..permissions import require
from . import problems
from .fetch import thread_named, thread_or_404


class VariantForm(forms.Form):
    """The other debate, by its address or number; none if nothing is given."""

    other = forms.CharField(max_length=300, required=False)
    reason = forms.CharField(max_length=300, required=False)

    def __init__(self, *args, user, **kwargs) -> None:
        super().__init__(*args, **{**kwargs, "auto_id": "%s"})
        self.user = user

    def clean_other(self) -> Thread | None:
        """The debate, if the member may see it."""
        typed = self.cleaned_data["other"]
        if not typed:
            return None
        thread = thread_named(self.user, typed)
        if thread is None:
            raise forms.ValidationError(
                "There is no debate at this address. Copy it from the page of the other debate, "
                "such as /threads/12/."
            )
        return thread


def variant(request: HttpRequest, thread_id) -> HttpResponse:
    """Say of which debate this one is a variant; those that are like it are proposed."""
    user = request.user
    thread = thread_or_404(request.user, thread_id)
    require(user, "describe", thread)
    now = acts.shown(user, thread)
    form = VariantForm(
        request.POST or None, user=user, initial={"other": now.get_absolute_url() if now else ""}
    )
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(acts.declare(user=user, thread=thread, **form.cleaned_data))
        except Problem as problem:
            problems.show(form, problem, typed="other")
    return render(
        request,
        "threads/variant.html",
        {
            "thread": thread,
            "form": form,
            "now": now,
            "similar": [one for one in _similar(user, thread) if one.thread != now],
        },
        status=422 if form.errors else 200,
    )


def _similar(user, thread: Thread) -> list[similarity.Similar]:
    """The debates that this one may repeat, but for itself."""
    divergences = list(thread.divergences.order_by("order"))
    return similarity.already_argued(
        user,
        spans=[(divergence.first_day, divergence.last_day) for divergence in divergences],
        words=similarity.words_by_role(thread.title, divergences),
        besides=thread.pk,
    )
