"""A quote beside its source: on the debate's page where that is short, else on a page of its own,
for those who may know the source."""

import re
import sys

import pytest

from forum import rendering
from forum.actions import composing
from forum.checking import check
from forum.models import Board, Quote
from forum.moderation import erasing, states
from forum.text import markup
from tests.people import browser, edit, reply, start
from tests.people import quoting as form
from tests.rendering.test_drawing import drawn, status

LONG = "\n\n".join(
    f"Sentence {n} of this chapter says what the party did in week {n * 3 + 1} of that year."
    for n in range(500)
)
WORDS = LONG.split()
END = "Sentence 499 of this chapter"


def page(post, user=None, ordinal=1):
    return browser(user).get(f"/posts/{post.pk}/quotes/{ordinal}/")


@pytest.fixture
def chapter(thread, answerer):
    return reply(thread, answerer, LONG)


def test_what_is_short_is_shown_on_the_page_of_the_debate(thread, answer, opener, guest):
    altered = reply(thread, opener, form(answer, "The party obeyed everybody."))
    shortened = reply(thread, opener, form(answer, "The party … had a secretary"))
    assert "<del> nobody</del><ins> everybody</ins>" in drawn(altered, guest)
    assert "obeyed nobody." in drawn(shortened, guest)
    for post in (altered, shortened):
        assert f"/posts/{post.pk}/quotes/1/" not in drawn(post, guest)


def test_a_preview_says_what_was_changed(thread, answer, opener):
    source = form(answer, "The party obeyed everybody.")
    composed = composing.compose(user=opener, board=thread.board, source=source, thread=thread)
    assert "<del> nobody</del>" in rendering.render_preview(composed, user=opener)


MARKED = (
    "We will ~~never~~ always sign, says ||the traitor|| at last.\n\n"
    '[spoiler="Who?"]\nIt was **the king** himself.\n[/spoiler]\n\nSo it ended.'
)


def faults() -> list:
    """What the check finds, but for notices, which are counted on commit."""
    return [fault for fault in check() if fault.kind != "notices"]


SPOILER = '<span class="spoiler" tabindex="0" role="group" aria-label="Spoiler">'


@pytest.mark.parametrize(
    ("words", "shows"),
    [
        ("We will … always sign", ["<s>never</s>"]),
        ("We will never … at last", ["always sign, says ", f"{SPOILER}the traitor</span>"]),
        ("We will … traitor at last", ["<s>never</s> always sign, says", f"{SPOILER}the</span>"]),
        ("at last. … So it ended", [f"{SPOILER}It was the king himself.</span>"]),
        (
            "We will always sign, says somebody at last.",
            ["<s>never</s>", f"{SPOILER}the traitor</span>"],
        ),
        (
            "It was nobody himself. So it ended",
            [f"{SPOILER} the king</span>", f"{SPOILER} himself.</span>"],
        ),
    ],
)
def test_what_is_struck_or_folded_is_so_beside_a_quote(
    thread, answerer, opener, guest, words, shows
):
    """Under the quote, in a preview and on its own page: nothing that a spoiler folds stands open
    anywhere outside of one."""
    source = reply(thread, answerer, MARKED)
    composed = composing.compose(
        user=opener, board=thread.board, source=form(source, words), thread=thread
    )
    post = reply(thread, opener, form(source, words))
    assert status(post, guest)[0] in ("shortened", "altered")
    pages = [rendering.render_preview(composed, user=opener), drawn(post, guest)]
    pages.append(page(post).content.decode())
    for html in pages:
        for piece in shows:
            assert piece in html
        beside = html[html.index("</blockquote>") :]
        opened = re.sub(r'<span class="spoiler".*?</span>', "", beside, flags=re.S)
        assert "traitor" not in opened and "king" not in opened
        assert "never" not in re.sub(r"<s>.*?</s>", "", opened)
    assert faults() == []


def test_what_is_folded_now_is_so_on_the_page_of_the_quote(thread, answerer, opener):
    """Whichever text of the source folds it."""
    source = reply(thread, answerer, "It was ||the king|| of Ruritania, who had reigned for years.")
    post = reply(thread, opener, form(source, "It was the king of Ruritania"))
    edit(source, "It was the king of ||Sylvania||, who had ~~reigned~~ for years.")
    html = page(post).content.decode()
    beside = html[html.index("</blockquote>") :]
    assert f"<ins> {SPOILER}Sylvania</span></ins>" in beside
    opened = re.sub(r'<span class="spoiler".*?</span>', "", beside, flags=re.S)
    assert "king" not in opened and "Sylvania" not in opened


