"""What a member is told."""

from dataclasses import dataclass
from itertools import groupby

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from core.problems import Problem

from ..actions import cases
from ..actions import notices as acts
from ..models import Notice, Thread
from ..permissions import Refused, may, require
from . import problems
from .fetch import member_of

PER_PAGE = 30


def notices(request: HttpRequest):
    """What concerns the member, newest first; looking at it marks nothing as read."""
    require(request.user, "read notices")
    rows = Notice.objects.for_listing().filter(member=member_of(request)).order_by("-pk")
    before = request.GET.get("before", "")
    if before:
        if not before.isdecimal() or len(before) > 18:
            raise Http404
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PER_PAGE + 1])
    shown = found[:PER_PAGE]
    today = timezone.localdate()
    return render(
        request,
        "notices/notices.html",
        {
            "days": [
                (is_today, [entry_of(request.user, notice) for notice in group])
                for is_today, group in groupby(
                    shown, lambda notice: timezone.localdate(notice.created_at) == today
                )
            ],
            "newest": shown[0].pk if shown else 0,
            "older": shown[-1].pk if len(found) > PER_PAGE else None,
            "later": bool(before),
        },
    )


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
def read(request: HttpRequest):
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


def answer(request: HttpRequest, notice_id):
    """Answer, once, an act that concerns oneself."""
    require(request.user, "read notices")
    notice = Notice.objects.for_listing().filter(pk=notice_id).first()
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
