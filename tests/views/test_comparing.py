"""A quote beside its source: on the debate's page where that is short, else on a page of its own,
for those who may know the source."""

import sys

import pytest

from forum import rendering
from forum.actions import composing
from forum.models import Board, Quote
from forum.moderation import states
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
    if edited:
        edit(chapter, LONG.replace("party", "council"))
    assert calls(lambda: drawn(hostile, guest)) <= 2 * of_plain
    assert len(drawn(hostile, guest)) <= 2 * in_plain
