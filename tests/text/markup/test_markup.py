"""The markup: what a source becomes."""

import html as html_lib
import re

import pytest

from forum.text.markup import MarkupError, render
from tests.text.markup.soundness import Reader, assert_sound, filled, md, passages

# --- Markdown ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "html", "plain"),
    [
        ("a *b* **c** ~~d~~ `e`", "a <em>b</em> <strong>c</strong> <s>d</s> <code>e</code>", None),
        ("a\nb", "a\nb", "a\nb"),
        ("a  \nb", "a<br>\nb", "a\nb"),
        ("a &amp; b &lt;c&gt;", "a &amp; b &lt;c&gt;", "a & b <c>"),
        ("a&#13;b", "a\nb", "a\nb"),
        ("<b>a</b>", "&lt;b&gt;a&lt;/b&gt;", "<b>a</b>"),
        ("a || b || c", "a || b || c", "a || b || c"),
        ("a || b", "a || b", None),
        ("|||a|||", "|||a|||", "|||a|||"),
        ("`||a||`", "<code>||a||</code>", "||a||"),
        ("mail a@b.example", "mail a@b.example", None),
        ("a@member-a @", "a@member-a @", None),
        ("`@member-a`", "<code>@member-a</code>", "@member-a"),
    ],
)
def test_inline(source, html, plain):
    rendered = md(source)
    assert rendered.html == f'<!--p1--><p dir="auto">{html}</p><!--m1-->'
    assert rendered.plain == (re.sub(r"<[^>]*>", "", html) if plain is None else plain)
    assert not rendered.mentions


def test_headings_stand_below_those_of_the_page():
    rendered = md("# a\n## b\n### c\n###### d")
    assert re.findall(r"<(h\d)", rendered.html) == ["h4", "h5", "h6", "h6"]


def test_passages_in_reading_order():
    rendered = md(
        "# Head\n\npara\n\n- tight\n  - inner\n\n1. loose\n\n   more\n\n"
        "```py\ncode *x*\n\ny\n```\n\n"
        "| a | b |\n|---|---|\n| c | *d* |\n\n---\n\n> quote\n\n[spoiler]\nhidden\n[/spoiler]\n\n"
        "last[^1]\n\n[^1]: note\n\n    more note"
    )
    assert passages(rendered) == [
        "Head",
        "para",
        "tight",
        "inner",
        "loose",
        "more",
        "code *x*\n\ny",
        "a\tb\nc\td",
        "",
        "hidden",
        "last",
        "note",
        "more note",
    ]
    assert_sound(rendered)


def test_a_tight_item_is_a_passage_and_a_loose_one_holds_them():
    page = filled(md("- a\n- b\n  - c"), notes={2: "[note]"})
    assert '<li id="post-7-1" dir="auto">a</li>' in page
    assert '<li id="post-7-2" dir="auto">b[note]<ul>' in page
    page = filled(md("- a\n\n- b"), notes={2: "[note]"})
    assert '<li dir="auto"><p id="post-7-2" dir="auto">b</p>[note]</li>' in page


def test_a_second_paragraph_of_a_tight_item_is_no_part_of_the_first():
    assert passages(md("- a\n  # h\n  b")) == ["a", "h", "b"]


def test_leaves_without_words_have_no_number():
    rendered = md("***\n\n```\n```\n\n-\n\n||\n|-|\n||\n\na")
    assert passages(rendered)[-1] == "a"
    assert_sound(rendered)
    assert passages(md("***\n\n```\n\n```\n\n-\n")) == []


def test_table_is_scrolled_by_keyboard_and_has_no_empty_head():
    html = md("| | b |\n|:-:|--:|\n| c |").html
    assert html == (
        '<div class="wide" tabindex="0" role="group" aria-label="Table"><!--p1-->'
        '<table dir="auto"><thead><tr><td class="to-center" dir="auto"></td>'
        '<th class="to-end" dir="auto">b</th></tr></thead><tbody><tr>'
        '<td class="to-center" dir="auto">c</td><td class="to-end" dir="auto"></td></tr></tbody>'
        "</table></div><!--m1-->"
    )


