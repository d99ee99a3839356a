"""Personal tokens: what a program shows the API instead of a name and a password.

A token is shown once, when it is made; its hash is kept. It reads, or reads and writes, as its
member may at that moment: whoever is suspended reads with it, a closed account does nothing. All
tokens of a member end when the password changes (accounts.password_validator), since a password is
changed when somebody else may know it.
"""

import secrets
from datetime import timedelta
from hashlib import sha256

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils import timezone

from core.database_answers import database_errors
from core.problems import Problem

from .models import ApiToken, User

API = "/api/"
MOST = 10  # of one member
PREFIX = "jonbar_"  # by which programs that look for lost secrets know one
NOTED = timedelta(minutes=10)  # so long a use is not written down again


class NotAToken(Problem):
    """No member stands behind what was shown."""

    status = 401


def by_token(request: HttpRequest) -> bool:
    """Whether an address belongs to the API, where tokens say who asks, and cookies say nothing:
    what a browser sends along by itself gives no other site a hold. The page about it is for
    people."""
    return request.path_info.startswith(API) and request.path_info != API


def make(*, user: User, name: str, scope: str) -> str:
    """Make a token for `user` and return it, to be shown this once. Raises Problem with what to
    do."""
    name = " ".join(name.split())
    if not name or not name.isprintable() or len(name) > 60:
        raise Problem("Give the token a name of at most 60 characters.", field="name")
    if scope not in ApiToken.Scope.values:
        raise Problem("Choose what the token may do.", field="scope")
    token = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if not user.is_active:
            raise Problem("This account was closed.", status=403)
        if ApiToken.objects.filter(user=user).count() >= MOST:
            raise Problem(f"You have {MOST} tokens already. Take one back first.")
        ApiToken.objects.create(user=user, name=name, digest=_digest(token), scope=scope)
    return token


def take_back(*, user: User, pk: int) -> None:
    """End one of the tokens of `user`. Doing so twice does it once."""
    ApiToken.objects.filter(user=user, pk=pk).delete()


def end_all(user: User) -> None:
    """End all tokens of `user`."""
    ApiToken.objects.filter(user=user).delete()


def shown(request: HttpRequest) -> ApiToken | None:
    """The token that a request shows, with its member; None if it shows none. Raises NotAToken."""
    header = request.META.get("HTTP_AUTHORIZATION")
    if not header:
        return None
    kind, _, token = header.partition(" ")
    token = token.strip()
    if kind.lower() != "bearer" or not token.startswith(PREFIX):
        raise NotAToken("Send “Authorization: Bearer” and a token out of your settings.")
    known = Exists(EmailAddress.objects.filter(user=OuterRef("user"), verified=True))
    rows = ApiToken.objects.select_related("user").annotate(address_known=known)
    row = rows.filter(digest=_digest(token)).first()
    if row is None or not row.user.is_active:
        raise NotAToken("This token is not known, or was taken back. Make another one.")
    row.user.address_known = row.address_known  # as accounts.backend tells it
    return row


def note_use(token: ApiToken) -> None:
    """Write down that a token was used, at most once in NOTED. A database that takes no writes
    keeps nobody from reading."""
    now = timezone.now()
    if token.last_used_at and now - NOTED < token.last_used_at <= now:
        return
    try:
        with transaction.atomic():
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    except database_errors():
        pass


def _digest(token: str) -> str:
    # Of 32 random bytes: nothing that a slower hash would protect.
    return sha256(token.encode(errors="replace")).hexdigest()
