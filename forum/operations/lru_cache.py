"""What one process keeps in memory, up to a number of bytes."""

from collections import OrderedDict
from threading import Lock

from django.conf import settings


class LRUCache:
    """What one process keeps, the least recently used going first when room gets short; `setting`
    names how many megabytes there are. Where KEPT_PAGES_MB is 0 nothing is kept at all."""

    def __init__(self, setting: str) -> None:
        self._setting = setting
        self._kept: OrderedDict[tuple, tuple[object, int]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: tuple):
        """What is kept under `key`, or None."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def put(self, key: tuple, thing, size: int) -> None:
        """Keep a thing of about so many bytes in place of what was kept under `key`, unless there
        is less room than that in all."""
        room = getattr(settings, self._setting) * 1024 * 1024 if settings.KEPT_PAGES_MB else 0
        with self._lock:
            self._drop(key)
            if size > room:
                return
            self._kept[key] = (thing, size)
            self._bytes += size
            while self._bytes > room:
                self._drop(next(iter(self._kept)))

    def size(self) -> tuple[int, int]:
        """How many things are kept, and in how many bytes, as those said who put them."""
        with self._lock:
            return len(self._kept), self._bytes

    def clear(self) -> None:
        """Forget all of it."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def _drop(self, key: tuple) -> None:
        if (found := self._kept.pop(key, None)) is not None:
            self._bytes -= found[1]