def test_images_are_links():
    rendered = md("![a *map*](https://a.example/b.png) ![](https://a.example/c.png) ![no")
    assert "<img" not in rendered.html
    assert '<a href="https://a.example/b.png" rel="nofollow ugc noopener">a <em>map' in (
        rendered.html
    )
    assert rendered.plain == "a map https://a.example/c.png ![no"


def test_an_image_in_a_link_is_one_link():
    rendered = md("[![map](https://a.example/b.png)](https://a.example/)")
    assert rendered.html.count("<a ") == 1
    assert 'href="https://a.example/"' in rendered.html
    assert rendered.plain == "map"


@pytest.mark.parametrize(
    ("source", "href"),
    [
        ("[a](https://a.example/?b=c&d)", "https://a.example/?b=c&amp;d"),
        ("[a](mailto:member@a.example)", "mailto:member@a.example"),
        ("<https://a.example/>", "https://a.example/"),
        ("<member@a.example>", "mailto:member@a.example"),
        ("[a](/threads/1/)", "/threads/1/"),
        ("[a](?page=2)", "?page=2"),
        ("[a](#post-7-2)", "#post-7-2"),
        ("[a](HTTPS://a.example)", "HTTPS://a.example"),
        ('[a](</a b"<>>)', None),
        ('[a](/b "<!--p1-->")', "/b"),
        ("[a](/\u00e9\u202e)", "/%C3%A9%E2%80%AE"),
        ("[a](/50%)", "/50%25"),
    ],
)
def test_links_that_are_links(source, href):
    html = md(source).html
    assert html.count("<a ") == (href is not None)
    if href is not None:
        assert f'<a href="{href}" rel="nofollow ugc noopener">' in html


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "javascript%3Aalert(1)",
        "javascript%253Aalert(1)",
        "java\x01script:alert(1)",
        "\x01javascript:alert(1)",
        "&#106;avascript:alert(1)",
        "javascript&colon;alert(1)",
        "&Tab;javascript:alert(1)",
        "java&NewLine;script:alert(1)",
        "java&#10;script:alert(1)",
        "vbscript:x",
        "data:text/html,x",
        "data:image/png;base64,AAAA",
        "file:///etc/passwd",
        "ftp://a.example",
        "blob:x",
        "//a.example",
        "https:a.example",
        "http:///a.example",
        "https://\\a.example",
        "x" * 2001,
    ],
)
def test_links_that_stay_text(address):
    for source in (f"[a]({address})", f"![a]({address})", f"[a]\n\n[a]: {address}", f"<{address}>"):
        assert "<a " not in md(source).html


@pytest.mark.parametrize(
    ("source", "url"),
    [
        ("see https://a.example/b_c_d*e*.", "https://a.example/b_c_d*e"),
        ("(http://a.example/b(c))", "http://a.example/b(c)"),
        ("(http://a.example/b).", "http://a.example/b"),
        ("**http://a.example/**", "http://a.example/"),
        ("||http://a.example/||", "http://a.example/"),
        ('"http://a.example/"', "http://a.example/"),
        ("HTTP://a.example", "HTTP://a.example"),
        ("http://a.example/\u202egnp", "http://a.example/"),
        ("http://a.example/?b&c=d", "http://a.example/?b&c=d"),
        ("xhttp://a.example", None),
        ("http://", None),
        ("http://?", None),
        ("`http://a.example`", None),
        ("\\http://a.example", None),
    ],
)
def test_bare_addresses(source, url):
    rendered = md(source)
    links = [attributes for tag, attributes in Reader(rendered.html).tags if tag == "a"]
    assert [link["href"] for link in links] == ([url] if url else [])
    if url:
        assert f">{html_lib.escape(url)}</a>" in rendered.html
    assert_sound(rendered)


def test_an_address_in_a_link_is_no_second_link():
    html = md("[see http://a.example/](http://b.example/)").html
    assert html.count("<a ") == 1
    assert "http://b.example/" in html


def test_spoilers():
    rendered = md('||a *b*|| c\n\n[spoiler="The <end>"]d\n\n- e[/spoiler] f')
    assert (
        '<span class="spoiler" tabindex="0" role="group" aria-label="Spoiler">a <em>b</em></span> c'
        in rendered.html
    )
    assert (
        '<details class="spoiler"><summary dir="auto">Spoiler: The &lt;end&gt;</summary>'
        in rendered.html
    )
    assert passages(rendered) == ["a b c", "d", "e", "f"]


