"""Whatever is typed: it becomes sound HTML, or is refused with a sentence.

JONBAR_LONG=1 tries thirty times as many texts.
"""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from forum.text import markup
from forum.text.markup import MarkupError, render
from tests.text.markup.hostile import HOSTILE
from tests.text.markup.soundness import (
    ALLOWED,
    COMMENT,
    LONG,
    SOURCES,
    Reader,
    assert_sound,
    filled,
    md,
)

TIMES = 30 if LONG else 1


@given(SOURCES)
@settings(max_examples=600 * TIMES, deadline=None)
@example("||*a||*")
@example("[quote]\n- a\n[/quote]\n  b")
def test_any_markdown_is_sound_or_refused(source):
    try:
        rendered = md(source)
    except MarkupError:
        return
    assert_sound(rendered)


@given(SOURCES.filter(lambda source: "\0" not in source), st.data())
@settings(max_examples=200 * TIMES, deadline=None)
def test_any_plain_text_is_sound_and_to_the_letter(source, data):
    lines = [
        line
        for line in source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if line.strip(" \t")
    ]
    first = data.draw(st.integers(0, len(lines)))
    quoted = ((first, data.draw(st.integers(first, len(lines)))),) if first else ()
    rendered = render(source, format="plain", quoted=quoted)
    span = slice(first - 1, quoted[0][1]) if first else slice(0, 0)
    assert [quote.words.split("\n\n") for quote in rendered.quotes] == ([lines[span]] * bool(first))
    del lines[span]
    assert rendered.plain == "\n\n".join(lines)
    read = Reader(rendered.html)
    assert {tag for tag, _ in read.tags} <= {"p", "ul", "li", "a"}
    assert markup.writer._CLEANER.clean(rendered.html) == rendered.html
    assert len(re.findall("<!", rendered.html)) == len(read.comments)


@given(SOURCES)
@settings(max_examples=200 * TIMES, deadline=None)
def test_filling_markers_changes_no_words(source):
    source = re.sub(r"@|\[\^", "", source)
    try:
        rendered = md(source)
    except MarkupError:
        return
    page = filled(rendered, members={"member-a": "/x/"})
    assert Reader(page).text == Reader(rendered.html).text
    assert page.count("<!--") == 0


# --- As a part of a page ----------------------------------------------------------------------

FIGURE = ('<figure class="quote"><blockquote>', "</blockquote></figure>")
BOX, AFTER = '<div class="post-body">', '</div><p id="after">'
RICH = """# Of ||the|| *ice*[^1]

1. **One** and @member-a, see https://a.example/b(c).
   - `code` ~~gone~~ [link](/a "t") ![map](https://a.example/m.png)

[quote="Voice 4, post: 12"]
The *ice* […] was thin. > no
> inner
[/quote]

> Theirs[^1].

[spoiler="How <it> ends"]
| a | b |
|:-:|--:|
| c | ||d|| |

```
<b>[quote]</b>
```
[/spoiler]

[^1]: A note, *again*[^1].
"""


def assert_stays_inside(source):
    """Drawn in a page, it closes all that it opens, and every address in it leads somewhere."""
    try:
        rendered = md(source)
    except MarkupError:
        return
    quotes = {one.ordinal: FIGURE for one in rendered.quotes if one.author}
    page = filled(rendered, quotes=quotes, members={"member-a": "/members/member-a/"})
    read = Reader(f"{BOX}{page}{AFTER}")
    assert read.open == ["p"] and not read.misplaced and not read.comments and not read.stray
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    notes = [
        attributes["href"][1:]
        for tag, attributes in read.tags
        if tag == "a" and attributes["href"].startswith("#post-7-fn") and "rel" not in attributes
    ]
    assert set(notes) <= set(ids)


@given(SOURCES)
@settings(max_examples=300 * TIMES, deadline=None)
@example("- [quote=A]a\n[/quote]\n  @member-a[^1]\n\n[^1]: b")
@example("[^0]:[^0]\n\n[^0]:")
def test_any_text_stays_inside_its_post(source):
    assert_stays_inside(source)


