"""Reporting a post to the moderators."""

from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.problems import Problem
from forum import rendering
from forum.moderation import reports as acts

from ..models import Report
from ..permissions import require
from . import problems
from .fetch import post_or_404
from .posts import where
from .writing import TokenField


class ReportForm(forms.Form):
    """What is wrong with a post."""

    reason = forms.ChoiceField(
        choices=Report.Reason.choices,
        error_messages={"required": "Choose what is wrong with the post."},
    )
    text = forms.CharField(max_length=acts.MAX_TEXT, required=False, strip=False)
    token = TokenField()


def report(request: HttpRequest, post_id) -> HttpResponse:
    """Ask the moderators to look at a post: a page that asks what is wrong, a form that sends."""
    post = post_or_404(request.user, post_id)
    require(request.user, "report", post)
    form, status = ReportForm(initial={"token": uuid4()}), 200
    if request.method == "POST":
        form, status = ReportForm(request.POST), 422
        if form.is_valid():
            try:
                acts.report(user=request.user, post=post, **form.cleaned_data)
                messages.success(
                    request, "Thank you. A moderator will look at it, and you will be told."
                )
                return redirect(where(request.user, post))
            except Problem as problem:
                status = problems.show(form, problem, typed="text")
    return render(
        request,
        "posts/report.html",
        {
            "post": post,
            "entry": rendering.render_post(post, user=request.user),
            "form": form,
            "verdicts": rendering.verdicts([post], request.user)[post.pk],
        },
        status=status,
    )
