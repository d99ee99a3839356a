"""The quote form: what the "Quote" action writes is read back as the same post and words."""

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from forum.text.markup import (
    MarkupError,
    attribution_source,
    excerpt,
    marked_attribution_source,
)
from tests.text.markup.soundness import SOURCES, md


def trimmed(words):
    """Words as they must come back: up to white space at line ends, and around the whole."""
    words = words.replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(line.rstrip() for line in words.split("\n")).strip("\n")


def test_the_quote_form():
    form = attribution_source("Voice 4", 812, "Words of a post.")
    assert form == '[quote="Voice 4, post: 812"]\nWords of a post.\n[/quote]\n\n'


@pytest.mark.parametrize(
    "words",
    [
        "Plain prose, with (brackets), dashes - and 3.5 * 2 = 7; snake_case & more!",
        "It was [\u2026] sound. [...] And so on...",
        "see https://a.example/b_c?d=e&copy=f.",
    ],
)
def test_ordinary_words_are_not_escaped(words):
    form = attribution_source("Voice 4", 812, words)
    assert words in form
    assert md(form).quotes[0].words == words


@pytest.mark.parametrize(
    "words",
    [
        "*a* **b** _c_ ~~d~~ `e` ||f||",
        "[a](b) ![a](b) [^1] [a]: b",
        "# a\n## b",
        "> a",
        "- a\n+ b\n* c\n1. d\n2) e\n1985.",
        "a\n===\nb\n---\n- - -\n* * *\n_ _ _",
        "a|b\n-|-\nc|d",
        "```\na\n```\n~~~",
        "[quote]a[/quote] [spoiler]b[/spoiler] [QUOTE=x]",
        "def f(x):\n    return x\n\n\n\tpass\n\n\n\nend",
        "   a\n\u00a0b",
        "\\* \\ \\\\ a\\\nb\\",
        "&amp; &#42; &copy; & a;",
        "<b> <http://a.b> <a@b.c> <3 a < b > c",
        "@member-a",
        "<!--p1-->",
        "a\n\nb\n\nc",
        "http://a.b/*c*_d_ (http://a.b/) http://",
        "\\http://a.b",
        "@http://a.b/&amp; @a.http://a.b/*c*",
        "<a:\u00a0*b*>",
    ],
)
def test_words_survive_the_quote_form(words):
    (quote,) = md(attribution_source("Voice 4", 812, words) + "reply").quotes
    assert quote.words == trimmed(words)


@given(SOURCES.filter(lambda text: "\0" not in text and len(text) < 250))
@settings(max_examples=600, deadline=None)
@example("&#32;a")
@example("a\n\n\n\nb")
@example("-\n-")
@example("_a_b_")
def test_any_words_survive_the_quote_form(words):
    # A vertical tab before a line is white space that HTML entities cannot spell.
    words = words.replace("\x0b", " ")
    form = attribution_source("Voice 4", 812, words)
    try:
        rendered = md(form + "reply\n\n[a]: /b\n[b]: /c")
    except MarkupError:
        return
    (quote,) = rendered.quotes
    assert quote.post_id == 812
    assert trimmed(quote.words) == trimmed(words)
    assert rendered.plain == "reply"


@given(SOURCES)
@settings(max_examples=200, deadline=None)
def test_own_words_of_a_post_can_be_quoted(source):
    try:
        source_post = md(source.replace("\x0b", " "))
        form = attribution_source("Voice 4", 812, source_post.plain)
        rendered = md(form + "reply")
    except MarkupError:
        return
    (quote,) = rendered.quotes
    assert trimmed(quote.words) == trimmed(source_post.plain)


NAMES = st.one_of(
    st.text(max_size=150),
    st.text(alphabet="a\"[]'=,:#/ postquetm019\u202e\u05d0\n", max_size=60),
    st.lists(
        st.sampled_from(
            [
                '"]',
                "]",
                "[/quote]",
                "[quote]",
                ", post: 1",
                ", #5",
                "member: 3",
                "`",
                "\\",
                "\n",
                "A",
            ]
        ),
        max_size=20,
    ).map("".join),
)


@given(NAMES, st.integers(1, 10**18 - 1))
@settings(max_examples=600, deadline=None)
@example('"]', 5)
@example(", #5", 5)
@example("\ud800", 5)
@example("a`b", 5)
def test_no_name_breaks_the_quote_form(name, post_id):
    rendered = md("before\n" + attribution_source(name, post_id, "words `code`") + "after `x`")
    (quote,) = rendered.quotes
    assert quote.post_id == post_id
    assert quote.post_number is None
    assert quote.words == "words `code`"
    assert rendered.plain == "before\n\nafter x"


@pytest.mark.parametrize(
    "name", ["Voice 4", 'A "B" C', "[x]", "A, B", "A, post: 5", "\u05d0\u05d1"]
)
def test_names_come_back_as_they_are(name):
    assert md(attribution_source(name, 3, "a")).quotes[0].author == name


# --- With the marks of the source -------------------------------------------------------------


def marked(source):
    """The quote form of all of a text, with its marks."""
    rendered = md(source)
    html = excerpt(
        rendered.html,
        plain=rendered.plain,
        passages=[(one.start, one.end) for one in rendered.passages],
        parts=[(0, len(rendered.plain))],
    )
    return rendered, marked_attribution_source("Voice 4", 812, html)


@pytest.mark.parametrize(
    ("source", "form"),
    [
        ("We will ~~never~~ always sign it.", "We will ~~never~~ always sign it."),
        ("He ||dies|| *here*, **at ~~once~~**.", "He ||dies|| *here*, **at ~~once~~**."),
        (
            '[spoiler="The end"]\nHe dies.\n[/spoiler]',
            '[spoiler="The end"]\n\nHe dies.\n\n[/spoiler]',
        ),
        ("- *a* 5 \\* 6\n- [b](/c) `d*`", "*a* 5 * 6\n\nb d\\*"),
        ("- [ ] ~~1. x~~", "\\[ ] ~~1. x~~"),
        ("A note.[^1]\n\n[^1]: *Its* text.", "A note.\n\n*Its* text."),
    ],
)
def test_the_quote_form_keeps_strikes_spoilers_and_emphasis(source, form):
    rendered, written = marked(source)
    assert written == f'[quote="Voice 4, post: 812"]\n{form}\n[/quote]\n\n'
    (quote,) = md(f"{written}So.").quotes
    assert "".join(quote.words.split()) == "".join(rendered.plain.split())


@given(SOURCES)
@settings(max_examples=400, deadline=None)
@example("**a***b*")
@example("a**“b”**c")
@example("~~a~~~")
@example("*a\n- b*")
def test_any_own_words_survive_the_marked_quote_form(source):
    source = source.replace("\x0b", " ")
    try:
        assume(md(source).plain.strip())
        rendered, form = marked(source)
        (quote,) = md(f"{form}So.").quotes
    except MarkupError:
        return
    assert "".join(quote.words.split()) == "".join(rendered.plain.split())