def test_mentions():
    rendered = md("@member-a, (@Member_B.) @member-a @MEMBER-A\n\n> @quoted\n\n[@linked](/x) \\@no")
    assert rendered.mentions == ("member-a", "Member_B")
    page = filled(rendered, members={"member-a": '/members/member-a/"'})
    assert '<a class="mention" href="/members/member-a/&quot;">@member-a</a>, (@Member_B.)' in page
    assert page.count('class="mention"') == 3
    assert "@quoted" in page
    assert "@member-a" in rendered.plain


@pytest.mark.parametrize(
    "text", ["a@member-a", "a.b@member-a", "/@member-a", "@member-a@a.example", "@" + "a" * 31]
)
def test_what_is_no_mention(text):
    rendered = md(text)
    assert rendered.mentions == ()
    assert rendered.plain == text


def test_footnotes_have_addresses_of_their_post():
    rendered = md("a[^x] b[^x] c[^no]\n\n[^x]: note")
    page = filled(rendered)
    assert 'href="#post-7-fn1" id="post-7-fnref1"' in page
    assert 'href="#post-7-fn1" id="post-7-fnref1-1"' in page
    assert '<li id="post-7-fn1"><p id="post-7-2" dir="auto">note' in page
    assert page.count('class="footnote-back"') == 2
    assert passages(rendered) == ["a b c[^no]", "note"]


def test_a_footnote_in_a_quote_does_not_become_own_words():
    rendered = md("[quote]a[^1]\n\n[^1]: theirs\n[/quote]\n\nb")
    assert rendered.plain == "b"
    assert "theirs" in rendered.quotes[0].words


def test_no_way_back_to_a_reference_that_is_not_drawn():
    page = filled(md("a[^1]\n\n> b\n> > c[^1]\n\n[^1]: note"))
    assert page.count('class="footnote-back"') == page.count('class="footnote-ref"') == 1


def test_a_footnote_that_nothing_refers_to_keeps_its_words():
    rendered = md(f"a[^1]\n\n[^x]: lost[^y]\n\n[^1]: first\n\n[^y]: y\n\n[^{'z' * 51}]: long")
    assert passages(rendered) == ["a", "first", "y", "lost", "long"]
    page = filled(rendered)
    assert page.count('<li id="post-7-fn') == 4
    assert page.count('class="footnote-back"') == page.count('class="footnote-ref"') == 2
    assert passages(md("[^x]: alone")) == ["alone"]


def test_footnotes_on_lines_that_follow_each_other():
    notes = "[^1]: one\n  [^2]: two\nand a half\n[^3]:\n    - three\n[^4]: four"
    rendered = md(f"a[^1] b[^2] c[^3]\n{notes}")
    assert passages(rendered) == ["a b c", "one", "two\nand a half", "three", "four"]
    # Only at the margin: what stands deeper belongs to what it stands in.
    rendered = md("a[^1]\n\n[^1]: > b\n[^2]: c")
    assert rendered.quotes[0].words == "b\n[^2]: c"
    assert passages(md("[^1]: a\n\n    - b\n      [^2]: c")) == ["a", "b\n[^2]: c"]


def test_a_second_text_of_a_footnote_stays_where_it_is():
    rendered = md("a[^1]\n\n[^1]: first\n\n[^1]: second\n\n[^1]: third")
    assert passages(rendered) == ["a", ": second", ": third", "first"]
    page = filled(rendered)
    assert page.count('class="footnote-back"') == page.count('class="footnote-ref"') == 3


