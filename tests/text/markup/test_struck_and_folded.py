"""Which words of a text are struck or folded: shown outside of its HTML, they are so there, too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forum.text import markup
from forum.text.quoting.normal_form import normal_form, original_offset, original_offsets


def marks(source: str, format="markdown", html=None) -> list[tuple[str, str]]:
    rendered = markup.render(source, format=format)
    found = markup.struck_and_folded(
        rendered.html if html is None else html,
        plain=rendered.plain,
        passages=[(one.start, one.end) for one in rendered.passages],
        listed=format == "plain",
    )
    return [(mark, rendered.plain[start:end]) for start, end, mark in found]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("We will ~~never~~ always sign.", [("s", "never")]),
        ("Says ||the *king* ~~now~~|| here.", [("f", "the king"), ("sf", "now")]),
        ('[spoiler="Who?"]\nOne.\n\n- two ~~x~~\n- three\n[/spoiler]\n\nFour.',
         [("f", "One.\n\ntwo"), ("sf", "x"), ("f", "three")]),
        ("~~Al & Bo~~ of *Rome*.\n\n`~~code~~` and ||<b>||", [("s", "Al & Bo"), ("f", "<b>")]),
        ('[quote="a"]\n~~Theirs~~ ||all||\n[/quote]\n\nMine ~~is~~ this.', [("s", "is")]),
        ("> ~~Theirs~~ ||all||\n\nMine ||is|| this.", [("f", "is")]),
        ("Hi ~~@member-a~~, see[^1].\n\n[^1]: Not ~~here~~.", [("s", "@member-a"), ("s", "here")]),
        ("| a | ~~b~~ |\n|---|---|\n| c | d |\n\n# ~~Head~~", [("s", "b"), ("s", "Head")]),
        ("Nothing at all.", []),
    ],
)  # fmt: skip
def test_what_is_struck_or_folded_is_found(source, found):
    assert marks(source) == found


def test_a_plain_text_has_none():
    assert marks(". one ~~thing~~\n. two ||x||\nThree", "plain") == []


def test_what_the_html_does_not_hold_counts_as_folded():
    html = markup.render("Other ||words||.\n\nThe same.", format="markdown").html
    assert marks("Some words.\n\nThe same.", html=html) == [("f", "Some words.")]
    assert marks("Some words.", html="") == [("f", "Some words.")]


@given(st.text(alphabet="ae\u0301\u0327 \u00a0\u2019\u1100\u1161\u11a8\n\u200d\u4e00", max_size=30))
def test_every_offset_of_the_normal_form_is_that_of_one(text):
    offsets = original_offsets(text)
    assert len(offsets) == len(normal_form(text))
    for at, sign in enumerate(normal_form(text)):
        if sign != " ":
            assert offsets[at] == original_offset(text, at)
