"""What all tests share."""

import pytest

import dev


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The Chromium that browser tests drive; fails, and says what to do, if there is none."""
    path = dev.find_chromium()
    assert path, "No Chromium. Set CHROMIUM to its path, or leave these out: -m 'not browser'"
    return path
