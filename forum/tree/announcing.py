"""What takes long under a debate's lock says so to those who wait for it in vain.

An act that moves many posts takes an advisory lock of PostgreSQL that means nothing but what it
does; it goes with the transaction, however that ends. Nobody waits for it. On SQLite, where whoever
writes waits for all others, nothing is said.
"""

from collections.abc import Iterable

from django.db import OperationalError, connection

ACTS = ("split", "merge", "move branch", "undo")
KEY = 1_246_699_090  # the first of as many keys as there are acts; any that nobody else takes
_FITS = 2**31  # the second half of a key; two debates that share one are told the same


class StillLocked(OperationalError):
    """The lock of one of `thread_ids` was waited for as long as a page waits."""

    def __init__(self, thread_ids: Iterable[int], why: Exception) -> None:
        super().__init__(*why.args)
        self.thread_ids = list(thread_ids)


def announce(act: str, *thread_ids: int) -> None:
    """Say that these debates, which this transaction has locked, are kept for one of ACTS."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for pk in thread_ids:
            cursor.execute(
                "SELECT pg_advisory_xact_lock_shared(%s, %s)", [KEY + ACTS.index(act), pk % _FITS]
            )


def kept_for(thread_ids: Iterable[int]) -> str:
    """Which of ACTS holds one of these debates at this moment; "" if none says so."""
    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT classid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND classid::bigint = ANY(%s) AND objid::bigint = ANY(%s) LIMIT 1",
            [[KEY + n for n in range(len(ACTS))], [pk % _FITS for pk in thread_ids]],
        )
        row = cursor.fetchone()
    return ACTS[row[0] - KEY] if row else ""
