"""What is counted for Prometheus. Loaded only where METRICS_TOKEN is set.

Labels are patterns of addresses, methods and classes of status: as many series for a forum of a
million debates as for one. With PROMETHEUS_MULTIPROC_DIR set, the counts of all workers of one
host are added up, those of workers that ended included (see deploy/gunicorn.conf.py).
"""

import os

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST
METHODS = frozenset(("GET", "HEAD", "POST"))
SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
QUERIES = (0, 1, 2, 4, 6, 8, 12, 20, 40)

_registry = CollectorRegistry()
_requests = Counter(
    "jonbar_requests", "Answers, by address, method and status", ("route", "method", "status"),
    registry=_registry,
)  # fmt: skip
_seconds = Histogram(
    "jonbar_request_seconds", "Time to answer", ("route",), buckets=SECONDS, registry=_registry
)
_queries = Histogram(
    "jonbar_request_queries", "Statements to the database for one answer", ("route",),
    buckets=QUERIES, registry=_registry,
)  # fmt: skip

_lag = Gauge(
    "jonbar_replica_lag_seconds", "How far a replica is behind the primary at most", ("replica",),
    registry=_registry, multiprocess_mode="livemax",
)  # fmt: skip

_jobs = {
    name: Gauge(
        f"jonbar_jobs_{name}", help_text, registry=_registry, multiprocess_mode="mostrecent"
    )
    for name, help_text in (
        ("waiting", "Jobs whose time has come"),
        ("oldest_seconds", "How long the oldest of them has been due"),
        ("failed", "Jobs that failed for good"),
    )
}

_kept = {
    name: Gauge(
        f"jonbar_kept_{name}",
        help_text,
        ("cache",),
        registry=_registry,
        multiprocess_mode="livesum",
    )
    for name, help_text in (
        ("things", "Pages, posts and lines of lists that workers keep as they were drawn"),
        ("bytes", "In how much memory, roughly"),
    )
}


def count(route: str, method: str, status: int, seconds: float, queries: int) -> None:
    """Count one answer."""
    _requests.labels(route, method if method in METHODS else "other", str(status)).inc()
    _seconds.labels(route).observe(seconds)
    _queries.labels(route).observe(queries)


def set_kept(cache: str, things: int, size: int) -> None:
    """Keep how many things this worker keeps as they were drawn, and in how many bytes."""
    _kept["things"].labels(cache).set(things)
    _kept["bytes"].labels(cache).set(size)


def set_lag(replica: str, seconds: float) -> None:
    """Keep how far a replica is behind at most."""
    _lag.labels(replica).set(seconds)


def set_jobs(numbers: dict[str, float]) -> None:
    """Keep how much work waits: by "waiting", "oldest_seconds" and "failed"."""
    for name, gauge in _jobs.items():
        gauge.set(numbers[name])


def text() -> bytes:
    """All counts in Prometheus' text format: of all workers of this host, or of this process."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest(_registry)
    everybody = CollectorRegistry()
    multiprocess.MultiProcessCollector(everybody)
    return generate_latest(everybody)
