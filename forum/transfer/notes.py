"""What an editor notes about a plain-text thread: where it leaves history, and what it asks.

A JSON file beside the text, `NAME.editor.json`: {"divergences": [{change, actor, place, when,
spot}], "questions": [sentence, ...]}. Dates are the editor's, and marked so; a place without a spot
("40.2, -3.6, 400 km", or "none") is looked up. Questions are sentences of the opening, to the
letter.
"""

import json
from dataclasses import dataclass

from forum.actions.composing import Unacceptable
from forum.actions.description import check
from forum.actions.divergences import AmbiguousPlace, DivergenceInput, read_divergence
from forum.text.questions import questions_in

from . import Rejected

FIELDS = {"change", "actor", "place", "when", "spot"}


@dataclass(frozen=True, slots=True)
class EditorsNotes:
    divergences: tuple[DivergenceInput, ...]
    questions: tuple[str, ...]


def read(data: bytes, name: str, opening: str) -> EditorsNotes:
    """Read the notes on a thread whose opening is given. Raises Rejected with the file's name."""
    try:
        notes = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Rejected(f"{name}: not JSON ({error}).") from None
    if not isinstance(notes, dict) or notes.keys() - {"divergences", "questions"}:
        raise Rejected(f"{name}: notes hold divergences and questions, nothing else.")
    rows, questions = notes.get("divergences", []), notes.get("questions", [])
    if not isinstance(rows, list) or not isinstance(questions, list):
        raise Rejected(f"{name}: divergences and questions are lists.")
    divergences = []
    for number, one in enumerate(rows, 1):
        if not isinstance(one, dict) or one.keys() - FIELDS:
            raise Rejected(f"{name}, divergence {number}: has {', '.join(sorted(FIELDS))} only.")
        if not all(isinstance(value, str) for value in one.values()):
            raise Rejected(f"{name}, divergence {number}: its fields are texts.")
        try:
            divergences.append(
                read_divergence(**({"actor": "", "place": "", "change": "", "when": ""} | one))
            )
        except AmbiguousPlace as error:
            which = "; ".join(f"{found.name}: {found.spot}" for found in error.found)
            raise Rejected(f"{name}, divergence {number}: give the spot of {which}.") from None
        except Unacceptable as error:
            raise Rejected(f"{name}, divergence {number}: {error}") from None
    proposed = questions_in(opening)
    for text in questions:
        if text not in proposed:
            raise Rejected(f"{name}: {text!a} is no question of the opening.")
    try:
        check(divergences, questions)
    except Unacceptable as error:
        raise Rejected(f"{name}: {error}") from None
    return EditorsNotes(tuple(divergences), tuple(questions))
