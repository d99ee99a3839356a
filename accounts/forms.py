"""The forms that a member fills in about the account."""

import unicodedata
from collections.abc import Callable
from zoneinfo import available_timezones

from allauth.account import forms as allauth
from allauth.account.adapter import get_adapter
from allauth.account.fields import EmailField
from allauth.account.internal import flows
from allauth.account.internal.userkit import filter_users_by_email
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.mfa.base import forms as second_step
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn import forms as keys
from allauth.mfa.webauthn.internal.auth import extract_user_from_response
from allauth.socialaccount import forms as provider_forms
from allauth.socialaccount.models import SocialAccount
from django import forms
from django.conf import settings
from django.db import transaction

from core.opened_texts import OpenedForm

from . import invitations, mail_domains
from .adapter import TooManyAttempts
from .models import ApiToken, User


class SignupForm(allauth.SignupForm):
    """Name, address, password, a trap for programs that fill in every field, and the invitation by
    which one came, if by one."""

    invitation = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)

    def clean_email(self) -> str:
        """The address, if the site takes its domain."""
        mail_domains.check(self.cleaned_data["email"])
        return super().clean_email()

    def clean_username(self) -> str:
        """The name in composed form: some keyboards send an accent as a character of its own."""
        self.cleaned_data["username"] = unicodedata.normalize("NFKC", self.cleaned_data["username"])
        return super().clean_username()

    def save(self, request) -> User:
        """Make the member and the address, both or none. Raises IntegrityError if the name, or
        one that looks like it, was taken since the form was checked; Problem if the invitation
        was used up meanwhile, and nobody joins without one."""
        with transaction.atomic():
            user = super().save(request)
            invitations.use(self.cleaned_data["invitation"], user)
            return user

    def trap(self):
        """The field that people do not see. Drawn by the template: allauth would hide it with an
        inline style, which the content policy forbids."""
        return self[settings.ACCOUNT_SIGNUP_FORM_HONEYPOT_FIELD]


class ResetByMailForm(allauth.ResetPasswordKeyForm):
    """A new password, by the link of a mail."""

    def save(self) -> None:
        """Set it. Where nobody had confirmed the address, who made the account may not be who has
        the mailbox: they do not keep a way in by a provider, beside the sessions and tokens that
        end with a password."""
        if not self.user.address_known:
            SocialAccount.objects.filter(user=self.user).delete()
        super().save()


class ProviderSignupForm(provider_forms.SignupForm):
    """Name and address of who makes an account by a provider. What the provider tells is offered,
    and no more: the name shows everywhere, and the address is confirmed here."""

    def clean_email(self) -> str:
        """The address, if the site takes its domain."""
        mail_domains.check(self.cleaned_data["email"])
        return super().clean_email()

    def clean_username(self) -> str:
        """The name in composed form, as in SignupForm."""
        self.cleaned_data["username"] = unicodedata.normalize("NFKC", self.cleaned_data["username"])
        return super().clean_username()


class LoginForm(allauth.LoginForm):
    """Name or address, password, and whether to stay signed in."""

    def clean_login(self) -> str:
        """What was typed, in the form in which names are kept."""
        return unicodedata.normalize("NFKC", super().clean_login())


class AddressForm(allauth.AddEmailForm):
    """A new address. It replaces a confirmed one when its link is opened, any other at once."""

    def clean_email(self) -> str:
        mail_domains.check(self.cleaned_data["email"])
        value = super().clean_email()
        if settings.CONFIRM_ADDRESS == "off" and filter_users_by_email(value):
            raise forms.ValidationError("Another account has this address.")
        return value

    def save(self, request):
        """Return allauth's EmailAddress for the new address."""
        if EmailAddress.objects.get_verified(self.user) and settings.CONFIRM_ADDRESS != "off":
            return super().save(request)
        address = self.user.set_address(self.cleaned_data["email"], known=False)
        if settings.CONFIRM_ADDRESS != "off":
            flows.email_verification.send_verification_email_to_address(request, address)
        return address


