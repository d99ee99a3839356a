"""Posts that a member keeps: the list of them, and the form for one."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from core.problems import Problem

from ..actions import bookmarks as acts
from ..models.bookmarks import MAX_NOTE
from ..permissions import require
from ..rendering.bookmarks import bookmark_page
from . import problems
from .fetch import member_of, post_or_404, sent_id
from .notices import lens_counts


def bookmarks(request: HttpRequest):
    """All posts that the member keeps, newest first."""
    require(request.user, "use account")
    user = member_of(request)
    before = request.GET.get("before", "")
    if before and not sent_id(before):
        raise Http404
    lines, older = bookmark_page(user, sent_id(before) if before else None)
    context = {"lines": lines, "older": older, "later": bool(before), "kept": lens_counts(user)}
    return render(request, "bookmarks/bookmarks.html", context)


@require_POST
def drop(request: HttpRequest):
    """Keep one post no longer."""
    require(request.user, "use account")
    acts.drop(user=member_of(request), bookmark_id=sent_id(request.POST.get("bookmark", "")))
    messages.success(request, "The bookmark is gone.")
    return redirect("bookmarks")


class BookmarkForm(forms.Form):
    note = forms.CharField(max_length=MAX_NOTE, required=False, strip=True)
    remind_on = forms.DateField(
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": "Write the day as 2031-05-17, or leave it empty."},
    )


def bookmark(request: HttpRequest, post_id: int):
    """Keep a post, with a note and perhaps a day on which to be reminded of it."""
    post = post_or_404(request.user, post_id)
    require(request.user, "use account")
    user = member_of(request)
    known = acts.found(user, post)
    initial = {"note": known.note, "remind_on": known.remind_on} if known else {}
    form, status = BookmarkForm(request.POST or None, initial=initial), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                acts.keep(user=user, post=post, **form.cleaned_data)
                messages.success(request, "Kept among your bookmarks.")
                return redirect("bookmarks")
            except Problem as problem:
                status = problems.show(form, problem, typed="note")
    context = {"form": form, "post": post, "known": known}
    return render(request, "bookmarks/bookmark.html", context, status=status)
