"""What programs send: the shapes of bodies."""

from typing import Annotated, Literal

from ninja import Field, Schema
from pydantic import AfterValidator


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("it holds a NUL character, which cannot be stored")
    return text


Typed = Annotated[str, AfterValidator(_without_nul)]
Text = Annotated[Typed, Field(min_length=1, description="In the markup of the site.")]
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
LaneName = Literal["", "premise", "consequence", "meta"]
StanceName = Literal["", "supports", "disputes", "asks", "evidence"]


class AnswerSent(Schema):
    """That a reply answers a question of the opening."""

    question: Id
    verdict: Literal["agrees", "disputes"]
    passage: int = Field(0, ge=0, le=9999, description="0 is the whole reply.")


class ReplySent(Schema):
    """A reply to a debate, or to one of its posts (`to`)."""

    text: Text
    to: Id | None = None
    lane: LaneName = Field("", description="That of what it answers, if empty.")
    stance: StanceName = ""
    quotes: dict[int, StanceName] = Field(
        {}, description="Stances to single quotes, by their order in the text, from 1 on."
    )
    answers: list[AnswerSent] = []


class PreviewSent(Schema):
    """A text to be looked at before it is sent: for a debate (`thread`), as an answer to one of its
    posts (`to`), or as the opening of a debate in a `board`."""

    text: Text
    thread: Id | None = None
    to: Id | None = None
    board: Annotated[Typed, Field(max_length=80, description="The slug of the board.")] = ""


class EditSent(Schema):
    """A new text of one's own post. `base` is what the post said when it was read: where it was
    changed since, the answer is 409 with both texts."""

    text: Text
    reason: Annotated[Typed, Field(max_length=300)] = ""
    base: Annotated[Typed, Field(min_length=1, max_length=40)]


class DivergenceSent(Schema):
    """Where a new debate leaves history; `when` as people write dates: “c. 1066”."""

    change: Typed
    when: Annotated[Typed, Field(max_length=120)]
    actor: Typed = ""
    place: Typed = ""


class ThreadSent(Schema):
    """A new debate. `questions` are those of its text that stand beside it, to the letter."""

    board: Annotated[Typed, Field(max_length=80, description="The slug of the board.")]
    title: Typed
    kind: Literal["WI", "AHC", "PC", "DBWI", "TL", "discussion"]
    text: Text
    policy: Literal["", "open", "granted"] = ""
    own_answer: Typed = ""
    divergences: list[DivergenceSent] = []
    questions: list[Typed] = []


class DraftSent(Schema):
    """A text that is not sent yet, for the form at the address `target`: “/threads/new/”,
    “/threads/1/reply/”, “/threads/1/reply/?to=2” or “/posts/2/edit/”."""

    target: Annotated[Typed, Field(max_length=200)]
    text: Typed
    title: Typed = ""
