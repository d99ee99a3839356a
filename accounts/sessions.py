"""Sessions on the server, revocable at once, each with the account that it is for.

The account stands in the session's row, so that one query brings both: every page of a member asks
for them.
"""

import logging
import re
from datetime import UTC, datetime, timedelta
from typing import cast

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends import db
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from core import clock
from core.compiled_queries import CompiledQuery
from core.database_answers import database_errors

from .models import Session, User
from .tokens import by_token


def _with_account(key: str, now):
    known = Exists(EmailAddress.objects.filter(user=OuterRef("user"), verified=True))
    return (
        Session.objects.select_related("user")
        .annotate(address_known=known, asked_at=clock.MOMENT)  # as accounts.backend tells it
        .filter(session_key=key, expire_date__gt=now)
    )


_session = CompiledQuery("session", _with_account, "text", "moment")
# What Django gives out. A cookie can bring anything, in octal even a NUL, which PostgreSQL does not
# let be looked for.
KEY = re.compile(r"[a-z0-9]{32}")
DEVICE, BEGAN = "device", "began"  # in the session's data, so that each save brings them along
NOTED_EVERY = timedelta(hours=1)
log = logging.getLogger("accounts")


def sessions_of(user: User) -> list[Session]:
    """The sessions of a member that have not ended, the one used last first."""
    rows = Session.objects.filter(user=user, expire_date__gt=timezone.now())
    return sorted(rows, key=lambda row: row.seen_at or row.expire_date, reverse=True)


def end(user: User, *, name: str = "", but: str = "") -> int:
    """Sign out the session of a member that forms call by `name`; without one all of them but that
    with the key `but`. Returns how many ended."""
    ended = [
        row.session_key
        for row in sessions_of(user)
        if (row.name == name if name else row.session_key != but)
    ]
    Session.objects.filter(session_key__in=ended).delete()
    return len(ended)


class SessionStore(db.SessionStore):
    """Django's sessions in the database, with their accounts."""

    member: User | None = None  # read together with the session
    seen_at: datetime | None = None  # the same

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key if KEY.fullmatch(session_key or "") else None)

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict) -> Session:
        """The row, unsaved, with the account that signed in."""
        row = cast(Session, super().create_model_instance(data))
        row.user_id = data.get(auth.SESSION_KEY)
        if BEGAN in data:
            row.device = data[DEVICE]
            row.began_at = datetime.fromtimestamp(data[BEGAN], UTC)
            row.seen_at = timezone.now()
        return row

    def _get_session_from_db(self) -> Session | None:
        row = next(iter(_session(self.session_key, timezone.now())), None)
        if row is None:
            self._session_key = None
        elif row.user is not None:
            self.member = row.user
            self.member.address_known = row.address_known
            self.seen_at = row.seen_at
            self.member.asked_at = row.asked_at
        return row

    def begin(self, device: str) -> None:
        """Note which device signs in, for the member's list of sessions."""
        self[DEVICE], self[BEGAN] = device, int(timezone.now().timestamp())

    def note_use(self) -> None:
        """Note that the session is used, once an hour; where nothing can be written, reading goes
        on."""
        if self.seen_at is None or self.seen_at > timezone.now() - NOTED_EVERY:
            return
        try:
            with transaction.atomic():
                rows = Session.objects.filter(session_key=self.session_key)
                rows.update(seen_at=timezone.now())
        except database_errors():
            log.info("the use of a session was not noted", exc_info=True)


def signed_in(request) -> User | AnonymousUser:
    """Who is signed in, from the one row that the session brought. Whatever is not plain, such as
    a password that was changed since, is Django's to judge."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or by_token(request):
        return AnonymousUser()
    session = request.session
    if auth.SESSION_KEY not in session:
        return AnonymousUser()
    member = session.member
    if (
        member is not None
        and member.is_active
        and str(member.pk) == session[auth.SESSION_KEY]
        and session.get(auth.BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS
        and constant_time_compare(
            session.get(auth.HASH_SESSION_KEY, ""), member.get_session_auth_hash()
        )
    ):
        session.note_use()
        return member
    return auth.get_user(request)
