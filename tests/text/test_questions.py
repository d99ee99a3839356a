"""The questions of a text: its sentences that end in a question mark, to the letter."""

import json
from pathlib import Path

import pytest

from forum.text.questions import MAX_LENGTH, questions_in
from forum.transfer import text

SOURCES = Path(__file__).parents[2] / "fixtures/sources"
SIX = (
    "I believe this is so, are there any disagreements?",
    "Would Trotsky be more interventionist in the military conflicts in other countries?",
    "Would he send more aid to the communists in China and Korea, or possibly even send soldiers?",
    "With Germany, France, and Britain sending aide to the Nationalists, could this spark a ww2?",
    "If it could spark ww2, what would the alliances be?",
    "What does the community think?",
)


def test_the_six_questions_of_the_source_threads_opening():
    source = SOURCES / "trotsky-spain.txt"
    opening = text.read(source.read_bytes(), source.name).texts[0]
    assert questions_in(opening) == SIX
    assert opening.count("?") == 6
    assert all(question in opening for question in SIX)


def test_the_editor_confirms_five_of_them():
    notes = json.loads((SOURCES / "trotsky-spain.editor.json").read_text())
    assert notes["questions"] == list(SIX[:5])


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("No question here.", []),
        ("", []),
        ("?", []),
        ("? ?? !?", ["??", "!?"]),
        ("Would it hold? It would. And then?", ["Would it hold?", "And then?"]),
        ("Really?! Yes! Really…? “Is it so?” he asked.", ["Really?!", "Really…?", "“Is it so?”"]),
        ("He left (or did he?). Who knows?", ["Who knows?"]),
        ("Twice? Once. Twice?", ["Twice?"]),
        ("- Would it hold?\n. If not?\n2) Or half?", ["Would it hold?", "If not?", "Or half?"]),
        ("An address: example.org/?a=b is none. Is it?", ["Is it?"]),
        ("One\nline? Another\n\nparagraph?", ["line?", "paragraph?"]),
        ("Would the U.S. Army land? In 1924. Why?", ["Would the U.S. Army land?", "Why?"]),
        ("Could Gen. Franco wait? Mr. X?", ["Could Gen. Franco wait?", "Mr. X?"]),
        ("Pourquoi\u00a0? Et alors\u202f?", ["Pourquoi\u00a0?", "Et alors\u202f?"]),
        ("Kept  to the   letter, teh slip too?", ["Kept  to the   letter, teh slip too?"]),
    ],
)  # fmt: skip
def test_what_counts_as_a_question(said, found):
    assert questions_in(said) == tuple(found)
    assert all(question in said for question in questions_in(said))


def test_what_is_too_long_is_no_question():
    assert questions_in("a" * (MAX_LENGTH - 1) + "?") == ("a" * (MAX_LENGTH - 1) + "?",)
    assert questions_in("a" * MAX_LENGTH + "?") == ()


@pytest.mark.parametrize("part", [".", "?", "?)", "…x", ") ", "a. ", "\n", "1. "])
def test_texts_of_nothing_but_stops_are_read_to_their_end(part):
    """A run of stops that is tried from every one of them takes seconds."""
    assert questions_in(part * 60_000 + "x Is it?")[-1:] in ((), ("Is it?",), ("x Is it?",))
