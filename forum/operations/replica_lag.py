"""How far replicas are behind the primary, by its log and by this process's own clock.

A thread for each server asks twice a second how far its log is. What a replica has replayed is
compared with where the log was known to be, and when: a replica that has it all is not behind,
however long nobody has written, and no two clocks are compared. Nothing that hangs holds up a page.

While no primary answers, what counts is the last that was known of its log, and what replicas have
received since: those that have replayed that go on being read.
"""

import logging
import os
import threading
import time
from collections import deque

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

EVERY = 0.5  # seconds between two questions
KEPT = 4096  # places of the log that are remembered: at least half an hour
# Up to where the log is on the primary's disk; not one that was promoted in vain, or demoted.
WRITTEN = """
SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_flush_lsn() - '0/0'::pg_lsn END
"""
REPLAYED = """
SELECT pg_last_wal_replay_lsn() - '0/0'::pg_lsn, pg_last_wal_receive_lsn() - '0/0'::pg_lsn
"""
log = logging.getLogger("forum.operations.replica_lag")


class Lags:
    """What is known of the log, and up to when each replica has it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: deque[tuple[float, int]] = deque(maxlen=KEPT)  # when, and how far it was
        self._has: dict[str, float] = {}  # by replica: all that was written until then

    def written(self, moment: float, position: int) -> None:
        """The primary said that its log was so far at that moment. One that was promoted may begin
        before what the last one said."""
        with self._lock:
            if self._known and position < self._known[-1][1]:
                self._known.clear()
            self._add(moment, position)

    def replayed(self, replica: str, moment: float, position: int, received: int | None) -> None:
        """A replica said what it has replayed and received of the log."""
        with self._lock:
            if received and self._known and received > self._known[-1][1]:
                self._add(moment, received)
            for known, written in reversed(self._known):
                if written <= position:
                    self._has[replica] = max(known, self._has.get(replica, known))
                    break

    def seconds(self, replica: str) -> float | None:
        """How many seconds the replica is behind at most; None where nothing is known yet."""
        with self._lock:
            if replica not in self._has or not self._known:
                return None
            return max(self._known[-1][0] - self._has[replica], 0) + EVERY

    def _add(self, moment: float, position: int) -> None:
        if self._known and self._known[-1][1] == position:
            self._known.pop()
        self._known.append((moment, position))


_lags = Lags()
_starting = threading.Lock()
_started: int | None = None  # the process whose threads run: a fork has none


def aliases() -> list[str]:
    """The names of the replicas among the databases."""
    return [alias for alias in settings.DATABASES if alias != DEFAULT_DB_ALIAS]


def seconds(replica: str) -> float | None:
    """How many seconds a replica is behind at most; None where nothing is known yet. The first
    who asks starts the measuring."""
    global _started
    if _started != os.getpid():
        with _starting:
            if _started != os.getpid():
                _started = os.getpid()
                for alias in (DEFAULT_DB_ALIAS, *aliases()):
                    threading.Thread(
                        target=_measure, args=(alias,), name=f"lag of {alias}", daemon=True
                    ).start()
    return _lags.seconds(replica)


def is_near(replica: str) -> bool:
    """Whether a replica is so near to the primary that pages may be read from it."""
    lag = seconds(replica)
    return lag is not None and lag <= settings.REPLICA_LAG_SECONDS


def describe() -> str:
    """A line for each replica: how far it is behind, and whether it is read from."""
    lines = []
    for replica in aliases():
        lag = seconds(replica)
        sentence = "not measured yet" if lag is None else f"at most {lag:.1f} s behind"
        lines.append(f"{replica}: {sentence}{'' if is_near(replica) else ', not read from'}\n")
    return "".join(lines)


def _measure(alias: str) -> None:
    """Ask one server again and again."""
    connection, answered = None, True
    while True:
        try:
            connection = connection or _connect(alias)
            _ask(alias, connection)
            answered = True
        except Exception:
            if answered:
                log.warning("%s does not say how far its log is", alias, exc_info=True)
            answered = False
            if connection is not None:
                connection.close()
            connection = None
        time.sleep(EVERY)


def _connect(alias: str):
    """A connection of this thread's own, which notices within seconds that a host is gone."""
    connection = connections[alias].copy()
    connection.settings_dict["OPTIONS"] |= {"connect_timeout": 2, "tcp_user_timeout": 5000}
    connection.connect()
    return connection


def _ask(alias: str, connection) -> None:
    moment = time.monotonic()  # before: what is answered was so no earlier
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN if alias == DEFAULT_DB_ALIAS else REPLAYED)
        position, *received = cursor.fetchone()
    if position is None:
        raise LookupError(f"{alias} is not what DATABASE_URL and DATABASE_REPLICAS take it for")
    if alias == DEFAULT_DB_ALIAS:
        _lags.written(moment, int(position))
    else:
        _lags.replayed(alias, moment, int(position), received[0] and int(received[0]))
    if settings.METRICS_TOKEN:
        from . import metrics  # the library costs memory, so only where it is used

        for replica in aliases():
            if (lag := _lags.seconds(replica)) is not None:
                metrics.set_lag(replica, lag)
