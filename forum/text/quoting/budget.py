"""How much comparing one text may cost before it is called too much."""

# Steps for all quotes of one text: a quote of 50,000 characters that is like a post of that length,
# with twenty older texts, takes 3,300,000. One step is about a twentieth of a microsecond.
STEPS = 5_000_000


class TooMuch(Exception):
    """The comparisons of a text have taken the steps that they may take."""


class Budget:
    """Counts the steps of comparisons. Steps and not time: what is judged must not depend on how
    busy the machine is."""

    def __init__(self, steps: int | None = STEPS) -> None:
        """`steps` None is no limit."""
        self.steps = steps
        self.spent = 0
        self.prepared: set[tuple[str, str]] = set()

    def spend(self, steps: int) -> None:
        """Count these steps. Raises TooMuch where they are more than there are left."""
        self.spent += steps
        if self.steps is not None and self.spent > self.steps:
            raise TooMuch

    def prepare(self, what: str, text: str, steps: int) -> None:
        """Count what is done once with each text, whatever is looked for in it."""
        if self.steps is not None and (what, text) not in self.prepared:
            self.spend(steps)
            self.prepared.add((what, text))


UNLIMITED = Budget(None)
