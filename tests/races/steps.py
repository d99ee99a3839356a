"""Acts of several people, one statement at a time, in an order that a seed draws.

Each act runs in a thread with a connection and transactions of its own, and stops before every
statement and before every commit. One of those that stand there is let go, until it stands at its
next statement, is done, or waits for a lock of another: then another one is let go. So one seed is
one order, and the same again whenever it is played.
"""

import random
import threading
import time
from collections.abc import Callable, Sequence

from django.db import connection

from core.problems import Problem

WAITING = "SELECT pid FROM unnest(%s::int[]) AS pid WHERE cardinality(pg_blocking_pids(pid)) > 0"
PATIENCE = 60  # seconds for one step: whoever takes longer waits for something unknown


class Actor(threading.Thread):
    """Somebody who does one act. `problem` is what refused it, `failure` what should not be."""

    def __init__(self, name: str, act: Callable[[], object], turn: threading.Condition) -> None:
        super().__init__(daemon=True)
        self.act_name, self.act, self.turn = name, act, turn
        self.stands = self.done = self.free = False
        self.steps = 0
        self.pid: int | None = None
        self.problem: Problem | None = None
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            connection.ensure_connection()
            self.pid = connection.connection.info.backend_pid
            commit = connection.commit

            def stopped() -> None:
                self.stop()
                commit()

            connection.commit = stopped
            with connection.execute_wrapper(self.before):
                self.act()
        except Problem as problem:
            self.problem = problem
        except BaseException as failure:
            self.failure = failure
        finally:
            connection.__dict__.pop("commit", None)
            connection.close()
            with self.turn:
                self.done = True
                self.turn.notify_all()

    def before(self, execute, sql, params, many, context):
        self.stop()
        return execute(sql, params, many, context)

    def stop(self) -> None:
        """Stand here until one is let go."""
        with self.turn:
            self.stands, self.free = True, False
            self.turn.notify_all()
            self.turn.wait_for(lambda: self.free)

    def let_go(self) -> None:
        with self.turn:
            self.steps += 1
            self.stands, self.free = False, True
            self.turn.notify_all()

    @property
    def runs(self) -> bool:
        return not (self.stands or self.done)


class Order:
    """Who goes next: whoever comes first in an order that the seed draws, and that it changes at a
    few steps, where whoever goes is put last. (Most races need one or two such changes.)"""

    def __init__(self, seed: int, actors: Sequence[Actor], length: int, changes: int) -> None:
        draw = random.Random(seed)
        self.line = draw.sample(actors, len(actors))
        self.changes = set(draw.sample(range(1, max(length, changes + 1) + 1), changes))
        self.step = 0

    def next(self, ready: Sequence[Actor]) -> Actor:
        self.step += 1
        chosen = next(actor for actor in self.line if actor in ready)
        if self.step in self.changes:
            self.line.remove(chosen)
            self.line.append(chosen)
            chosen = next(actor for actor in self.line if actor in ready)
        return chosen


class Play:
    """Acts that meet, played once. Afterwards: `steps`, `waits` (for locks) and `deadlocks`."""

    def __init__(self, acts: Sequence[tuple[str, Callable[[], object]]]) -> None:
        self.turn = threading.Condition()
        self.actors = [Actor(name, act, self.turn) for name, act in acts]
        self.steps = self.waits = self.deadlocks = 0

    def run(self, seed: int, length: int, changes: int) -> list[Actor]:
        """Play the order of `seed`, with its `changes` within the first `length` steps."""
        order = Order(seed, self.actors, length, changes)
        for actor in self.actors:
            actor.start()
        while not all(actor.done for actor in self.actors):
            self.settle()
            ready = [actor for actor in self.actors if actor.stands]
            if ready:
                order.next(ready).let_go()
                self.steps += 1
        for actor in self.actors:
            actor.join(PATIENCE)
        return self.actors

    def settle(self) -> None:
        """Until everybody stands, is done, or waits for somebody who stands."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with self.turn:
                self.turn.wait_for(lambda: not any(a.runs for a in self.actors), 0.004)
                running = [actor for actor in self.actors if actor.runs]
                others = [actor for actor in self.actors if actor.stands]
            if not running:
                return
            waiting = self.waiting(running)
            with self.turn:
                same = others == [actor for actor in self.actors if actor.stands]
                if not same or any(actor.done for actor in running):
                    continue
            if len(waiting) < len(running):
                continue
            if others:
                self.waits += 1
                return
            # Nobody is left whom they could wait for: PostgreSQL ends one of them soon.
            self.deadlocks += 1
            if self.someone_left(running, PATIENCE):
                continue
        raise AssertionError("An act waits for something that is no lock of another.")

    def someone_left(self, running: Sequence[Actor], seconds: float) -> bool:
        """Whether one of these no longer runs before so many seconds are over."""
        with self.turn:
            return self.turn.wait_for(lambda: not all(a.runs for a in running), seconds)

    def waiting(self, running: Sequence[Actor]) -> set[int]:
        pids = [actor.pid for actor in running if actor.pid]
        with connection.cursor() as cursor:
            cursor.execute(WAITING, [pids])
            return {row[0] for row in cursor.fetchall()}
