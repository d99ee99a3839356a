"""Workers are killed and the database is restarted while members write over HTTP: what was
acknowledged is there once, a failure is a 503 that gives the text back, SIGTERM loses nothing."""

import os
import random
import signal
import sqlite3
import time
from contextlib import suppress

import pytest
from django.db import connection

from tests.clients import Writer, await_replies, end, posts_with, wait_for
from tests.cluster import Cluster, served, workers_of
from tests.operations.test_replicas import prepare

LONG = os.environ.get("JONBAR_LONG") == "1"
KILLS = 40 if LONG else 3


@pytest.mark.whole
@pytest.mark.races
def test_nothing_acknowledged_is_lost_or_doubled(tmp_path, record_property):
    postgres = connection.vendor == "postgresql"
    cluster = Cluster() if postgres else None
    try:
        if postgres:
            cluster.start()
            url = cluster.url(cluster.primary)
        else:
            url = f"sqlite:///{tmp_path}/load.sqlite3"
        forum = prepare(url, tmp_path)
        with served(tmp_path, workers=4, DATABASE_URL=url) as (port, pid):
            wait_for(port)
            writers = [Writer(port, cookie, forum["thread"]) for cookie in forum["cookies"]]
            for writer in writers:
                writer.start()
            choice, kills, restarts = random.Random("kills"), 0, 0
            for turn in range(KILLS):
                await_replies(writers, 5)
                if alive := workers_of(pid):
                    with suppress(ProcessLookupError):  # it ended just now
                        os.kill(choice.choice(alive), signal.SIGKILL)
                        kills += 1
                if postgres and turn % 2:
                    # Fast, then immediate, in turn.
                    cluster.primary.stop(signal.SIGINT if turn % 4 == 1 else signal.SIGQUIT)
                    cluster.primary.start()
                    restarts += 1
            os.kill(pid, signal.SIGTERM)  # while they write
            time.sleep(2)
            end(writers)
        if postgres:
            with cluster.primary.connect("jonbar") as there:
                rows = there.execute("SELECT source FROM forum_postrevision").fetchall()
        else:
            with sqlite3.connect(tmp_path / "load.sqlite3") as there:
                rows = there.execute("SELECT source FROM forum_postrevision").fetchall()
    finally:
        if cluster:
            cluster.close()
    stored = [token for (source,) in rows for token in posts_with(source)]
    told = [token for writer in writers for token in writer.told]
    assert len(stored) == len(set(stored)), "a post is there twice"
    assert set(told) <= set(stored), "a post that was acknowledged is missing"
    statuses: dict[int, int] = {}
    for writer in writers:
        assert writer.lost == [], "an answer did not give the text back"
        for status, count in writer.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    assert set(statuses) <= {0, 302, 503}, statuses
    assert "database is locked" not in (tmp_path / "gunicorn.log").read_text()
    record_property(
        "measured",
        f"{len(told)} acknowledged, {kills} workers killed, {restarts} restarts; {statuses}",
    )