@pytest.mark.parametrize("step", [1, -1], ids=["beginning", "end"])
def test_every_part_of_a_text_stays_inside_its_post(step):
    """As it is typed, letter by letter, and cut off from its beginning."""
    assert len(md(RICH).passages) == 8
    for cut in range(len(RICH) + 1):
        assert_stays_inside(RICH[:cut] if step == 1 else RICH[cut:])


@given(SOURCES, st.data())
@settings(max_examples=200 * TIMES, deadline=None)
def test_any_beginning_of_any_text_is_sound(source, data):
    cut = source[: data.draw(st.integers(0, len(source)))]
    try:
        rendered = md(cut)
    except MarkupError:
        return
    assert_sound(rendered)
    assert_stays_inside(cut)


# --- The sanitiser alone ----------------------------------------------------------------------

EVERY = sorted(ALLOWED)
EVERY += "b base form i iframe img math script style svg template textarea title x xmp".split()
ATTRIBUTES = [
    *("href=javascript:x", 'href="java\tscript:x"', "onclick=x", "style=x", 'class="wide"'),
    *("class=mention", 'id="post-7-1"', "dir=auto", "src=data:x", "srcdoc=x", "xlink:href=x"),
    *('href="https://a.example/"', "name=forms", "tabindex=0", "tabindex=9", "role=group", "/"),
]
RAW = st.lists(
    st.one_of(
        st.sampled_from(EVERY).map("<{}>".format),
        st.sampled_from(EVERY).map("</{}>".format),
        st.builds("<{} {}>".format, st.sampled_from(EVERY), st.sampled_from(ATTRIBUTES)),
        st.sampled_from("<!--p1--> <!-- --> --!> <![CDATA[ ]]> <?x &lt; <".split()),
        st.text(max_size=5),
    ),
    max_size=25,
).map("".join)


@given(RAW)
@settings(max_examples=500 * TIMES, deadline=None)
@example("<svg></p><style><a title='</style><img src=x onerror=x>'>")
@example("<math><mi><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror=x>'>")
@example("<xmp><p title='</xmp><img src=x onerror=x>'>")
@example("<div dir=auto></div>")
def test_the_sanitiser_lets_nothing_else_through(raw):
    """The second wall, as if the first had not been there; read and cleaned again too, since some
    HTML changes its meaning by that."""
    for _ in range(3):
        raw = markup.writer._CLEANER.clean(raw)
        read = Reader(raw)
        assert not read.open and not read.misplaced and not read.stray
        for tag, attributes in read.tags:
            assert attributes.keys() <= ALLOWED[tag]
            assert "script:" not in attributes.get("href", "")
            assert attributes.get("tabindex", "0") == "0"
            assert attributes.get("class") in (None, "wide")


# --- What was made to break it ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("format", "source"),
    [pytest.param(format, source, id=name) for name, format, source in HOSTILE],
)
def test_hostile_sources_are_sound_or_refused(format, source):
    """The beginning of each, which is hostile already; with JONBAR_LONG=1 as long as may be."""
    source = source if LONG else source[:12_000]
    try:
        rendered = render(source, format=format)
    except MarkupError as error:
        assert str(error).endswith(".")
        return
    read = Reader(rendered.html)
    assert all(attributes.keys() <= ALLOWED[tag] for tag, attributes in read.tags)
    assert all(COMMENT.fullmatch(comment) for comment in read.comments)
    assert len(rendered.html) <= markup.MAX_HTML * 1.5
    if len(source) < 5_000:
        assert_sound(rendered) if format == "markdown" else None
    # Depth of elements: browsers cut near 512.
    depth = deepest = 0
    for closing, tag in re.findall(r"<(/?)([a-z]+[0-9]?)", rendered.html):
        if tag not in ("br", "hr"):
            depth += -1 if closing else 1
            deepest = max(deepest, depth)
    assert depth == 0
    assert deepest <= 60