# --- Quotes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "author", "post_id", "post_number"),
    [
        ('[quote="Voice 4, post: 12"]', "Voice 4", 12, None),
        ("[quote]", "", None, None),
        ("[quote=member-a]", "member-a", None, None),
        ('[quote="member-a"]', "member-a", None, None),
        ("[quote='member-a']", "member-a", None, None),
        ("[QUOTE=member-a]", "member-a", None, None),
        ("[quote=\u201cmember-a, post: 12\u201d]", "member-a", 12, None),
        ('[quote="member-a, post: 812, member: 3"]', "member-a", 812, None),
        ('[quote="member-a, post:4, topic:77"]', "member-a", 4, None),
        ('[quote="member-a, #5"]', "member-a", None, 5),
        ("[quote=#5]", "", None, 5),
        ('[quote="post: 9"]', "", 9, None),
        ('[quote="A, B, post: 9"]', "A, B", 9, None),
        ('[quote="A, post: 1, post: 9"]', "A, post: 1", 9, None),
        ('[quote="A "the [bold]" B, post: 9"]', 'A "the [bold]" B', 9, None),
        ('[quote="\u05d0\u05d1 \u202e, post: 9"]', "\u05d0\u05d1 \u202e", 9, None),
        ('[quote="<b onclick=x>, post: 9"]', "<b onclick=x>", 9, None),
        ('[quote="A, post: x"]', "A, post: x", None, None),
        ('[quote="A, post: \u0661"]', "A, post: \u0661", None, None),
        ('[quote="A, post: ' + "1" * 19 + '"]', "A, post: " + "1" * 19, None, None),
    ],
)
def test_attributions(tag, author, post_id, post_number):
    for source in (
        f"{tag}a *b*[/quote]c",
        f"{tag}\na *b*\n[/quote]\nc",
        f"x\n{tag}a *b*\n[/QUOTE]",
    ):
        (quote,) = md(source).quotes
        assert (quote.author, quote.post_id, quote.post_number) == (author, post_id, post_number)
        assert quote.words == "a b"
        assert quote.syntax == "quote"
        assert "onclick" not in md(source).html


def test_quotes_are_passages_without_words():
    rendered = md("a\n\n[quote]b\n\n- c\n- d\n\n```\ne\n```\n[/quote]\n\nf\n\n> g\n\nh")
    assert rendered.plain == "a\n\nf\n\nh"
    assert passages(rendered) == ["a", "", "f", "", "h"]
    assert [(q.ordinal, q.passage, q.words, q.syntax) for q in rendered.quotes] == [
        (1, 2, "b\n\nc\n\nd\n\ne", "quote"),
        (2, 4, "g", "blockquote"),
    ]
    assert (
        "id="
        not in filled(rendered).split("<blockquote")[1].split("</blockquote")[0].split(">", 1)[1]
    )


def test_quotes_inside_a_quote_are_dropped_but_traced():
    rendered = md(
        '[quote="A, post: 1"]\n[quote="B, #2"]b[quote=C]c[/quote][/quote]\na\n> d\n> > e\n[/quote]'
    )
    (quote,) = rendered.quotes
    assert quote.words == "a"
    assert quote.nested == (("B", None, 2), ("", None, None))
    assert Reader(rendered.html).text == "a"


def test_a_quote_in_a_list_or_spoiler_counts_too():
    rendered = md(
        "- item\n  [quote=A]\nwords\n  [/quote]\n- next\n\n"
        "[spoiler]\n[quote=B]b[/quote]\n[/spoiler]"
    )
    assert [(quote.author, quote.words) for quote in rendered.quotes] == [
        ("A", "words"),
        ("B", "b"),
    ]
    assert passages(rendered) == ["item", "", "next", ""]
    assert rendered.html.count("<ul>") == 1


def test_text_on_the_line_of_a_tag():
    rendered = md("before [quote=A]quoted[/quote] after\nend")
    assert passages(rendered) == ["before", "", "after\nend"]
    assert rendered.quotes[0].words == "quoted"


@pytest.mark.parametrize(
    "source",
    [
        "[quote] never closed",
        "never opened [/quote]",
        "[/quote]\n[quote]",
        "[quote=]a[/quote",
        "`[quote]a[/quote]`",
        "``[quote] ` a[/quote]``",
        "\\[quote]a\\[/quote]",
        "[quote]a\\[/quote]",
        "[quote]a`[/quote]`",
        "[spoiler]a[/quote]",
        "[quoted]a[/quoted]",
        '[quote="' + "a" * 301 + '"]b[/quote]',
    ],
)
def test_tags_that_stay_as_typed(source):
    rendered = md(source)
    assert not rendered.quotes
    assert "details" not in rendered.html
    assert rendered.plain == re.sub(r"^`+|`+$|(?<=a)`|`$", "", source).replace("\\", "")


