"""The cache in a table of the database, where limits are counted."""

import time

from django.core.cache.backends import db
from django.core.cache.backends.base import DEFAULT_TIMEOUT

TRIES = "allauth:rl:"  # its lists of moments, by the clock of whichever worker counted
AHEAD = 60  # seconds by which workers' clocks may differ, and still count each other's tries


class DatabaseCache(db.DatabaseCache):
    """Django's, which keeps silent where the database takes no writes or goes away. Whoever could
    not count a try would then be told that there were too many of them."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None) -> bool:
        """Whether the value was added. Raises what the database says if it takes no writes."""
        added = super().add(key, value, timeout, version)
        if not added:
            self.delete("of-nobody")  # the one write that Django lets fail aloud
        return added

    def get(self, key, default=None, version=None):
        """The value, or `default`. Of counted tries without those of a clock that was far ahead:
        they would bind for as long as it was, and the row expires by the same clock."""
        value = super().get(key, default, version)
        if key.startswith(TRIES) and isinstance(value, list):
            latest = time.time() + AHEAD
            return [moment for moment in value if moment <= latest]
        return value
