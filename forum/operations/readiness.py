"""Whether the database answers within a second, whatever is wrong with it; and how far this
machine's clock is from the one that counts."""

import logging
import threading

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from core import clock

SECONDS = 1.0
CLOCKS_DIFFER = 5  # seconds that are worth a line
log = logging.getLogger("forum.operations.readiness")


class _Question:
    """One question to the database, asked in a thread of its own: what hangs there (a connection
    to a host that is gone takes minutes to fail) holds up nobody here."""

    def __init__(self) -> None:
        self.answered = threading.Event()
        self.good = False
        self.ahead = 0.0  # seconds that this machine's clock is ahead of the database's
        threading.Thread(target=self._ask, name="readiness", daemon=True).start()

    def _ask(self) -> None:
        try:
            # A thread has connections of its own: this one is new, so that a database that takes
            # no more of them is not ready.
            connection = connections[DEFAULT_DB_ALIAS]
            try:
                MigrationRecorder.Migration.objects.using(DEFAULT_DB_ALIAS).exists()
                self.ahead = (timezone.now() - clock.now()).total_seconds()
                self.good = True
            finally:
                connection.close()
        except Exception:
            log.warning("not ready", exc_info=True)
        finally:
            self.answered.set()


_lock = threading.Lock()
_open: _Question | None = None


def ready() -> bool:
    """Whether the database takes a connection and answers a query within a second.

    While an earlier question is still unanswered no other is asked: a database that hangs costs
    one thread, however often it is asked for.
    """
    global _open
    with _lock:
        if _open is None or _open.answered.is_set():
            _open = _Question()
        question = _open
    return question.answered.wait(SECONDS) and question.good


def describe_clock() -> str:
    """A line about this machine's clock if it is wrong, by the last question; or nothing."""
    ahead = _open.ahead if _open and _open.good else 0
    if abs(ahead) < CLOCKS_DIFFER:
        return ""
    where = "ahead of" if ahead > 0 else "behind"
    return f"this machine's clock is {abs(ahead):.0f} s {where} the database's\n"
