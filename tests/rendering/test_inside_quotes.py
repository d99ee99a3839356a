"""What a reader sees inside a quote is what its source shows there, whatever was typed around the
words: struck, folded away, numbered, labelled or linked as there, and in no other way."""

import re

import pytest

from forum.checking import check
from forum.models import PostBody, Quote
from forum.text import markup
from tests.people import browser, edit, fresh, quoting, reply, typed
from tests.rendering.test_drawing import drawn, status
from tests.text.markup.seen import bare, between, seen
from tests.text.markup.test_excerpts import EVERYTHING, letters_before

SOURCE = "We will not go to war over it.\n\nThe treaty of 1921 stands."
WORDS = "We will not go to war over it."


def inside(post, reader) -> str:
    """The HTML within the first quote of a post, as it is read."""
    return re.search(r"<blockquote>(.*?)</blockquote>", drawn(post, reader), re.DOTALL)[1]


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


# Each typed around or into the words of WORDS, which stay the same words.
FORGERIES = {
    "a spoiler's label": f'[spoiler="We WILL go to war"]\n{WORDS}\n[/spoiler]',
    "a spoiler": f"[spoiler]{WORDS}[/spoiler]",
    "struck": WORDS.replace("not", "~~not~~"),
    "hidden": WORDS.replace("not", "||not||"),
    "emphasis": WORDS.replace("not", "*not*"),
    "strong emphasis": WORDS.replace("not", "**not**"),
    "a number": f"1940. {WORDS}",
    "an item": f"- {WORDS}",
    "a heading": f"# {WORDS}",
    "a link": WORDS.replace("war", "[war](https://a.example/peace)"),
    "an image": WORDS.replace("war", "![war](https://a.example/peace)"),
    "a footnote's mark": WORDS.replace("not", "not[^1]"),
    "code": WORDS.replace("not", "`not`"),
    "a block of code": f"```\n{WORDS}\n```",
    "a table": f"{WORDS} |\n-|",
    "a rule": f"{WORDS}\n\n***",
}


@pytest.mark.parametrize("typed", FORGERIES.values(), ids=FORGERIES)
def test_nothing_is_drawn_that_the_source_does_not_hold(thread, answerer, opener, guest, typed):
    source = reply(thread, answerer, SOURCE)
    post = reply(thread, opener, quoting(source, typed, "So?\n\n[^1]: It will."))
    assert status(post, guest) == ["exact"]
    assert inside(post, guest) == f'<p dir="auto">{WORDS}</p>'
    # No way back to a mark that is not drawn.
    assert "fnref" not in drawn(post, guest)


def test_every_construct_is_drawn_as_its_source_shows_it(thread, answerer, opener, guest):
    """Passage by passage and over two at a time, typed without any markup."""
    source = reply(thread, answerer, EVERYTHING)
    revision = source.body.revision
    own = [(start, end) for start, end in revision.passages if start < end]
    for first, second in zip(own, [*own[1:], own[-1]], strict=True):
        for start, end in {first, (first[0], second[1])}:
            words = revision.plain[start:end]
            form = markup.attribution_source("x", source.pk, words)
            post = reply(thread, opener, f"{form}So?")
            row = Quote.objects.get(post=post)
            assert row.verdict in ("exact", "shortened")
            expected = between(
                seen(source.body.html),
                letters_before(revision.plain, start),
                letters_before(revision.plain, end),
            )
            assert bare(seen(inside(post, guest).replace("… ", "").replace(" …", ""))) == expected


def test_an_altered_quote_shows_its_words_alone(thread, answerer, opener, guest):
    """All that a reader sees of it is what was compared."""
    source = reply(thread, answerer, SOURCE)
    typed = '[spoiler="Peace"]\n1940. We ~~will~~ not go to [war](/x) over this.\n[/spoiler]'
    post = reply(thread, opener, quoting(source, typed))
    assert status(post, guest) == ["altered"]
    assert inside(post, guest) == '<p dir="auto">We will not go to war over this.</p>'


