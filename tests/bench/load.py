"""Many readers and writers at once: how long each waits.

Nine of ten requests read a random page of a random debate, flat or as a tree, every second of them
as a member; the tenth is a reply, each by another member. The clients run beside the server on the
same machine, so what is measured is the clock on the wall of a machine that is busy throughout.
"""

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from statistics import quantiles
from threading import Thread as Task

from django.db import connection

from forum.models import Thread
from tests.bench import fill
from tests.bench.measure import PER_PAGE, Request, Server, reply

CONNECTIONS = (8, 32)
READS = 9  # to one reply
WARM = 3  # seconds in which a server that has just begun meets its pages; they do not count


@dataclass(slots=True)
class Waited:
    """Seconds that each answer took, by what was asked for; and what was refused, by its status."""

    read: list[float] = field(default_factory=list)
    reply: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Client:
    """One connection and what it will ask for; made before anything is measured, since the
    database is the server's then."""

    requests: list[tuple[str, Request]]
    waited: Waited = field(default_factory=Waited)

    def run(self, server: Server, since: float, until: float) -> None:
        with contextlib.closing(server.connect()) as line:
            for who, request in self.requests:
                began = time.perf_counter()
                if began > until:
                    return
                try:
                    server.ask(line, who, request)
                except RuntimeError as error:  # another status; the connection goes on
                    self.waited.refused.append(str(error).partition("\n")[0])
                    continue
                if began > since:
                    kind = self.waited.reply if request.form else self.waited.read
                    kind.append(time.perf_counter() - began)


def prepared(sizes: Iterable[int], count: int, random: Random) -> list[list[_Client]]:
    """Clients for each number of `CONNECTIONS`, who will ask for at most `count` pages each."""
    threads = list(Thread.objects.filter(key__in=[f"bench-{size}" for size in sizes]))
    members = [fill.name_of(n) for n in range(1, fill.MEMBERS + 1)]
    writer = fill.Writer(random)

    def one(n: int) -> tuple[str, Request]:
        thread = random.choice(threads)
        who = random.choice(members)
        if n % (READS + 1) == READS:
            return who, reply(thread, n, writer, quoting=n % 3 == 2)
        page = random.randint(1, -(-thread.numbered // PER_PAGE))
        view = random.choice(("flat", "tree"))
        path = f"{thread.get_absolute_url()}?view={view}&page={page}"
        return random.choice(("", who)), Request(path)

    return [
        [_Client([one(n + start) for n in range(count)]) for start in range(number)]
        for number in CONNECTIONS
    ]


def load(server: Server, clients: list[_Client], seconds: float) -> tuple[Waited, float]:
    """Let these ask, each without a pause, for so long; all that they waited, and for how long they
    asked."""
    connection.close()
    since = time.perf_counter() + WARM
    tasks = [Task(target=one.run, args=(server, since, since + seconds)) for one in clients]
    for task in tasks:
        task.start()
    for task in tasks:
        task.join()
    took, whole = time.perf_counter() - since, Waited()
    for one in clients:
        whole.read += one.waited.read
        whole.reply += one.waited.reply
        whole.refused += one.waited.refused
    return whole, took


def line(number: int, waited: Waited, took: float) -> str:
    """A line of the table, see `HEAD`."""
    cells = [str(number), f"{(len(waited.read) + len(waited.reply)) / took:.0f}"]
    for times in (waited.read, waited.reply):
        cut = quantiles(times, n=100, method="inclusive") if len(times) > 1 else [0.0] * 99
        cells.append(", ".join(f"{cut[at - 1] * 1000:.0f}" for at in (50, 95, 99)))
    return f"| {' | '.join([*cells, str(len(waited.refused))])} |"


HEAD = """| at once | a second | reads, ms: p50, p95, p99 | replies, ms: p50, p95, p99 | refused |
|---|---|---|---|---|"""
