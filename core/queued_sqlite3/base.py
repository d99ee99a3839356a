"""SQLite whose writers stand in line.

SQLite has one writer. Who waits for it looks again only now and then, ever more rarely, so that
whoever came last is often served first, and somebody waits for seconds. Here those who are about
to write wait for a lock on a file beside the database (flock), which the system gives to them in
the order in which they came, threads and processes alike, and takes from a process that dies.

A transaction of the web stays in line until it has ended, and the next one begins at once: one
waits for it to the end. Others (commands, the worker) stay only until theirs has begun, since they
may write for long: whoever is first in line then waits for SQLite, as without a line, and all give
up as early. Decision 0057.
"""

import contextlib
import fcntl
import os
import time

from django.db import Error
from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with a place in the line. Settings beside ENGINE: `STAYS_IN_LINE` for the web."""

    _place: int | None = None  # the open file, while this connection is in line

    # Django calls the three methods with an underscore to begin and to end a transaction. A version
    # that calls others writes without a line: tests/core/test_queued_sqlite3.py would tell.
    def _start_transaction_under_autocommit(self) -> None:
        began = time.monotonic()
        try:
            self._stand_in_line()
            # Counted from the beginning: all wait for a long writer together, not each in turn.
            self._be_patient(time.monotonic() - began)
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
            self._be_patient()
        except BaseException:
            with contextlib.suppress(Error):
                self._be_patient()
            self._leave()
            raise
        if not self.settings_dict.get("STAYS_IN_LINE"):
            self._leave()

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        self._leave()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._leave()

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._leave()

    def _stand_in_line(self) -> None:
        if self.is_in_memory_db() or self.transaction_mode != "IMMEDIATE":  # type: ignore[attr-defined]
            return
        # A disk that is full or takes no writes: SQLite says so itself, in words that are known.
        with contextlib.suppress(OSError):
            name = f"{self.settings_dict['NAME']}-line"
            self._place = os.open(name, os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._place, fcntl.LOCK_EX)

    def _be_patient(self, waited: float = 0) -> None:
        """Let statements wait for the writer for as long as the settings say, less what one has
        waited already (seconds)."""
        whole = self.settings_dict["OPTIONS"].get("timeout", 5)
        with self.wrap_database_errors:
            self.connection.execute(f"PRAGMA busy_timeout = {max(0, int(1000 * (whole - waited)))}")

    def _leave(self) -> None:
        if self._place is not None:
            os.close(self._place)
            self._place = None
