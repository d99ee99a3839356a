"""The one kind of refusal: whatever keeps an act from being done."""


class Problem(Exception):
    """An act was not done, and nothing was changed.

    `sentence` says why and what to do, for whoever tried; `status` is the HTTP status of the
    answer; `field` names the field of the form that it is about, "" the form as a whole.
    """

    status = 422

    def __init__(self, sentence: str, *, status: int = 0, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status or self.status
        self.field = field


class Unacceptable(Problem):
    """What was typed or chosen cannot be taken as it is."""
