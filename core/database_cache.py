"""The cache in a table of the database, where limits are counted."""

from django.core.cache.backends import db
from django.core.cache.backends.base import DEFAULT_TIMEOUT


class DatabaseCache(db.DatabaseCache):
    """Django's, which keeps silent where the database takes no writes or goes away. Whoever could
    not count a try would then be told that there were too many of them."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None) -> bool:
        """Whether the value was added. Raises what the database says if it takes no writes."""
        added = super().add(key, value, timeout, version)
        if not added:
            self.delete("of-nobody")  # the one write that Django lets fail aloud
        return added
