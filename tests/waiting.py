"""Waiting in tests for what has to come: as long as a machine that does much else may take."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 60  # seconds; what comes sooner is waited for no longer
Found = TypeVar("Found")


def until(
    found: Callable[[], Found],
    missing: str | Callable[[], str],
    *,
    pause: float = 0.02,
    patience: float = PATIENCE,
) -> Found:
    """What `found` returns, once that is true; asked again after each `pause`. Fails after so many
    seconds and says what was `missing`, or what that returns then."""
    end = time.monotonic() + patience
    while not (answer := found()):
        if time.monotonic() > end:
            said = missing if isinstance(missing, str) else missing()
            raise AssertionError(f"after {patience} s: {said}")
        time.sleep(pause)
    return answer
