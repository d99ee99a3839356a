"""Ending what is being done after one of its statements to the database, in two ways."""

import os
import signal

from django.db import connection


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
    done = 0

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


def kill(act, statement: int) -> None:
    """The same with a process that is killed."""
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
