"""What time it is, by the one clock that all workers share: the database's.

A worker whose machine's clock is hours off must neither refuse a member something nor let one
pass, so what is compared with a later moment (when a post arrived, until when somebody may not
write, from when a job is due) is told and asked by `now`. SQLite is a part of the worker and has no
other clock than the machine's.
"""

from datetime import datetime
from weakref import WeakKeyDictionary

from django.db import connection
from django.db.models.functions import Now
from django.db.transaction import Atomic
from django.utils import timezone

# What a query can bring along, so that nobody has to ask: the moment at which its statement began.
MOMENT = Now()
# By block of a transaction that is open, or of one that nobody asks of any more.
_noted: WeakKeyDictionary[Atomic, datetime] = WeakKeyDictionary()


def now() -> datetime:
    """The moment, by the database's clock. On PostgreSQL a query, unless this transaction noted a
    moment; then that one, so that what an act writes is all of one moment."""
    if connection.vendor != "postgresql":
        return timezone.now()
    for block in reversed(connection.atomic_blocks):
        if noted := _noted.get(block):
            return noted
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def note(moment: datetime) -> None:
    """Keep what a query of this transaction brought as MOMENT, for its block and those within."""
    _noted[connection.atomic_blocks[-1]] = moment
