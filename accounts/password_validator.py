"""What is taken for a password: something that can be seen, and short enough to be hashed."""

import unicodedata

from django.core.exceptions import ValidationError

from . import tokens
from .names import INVISIBLE
from .passwords import LONGEST, is_too_long


class PasswordValidator:
    """One of AUTH_PASSWORD_VALIDATORS: asked wherever a password is chosen."""

    def validate(self, password: str, user=None) -> None:
        """Raise ValidationError, with a sentence on what to do, unless `password` may be taken."""
        if is_too_long(password):
            raise ValidationError(f"A password has at most {LONGEST:,} characters.")
        if not any(map(_shows, password)):
            raise ValidationError("A password needs characters that can be seen, not blanks alone.")

    def password_changed(self, password: str, user=None) -> None:
        """End the member's tokens: Django calls this wherever a password was changed, on whatever
        page or by command, and not where only its hash was made anew."""
        if user is not None:
            tokens.end_all(user)

    def get_help_text(self) -> str:
        return "Blanks alone are no password."


def _shows(char: str) -> bool:
    """Whether a character leaves a trace on the page: no white space, no joiner, no control."""
    return unicodedata.category(char)[0] not in "ZC" and not INVISIBLE.match(char)
