"""What is asked of an index of words, before it is put into a database's own language."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple


class Side(NamedTuple):
    """Words that stand side by side; one alone may be the beginning of a word (`prefix`)."""

    words: tuple[str, ...]
    prefix: bool = False

    @property
    def in_title(self) -> "Side":
        return self._replace(words=tuple(f"t={word.removeprefix('t=')}" for word in self.words))


class Limits(NamedTuple):
    """What rows are asked for besides words: only in `threads`, from `since` on, before `until`.
    `within`: a tag among the words asks for this debate alone."""

    threads: list[int] | None = None
    since: datetime | None = None
    until: datetime | None = None
    within: int | None = None


@dataclass(slots=True)
class Match:
    """Of each group of `all`, one must stand there; of `none`, nothing may. `words` are the groups
    of it by which what is found is ranked. Nothing negative is asked alone."""

    all: list[list[Side]] = field(default_factory=list)
    none: list[Side] = field(default_factory=list)
    words: list[list[Side]] = field(default_factory=list)

    def want(self, tags: Sequence[str]) -> None:
        """Ask for one of these tags."""
        self.all.append([Side((tag,)) for tag in tags])

    def without(self, tags: Sequence[str]) -> "Match":
        """The same, and that none of these tags be there."""
        return Match(self.all, [*self.none, *(Side((tag,)) for tag in tags)], self.words)

    def in_titles(self) -> "Match":
        """The same of the titles of debates alone: a word of a title is there a second time, so
        marked."""
        return Match([[side.in_title for side in group] for group in self.all], self.none)

    def refuse(self, tags: Sequence[str]) -> None:
        """Ask that none of these tags be there."""
        self.none += [Side((tag,)) for tag in tags]
