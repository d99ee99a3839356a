"""The addresses of a member's own feeds: who knows one reads what the member reads, until it is
taken back."""

import secrets

from django.core import signing
from django.urls import reverse

from accounts.models import User
from core import signed_values

from ..permissions import require

SALT = "forum.feeds"


def make(*, user) -> None:
    """Give `user` addresses for their feeds; what they had before leads nowhere from now on."""
    _set(user, secrets.randbits(62))


def take_back(*, user) -> None:
    """Let every address of the feeds of `user` lead nowhere."""
    _set(user, None)


def _set(user, number: int | None) -> None:
    require(user, "use account")
    User.objects.filter(pk=user.pk).update(feed_number=number)
    user.feed_number = number


def address(member: User, name: str, *args: str) -> str:
    """Where the feed of this name is read for `member`, who has addresses."""
    return reverse(
        name, args=[signed_values.sign([member.pk, member.feed_number], salt=SALT), *args]
    )


def reader_of(token: str) -> User | None:
    """Whose feeds a part of an address opens; None if it is nobody's any more."""
    try:
        pk, number = signed_values.read(token, salt=SALT)
    except signing.BadSignature:
        return None
    if number is None:  # no addresses, which a query would take for having none
        return None
    return User.objects.filter(pk=pk, feed_number=number, is_active=True).first()
