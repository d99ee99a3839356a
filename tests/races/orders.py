"""Forced orders: what others do between two statements of an act, on a connection of their own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

from tests.waiting import PATIENCE, until

# Of locks as they are now: of pg_stat_activity a transaction sees what it saw at first.
WAITING = """
SELECT pid FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))
"""


def waiting() -> set[int]:
    """The server processes of connections that wait for a lock that this one holds (PostgreSQL).
    Others may wait too: other tests run on the same server."""
    with connection.connection.cursor() as cursor:  # past all wrappers
        return {pid for (pid,) in cursor.execute(WAITING)}


@contextmanager
def before(statement: str, act: Callable[[], object]) -> Iterator[None]:
    """Do `act` on another connection just before this one sends the first `statement`, which it
    does once `act` is done or waits for a lock that this one holds. Afterwards `act` is done."""
    others: list[threading.Thread] = []
    pids: list[int] = []
    failures: list[BaseException] = []

    def elsewhere() -> None:
        try:
            connection.ensure_connection()
            pids.append(connection.connection.info.backend_pid)
            act()
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    def is_done_or_waits() -> bool:
        return not others[0].is_alive() or not waiting().isdisjoint(pids)

    def watch(execute, sql, params, many, context):
        if statement in sql and not others:
            others.append(threading.Thread(target=elsewhere))
            others[0].start()
            until(is_done_or_waits, f"the act before {statement} is neither done nor waits")
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(watch):
            yield
    finally:
        for other in others:
            other.join(PATIENCE)
    assert not any(other.is_alive() for other in others), f"the act before {statement} never ends"
    if failures:
        raise failures[0]
