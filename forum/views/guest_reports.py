"""Reporting a post without an account: the form, and the page of its receipt."""

from urllib.parse import urlsplit
from uuid import uuid4

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core import proof_of_work
from core.problems import Problem
from forum.mailing.guests import outcome_of
from forum.moderation import guest_reports as acts
from forum.operations.limits import network_of

from ..models import AuditEntry, GuestReport, Post, Report
from . import problems
from .fetch import sent_id
from .writing import TokenField


class GuestReportForm(forms.Form):
    """What is wrong with which post, and who says so: what Art. 16(2) of the Digital Services Act
    asks of a report of illegal content."""

    address = forms.CharField(
        max_length=500, error_messages={"required": "Say which post: give its address."}
    )
    reason = forms.ChoiceField(
        choices=Report.Reason.choices,
        error_messages={"required": "Choose what is wrong with the post."},
    )
    text = forms.CharField(max_length=acts.MAX_TEXT, required=False, strip=False)
    name = forms.CharField(max_length=acts.MAX_NAME, required=False)
    email = forms.EmailField(
        max_length=254, required=False, error_messages={"invalid": "This is no mail address."}
    )
    abuse = forms.BooleanField(required=False)
    good_faith = forms.BooleanField(required=False)
    proof = forms.CharField(max_length=proof_of_work.LONGEST, required=False)
    token = TokenField()


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """Report a post from outside: a page that asks what the law asks, for `?post=` with its address
    filled in, a form that sends. It tells nothing of the post. Members are led to the form of
    theirs; who signed in while this one lay open sends it as it is, and nothing typed is lost."""
    if request.user.is_authenticated and request.method != "POST":
        post_id = sent_id(request.GET.get("post", ""))
        return redirect("report", post_id) if post_id else redirect("help", "account")
    form, status = GuestReportForm(initial=_initial(request)), 200
    if request.method == "POST":
        form, status = GuestReportForm(request.POST), 422
        if form.is_valid():
            try:
                return redirect("report-receipt", _send(request, dict(form.cleaned_data)).number)
            except Problem as problem:
                status = problems.show(form, problem, typed="text")
    page = {
        "form": form,
        "challenge": proof_of_work.challenge(acts.FORM),
        "unproved": acts.UNPROVED_PER_DAY,
        "most": acts.MAX_TEXT,
        "days": settings.GUEST_ADDRESSES_KEPT_DAYS,
    }
    return render(request, "posts/guest_report.html", page, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def receipt(request: HttpRequest, number: str) -> HttpResponse:
    """What became of a report, for whoever has its number; POST with the `key` of the mail says
    that its address is theirs."""
    rows = GuestReport.objects.select_related("report__case__decision__actor")
    guest = rows.filter(number=number[:24].upper()).first()
    if guest is None:
        raise Http404
    key, refused, status = request.POST.get("key") or request.GET.get("key") or "", "", 200
    if request.method == "POST":
        try:
            acts.confirm(guest=guest, key=key[:64])
            return redirect("report-receipt", guest.number)
        except Problem as problem:
            refused, status = problem.sentence, problem.status
    decision: AuditEntry | None = guest.report.case.decision
    page = {
        "guest": guest,
        "post": request.build_absolute_uri(reverse("post", args=[guest.report.case.post_id])),
        "outcome": outcome_of(decision) if decision else None,
        "key": key if key and not guest.confirmed_at and not refused else "",
        "mails": settings.CONFIRM_ADDRESS != "off" and bool(guest.email),
        "refused": refused,
        "days": settings.GUEST_ADDRESSES_KEPT_DAYS,
    }
    return render(request, "posts/guest_receipt.html", page, status=status)


def _initial(request: HttpRequest) -> dict:
    post_id = sent_id(request.GET.get("post", ""))
    address = request.build_absolute_uri(reverse("post", args=[post_id])) if post_id else ""
    return {"token": uuid4(), "address": address}


def _send(request: HttpRequest, sent: dict) -> GuestReport:
    """Report it. A form that was sent before leads to its receipt, whatever became of the post."""
    if done := acts.sent(sent["token"]):
        return done
    post = _post_at(request, sent.pop("address"))
    return acts.report(post=post, network=network_of(request), **sent)


def _post_at(request: HttpRequest, address: str) -> Post:
    """The post at an address that somebody typed, of this site whether it says so or not."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        raise Problem(acts.NOT_FOUND, field="address") from None
    if parts.netloc not in ("", request.get_host(), urlsplit(settings.SITE_URL).netloc):
        raise Problem("This is no address of this site.", field="address")
    return acts.post_at(parts.path, parts.fragment)
