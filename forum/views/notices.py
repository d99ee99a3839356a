"""What a member is told."""

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from core.problems import Problem

from ..actions import cases
from ..actions import notices as acts
from ..models import Notice
from ..permissions import Refused, may, require
from . import problems

PER_PAGE = 30


def notices(request):
    """What concerns the member, newest first; looking at it marks nothing as read."""
    require(request.user, "read notices")
    rows = Notice.objects.for_listing().filter(member=request.user).order_by("-pk")
    before = request.GET.get("before", "")
    if before:
        if not before.isdecimal() or len(before) > 18:
            raise Http404
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PER_PAGE + 1])
    shown = found[:PER_PAGE]
    today = timezone.localdate()
    for notice in shown:
        place(request.user, notice)
        notice.may_answer = cases.may_answer(notice)
        notice.today = timezone.localdate(notice.created_at) == today
    return render(
        request,
        "notices/notices.html",
        {
            "notices": shown,
            "newest": shown[0].pk if shown else 0,
            "older": shown[-1].pk if len(found) > PER_PAGE else None,
            "later": bool(before),
        },
    )


def place(user, notice: Notice) -> None:
    """Lay on a notice where it happened, as far as `user` may know of it: `thread` and `href`."""
    post, thread = notice.entry.post, notice.entry.thread
    if post is not None:
        thread = post.thread  # where it stands now
    known = thread is not None and may(user, "see thread", thread)
    notice.thread = thread if known else None
    notice.href = ""
    if known and post is not None and (post.number is not None or may(user, "see post", post)):
        notice.href = post.get_absolute_url()
    elif known and post is None:
        notice.href = thread.get_absolute_url()


@require_POST
def read(request):
    """Count notices as read: the one named, or all up to the newest of the page."""
    require(request.user, "read notices")
    one = request.POST.get("notice", "")
    until = one or request.POST.get("until", "")
    if not until.isdecimal() or len(until) > 18:
        raise Http404
    acts.mark_read(user=request.user, until=int(until), only=bool(one))
    return redirect("notices")


# --- /notices/<id>/answer/ --------------------------------------------------------------------


class AnswerForm(forms.Form):
    text = forms.CharField(
        strip=False, widget=forms.Textarea, error_messages={"required": "Write your answer."}
    )


def answer(request, notice_id):
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
                cases.answer(user=request.user, notice=notice, text=form.cleaned_data["text"])
                messages.success(request, "Your answer waits for a moderator.")
                return redirect("notices")
            except Problem as problem:
                status = problems.show(form, problem, typed="text")
        else:
            status = 422
    place(request.user, notice)
    return render(request, "notices/answer.html", {"notice": notice, "form": form}, status=status)
