"""Reading from streaming replicas, where DATABASE_REPLICAS names some.

Only pages that are asked for (GET, HEAD) read from a replica. What is written, and all that a
transaction or a form reads, is the primary's; so is who somebody is and what binds them. What one
has written oneself is always there: with each write the member's row keeps how far the primary's
log was, and that member reads from the primary until the replica has replayed it. No clock decides.
What others did is there after REPLICA_LAG_SECONDS: a replica that is further behind is not read
from (`replica_lag`), so that what was hidden or erased does not go on being shown.
"""

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import cycle

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from accounts.models import User
from core.database_answers import database_errors

from . import replica_lag
from .replica_lag import aliases

SAFE = ("GET", "HEAD")
WRITES = ("INSERT", "UPDATE", "DELETE")
# Accounts, sessions, rights, and counts of tries: a reader's standing is asked of the primary.
PRIMARY_ONLY = frozenset(
    ("accounts", "account", "auth", "sessions", "mfa", "django_cache", "admin")
)
SKIPPED = 200  # pages for which a replica that failed is not asked again

log = logging.getLogger("forum.operations.replication")


class Reading:
    """Where one request reads; decided when it first reads."""

    def __init__(self, request, replica: str | None) -> None:
        self.request, self.replica = request, replica
        self.decided: str | None = None

    def alias(self) -> str:
        """The database to read from."""
        if self.decided is None:
            self.decided = DEFAULT_DB_ALIAS  # what deciding asks is asked of the primary
            if self.replica and self._follows(self.replica):
                self.decided = self.replica
        return self.decided

    def give_up(self) -> bool:
        """Leave a replica that failed under the page; whether it was one."""
        if self.decided in (None, DEFAULT_DB_ALIAS):
            return False
        _failed(self.decided)
        self.decided = DEFAULT_DB_ALIAS
        return True

    def _follows(self, replica: str) -> bool:
        """Whether the replica answers and has what the reader wrote."""
        user = getattr(self.request, "user", None)
        if user is None and settings.SESSION_COOKIE_NAME in self.request.COOKIES:
            return False
        position = getattr(user, "last_write", None)  # of a session or of a token
        connection = connections[replica]
        try:
            connection.close_if_health_check_failed()
            connection.ensure_connection()
            if not position:
                return True
            with connection.cursor() as cursor:
                # One that was promoted replays nothing any more; it will be the primary.
                cursor.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [position])
                return bool(cursor.fetchone()[0])
        except database_errors():
            _failed(replica)
            return False


_reading: ContextVar[Reading | None] = ContextVar("reading", default=None)
_turn = None
_skipping: dict[str, int] = {}


def _failed(replica: str) -> None:
    log.warning("replica %s does not answer", replica, exc_info=True)
    _skipping[replica] = SKIPPED
    connections[replica].close()


def _next() -> str | None:
    """The replica whose turn it is; None while all of them are far behind or being left alone."""
    global _turn
    names = aliases()
    _turn = _turn or cycle(names)
    for _ in names:
        name = next(_turn)
        if _skipping.get(name):
            _skipping[name] -= 1
        elif replica_lag.is_near(name):
            return name
    return None


def alias() -> str:
    """The database from which the page that is being drawn reads."""
    reading = _reading.get()
    if reading is None or connections[DEFAULT_DB_ALIAS].in_atomic_block:
        return DEFAULT_DB_ALIAS
    return reading.alias()


class Router:
    """Tells Django which database a query is for."""

    def db_for_read(self, model, **hints) -> str:
        """A replica for pages, the primary for everything else."""
        return DEFAULT_DB_ALIAS if model._meta.app_label in PRIMARY_ONLY else alias()

    def db_for_write(self, model, **hints) -> str:
        """The primary; locked rows are read there as well."""
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one, other, **hints) -> bool:
        """A row is the same wherever it was read."""
        return True

    def allow_migrate(self, db, app_label, **hints) -> bool:
        """Replicas receive what the primary does."""
        return db == DEFAULT_DB_ALIAS


@contextmanager
def reading(request):
    """While it is answered, let `request` read where it may; gives the choice."""
    choice = Reading(request, _next() if request.method in SAFE else None)
    token = _reading.set(choice)
    try:
        yield choice
    finally:
        _reading.reset(token)


def is_write(sql: str) -> bool:
    """Whether a statement changes rows: by its first word, or as the last of several in one, which
    PostgreSQL takes (`WITH made AS (INSERT …) …`)."""
    first = sql.lstrip()[:6].upper()
    return first in WRITES or (
        first.startswith("WITH") and ("INSERT INTO" in sql or " RETURNING " in sql)
    )


@contextmanager
def noticing_writes():
    """Gives a list that is no longer empty once something was written to the primary."""
    wrote: list[str] = []

    def watch(execute, sql, params, many, context):
        if not wrote and is_write(sql):
            wrote.append(sql[:6])
        return execute(sql, params, many, context)

    with connections[DEFAULT_DB_ALIAS].execute_wrapper(watch):
        yield wrote


def note_write(user) -> None:
    """Keep on the member's row how far the primary's log is now. Raises one of
    `database_errors`."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn()::text")
        (position,) = cursor.fetchone()
    User.objects.filter(pk=user.pk).update(last_write=position)
