"""A real Chromium, the forum it looks at, and people who sit before it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.waiting import PATIENCE

from .readers import WIDE, Reader, profile

# Playwright keeps an event loop running in the tests' thread; that does not make them coroutines.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
expect.set_options(timeout=1_000 * PATIENCE)

# Nothing of this may speak to anybody but the forum under test.
QUIET = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# What costs processor time and draws nothing: a process of its own for a graphics card that is not
# there; and axe, run once per page, is never warm: compiled at first sight it is faster.
LIGHT = ("--in-process-gpu", "--js-flags=--always-sparkplug")


@pytest.hookimpl(tryfirst=True)  # before tests/postgres.py goes by these marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands in this folder. Only the journey writes and reads enough to tell one
    database from another. A quick run can wait for it and the pages, but not the desk's."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)
            if item.path.stem != "test_journey":
                item.add_marker(pytest.mark.once)
            if item.path.stem not in ("test_journey", "test_pages"):
                item.add_marker(pytest.mark.whole)


@pytest.fixture(scope="package")
def chromium(chromium_path: str) -> Iterator[Browser]:
    """One browser for all tests of this folder; each person in it has a profile of their own. It
    goes with them: while its event loop runs, Django keeps connections of its own for it, and a
    child that a later test forks, in which no loop runs, would speak on one of its parent's."""
    with sync_playwright() as tools:
        browser = tools.chromium.launch(
            executable_path=chromium_path, args=QUIET + LIGHT, timeout=2_000 * PATIENCE
        )
        yield browser
        browser.close()


@pytest.fixture
def site(live_server):
    """The forum, served."""
    cache.clear()  # allauth counts there, across tests
    return live_server


@pytest.fixture(scope="package")
def seats() -> dict[tuple, list[BrowserContext]]:
    """Profiles that somebody left, by kind. The next one sits down where a browser's process is
    warm: starting one costs as much as opening six pages."""
    return {}


@pytest.fixture
def sits_down(chromium, site, seats):
    """Call it for a person with a browser: `sits_down(member, javascript=False)`; nobody signed in
    without a member. Whatever went wrong in any of the pages they saw fails the test."""
    readers = []

    def sit(member=None, *, javascript: bool = True, viewport=WIDE, **options) -> Reader:
        free = seats.setdefault((javascript, *sorted(options.items())), [])
        if free:
            context = free.pop()
        else:
            context = profile(chromium, site.url, javascript=javascript, **options)
        reader = Reader(context, site.url)
        reader.page.set_viewport_size(viewport)
        readers.append((reader, free))
        if member:
            reader.comes_signed_in(member)
        return reader

    yield sit
    for reader, free in readers:
        if reader.leaves():
            free.append(reader.context)
        else:
            reader.context.close()
    assert [trouble for reader, _ in readers for trouble in reader.trouble] == []
