"""The forms by which one joins, with what the site asks of who wants to."""

from typing import Any

from django import forms
from django.conf import settings
from django.db import transaction

from accounts import forms as accounts
from accounts.models import User
from core import proof_of_work
from forum.actions import joining

TOO_LONG = f"An answer holds at most {joining.LONGEST:,} characters."

FORM = "sign up"  # what the sum is for


class WithQuestion:
    """Comes before a form for an account: where moderators let people in (JOINING), it asks the
    site's question, and the account waits."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if settings.JOINING == "approval":
            self.fields["answer"] = forms.CharField(
                max_length=joining.LONGEST,
                widget=forms.Textarea(attrs={"rows": 5, "dir": "auto"}),
                error_messages={
                    "required": "Answer the question: the moderators read it.",
                    "max_length": TOO_LONG,
                },
            )

    fields: dict[str, forms.Field]
    cleaned_data: dict[str, Any]

    def question(self) -> str:
        """What is asked, as HTML; empty where nothing is."""
        return joining.question() if "answer" in self.fields else ""

    def save(self, request) -> User:
        """Make the account, and have it wait where it is to; all or nothing. Raises as the form
        that this one comes before."""
        with transaction.atomic():
            user = super().save(request)  # type: ignore[misc]  # of the form that it comes before
            if "answer" in self.fields:
                joining.apply(user, self.cleaned_data["answer"])
        return user


class SignupForm(WithQuestion, accounts.SignupForm):
    """Name, address, password, the answer, and the sum that a browser works out. Who sends none, as
    without JavaScript, is not refused: the account waits for the moderators."""

    def challenge(self) -> str:
        """The sum, for the page (core.proof_of_work); empty where none is asked."""
        return proof_of_work.challenge(FORM) if _asks_for_sum() else ""

    def try_save(self, request):
        """As allauth has it: makes no account where the address has one, and says nothing of that.
        The sum is judged then too, or what is said of it would tell."""
        if self.account_already_exists and _asks_for_sum():
            proof_of_work.spend(request.POST.get("proof", ""), FORM)
        return super().try_save(request)

    def save(self, request) -> User:
        """Make the account, and have it wait where it is to. Raises as accounts.forms.SignupForm,
        and Problem for an answer to the sum that is wrong, too old or was used."""
        with transaction.atomic():
            sent = request.POST.get("proof", "")
            solved = not _asks_for_sum() or proof_of_work.spend(sent, FORM)
            user = super().save(request)
            if not solved:
                joining.apply(user)
        return user


class ProviderSignupForm(WithQuestion, accounts.ProviderSignupForm):
    """Name, address, and the answer, of who comes by a provider."""


def _asks_for_sum() -> bool:
    """Where anybody may make an account that works at once: an invitation and a moderator's
    decision keep programs out by themselves."""
    return settings.JOINING == "open"
