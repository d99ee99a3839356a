"""Marking words in stored HTML: the words asked for, no others; the HTML stays as it was."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forum.text.marking import mark_words
from forum.text.markup import render

MARKED = re.compile(r"<mark>(.*?)</mark>", re.S)


def marked(source: str, words: str, number: int = 1, before: int = 0) -> list[str]:
    html = render(source, format="markdown").html
    marked = mark_words(html, {number: [(before, words)]})
    assert marked.replace("<mark>", "").replace("</mark>", "") == html
    return MARKED.findall(marked)


@pytest.mark.parametrize(
    ("source", "words", "found"),
    [
        ("One two three.", "two", ["two"]),
        ("One *two three* four.", "two three four", ["two three", " four"]),
        ("One\ntwo   three.", "One two three", ["One\ntwo   three"]),
        ("Bread & butter < jam.", "& butter <", ["&amp; butter &lt;"]),
        ("As [he said](https://example.org/a) then.", "said then", ["said", " then"]),
        ("What does @member-a mean?", "does @member-a mean", ["does ", " mean"]),
        ("Nothing of it.", "stands here", []),
        ("Nothing of it.", "  ", []),
    ],
)
def test_words_are_marked_and_tags_are_not(source, words, found):
    assert marked(source, words) == found


def test_the_second_of_two_equal_words_can_be_meant():
    html = render(
        "So it was, long before the war; and so on it was to the end.", format="markdown"
    ).html
    plain = "So it was, long before the war; and so on it was to the end."
    before = len(plain[: plain.rindex("it was")].replace(" ", ""))
    marked = mark_words(html, {1: [(before, "it was")]})
    assert marked.index("<mark>") > marked.index("so on")


def test_only_the_passage_named_is_marked():
    html = render("The same.\n\nThe same.", format="markdown").html
    assert mark_words(html, {2: [(0, "The same.")]}).startswith(html[: html.index("<!--p2-->")])
    assert mark_words(html, {3: [(0, "The same.")]}) == html


@given(
    st.lists(st.sampled_from(["war", "*peace*", "&", "**and**", "so", "`it`", "was"])), st.data()
)
def test_any_run_of_words_is_found(pieces, data):
    source = " ".join(["Then", *pieces])
    composed = render(source, format="markdown")
    plain = composed.plain
    words = plain.split()
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    run = " ".join(words[first : last + 1])
    before = len("".join(words[:first]))
    html = composed.html
    marked = mark_words(html, {1: [(before, run)]})
    assert marked.replace("<mark>", "").replace("</mark>", "") == html
    shown = "".join(MARKED.findall(marked)).replace("&amp;", "&")
    assert shown.split() == run.split() or "".join(shown.split()) == "".join(run.split())
