"""Ending what is being done after one of its statements to the database, in two ways."""

import os
import signal

from django.db import connection

from tests.waiting import until

SERVING = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def serving() -> set[int]:
    """PostgreSQL's processes that serve others on this database; of SQLite there are none."""
    if connection.vendor == "sqlite":
        return set()
    with connection.cursor() as cursor:
        cursor.execute(SERVING)
        return {pid for (pid,) in cursor.fetchall()}


def await_no_more_than(before: set[int]) -> None:
    """Wait until the server serves nobody but these: it takes a moment to notice that a client is
    gone, and until then what was locked for it is passed over by who looks for work."""
    until(lambda: serving() <= before, "the server still serves one that is gone", pause=0.002)


class Killed(BaseException):
    """The process is gone. No Exception, so that nothing takes it for something to handle."""


def counted(act) -> int:
    """Do `act`; returns how many statements it takes."""
    done = 0

    def watch(execute, *arguments):
        nonlocal done
        done += 1
        return execute(*arguments)

    with connection.execute_wrapper(watch):
        act()
    return done


def cut(act, statement: int) -> None:
    """Do `act`, but lose the database after that statement."""
    done, before = 0, serving()

    def watch(execute, sql, params, many, context):
        nonlocal done
        result = execute(sql, params, many, context)
        done += 1
        if done == statement:
            if connection.vendor == "sqlite":
                # A statement that is still being read would keep the file open, and its lock.
                connection.connection.rollback()
            connection.connection.close()
            raise Killed
        return result

    try:
        with connection.execute_wrapper(watch):
            act()
    except Killed:
        connection.close()
        connection.connect()
        await_no_more_than(before)


def kill(act, statement: int) -> None:
    """The same with a process that is killed."""
    before = serving()
    connection.close()
    pid = os.fork()
    if pid == 0:
        done = 0

        def watch(execute, sql, params, many, context):
            nonlocal done
            result = execute(sql, params, many, context)
            done += 1
            if done == statement:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        try:
            with connection.execute_wrapper(watch):
                act()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, "the act failed by itself"
    await_no_more_than(before)