class PasswordForm(allauth.ChangePasswordForm):
    """A new password, for who knows the present one."""

    def clean_oldpassword(self) -> str:
        return _attempt(self.user, super().clean_oldpassword)


class CodeForm(second_step.AuthenticateForm):
    """The second step of a sign-in: a code of an app, or a recovery code."""

    def clean_code(self) -> str:
        return _attempt(self.user, super().clean_code)


class CodeAgainForm(second_step.ReauthenticateForm):
    """A code of somebody who is signed in already, asked for before something grave."""

    def clean_code(self) -> str:
        return _attempt(self.user, super().clean_code)


class KeyForm(keys.AuthenticateWebAuthnForm):
    """The second step of a sign-in: a passkey or another key."""

    def clean_credential(self):
        return _attempt(self.user, super().clean_credential)


class KeyAgainForm(keys.ReauthenticateWebAuthnForm):
    """A key of somebody who is signed in already, asked for before something grave."""

    def clean_credential(self):
        return _attempt(self.user, super().clean_credential)


class KeyLoginForm(keys.LoginWebAuthnForm):
    """Signing in with a passkey alone; whose it is, the key says."""

    def clean_credential(self):
        try:
            user = extract_user_from_response(self.cleaned_data["credential"])
        except (forms.ValidationError, AttributeError):
            user = None
        return _attempt(user, super().clean_credential)


class AppForm(ActivateTOTPForm):
    """Setting up an app. A wrong code is no failed sign-in, and leaves no line as one."""

    def clean_code(self) -> str:
        try:
            return super().clean_code()
        except forms.ValidationError as error:
            raise _limited(error) from None


def _attempt(user: User | None, check: Callable):
    """What `check` returns; what it refuses leaves the line that a wrong password leaves. `user` is
    None where nobody knows whose secret it should be. Raises ValidationError, or TooManyAttempts
    instead of the refusal of a limit."""
    try:
        return check()
    except forms.ValidationError as error:
        problem = _limited(error)
        how = "locked" if isinstance(problem, TooManyAttempts) else "failed"
        get_adapter().log_failure(context.request, how, user.username if user else "")
        raise problem from None


def _limited(error: forms.ValidationError) -> Exception:
    """A refusal of a form, as the 429 that it should be where a limit refused it."""
    if error.code in ("too_many_login_attempts", "rate_limited"):
        return TooManyAttempts(str(error.message))
    return error


class ResendForm(forms.Form):
    """Where to send the link again."""

    email = EmailField()


class SettingsForm(OpenedForm):
    """How a member reads, and what the profile says."""

    texts = ("about",)

    class Meta:
        model = User
        fields = (
            *("about", "view", "posts_per_page", "explain_terms", "watch_written"),
            *("theme", "time_zone"),
        )
        widgets = {
            "about": forms.Textarea(attrs={"rows": 3}),
            "view": forms.RadioSelect,
            "watch_written": forms.RadioSelect,
            "theme": forms.RadioSelect,
            "time_zone": forms.TextInput(attrs={"list": "zones"}),
        }

    @property
    def zones(self) -> list[str]:
        """The time zones that the field offers."""
        return sorted(available_timezones())

    def save(self, commit: bool = True) -> User:
        """Write the fields of this form that changed, and no others, whatever `commit` says."""
        self.instance.save(update_fields=self.changed_data)
        return self.instance


class InvitationForm(forms.Form):
    """For whom a link is, how many may join by it, and how long."""

    note = forms.CharField(max_length=100, required=False)
    uses = forms.IntegerField(min_value=1, max_value=invitations.MOST_USES, initial=1)
    days = forms.IntegerField(min_value=1, max_value=invitations.MOST_DAYS, initial=14)


class TokenForm(forms.Form):
    """What a new token is called, and what it may do."""

    name = forms.CharField(max_length=60, error_messages={"required": "Give the token a name."})
    scope = forms.ChoiceField(
        choices=ApiToken.Scope.choices,
        widget=forms.RadioSelect,
        initial=ApiToken.Scope.READ,
        error_messages={"required": "Choose what the token may do."},
    )
