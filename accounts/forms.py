"""The forms that a member fills in about the account."""

import unicodedata
from zoneinfo import available_timezones

from allauth.account import forms as allauth
from allauth.account.fields import EmailField
from allauth.account.internal import flows
from allauth.account.internal.userkit import filter_users_by_email
from allauth.account.models import EmailAddress
from django import forms
from django.conf import settings
from django.db import transaction

from .models import User


class SignupForm(allauth.SignupForm):
    """Name, address, password, and a trap for programs that fill in every field."""

    def clean_username(self) -> str:
        """The name in composed form: some keyboards send an accent as a character of its own."""
        self.cleaned_data["username"] = unicodedata.normalize("NFKC", self.cleaned_data["username"])
        return super().clean_username()

    def save(self, request):
        """Make the member and the address, both or none. Raises IntegrityError if the name, or
        one that looks like it, was taken since the form was checked."""
        with transaction.atomic():
            return super().save(request)

    def trap(self):
        """The field that people do not see. Drawn by the template: allauth would hide it with an
        inline style, which the content policy forbids."""
        return self[settings.ACCOUNT_SIGNUP_FORM_HONEYPOT_FIELD]


class LoginForm(allauth.LoginForm):
    """Name or address, password, and whether to stay signed in."""

    def clean_login(self) -> str:
        """What was typed, in the form in which names are kept."""
        return unicodedata.normalize("NFKC", super().clean_login())


class AddressForm(allauth.AddEmailForm):
    """A new address. It replaces a confirmed one when its link is opened, any other at once."""

    def clean_email(self) -> str:
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


class ResendForm(forms.Form):
    """Where to send the link again."""

    email = EmailField()


class SettingsForm(forms.ModelForm):
    """How a member reads, and what the profile says."""

    class Meta:
        model = User
        fields = ("about", "view", "posts_per_page", "explain_terms", "theme", "time_zone")
        widgets = {
            "about": forms.Textarea(attrs={"rows": 3}),
            "view": forms.RadioSelect,
            "theme": forms.RadioSelect,
            "time_zone": forms.TextInput(attrs={"list": "zones"}),
        }

    @property
    def zones(self) -> list[str]:
        """The time zones that the field offers."""
        return sorted(available_timezones())

    def save(self) -> User:
        """Write the fields of this form that changed, and no others."""
        self.instance.save(update_fields=self.changed_data)
        return self.instance
