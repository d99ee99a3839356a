"""Pictures of the forum's own in a text: links with words in what is stored, drawn by pages."""

import pytest

from forum.text import markup

KEY, OTHER = "abcdefgh2345", "abcdefgh2346"


def rendered(source: str) -> markup.Rendered:
    return markup.render(source, format="markdown")


def drawn(source: str) -> list[tuple[str, str, str]]:
    """What a page is asked to draw: key, description, caption."""
    asked = []

    def draw(*told):
        asked.append(told)
        return f"<figure>{told[0]}</figure>"

    html = markup.fill_pictures(rendered(source).html, draw)
    assert html.count("<figure>") == len(asked)
    return asked


@pytest.mark.parametrize(
    "source, expected",
    [
        (f"![A map](picture:{KEY})", [(KEY, "A map", "")]),
        (f"Words.\n![A map](picture:{KEY})\nMore.", [(KEY, "A map", "")]),
        (f'![A](picture:{KEY} "In 1937")', [(KEY, "A", "In 1937")]),
        (f"![A](picture:{KEY}) ![](picture:{OTHER})", [(KEY, "A", ""), (OTHER, "", "")]),
        (f"![A](picture:{KEY})\n![B](picture:{OTHER})", [(KEY, "A", ""), (OTHER, "B", "")]),
        (rf'![\[A\] <b>](picture:{KEY} "\"<i>\"")', [(KEY, "[A] <b>", '"&lt;i&gt;"')]),
        (f"- ![A](picture:{KEY})", [(KEY, "A", "")]),
        (f"[spoiler]\n![A](picture:{KEY})\n[/spoiler]", [(KEY, "A", "")]),
        # Not on a line of its own, in code, in a quote, from elsewhere, of no such form.
        (f"See ![A](picture:{KEY}) there", []),
        (f"    ![A](picture:{KEY})", []),
        (f"```\n![A](picture:{KEY})\n```", []),
        (f"> ![A](picture:{KEY})", []),
        ("![A](https://example.org/a.png)", []),
        ("![A](picture:short)", []),
        (f"![A](picture:{KEY}/x)", []),
    ],
)
def test_what_a_page_draws(source, expected):
    assert drawn(source) == expected
    assert list(rendered(source).pictures) == list(dict.fromkeys(key for key, _, _ in expected))


def test_words_of_pictures_are_words_of_the_post():
    text = rendered(
        f'Look:\n\n![A map of Spain](picture:{KEY} "The front")\n\n![](picture:{OTHER})'
    )
    assert text.plain == "Look:\n\nA map of Spain\nThe front\n\nPicture"
    assert [text.plain[p.start : p.end] for p in text.passages][1] == "A map of Spain\nThe front"
    marks = [[p.start, p.end] for p in text.passages]
    assert markup.struck_and_folded(text.html, plain=text.plain, passages=marks) == []
    shown = markup.words_without_spoilers(text.html, 100)
    assert shown.split() == "Look: A map of Spain The front Picture".split()
    cut = markup.excerpt(text.html, plain=text.plain, passages=marks, parts=[(8, 21)])
    assert "map of Spain" in cut
    assert "<!--" not in cut
    quoted = markup.marked_attribution_source("opener", 5, cut)
    assert rendered(quoted + "So?").quotes[0].words.split() == ["map", "of", "Spain"]


def test_what_is_not_drawn_stays_a_link_without_a_trace():
    html = rendered(f"![A map](picture:{KEY})").html
    html = markup.fill_pictures(html, lambda *_: "")
    page = markup.fill_markers(html, post_id=1, quotes={}, notes={})
    assert f'<a href="/pictures/{KEY}/"' in page
    assert "<!--" not in page


def test_nobody_types_the_place_of_a_picture():
    forged = f'<!--f1--><a href="/pictures/{KEY}/">A</a><!--/f-->'
    assert drawn(forged) == []
    assert drawn(f"![{forged}](picture:{KEY})")[0][1] == forged


def test_a_text_of_pictures_alone_is_bounded():
    keys = [f"abcdefgh{n:04}".replace("0", "z").replace("1", "y") for n in range(60)]
    with pytest.raises(markup.MarkupError, match="at most 50 pictures"):
        rendered("\n".join(f"![A](picture:{key})" for key in keys))
