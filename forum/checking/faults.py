"""One thing that is not as it should be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, in which thread (0: in none), and what became of it.

    `healable` says whether it is derived from something that is there; `healed` whether it was
    put right just now.
    """

    thread_id: int
    kind: str
    sentence: str
    healable: bool = True
    healed: bool = False

    def __str__(self) -> str:
        where = f"thread {self.thread_id}: " if self.thread_id else ""
        what = "healed" if self.healed else "can be healed" if self.healable else "left to people"
        return f"{where}{self.sentence} ({what})"
