"""The pages about one's account that allauth does not have."""

from allauth.account.adapter import get_adapter
from allauth.account.internal import flows
from allauth.account.models import EmailAddress
from allauth.account.views import SignupView
from allauth.core.ratelimit import consume, respond_429
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.problems import Problem

from . import invitations
from . import sessions as signed_in_devices
from .forms import InvitationForm, ResendForm, SettingsForm, TokenForm
from .models import ApiToken, Invitation, User
from .tokens import make, take_back


class Signup(SignupView):
    """allauth's sign-up; a name lost in a race is a mistake in the form, not a failure, and so is
    an invitation whose last use somebody else had."""

    def get_initial(self) -> dict:
        return {**super().get_initial(), "invitation": invitations.shown(self.request)}

    def get_context_data(self, **kwargs) -> dict:
        found = invitations.found(invitations.shown(self.request))
        return {**super().get_context_data(**kwargs), "invited_by": found and found.made_by}

    def form_valid(self, form):
        try:
            return super().form_valid(form)
        except Problem as problem:
            form.add_error(None, problem.sentence)
            return self.form_invalid(form)
        except IntegrityError:
            form.add_error("username", "This name was taken a moment ago. Please choose another.")
            return self.form_invalid(form)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def resend(request: HttpRequest) -> HttpResponse:
    """Send the link that confirms an address once more. The answer is the same whether the address
    belongs to nobody, waits or is confirmed, and one mail goes out in each case; it says which."""
    form = ResendForm(request.POST or None)
    sent_to = ""
    if request.method == "POST":
        if not consume(request, action="resend"):
            return respond_429(request)
        if form.is_valid():
            sent_to = form.cleaned_data["email"]
            # Too soon after the last one: say nothing, or the pause would tell who signed up.
            if flows.email_verification.consume_email_verification_rate_limit(request, sent_to):
                _send_again(request, sent_to)
    return render(request, "account/resend.html", {"form": form, "sent_to": sent_to})


def _send_again(request: HttpRequest, email: str) -> None:
    waiting = EmailAddress.objects.filter(email=email, verified=False).order_by("-pk").first()
    if EmailAddress.objects.filter(email=email, verified=True).exists():
        get_adapter().send_account_already_exists_mail(email)
    elif waiting:
        waiting.send_confirmation(request)
    else:
        flows.signup.send_unknown_account_mail(request, email)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """How the member reads, what the profile says, and the way to password and address."""
    assert request.user.is_authenticated  # by login_required
    # A copy: what was typed and refused must not show in the page around the form.
    member = User.objects.get(pk=request.user.pk)
    form = SettingsForm(request.POST or None, instance=member)
    if request.method == "POST":
        with transaction.atomic():  # in which the form is cleaned and saved
            if valid := form.is_valid():
                form.save()
        if valid:
            messages.success(request, "Your settings are kept.")
            return redirect("settings")
    known = EmailAddress.objects.filter(user=request.user, verified=True).exists()
    return render(request, "members/settings.html", {"form": form, "known": known})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def sessions(request):
    """Where the member is signed in; POST signs out one session, or all but this one."""
    here = request.session.session_key
    if request.method == "POST":
        name = request.POST.get("session", "")
        ended = signed_in_devices.end(request.user, name=name, but=here)
        if ended:
            messages.success(request, f"Signed out: {ended}.")
        else:
            messages.warning(request, "There was nothing left to sign out.")
        return redirect("sessions")
    rows = [(row, row.session_key == here) for row in signed_in_devices.sessions_of(request.user)]
    return render(request, "account/sessions.html", {"sessions": rows})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request):
    """The member's tokens for programs: to make one, which is shown this once, and to take one
    back."""
    sent = request.POST
    if pk := sent.get("take_back"):
        if pk.isdecimal() and len(pk) < 19:
            take_back(user=request.user, pk=int(pk))
        messages.success(request, "The token is taken back: it opens nothing any more.")
        return redirect("tokens")
    form, made, status = TokenForm(), "", 200
    if request.method == "POST":
        form, status = TokenForm(sent), 422
        if form.is_valid():
            try:
                made = make(user=request.user, **form.cleaned_data)
                form, status = TokenForm(), 200
            except Problem as problem:
                form.add_error(problem.field or None, problem.sentence)
                status = problem.status
    mine = ApiToken.objects.filter(user=request.user).order_by("-pk")
    page = {"form": form, "made": made, "tokens": mine}
    return render(request, "members/tokens.html", page, status=status)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def invitations_made(request: HttpRequest) -> HttpResponse:
    """The links by which the member invites others, who joined by them, and the form for one."""
    assert request.user.is_authenticated  # by login_required
    sent, user = request.POST, request.user
    if pk := sent.get("take_back"):
        if pk.isdecimal() and len(pk) < 19:
            invitations.take_back(user=user, pk=int(pk))
        messages.success(request, "The link is taken back: nobody joins by it any more.")
        return redirect("invitations")
    form, status = InvitationForm(), 200
    if request.method == "POST":
        form, status = InvitationForm(sent), 422
        if form.is_valid():
            try:
                invitations.make(user=user, **form.cleaned_data)
                messages.success(request, "The link is made. Copy it from the list.")
                return redirect("invitations")
            except Problem as problem:
                form.add_error(problem.field or None, problem.sentence)
                status = problem.status
    made = Invitation.objects.filter(made_by=user).order_by("-pk").prefetch_related("guests")
    page = {"form": form, "invitations": made[:100], "now": user.now}
    return render(request, "members/invitations.html", page, status=status)
