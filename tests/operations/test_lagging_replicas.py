"""Acts in any order on a primary whose standby falls behind and catches up: what is taken out of
sight is on no page that is asked for later than a replica may lag, to whomever it is closed; and
who writes meanwhile sees it at once."""

import json
import os
import random
import re
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from functools import partial

import pytest

from tests.clients import Writer, get, wait_for
from tests.cluster import ROOT, Cluster, served
from tests.operations.test_replicas import prepare, wait_until_near
from tests.waiting import PATIENCE, until

LONG = os.environ.get("JONBAR_LONG") == "1"
SECONDS = 240 if LONG else 20
LAG = 2
# Beside the lag: workers ask twice a second how far the replica is, and these here are busy.
SLACK = 8
LONGEST = LAG + SLACK + 2  # that the standby replays nothing
PER_PAGE = 20  # posts
KINDS = ("hide", "remove", "withdraw", "erase", "move", "back")
TOKEN = re.compile(r"claim([0-9a-f]{32})")
# Does acts until it is ended, and tells of each what went, for whom, and what came back.
ACTS = """
import json, random, sys, time, uuid
import django; django.setup()
from forum.actions import posts, boards
from forum.models import Board, Thread
from forum.moderation import erasing, moving, states
from tests.people import fresh, make_member, reply, start
draw = random.Random(sys.argv[1])
chief = make_member("chief", is_staff=True, is_superuser=True)
writer = make_member("writer")
public, narrow = (Board.objects.create(name=n, slug=n.lower()) for n in ("Seen", "Closed"))
boards.change(user=chief, board=narrow, audience="members", reason="For members.")
debates = [start(public, writer, f"Debate {n}", text=f"Number {n}.") for n in range(3)]
standing = {debate.pk: {} for debate in debates}
print(json.dumps([debate.get_absolute_url() for debate in debates]), flush=True)
def tell(kind, tokens, who="everybody"):
    print(json.dumps({"act": kind, "tokens": tokens, "who": who, "at": time.time()}), flush=True)
while True:
    debate = fresh(draw.choice(debates))
    kept, why = standing[debate.pk], {"reason": "An order."}
    act = draw.choice(("reply", "reply", "reply", "hide", "remove", "withdraw", "erase", "move"))
    if act == "move" and draw.random() < 0.5:
        closed = debate.board_id == public.pk
        if not closed:
            tell("back", list(kept.values()))
        moving.move_thread(user=chief, thread=debate, board=narrow if closed else public, **why)
        if closed:
            tell("move", list(kept.values()), "visitors")
    elif act in ("reply", "move") or not kept:
        token = uuid.UUID(int=draw.getrandbits(128)).hex
        if debate.board_id == public.pk:
            kept[reply(debate, writer, f"It is claim{token} of mine.").pk] = token
    else:
        pk = draw.choice(sorted(kept))
        post = posts.Post.objects.select_related("thread__board", "author").get(pk=pk)
        if act == "withdraw":
            posts.withdraw(user=writer, post=post)
        elif act == "erase":
            count = erasing.find(post, '').texts
            erasing.erase(user=chief, post=post, texts=count, **why)
        else:
            getattr(states, act)(user=chief, post=post, **why)
        tell(act, [kept.pop(pk)])
    time.sleep(0.15)
"""


@dataclass
class Gone:
    """From when on a text may be on no page, and for whom; `back` is when it may be again."""

    at: float
    act: str
    who: str
    back: float = float("inf")


@dataclass
class Log:
    """What was done, and what the readers saw."""

    gone: dict[str, list[Gone]] = field(default_factory=dict)
    acts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    seen: list[tuple[float, str, set[str]]] = field(default_factory=list)
    own: list[bool] = field(default_factory=list)  # whether a writer saw each of their own

    def done(self, line: dict) -> None:
        self.acts[line["act"]] += 1
        for token in line["tokens"]:
            if line["act"] == "back":
                self.gone[token][-1].back = line["at"]
            else:
                new = Gone(line["at"], line["act"], line["who"])
                self.gone.setdefault(token, []).append(new)

    def is_enough(self) -> bool:
        """Whether enough was done and read to tell; some pages have to be older than the acts, or
        these readers could see no lag at all."""
        done = sum(self.acts.values()) > SECONDS and sum(map(bool, self.acts.values())) >= 4
        return done and min(len(self.seen), 2 * len(self.own)) > SECONDS and bool(self.late())

    def late(self) -> list[tuple[float, str, str]]:
        """For each page that showed what was gone: how many seconds after the act it was asked for,
        by whom, and which act it was."""
        return [
            (asked - gone.at, who, gone.act)
            for asked, who, tokens in self.seen
            for token in tokens
            for gone in self.gone.get(token, ())
            if gone.at < asked < gone.back and gone.who in (who, "everybody")
        ]


