"""What an exception of the database says about the database rather than about what was asked."""

import sys

from django.db import InterfaceError, OperationalError

READ_ONLY = "25006"
LOCK_TIMEOUT = "55P03"
DEADLOCK = "40P01"


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's code for what went wrong; "" where it gave none, and from SQLite."""
    return getattr(error.__cause__, "sqlstate", None) or ""


def takes_no_writes(error: BaseException) -> bool:
    """Whether the database is one to read from only: a standby, a server that was set so, a file
    on a disk that takes no writes. Django calls it an internal error on PostgreSQL."""
    return sqlstate(error) == READ_ONLY or "readonly database" in str(error)


def did_not_answer(error: BaseException) -> bool:
    """Whether the database was away, full or too busy, whatever was asked.

    Where rows are read a few at a time (`iterator`), Django closes the cursor of a connection that
    is gone without making the driver's exception one of its own.
    """
    if isinstance(error, OperationalError | InterfaceError):
        return True
    driver = sys.modules.get("psycopg")
    return driver is not None and isinstance(error, driver.OperationalError | driver.InterfaceError)
