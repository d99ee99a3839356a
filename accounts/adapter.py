"""Where allauth asks us: names, where one may be sent after signing in, and mail."""

import logging
from smtplib import SMTPException

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ReauthenticationRequired
from allauth.core.internal.ratelimit import get_ip
from allauth.core.ratelimit import consume
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.http import url_has_allowed_host_and_scheme

from core.problems import Problem

from . import connections, invitations
from .devices import device_of, is_known, remember
from .models import User

log = logging.getLogger("accounts")


class TooManyAttempts(Problem):
    """Too many wrong passwords, codes or keys were tried: nothing is looked at for a while."""

    status = 429

    def __init__(self, sentence: str, *, retry_after: int = 300) -> None:
        """`retry_after`: seconds, see `login_failed` in the settings' limits."""
        super().__init__(sentence)
        self.retry_after = retry_after


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
        "too_many_login_attempts": "Too many wrong passwords or codes. Try again in five minutes.",
        "too_many_for_name": "Too many wrong passwords for this name. Try again in a minute.",
        "rate_limited": "Too many wrong codes. Try again in five minutes.",
        "username_taken": "This name is taken.",
    }

    def is_open_for_signup(self, request) -> bool:
        """Whether whoever asks may make an account, by the setting JOINING."""
        return invitations.may_join(invitations.shown(request))

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """Return the name if it may be taken, raise ValidationError with a sentence if not."""
        username = super().clean_username(username, shallow)
        if not shallow and User.objects.is_taken(username):
            raise ValidationError("This name looks too much like another member's.")
        return username

    def pre_authenticate(self, request, **credentials) -> None:
        """Raise TooManyAttempts where too many passwords were tried; called before one is looked
        at. A name alone is never locked, or anybody could keep its member out: it is slowed."""
        name = _name_of(credentials)
        if not consume(request, action="login_failed_name", key=name, dry_run=True):
            self.log_failure(request, "slowed", name)
            raise TooManyAttempts(self.error_messages["too_many_for_name"], retry_after=60)
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as error:
            self.log_failure(request, "locked", name)
            raise TooManyAttempts(str(error.message)) from None

    def _get_login_attempts_cache_key(self, request, **credentials) -> str:
        """What allauth's limit "login_failed" counts under: the name as tried from one network."""
        return f"{_name_of(credentials)} {get_ip(request)}"

    def authentication_failed(self, request, **credentials) -> None:
        """Count a wrong password for its name, and leave a line about it."""
        name = _name_of(credentials)
        consume(request, action="login_failed_name", key=name)
        self.log_failure(request, "failed", name)

    def log_failure(self, request, how: str, name: str) -> None:
        """Leave a line about a sign-in that was "failed", "slowed" or "locked". It tells
        one name from another, and only who has the secret key and guesses the name ties it to
        that."""
        known = salted_hmac("accounts.adapter.sign-in", name.casefold()).hexdigest()[:16]
        at = f" from {self.get_client_ip(request)}" if settings.LOG_ADDRESSES else ""
        log.warning("sign-in %s for %s%s", how, known, at)

    def login(self, request, user) -> None:
        """Sign in, note with which device, and tell the member of one that is new to them."""
        before = user.last_login
        super().login(request, user)
        device = device_of(request)
        request.session.begin(device)
        if before is not None and not is_known(request, user.pk):
            self.send_notification_mail("account/email/new_device", user, {"device": device})

    def post_login(self, request, user, **how):
        """Go where one wanted to, with a browser that is known the next time."""
        response = super().post_login(request, user, **how)
        remember(request, response, user.pk)
        return response

    def is_safe_url(self, url: str | None) -> bool:
        """Only addresses within this site, which need no host: allauth's own rule lets in every
        host of ALLOWED_HOSTS, and with a wildcard that is any neighbour."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def get_login_stages(self) -> list[str]:
        """What stands between a right password and being signed in, in order."""
        stages = super().get_login_stages()
        after = stages.index("allauth.account.stages.EmailVerificationStage") + 1
        return [*stages[:after], "accounts.stages.Admission", *stages[after:]]

    def is_reauthentication_required(self, *, app: str, **kwargs) -> bool:
        """Whether an act asks for the password or what stands for it. Raises
        ReauthenticationRequired for who has to show it by a provider: allauth would let pass
        whoever has no password."""
        required = super().is_reauthentication_required(app=app, **kwargs)
        if required and connections.must_sign_in_again(self.request):
            raise ReauthenticationRequired
        return required

    def get_reauthentication_methods(self, user) -> list[dict]:
        """By which pages a member shows that it is still they, the first one first."""
        methods = super().get_reauthentication_methods(user)
        if not methods and connections.signs_in_by_provider_alone(user):
            methods = [{"id": "again", "description": "", "url": reverse("sign-in-again")}]
        return methods

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


def _name_of(credentials: dict) -> str:
    """The name or address that somebody tries to sign in with, in one spelling."""
    return (credentials.get("username") or credentials.get("email") or "").casefold()