def read(log: Log, port: int, paths: list[str], who: str, cookie: str, stop: threading.Event):
    draw = random.Random(who)
    while not stop.is_set():
        asked = time.time()
        text = get(port, draw.choice(paths), cookie)[1]
        log.seen.append((asked, who, set(TOKEN.findall(text))))
        time.sleep(0.05)


def write(log: Log, port: int, forum: dict, stop: threading.Event):
    """Reply in a debate in which nobody else writes, and ask for its last page each time."""
    writer = Writer(port, forum["cookies"][2], forum["thread"])
    while not stop.is_set():
        token = str(uuid.uuid4())
        until(partial(writer.send, token), "a reply is never taken")
        page = -(-(1 + len(writer.told)) // PER_PAGE)
        log.own.append(token in get(port, f"{forum['path']}?page={page}", writer.cookie)[1])
        time.sleep(0.3)


@pytest.mark.whole
@pytest.mark.postgres
@pytest.mark.races
def test_nothing_that_was_taken_away_is_shown_for_longer_than_a_replica_may_lag(
    tmp_path, record_property
):
    cluster, log, stop = Cluster(), Log(), threading.Event()
    seed = int(os.environ.get("JONBAR_SEED", 15))
    draw = random.Random(seed)
    doing = None
    try:
        cluster.start()
        primary, standby = cluster.primary, cluster.standby
        forum = prepare(cluster.url(primary), tmp_path)
        cluster.follow()
        env = os.environ | {
            "DATABASE_URL": cluster.url(primary),
            "DJANGO_SETTINGS_MODULE": "forum.settings",
            "HOLD_NEW_LINKS": "0",
            "POSTS_PER_MINUTE": "0",
            "REPEAT_MINUTES": "0",
            "STARTS_PER_HOUR": "0",
            "PYTHONPATH": str(ROOT),
        }
        doing = subprocess.Popen(
            [sys.executable, "-c", ACTS, str(seed)],
            env=env,
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
        )
        paths = json.loads(doing.stdout.readline())
        told = threading.Thread(
            target=lambda: [log.done(json.loads(line)) for line in doing.stdout], daemon=True
        )
        told.start()
        with served(
            tmp_path,
            DATABASE_URL=cluster.url(primary),
            DATABASE_REPLICAS=cluster.url(standby),
            REPLICA_LAG_SECONDS=str(LAG),
        ) as (port, server):
            wait_for(port)
            wait_until_near(port, server)
            people = [
                threading.Thread(target=act, args=(log, port, *more, stop), daemon=True)
                for act, more in (
                    (read, (paths, "visitors", "")),
                    (read, (paths, "member", forum["cookies"][1])),
                    (write, (forum,)),
                )
            ]
            for one in people:
                one.start()
            stood, end = 0, time.monotonic() + SECONDS
            try:
                while time.monotonic() < end or not log.is_enough():
                    assert time.monotonic() < end + 2 * PATIENCE, "too little is done"
                    standby.ask("SELECT pg_wal_replay_pause()")
                    time.sleep(draw.choice((0.5, 1.5, LONGEST)) if stood else LONGEST)
                    standby.ask("SELECT pg_wal_replay_resume()")
                    time.sleep(draw.choice((0.2, 1, 2)))
                    stood += 1
                    assert doing.poll() is None, "the acts ended"
                    assert all(one.is_alive() for one in people)
            finally:
                stop.set()
                for one in people:
                    one.join(timeout=2 * PATIENCE)
    finally:
        if doing is not None:
            doing.kill()
        cluster.close()
    late = log.late()
    worst = max(late)
    assert worst[0] < LAG + SLACK, sorted(late)[-10:]
    assert all(log.own), log.own
    record_property(
        "measured",
        f"{log.acts}, {len(log.seen)} pages, {len(log.own)} own posts seen at once, the standby "
        f"stood still {stood} times; {len(late)} times something was shown after it was taken "
        f"away, for {worst[0]:.1f} s at most, where {LAG} s are allowed",
    )
