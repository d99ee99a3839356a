"""What a member is told."""

from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.models import User
from core.problems import Problem

from ..actions import cases
from ..actions import notices as acts
from ..models import Notice, Thread, Watch
from ..models.visibility import bookmarks_of
from ..permissions import Refused, may, require
from ..rendering.notices import notice_page
from . import problems
from .fetch import member_of

MOST = 99  # things behind a lens that are counted


def notices(request: HttpRequest) -> HttpResponse:
    """What concerns the member, newest first; looking at it marks nothing as read."""
    require(request.user, "read notices")
    user = member_of(request)
    before, only = request.GET.get("before", ""), request.GET.get("only", "")
    if (before and (not before.isdecimal() or len(before) > 18)) or only not in ("", "answers"):
        raise Http404
    page = notice_page(user, int(before) if before else None, answers=bool(only))
    lines = [(line, entry_of(user, line.notice) if line.notice else None) for line in page.lines]
    return render(
        request,
        "notices/notices.html",
        {
            "lines": lines,
            "newest": page.lines[0].pk if page.lines else 0,
            "older": page.older,
            "later": bool(before),
            "only": only,
            "lens": f"only={only}&" if only else "",
            "kept": lens_counts(user),
        },
    )


@dataclass(frozen=True, slots=True)
class LensCounts:
    """How much a member keeps behind each lens; at most one more than MOST is counted."""

    watches: int
    bookmarks: int


def lens_counts(user: User) -> LensCounts:
    """What the bar of lenses says of `user`."""
    watches = Watch.objects.filter(member=user.pk)[: MOST + 1]
    return LensCounts(watches.count(), bookmarks_of(user)[: MOST + 1].count())


@dataclass(frozen=True, slots=True)
class NoticeEntry:
    """A notice as its member is shown it: where it happened, as far as they may know of that, and
    whether they can answer."""

    notice: Notice
    thread: Thread | None
    href: str
    may_answer: bool


def entry_of(user, notice: Notice) -> NoticeEntry:
    """The notice as `user` is shown it."""
    post, thread = notice.entry.post, notice.entry.thread
    if post is not None:
        thread = post.thread  # where it stands now
    if thread is not None and not may(user, "see thread", thread):
        thread = None
    href = ""
    if thread and post and (post.number is not None or may(user, "see post", post)):
        href = post.get_absolute_url()
    elif thread and post is None:
        href = thread.get_absolute_url()
    return NoticeEntry(notice, thread, href, cases.may_answer(notice))


@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """Count notices as read: the one named, or all up to the newest of the page."""
    require(request.user, "read notices")
    one = request.POST.get("notice", "")
    until = one or request.POST.get("until", "")
    if not until.isdecimal() or len(until) > 18:
        raise Http404
    acts.mark_read(user=member_of(request), until=int(until), only=bool(one))
    return redirect("notices")


# --- /notices/<id>/answer/ --------------------------------------------------------------------


class AnswerForm(forms.Form):
    text = forms.CharField(
        strip=False, widget=forms.Textarea, error_messages={"required": "Write your answer."}
    )


def answer(request: HttpRequest, notice_id) -> HttpResponse:
    """Answer, once, an act that concerns oneself."""
    require(request.user, "read notices")
    notice = Notice.objects.for_listing().filter(pk=notice_id, entry__isnull=False).first()
    if notice is None:
        raise Http404
    require(request.user, "answer act", notice)
    if not cases.may_answer(notice) and request.method != "POST":
        raise Refused("You answered this already, or there is nothing to answer.")
    form, status = AnswerForm(request.POST or None), 200
    if request.method == "POST":
        if form.is_valid():
            try:
                cases.answer(user=member_of(request), notice=notice, text=form.cleaned_data["text"])
                messages.success(request, "Your answer waits for a moderator.")
                return redirect("notices")
            except Problem as problem:
                status = problems.show(form, problem, typed="text")
        else:
            status = 422
    entry = entry_of(request.user, notice)
    return render(request, "notices/answer.html", {"entry": entry, "form": form}, status=status)
