"""The forms that a member fills in about the account."""

from allauth.account.forms import SignupForm as AllauthSignupForm


class SignupForm(AllauthSignupForm):
    """Name, address, password."""
