"""What is drawn inside a quote is what its source shows there: every letter under the marks that it
stands under, and nothing else. JONBAR_LONG=1 tries thirty times as many texts."""

import re

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from forum.text.markup import MarkupError, excerpt
from tests.text.markup.seen import bare, between, is_note, seen
from tests.text.markup.soundness import LONG, SOURCES, Reader, md

TIMES = 30 if LONG else 1
EVERYTHING = """# Of ||the|| *ice*[^1]

We will ~~never~~ always ***sign* it**[^1], by `law` and [treaty](https://a.example/b) of @member-a.

3. **One**, see https://a.example/b(c).
4.
5. third of them
   - inner *item*

   and more of it

> Somebody else's.

[spoiler="How <it> ends"]
| a | b |
|:-:|--:|
| c d | ||e|| |
|   | f |

***

hidden words

```
<b>[quote]</b>
    code
```
[/spoiler]

## After

The end&nbsp;&amp; more.

[^1]: A note, *again*[^1].
"""


def span(rendered, start, end):
    """The excerpt of one span of a text."""
    return excerpt(
        rendered.html,
        plain=rendered.plain,
        passages=[(one.start, one.end) for one in rendered.passages],
        parts=[(start, end)],
    )


def letters_before(plain, at):
    return len("".join(plain[:at].split()))


def assert_as_in_the_source(rendered, start, end):
    if not rendered.plain[start:end].strip():
        return
    drawn = span(rendered, start, end)
    assert drawn is not None
    read = Reader(drawn)
    assert not read.open and not read.misplaced and not read.comments
    source = between(
        seen(rendered.html),
        letters_before(rendered.plain, start),
        letters_before(rendered.plain, end),
    )
    assert bare(seen(drawn)) == source


def test_every_span_of_a_text_that_holds_everything():
    rendered = md(EVERYTHING)
    plain = rendered.plain
    edges = [0, *(found.end() for found in re.finditer(r"\S+", plain))]
    for low in range(len(edges)):
        for high in edges[low + 1 :]:
            assert_as_in_the_source(rendered, edges[low], high)


@given(SOURCES, st.data())
@settings(max_examples=300 * TIMES, deadline=None)
def test_any_span_of_any_text(source, data):
    try:
        rendered = md(source)
    except MarkupError:
        return
    assume(rendered.plain.strip())
    start = data.draw(st.integers(0, len(rendered.plain) - 1))
    end = data.draw(st.integers(start + 1, len(rendered.plain)))
    assert_as_in_the_source(rendered, start, end)


@given(st.data())
@settings(max_examples=60 * TIMES, deadline=None)
def test_parts_of_a_text_with_a_seam_that_is_seen(data):
    """Each part as in the source, numbers of lists and columns of tables too; and no seam is folded
    away that does not stand between two parts of one fold."""
    rendered = md(EVERYTHING)
    words = [found.span() for found in re.finditer(r"\S+", rendered.plain)]
    places = sorted(data.draw(st.sets(st.integers(0, len(words) - 1), min_size=4, max_size=8)))
    pairs = list(zip(places[::2], places[1::2], strict=False))
    parts = [(words[a][0], words[b][1]) for a, b in pairs]
    drawn = excerpt(
        rendered.html,
        plain=rendered.plain,
        passages=[(one.start, one.end) for one in rendered.passages],
        parts=parts,
    )
    read = Reader(drawn)
    assert not read.open and not read.misplaced
    assert drawn.count('class="gap"') == len(parts) - 1
    source, shown = seen(rendered.html), seen(drawn)
    for start, end in parts:
        expected = between(
            source, letters_before(rendered.plain, start), letters_before(rendered.plain, end)
        )
        got = shown[: len(expected)]
        assert bare(got) == expected
        shown = shown[len(expected) :]
        while shown and is_note(shown[0]):
            shown = shown[1:]
    assert not shown
    for found in re.finditer(r'<details class="spoiler">.*?</details>', drawn, re.DOTALL):
        inside = "".join(one[0] for one in seen(found[0]))
        assert inside or 'class="gap"' not in found[0]
        # A seam in a fold stands between words of it.
        for gap in re.finditer('class="gap"', found[0]):
            before = re.sub(r"<summary.*?</summary>|<[^>]*>", "", found[0][: gap.start() - 6])
            after = re.sub(r"<[^>]*>", "", found[0][gap.end() :])
            assert before.strip() and after.replace("[…]", "").strip(">[… ]")
