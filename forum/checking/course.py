"""How far a check of the whole forum has come, kept in a file so that it can be taken up again."""

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from core.files import whole_file

from .faults import Fault


class Course:
    """How a check was begun, the last debate that it is through with (`after`), and what it counted
    so far."""

    def __init__(self, fix: bool = False, quick: bool = False) -> None:
        self.fix, self.quick = fix, quick
        self.after = self.healed = self.left = 0
        self.compared: Counter[str] = Counter()
        self.is_saved = False
        self._unsure = 0  # what stands in debates that are looked at again after an interruption

    def take(self, fault: Fault) -> None:
        """Count a fault. What was healed is not found again; what was left is, until its debate is
        through."""
        if fault.healed:
            self.healed += 1
        else:
            self._unsure += 1

    def reach(self, thread_id: int) -> None:
        """All debates up to this one are through: note it."""
        self.after = thread_id
        self.settle()
        self.save()

    def settle(self) -> None:
        """What was found up to here is not found again."""
        self.left, self._unsure = self.left + self._unsure, 0

    def save(self) -> None:
        """Write it to its file, if anything can be written there (`is_saved`)."""
        kept = {name: getattr(self, name) for name in ("fix", "quick", "after", "healed", "left")}
        try:
            with whole_file(_path()) as file:
                file.write(json.dumps({**kept, "compared": self.compared}).encode())
        except OSError:
            self.is_saved = False
        else:
            self.is_saved = True


def interrupted() -> Course | None:
    """The course of the check that was interrupted last; None if none was."""
    try:
        kept = json.loads(_path().read_bytes())
        course = Course(kept["fix"], kept["quick"])
        course.after, course.healed, course.left = kept["after"], kept["healed"], kept["left"]
        course.compared = Counter(kept["compared"])
    except (OSError, ValueError, TypeError, LookupError):
        return None
    return course


def forget() -> None:
    """The check is through: there is nothing to take up."""
    with suppress(OSError):
        _path().unlink(missing_ok=True)


def _path() -> Path:
    return settings.DATA_DIR / "check-forum.json"
