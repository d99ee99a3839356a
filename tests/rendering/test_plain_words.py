"""Words that somebody new here cannot know stand in the interface only where they are explained."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.once
TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
PRIVATE = re.compile(
    r"\b(passages?|standing|lanes?|roads?|variants?|fixtures?|parent unknown|stances?"
    r"|(?:un)?marks?(?!\s+(?:all\s+)?read)|marked|threadmarks?)\b",
    re.I,
)
# Each says beside the word what it means, or asks it as a link to the help.
EXPLAINED = {
    "posts/_answer.html": {"passage"},  # the hint above it says how they are numbered
    "posts/_argument.html": {"passages", "stance"},
    "posts/argument.html": {"lane", "passages"},
    "posts/mark.html": {"threadmark"},
    "posts/quotes.html": {"passage"},
    "posts/road.html": {"road"},
    "threads/outline.html": {"passage", "passages", "stances"},
    "threads/variant.html": {"variant", "variants"},
}


def visible(template: str) -> str:
    """The words that a template shows by itself."""
    text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", " ", template, flags=re.S)
    text = re.sub(r"<(script|style|svg)[^>]*>.*?</\1>", " ", text, flags=re.S)
    return re.sub(r"<[^>]*>", " ", text)


def private_words() -> dict[str, set[str]]:
    found = {}
    for path in TEMPLATES.rglob("*.html"):
        words = {word.lower() for word in PRIVATE.findall(visible(path.read_text()))}
        if words:
            found[path.relative_to(TEMPLATES).as_posix()] = words
    return found


def test_private_words_stand_only_where_they_are_explained():
    assert private_words() == EXPLAINED
