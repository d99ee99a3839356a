"""Pages as clients read them."""

from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)  # before tests/postgres.py goes by these marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands in this folder. That every page is read with its number of queries shows on
    either database that it can be read at all."""
    for item in items:
        if item.path.parent == Path(__file__).parent and item.path.stem != "test_queries":
            item.add_marker(pytest.mark.reads)
