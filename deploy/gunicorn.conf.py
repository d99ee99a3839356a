"""How gunicorn serves the forum: `gunicorn --config deploy/gunicorn.conf.py forum.wsgi`.

On SIGTERM it takes no new requests and lets those that run come to their end. The forum is loaded
once, before the workers are forked from it, so that they share much of its memory: a new version
of the code takes a restart, since SIGHUP replaces the workers by others of the version loaded.
"""

import os
from pathlib import Path

bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
preload_app = True
threads = int(os.environ.get("WEB_THREADS", "4"))
# Longer than the database's own limit of 15 s, so that what takes too long is told as a 503.
timeout = 60
graceful_timeout = 30
keepalive = 60
# A worker is replaced now and then; not all at the same moment.
max_requests = 20_000
max_requests_jitter = 2_000
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
# Nobody steers it but by signals; its socket would lie in a home that the units keep shut.
control_socket_disable = True
accesslog = None  # LOG_FORMAT=json writes a line for each request, without what is private
forwarded_allow_ips = "127.0.0.1,::1"
# The forum, which is loaded before `on_starting`, begins to count here.
if counts := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    Path(counts).mkdir(parents=True, exist_ok=True)


def on_starting(server):
    """Begin with empty counts: those of the last run were another server's. The forum was loaded by
    now; what it counts in before it is forked is not needed."""
    if counts:
        for left in Path(counts).glob("*.db"):
            left.unlink()


def child_exit(server, worker):
    """Tell the counts of a worker that ended from those of one that lives."""
    if counts:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)
