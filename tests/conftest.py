"""What all tests share."""

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

import dev
from forum.rendering import glossary
from tests import postgres
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
    settled,
    stranger,
    thread,
    unhurried,
)


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
def pictures_folder(tmp_path_factory):
    """The pictures of tests stand where nobody else's do."""
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    storage["OPTIONS"] = {"location": tmp_path_factory.mktemp("pictures")}
    with override_settings(STORAGES={**settings.STORAGES, "pictures": storage}):
        yield


@pytest.fixture(autouse=True)
def unexplained():
    """No test knows the glossary of the one before it."""
    glossary.forget()


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
