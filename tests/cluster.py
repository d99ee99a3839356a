"""A primary and a streaming standby on this machine, and the forum served from them."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.postgres import find_programs, free_port
from tests.waiting import until

ROOT = Path(__file__).parents[1]
SETTINGS = {
    "fsync": "off",  # the machine does not lose its power here
    "hot_standby": "on",
    "listen_addresses": "127.0.0.1",
    "max_connections": "60",
    "max_wal_senders": "5",
    "shared_buffers": "32MB",
    "timezone": "UTC",
    "unix_socket_directories": "",
    "wal_level": "replica",
    "wal_receiver_status_interval": "1",
}


class Node:
    """One PostgreSQL server."""

    def __init__(self, cluster: "Cluster", name: str) -> None:
        self.cluster, self.name, self.port = cluster, name, free_port()
        self.data = cluster.folder / name
        self.process: subprocess.Popen | None = None

    def start(self, **settings: str) -> None:
        """Start it and wait until it answers."""
        log = (self.cluster.folder / f"{self.name}.log").open("a")
        given = [p for pair in (SETTINGS | settings).items() for p in ("-c", "=".join(pair))]
        program = self.cluster.programs / "postgres"
        self.process = subprocess.Popen(
            [program, "-D", self.data, "-p", str(self.port), *given],
            cwd="/",
            stdout=log,
            stderr=log,
            start_new_session=True,
            **self.cluster.runs_as,
        )
        until(self.answers, Path(log.name).read_text, pause=0.1)

    def answers(self) -> bool:
        """Whether it takes connections."""
        with contextlib.suppress(psycopg.OperationalError), self.connect():
            return True
        return False

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """End it: SIGINT is a fast shutdown, SIGQUIT an immediate one."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=60)

    def kill(self) -> None:
        """Kill every one of its processes without warning."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=60)

    def connect(self, name: str = "postgres") -> psycopg.Connection:
        """A superuser's connection."""
        return psycopg.connect(
            f"host=127.0.0.1 port={self.port} user=postgres password={self.cluster.password}"
            f" dbname={name}",
            autocommit=True,
        )

    def ask(self, statement: str, name: str = "postgres"):
        """The first column of the first row."""
        with self.connect(name) as connection:
            return connection.execute(statement).fetchone()[0]


class Cluster:
    """A primary and, once `follow` was called, its standby."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="jonbar-cluster-"))
        self.password = secrets.token_hex(16)
        self.programs, self.runs_as = find_programs(self.folder)
        (self.folder / "password").write_text(self.password)
        self._own()
        self.primary, self.standby = Node(self, "primary"), Node(self, "standby")
        self._run(
            *("initdb", "--pgdata", self.primary.data, "--no-sync", "--username=postgres"),
            *("--auth=scram-sha-256", "--pwfile", self.folder / "password", "--encoding=UTF8"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        )

    def _own(self) -> None:
        if self.runs_as:
            for path in (self.folder, *self.folder.rglob("*")):
                shutil.chown(path, self.runs_as["user"], self.runs_as["group"])

    def _run(self, program: str, *arguments: str | Path) -> None:
        subprocess.run(
            [self.programs / program, *arguments],
            check=True,
            cwd="/",
            stdout=subprocess.DEVNULL,
            env=os.environ | {"PGPASSWORD": self.password},
            **self.runs_as,
        )

    def start(self, **settings: str) -> None:
        """Start the primary with a database for the forum."""
        self.primary.start(**settings)
        with self.primary.connect() as connection:
            connection.execute(f"CREATE ROLE jonbar LOGIN CREATEDB PASSWORD '{self.password}'")
            connection.execute("CREATE DATABASE jonbar OWNER jonbar")

    def follow(self) -> None:
        """Start the standby from a base backup, streaming."""
        self._run(
            *("pg_basebackup", "--pgdata", self.standby.data, "--write-recovery-conf"),
            *("--checkpoint=fast", "--wal-method=stream", "--no-sync"),
            "--dbname",
            f"host=127.0.0.1 port={self.primary.port} user=postgres password={self.password}"
            " application_name=standby",
        )
        self.standby.start()
        until(
            lambda: self.primary.ask("SELECT count(*) FROM pg_stat_replication"),
            "the standby does not stream",
        )

    def url(self, *nodes: Node, more: str = "") -> str:
        """A DATABASE_URL with these hosts."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
        return f"postgres://jonbar:{self.password}@{hosts}/jonbar{more}"

    def close(self) -> None:
        """End both and take everything away."""
        for node in (self.standby, self.primary):
            with contextlib.suppress(OSError, AttributeError):
                node.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def served(folder: Path, *, workers: int = 2, **environment: str) -> Iterator[tuple[int, int]]:
    """gunicorn with the forum on these settings; gives its port and its process id."""
    port = free_port()
    env = os.environ | {
        "ALLOWED_HOSTS": "127.0.0.1",
        "DEBUG": "0",
        "HTTPS": "0",
        "JONBAR_DATA": str(folder),
        "JONBAR_ENV_FILE": os.devnull,
        "KEPT_PAGES_MB": "16",
        "POSTS_PER_MINUTE": "0",
        "STARTS_PER_HOUR": "0",
        "SECRET_KEY": "known to everybody who reads the tests",
        "STATIC_MANIFEST": "0",
        "BIND": f"127.0.0.1:{port}",
        "WEB_CONCURRENCY": str(workers),
        **environment,
    }
    log = (folder / "gunicorn.log").open("a")
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "forum.wsgi"],
        cwd=ROOT,
        env=env,
        stdout=log,
        stderr=log,
    )
    try:
        yield port, process.pid
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()


def workers_of(pid: int) -> list[int]:
    """The processes that gunicorn has forked."""
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def await_workers(pid: int, without: int | None = None) -> list[int]:
    """Both workers of gunicorn, when both are forked and this one is gone."""

    def both() -> list[int]:
        workers = workers_of(pid)
        return workers if len(workers) > 1 and without not in workers else []

    return until(both, "there are not two workers")