@pytest.mark.parametrize(
    "source",
    [
        "```\n[quote]\na\n[/quote]\n```",
        "~~~~ x\n[quote]\n~~~\n[/quote]\n~~~~",
        "    [quote]a[/quote]",
        "\t[quote]a[/quote]",
        "- ```\n  [quote]\n  a\n  [/quote]\n  ```",
        "> ```\n> [quote]\n> a\n> [/quote]\n> ```",
        "[quote]\n```\na[/quote]",
    ],
)
def test_tags_in_code_are_text(source):
    rendered = md(source)
    assert not [quote for quote in rendered.quotes if quote.syntax == "quote"]
    assert "[quote]" in Reader(rendered.html).text
    assert "[/quote]" in Reader(rendered.html).text


def test_a_fence_in_a_list_ends_with_it():
    rendered = md("- ```\n  a\n\n[quote]b[/quote]")
    assert [quote.words for quote in rendered.quotes] == ["b"]


def test_a_code_span_is_no_end_of_a_quote():
    (quote,) = md("[quote]use `[/quote]` to end it[/quote]").quotes
    assert quote.words == "use [/quote] to end it"


def test_crossing_tags():
    rendered = md("[quote]a[spoiler]b[/quote]c[/spoiler]")
    assert [quote.words for quote in rendered.quotes] == ["a[spoiler]b"]
    assert rendered.plain == "c[/spoiler]"


def test_limits_name_the_number():
    def refused(source, format="markdown"):
        with pytest.raises(MarkupError) as caught:
            render(source, format=format)
        return str(caught.value)

    assert refused("[quote]a[/quote]" * 61) == "A post holds at most 50 quotes; this one has 61."
    assert len(md("[quote]a[/quote]" * 50).quotes) == 50
    assert "50 quotes" in refused("[quote]" + "[quote]a[/quote]" * 50 + "[/quote]")
    assert "50 quotes" in refused("> a\n\nb\n\n" * 51)
    assert "25 mentions" in refused(" ".join(f"@m{n}" for n in range(26)))
    assert len(md(" ".join(f"@m{n}" for n in range(25))).mentions) == 25
    assert "60,001" in refused("a" * 60_001)
    assert "60,001" in refused("a" * 60_001, "plain")
    assert md("a" * 60_000).plain == "a" * 60_000
    assert "8 deep" in refused("[quote]" * 9 + "[/quote]" * 9)
    assert "8 deep" in refused(">" * 9 + "a")
    assert "8 deep" in refused("[quote]\n" * 5 + ">>>>a\n" + "[/quote]\n" * 5)
    assert md("[quote]" * 8 + "a" + "[/quote]" * 8).quotes
    assert md(">" * 8 + "a").quotes
    assert "5,000 markup signs" in refused("a*" * 5_001)
    assert "2,000 opening brackets" in refused("[" * 2_001)
    assert "3,000 lines" in refused("a\n" * 3_000)
    assert "4,000 cells" in refused("a|" * 50 + "\n" + "-|" * 50 + "\n" + "a\n" * 100)
    assert "200 references" in refused("[^1]" * 201 + "\n\n[^1]: a")
    assert "2,000 paragraphs" in refused("a\n" * 2_001, "plain")
    assert "400,000 characters" in refused("[a]: /" + "b" * 1900 + "\n\n" + "[a]" * 1000)
    assert "NUL" in refused("\0")
    assert "stored" in refused("\ud800")


def test_nothing_is_lost_where_lists_nest_deeply():
    deep = "\n".join("  " * level + f"- w{level}" for level in range(9))
    assert passages(md(deep)) == [f"w{level}" for level in range(9)]
    with pytest.raises(MarkupError, match="9 deep"):
        md("\n".join("  " * level + "- a" for level in range(10)))


# --- Plain texts ------------------------------------------------------------------------------