def test_erasing_keeps_folds_beside_quotes(thread, answerer, opener, administrator, guest):
    """Of what a quote leaves out; its own words stay, and so does its verdict."""
    source = reply(thread, answerer, MARKED)
    post = reply(thread, opener, form(source, "We will never … at last"))
    texts = erasing.find(source, "always sign").texts
    assert texts == 1
    erasing.erase(
        user=administrator, post=source, words="always sign", reason="By law.", texts=texts
    )
    assert f"{SPOILER}the traitor</span>" in drawn(post, guest)
    assert "We will <s>never</s>" in drawn(post, guest)
    assert status(post, guest) == ["shortened"]
    assert faults() == []


@pytest.mark.parametrize("erased", ["We will", "We will never", "at last", "So it ended", "sign"])
@pytest.mark.parametrize(
    "words", ["We will never … at last", "We will never always sign", "We would never always sign"]
)
def test_erasing_in_or_beside_a_quote_leaves_it_sound(
    thread, answerer, opener, administrator, words, erased
):
    source = reply(thread, answerer, MARKED)
    reply(thread, opener, form(source, words))
    texts = erasing.find(source, erased).texts
    erasing.erase(user=administrator, post=source, words=erased, reason="By law.", texts=texts)
    assert faults() == []


def test_what_is_long_stands_on_a_page_of_its_own(thread, chapter, opener, guest):
    shortened = reply(thread, opener, form(chapter, f"{' '.join(WORDS[:6])} … {END}"))
    words = [word if n % 8 else "nonsense" for n, word in enumerate(WORDS[:400])]
    altered = reply(thread, opener, form(chapter, " ".join(words)))
    assert [*status(shortened, guest), *status(altered, guest)] == ["shortened", "altered"]
    for post, said in ((shortened, "Sentence 60 of this"), (altered, "<ins> nonsense</ins>")):
        html = drawn(post, guest)
        assert f'<a href="/posts/{post.pk}/quotes/1/"' in html
        assert said not in html
        assert said in page(post).content.decode()


def test_the_source_as_it_stands_now(thread, chapter, opener, guest):
    post = reply(thread, opener, form(chapter, " ".join(WORDS[:15])))
    edit(chapter, LONG.replace("Sentence 0 of", "Sentence nought of"))
    assert status(post, guest) == ["edited"]
    assert "<del> 0</del><ins> nought</ins>" in page(post).content.decode()
    edit(chapter, LONG)
    assert status(post, guest) == ["exact"]
    assert "stand in it as they did" in page(post).content.decode()


def test_who_may_not_know_the_source_finds_no_such_page(
    thread, chapter, other_board, stranger, moderator, guest
):
    elsewhere = start(other_board, stranger, title="Another one")
    post = reply(elsewhere, stranger, form(chapter, f"{' '.join(WORDS[:6])} … {END}"))
    assert page(post).status_code == 200
    assert page(post, ordinal=2).status_code == 404
    Board.objects.filter(pk=thread.board_id).update(audience="moderators")
    assert page(post).status_code == page(post, stranger).status_code == 404
    assert page(post, moderator).status_code == 200
    Board.objects.filter(pk=thread.board_id).update(audience="public")
    states.hide(user=moderator, post=chapter, reason="Off the point.")
    assert page(post).status_code == page(post, moderator).status_code == 404
    unknown = reply(elsewhere, stranger, form(chapter, "Spain would have burned that summer."))
    assert page(unknown).status_code == 404


# --- What a post full of quotes costs ---------------------------------------------------------


def calls(act) -> int:
    """How many functions are called by `act`."""
    count = 0

    def seen(frame, event, arg):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(seen)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count


def full(chapter, words) -> str:
    """A post with as many quotes of the chapter as one may hold."""
    quotes = (form(chapter, words(n), "") for n in range(markup.MAX_QUOTES))
    return "".join(quotes) + "So."


def short_parts(n):
    return f"{WORDS[0]} {WORDS[1]} … {' '.join(WORDS[100 + n : 103 + n])}"


def near(n):
    return f"{' '.join(WORDS[9 * n : 9 * n + 3])} nonsense {' '.join(WORDS[9 * n + 4 : 9 * n + 8])}"


@pytest.mark.parametrize("words", [short_parts, near], ids=["shortened", "altered"])
@pytest.mark.parametrize("edited", [False, True])
def test_hostile_quotes_cost_a_reader_at_most_twice_plain_ones(
    thread, chapter, opener, guest, words, edited
):
    plain = reply(thread, opener, full(chapter, lambda n: " ".join(WORDS[9 * n : 9 * n + 8])))
    hostile = reply(thread, opener, full(chapter, words))
    assert Quote.objects.filter(post=hostile).exclude(verdict="exact").count() == 50
    of_plain, in_plain = calls(lambda: drawn(plain, guest)), len(drawn(plain, guest))
    first = reply(thread, opener, form(chapter, words(0), "So."))
    if edited:
        edit(chapter, LONG.replace("party", "council"))
    drawn(first, guest)  # what a process compiles once is no post's cost
    assert calls(lambda: drawn(hostile, guest)) <= 2 * of_plain
    assert len(drawn(hostile, guest)) <= 2 * in_plain
