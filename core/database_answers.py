"""What an exception of the database, or of a shared cache, says about it rather than about what was
asked."""

import sys

from django.db import Error, InterfaceError, OperationalError

READ_ONLY = "25006"
LOCK_TIMEOUT = "55P03"
DEADLOCK = "40P01"


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's code for what went wrong; "" where it gave none, and from SQLite."""
    return getattr(error.__cause__, "sqlstate", None) or ""


def database_errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """All that is raised where the database does not do what it was asked, for an `except`: not
    DatabaseError alone, which a connection that is gone does not always raise, and with what the
    driver raises itself, see `did_not_answer`; and `others`."""
    driver = sys.modules.get("psycopg")  # loaded where the database is PostgreSQL
    return (Error, driver.Error, *others) if driver else (Error, *others)


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


def is_away(error: BaseException) -> bool:
    """Whether database or shared cache did not do what they were asked, whatever it was."""
    return did_not_answer(error) or takes_no_writes(error) or _of_shared_cache(error)


def _of_shared_cache(error: BaseException) -> bool:
    """Whether Redis or Valkey did not do what it was asked. Its library is loaded only where
    CACHE_URL names one."""
    library = sys.modules.get("redis.exceptions")
    return library is not None and isinstance(error, library.RedisError)