def test_plain_texts_keep_their_letter():
    source = (
        "Title *a* <b>\n\n. one\n. two [quote]\n\n\u00a0\nhttps://a.example/_b_. `x`\n \t\n. three"
    )
    rendered = render(source, format="plain")
    assert passages(rendered) == [
        "Title *a* <b>",
        ". one",
        ". two [quote]",
        "\u00a0",
        "https://a.example/_b_. `x`",
        ". three",
    ]
    assert rendered.html == (
        '<!--p1--><p dir="auto">Title *a* &lt;b&gt;</p><!--m1--><ul><!--p2--><li dir="auto">one'
        '<!--m2--></li><!--p3--><li dir="auto">two [quote]<!--m3--></li></ul><!--p4-->'
        '<p dir="auto">&nbsp;</p><!--m4--><!--p5--><p dir="auto"><a href="https://a.example/_b_" '
        'rel="nofollow ugc noopener">https://a.example/_b_</a>. `x`</p><!--m5--><ul><!--p6-->'
        '<li dir="auto">three<!--m6--></li></ul>'
    ).replace("/_b_", "/_b").replace("/_b</a>. ", "/_b</a>_. ")


def test_plain_quotes_are_given_from_outside():
    source = "a\n\nb\n\n. c\n\nd\n\n[quote]e[/quote]"
    rendered = render(source, format="plain", quoted=((1, 1), (3, 4)))
    assert passages(rendered) == ["", "b", "", "[quote]e[/quote]"]
    assert rendered.plain == "b\n\n[quote]e[/quote]"
    assert [(q.ordinal, q.passage, q.words, q.syntax, q.author) for q in rendered.quotes] == [
        (1, 1, "a", "plain", ""),
        (2, 3, ". c\n\nd", "plain", ""),
    ]
    assert rendered.html.startswith('<!--p1--><!--q1--><p dir="auto">a</p><!--/q1--><!--p2-->')


@pytest.mark.parametrize("quoted", [((0, 1),), ((2, 1),), ((1, 3),), ((1, 2), (2, 2)), ((-1, 1),)])
def test_plain_quotes_outside_the_text_are_refused(quoted):
    with pytest.raises(MarkupError):
        render("a\nb", format="plain", quoted=quoted)


# --- Laying in --------------------------------------------------------------------------------


def test_filling_markers():
    rendered = md("a\n\n[quote]b[/quote]\n\n> c\n\nd")
    page = filled(
        rendered,
        post_id=812,
        quotes={1: ('<figure class="quote"><blockquote>', "</blockquote></figure>")},
        notes={1: '<p class="margin">one</p>', 2: "never"},
        marks={4},
    )
    assert page == (
        '<p id="post-812-1" dir="auto">a</p><p class="margin">one</p>'
        '<figure id="post-812-2" class="quote"><blockquote><p dir="auto">b</p></blockquote>'
        "</figure>"
        '<blockquote id="post-812-3"><p dir="auto">c</p></blockquote>'
        '<p id="post-812-4" class="said" dir="auto">d</p>'
    )


def test_what_is_laid_in_is_not_read_again():
    rendered = md("a @member-a\n\n> b")
    trap = "<!--p1--><p>\\1 \\g<0> <!--q1--><!--@member-a-->"
    page = filled(rendered, quotes={1: (trap, trap)}, notes={1: trap})
    assert page.count("\\1 \\g<0> <!--q1--><!--@member-a-->") == 3


def test_an_id_cannot_break_out():
    assert '"x' not in filled(md("a"), post_id='7"x').replace("&quot;x", "")


IMITATIONS = (
    "<!--p1--> <!--m1--> <!--q1--> <!--/q1--> <!--@member-a--> <!--n1--> <!--r1.0--> <!--b1.0-->"
    ' &lt;!--p1--&gt; &amp;lt;!-- id="post-7-1" post-7-1 --> --!> \\1 \\g<0> %s {0}'
)


@pytest.mark.parametrize("format", ["plain", "markdown"])
def test_text_that_imitates_markers_stays_text(format):
    source = IMITATIONS if format == "plain" else IMITATIONS.replace("&", "\\&").replace("@", "\\@")
    rendered = render(source, format=format)
    assert rendered.html.count("<!--") == 2
    page = filled(
        rendered,
        quotes={1: ("QUOTE", "QUOTE")},
        notes={},
        members={"member-a": "/MEMBER/"},
    )
    shown = Reader(page).text
    assert shown == rendered.plain
    if format == "plain":
        assert shown == IMITATIONS
    assert page.count("<!--") == 0
