"""What all tests share."""

import asyncio
import os
from pathlib import Path

import hypothesis
import pytest
import time_machine
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

import dev
from forum.moderation import closing
from forum.rendering import glossary
from tests import bucket, postgres
from tests.people import (  # noqa: F401  (fixtures are found by their names here)
    administrator,
    answer,
    answerer,
    board,
    board_moderator,
    guest,
    inner_board,
    moderator,
    opener,
    opening,
    other_board,
    picture_folder,
    settled,
    stranger,
    thread,
    unhurried,
)

# Neither the clock nor chance fails a test: no example has a deadline, nor may the drawing of them
# be found slow; and but for the long form everybody tries the same ones.
hypothesis.settings.register_profile(
    "everywhere",
    deadline=None,
    derandomize=os.environ.get("JONBAR_LONG") != "1",
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("everywhere")


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """A worker's database stands there before Django asks for it; it goes with its folder or
    server."""
    return "PYTEST_XDIST_WORKER" in os.environ


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix) -> None:
    """Of several workers one migrates, see `place_migrated`."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        postgres.place_migrated(settings.DATABASES["default"])


@pytest.fixture(scope="session", autouse=True)
def data_folder(tmp_path_factory):
    """Beside the database of a worker, and of the commands that its tests run, stand files that no
    other worker writes: the names of closed accounts are read by each restore."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "static").mkdir()  # as in tests/postgres.py
    with pytest.MonkeyPatch.context() as patch, override_settings(DATA_DIR=folder):
        patch.setenv("JONBAR_DATA", str(folder))
        yield


@pytest.fixture(autouse=True)
def no_event_loop(request):
    """Only browser tests run beside an event loop (tests/browser/conftest.py says why)."""
    if not request.node.get_closest_marker("browser"):
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()


@pytest.fixture(autouse=True)
def nobody_closed():
    """No test knows the accounts that the one before it closed."""
    yield
    (settings.DATA_DIR / closing.FILE).unlink(missing_ok=True)


@pytest.fixture(scope="session", autouse=True)
def pictures_folder(tmp_path_factory):
    """The pictures of tests stand where nobody else's do."""
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    storage["OPTIONS"] = {"location": tmp_path_factory.mktemp("pictures")}
    with override_settings(STORAGES={**settings.STORAGES, "pictures": storage}):
        yield


@pytest.fixture(scope="session")
def bucket_server():
    """The address of a server of S3."""
    with bucket.serving() as address:
        yield address


@pytest.fixture
def pictures_bucket(bucket_server, monkeypatch) -> str:
    """A bucket in which the pictures of the test stand; its name."""
    for name, value in {**bucket.KEYS, **bucket.REGION}.items():
        monkeypatch.setenv(name, value)
    name = bucket.made(bucket_server)
    options = {"bucket_name": name, "endpoint_url": bucket_server, "addressing_style": "path"}
    storage = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    with override_settings(STORAGES={**settings.STORAGES, "pictures": storage}):
        yield name


@pytest.fixture(autouse=True)
def unexplained():
    """No test knows the glossary of the one before it."""
    glossary.forget()


@pytest.fixture
def stopped_clock():
    """The machine's clock stands still: what is counted by the minute or by the day begins no new
    count while the test is at it, and nothing is a second older on the second of two pages."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.fixture(scope="session")
def npm() -> Path:
    """The folder with the packages of tests/npm; fails, and says what to do, if they are missing.
    Tests that use it carry the mark `npm`."""
    missing = dev.npm_packages()
    assert not missing, f"Packages of tests/npm: {missing}. Leave these tests out: -m 'not npm'"
    return dev.ROOT / "var" / "npm" / "node_modules"


@pytest.fixture(scope="session")
def redis_server() -> str:
    """The program of a Redis or Valkey server; fails, and says what to do, if there is none. Tests
    that use it carry the mark `redis`."""
    path = dev.find_redis()
    assert path, "No redis-server or valkey-server. Leave these tests out: -m 'not redis'"
    return path


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The Chromium that browser tests drive; fails, and says what to do, if there is none."""
    path = dev.find_chromium()
    assert path, "No Chromium. Set CHROMIUM to its path, or leave these out: -m 'not browser'"
    return path


def pytest_terminal_summary(terminalreporter) -> None:
    """Say what was counted and measured on the way (acts, kills, strings, times): nobody asserts
    it, everybody may want to know."""
    told = [
        (report.nodeid, value)
        for report in terminalreporter.stats.get("passed", ())
        for name, value in report.user_properties
        if name == "measured"
    ]
    if told:
        terminalreporter.section("Counted and measured")
    for nodeid, value in sorted(told):
        terminalreporter.write_line(f"{nodeid.removeprefix('tests/')}: {value}")