def test_a_shortened_quote_shows_its_parts_as_they_stand(thread, answerer, opener, guest):
    source = reply(thread, answerer, "We will ~~never~~ always sign it, *all* of us.\n\n7. Now.")
    post = reply(thread, opener, quoting(source, "We will ... always sign […] of us … Now."))
    assert status(post, guest) == ["shortened"]
    gap = '<span class="gap">[…]</span>'
    assert inside(post, guest) == (
        f'<p dir="auto">We will {gap} always sign {gap} of us</p><p>{gap}</p>'
        '<ol start="7"><li dir="auto">Now.</li></ol>'
    )


def test_a_quote_over_a_quote_is_shortened_with_a_seam(thread, answer, answerer, opener, guest):
    inner = quoting(answer, "The party obeyed nobody.", "")
    source = reply(thread, answerer, f"I deny it.\n\n{inner}\nEvery word of it is true.")
    post = reply(thread, opener, quoting(source, "I deny it.\n\nEvery word of it is true."))
    assert status(post, guest) == ["shortened"]
    assert text_of(inside(post, guest)) == "I deny it. […] Every word of it is true."
    assert Quote.objects.get(post=post).whole
    # Words on one side of it are as exact as any.
    post = reply(thread, opener, quoting(source, "Every word of it is true."))
    assert status(post, guest) == ["exact"]


def test_beginning_and_end_are_not_the_whole(thread, answerer, opener, guest):
    source = reply(thread, answerer, SOURCE)
    post = reply(thread, opener, quoting(source, "We will not go … of 1921 stands."))
    assert status(post, guest) == ["shortened"]
    assert not Quote.objects.get(post=post).whole


def test_a_quote_keeps_what_it_showed_when_either_post_is_edited(thread, answerer, opener, guest):
    source = reply(thread, answerer, "We will ~~never~~ sign it.\n\nNot ever.")
    post = reply(thread, opener, quoting(source, "We will never sign it."))
    before = inside(post, guest)
    assert before == '<p dir="auto">We will <s>never</s> sign it.</p>'
    edit(source, "We will never sign it, I said.")
    assert inside(post, guest) == before
    edit(post, quoting(source, "We will never sign it.", "I doubt it still."))
    assert inside(post, guest) == before


def test_an_older_forums_posts_are_drawn_again(thread, answer, answerer, opener, guest):
    """As they stood in a forum that drew what was typed, and called a jump exact."""
    inner = quoting(answer, "The party obeyed nobody.", "")
    source = reply(thread, answerer, f"I deny ~~nothing~~ it.\n\n{inner}\nEvery word is true.")
    typed = "**I deny nothing it.**\n\nEvery word is true."
    post = reply(thread, opener, quoting(source, typed))
    right = drawn(post, guest)
    PostBody.objects.filter(post=post).update(
        html=markup.render(fresh(post).body.revision.source, format="markdown").html, renderer=3
    )
    row = Quote.objects.get(post=post)
    Quote.objects.filter(pk=row.pk).update(verdict="exact", parts=[[row.start, row.end]])
    assert drawn(post, guest) != right
    list(check(fix=True))
    assert drawn(post, guest) == right
    assert not list(check())


def test_the_quote_link_keeps_what_is_struck_and_folded_away(thread, answer, answerer, opener):
    """ "We will ~~never~~ always sign it" is no statement that they never always will."""
    inner = quoting(answer, "The party obeyed nobody.", "")
    text = f"We will ~~never~~ always sign it. ||He dies.||\n\n{inner}\n*Indeed.*"
    source = reply(thread, answerer, text)
    address = f"/threads/{thread.pk}/reply/?to={source.pk}&quote="
    form = typed(browser(opener).get(f"{address}{source.pk}"))["text"]
    assert form == (
        f'[quote="answerer, post: {source.pk}"]\n'
        "We will ~~never~~ always sign it. ||He dies.||\n\n[…]\n\n*Indeed.*\n[/quote]\n\n"
    )
    assert Quote.objects.get(post=reply(thread, opener, f"{form}So?")).verdict == "shortened"
    form = typed(browser(opener).get(f"{address}{source.pk}.1"))["text"]
    assert "\nWe will ~~never~~ always sign it. ||He dies.||\n" in form
    assert Quote.objects.get(post=reply(thread, opener, f"{form}So?")).verdict == "exact"
