"""Forced orders: what others do between two statements of an act, on a connection of their own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def before(statement: str, act: Callable[[], object], *, patience: float = 30) -> Iterator[None]:
    """Do `act` on another connection just before this one sends the first `statement`. Goes on
    after so many seconds: `act` may have to wait for what this one holds. Afterwards it is done."""
    others: list[threading.Thread] = []
    failures: list[BaseException] = []

    def elsewhere() -> None:
        try:
            act()
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    def watch(execute, sql, params, many, context):
        if statement in sql and not others:
            others.append(threading.Thread(target=elsewhere))
            others[0].start()
            others[0].join(patience)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield
    for other in others:
        other.join(30)
    if failures:
        raise failures[0]
