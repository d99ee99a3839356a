"""Where allauth asks us: names, where one may be sent after signing in, and mail."""

import logging
from smtplib import SMTPException

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.utils.http import url_has_allowed_host_and_scheme

from .models import User

log = logging.getLogger("accounts")


class Adapter(DefaultAccountAdapter):
    """Our answers to allauth's questions."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "Name or address and password do not fit together.",
        "username_password_mismatch": "Name or address and password do not fit together.",
        "email_taken": "Another account has this address.",
        "duplicate_email": "This is your address already.",
        "enter_current_password": "This is not your present password.",
        "incorrect_password": "This is not your password.",
        "too_many_login_attempts": "Too many wrong passwords. Try again in five minutes.",
        "username_taken": "This name is taken.",
    }

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """Return the name if it may be taken, raise ValidationError with a sentence if not."""
        username = super().clean_username(username, shallow)
        if not shallow and User.objects.look_alike(username):
            raise ValidationError("This name looks too much like another member's.")
        return username

    def is_safe_url(self, url: str | None) -> bool:
        """Only addresses within this site, which need no host: allauth's own rule lets in every
        host of ALLOWED_HOSTS, and with a wildcard that is any neighbour."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def format_email_subject(self, subject: str) -> str:
        """The subject with the site's name behind it."""
        return f"{subject} · {settings.SITE_NAME}"

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        """Send a mail; a server that refuses it costs a message on the page, not the page.
        A site that confirms no addresses is a site without mail."""
        if settings.CONFIRM_ADDRESS == "off":
            return
        try:
            super().send_mail(template_prefix, email, context)
        except (SMTPException, OSError):
            log.exception("mail %s was not sent", template_prefix)
            self.add_message(
                self.request,
                messages.ERROR,
                message="The mail could not be sent just now. Please ask for it again later.",
            )


class SecondStep(DefaultMFAAdapter):
    """Our answers to the questions about two-step login."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This code is not right. An app's code changes every half minute.",
        "cannot_delete_authenticator": "This cannot be taken away just now.",
        "cannot_generate_recovery_codes": "Set up an app or a key first.",
    }

    def _get_user_identifier(self, user: User) -> str:
        """What apps and keys call the account: the name, since others may look at the screen."""
        return user.username

    def _get_site_name(self) -> str:
        return settings.SITE_NAME
