"""A real Chromium, the forum it looks at, and people who sit before it."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, sync_playwright

from .readers import Reader

# Playwright keeps an event loop running in the tests' thread; that does not make them coroutines.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

# Nothing of this may speak to anybody but the forum under test.
QUIET = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


# What looks at pages only needs to look once: they are the same on either database.
LOOKS = ("test_pages", "test_keyboard", "test_print")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what stands in this folder, and leave to SQLite what does not depend on a database."""
    mine = [item for item in items if item.path.parent == Path(__file__).parent]
    for item in mine:
        item.add_marker(pytest.mark.browser)
    if os.environ.get("JONBAR_TEST_DATABASE") == "postgres":
        left = [item for item in mine if item.path.stem in LOOKS]
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)


@pytest.fixture(scope="session")
def chromium(chromium_path: str) -> Iterator[Browser]:
    """One browser for all tests; each person in it has a profile of their own."""
    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=chromium_path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def site(live_server):
    """The forum, served."""
    cache.clear()  # allauth counts there, across tests
    return live_server


@pytest.fixture
def sits_down(chromium, site):
    """Call it for a person with a browser: `sits_down(member, javascript=False)`; nobody signed in
    without a member. Whatever went wrong in any of the pages they saw fails the test."""
    with ExitStack() as stack:
        readers = []

        def sit(member=None, *, javascript: bool = True, **context) -> Reader:
            reader = Reader(chromium, site.url, javascript=javascript, **context)
            stack.callback(reader.context.close)
            readers.append(reader)
            if member:
                reader.comes_signed_in(member)
            return reader

        yield sit
        assert [trouble for reader in readers for trouble in reader.trouble] == []
