"""The forum is loaded once and forked into workers: nothing crosses that two may not share."""

import json
import os
import runpy
import signal
import subprocess
import sys

import pytest
from prometheus_client import CollectorRegistry, multiprocess

from tests.clients import get, wait_for
from tests.cluster import ROOT, await_workers, served

pytestmark = pytest.mark.once

# Of a server that nobody runs: whoever asked it while the forum is loaded would fail.
NOWHERE = "postgres://nobody@127.0.0.1:1/nothing"
LOADED = """
import gc, json, os, random, sys, threading
import forum.wsgi
from django.conf import settings
from django.db import connections
from forum.operations import caching, downloads, replica_lag

def child():
    says, hears = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(hears, random.randbytes(8).hex().encode())
        os._exit(0)
    os.waitpid(pid, 0)
    return os.read(says, 16).decode()

print(json.dumps({
    "threads": [thread.name for thread in threading.enumerate()],
    "asked": [one.alias for one in connections.all(initialized_only=True) if one.connection],
    "held": [kept._lock.locked() for kept in (caching.pages, caching.fragments)]
    + [downloads._making.locked(), replica_lag._starting.locked()],
    "measured by": replica_lag._started,
    "frozen": gc.get_freeze_count(),
    "random": [child(), child()],
    "modules": sorted(sys.modules),
}))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """What is there when the forum has been loaded, with replicas and counts."""
    folder = tmp_path_factory.mktemp("loaded")
    (folder / "static").mkdir()
    environment = os.environ | {
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": NOWHERE,
        "DATABASE_REPLICAS": NOWHERE,
        "DEBUG": "0",
        "JONBAR_DATA": str(folder),
        "JONBAR_ENV_FILE": os.devnull,
        "METRICS_TOKEN": "t",
        "PROMETHEUS_MULTIPROC_DIR": str(folder),
        "SECRET_KEY": "known to everybody who reads the tests",
    }
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_the_forum_is_loaded_before_the_fork():
    assert runpy.run_path(str(ROOT / "deploy" / "gunicorn.conf.py"))["preload_app"] is True


def test_no_connection_thread_or_held_lock_is_forked(loaded):
    assert loaded["asked"] == []
    assert loaded["threads"] == ["MainThread"]
    assert loaded["measured by"] is None
    assert not any(loaded["held"])


def test_workers_do_not_draw_the_same_numbers(loaded):
    assert len(set(loaded["random"])) == 2


def test_what_every_worker_needs_is_loaded_and_frozen(loaded):
    assert {"forum.urls", "forum.views.threads", "forum.api.routes"} <= set(loaded["modules"])
    # Most of it: the collector, which writes to all that it looks at, leaves it alone.
    assert loaded["frozen"] > 100_000


@pytest.mark.parametrize("library", ["PIL", "boto3", "redis"])
def test_what_few_pages_need_is_not_loaded(loaded, library):
    assert library not in loaded["modules"]


@pytest.mark.whole
def test_counts_of_all_workers_are_added_up(tmp_path):
    """Those of one that was killed and of the one forked in its place among them."""
    counted = {"METRICS_TOKEN": "t", "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "counts")}
    with served(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite3", **counted) as (
        port,
        pid,
    ):
        wait_for(port, "/robots.txt")
        for _ in range(10):
            assert get(port, "/healthz")[0] == 200
        first, _ = await_workers(pid)
        os.kill(first, signal.SIGKILL)
        await_workers(pid, without=first)
        wait_for(port, "/robots.txt")
        for _ in range(10):
            assert get(port, "/healthz")[0] == 200
    counts = CollectorRegistry()
    multiprocess.MultiProcessCollector(counts, path=str(tmp_path / "counts"))
    labels = {"method": "GET", "route": "healthz", "status": "200"}
    assert counts.get_sample_value("jonbar_requests_total", labels) == 20
