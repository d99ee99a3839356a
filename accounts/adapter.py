"""Where allauth asks us: names, and who reads its mails."""

from allauth.account.adapter import DefaultAccountAdapter


class Adapter(DefaultAccountAdapter):
    """Our names instead of allauth's list of forbidden ones."""
