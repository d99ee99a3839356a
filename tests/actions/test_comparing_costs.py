"""What judging the quotes of one text may cost, whatever is quoted: an honest reply is judged to
the end, a hostile one stops and says so."""

import pytest

from forum import rendering
from forum.actions import composing
from forum.models import PostRevision, Quote
from forum.text import markup
from forum.text.quoting import altered, finding
from tests.people import quoting, reply

LONG = "\n\n".join(
    f"Sentence {n} of this chapter says what the party did in week {n * 3 + 1} of that year."
    for n in range(650)
)
WORDS = LONG.split()


@pytest.fixture
def often_edited(thread, answerer):
    """A long chapter that had twenty texts before this one."""
    post = reply(thread, answerer, LONG)
    for number in range(2, 22):
        revision = post.body.revision
        revision.pk, revision.number = None, number
        revision.source = revision.plain = LONG.replace("week 4 ", f"month {number} ")
        revision.save()
    post.body.revision, post.body.revision_number = revision, number
    post.body.save()
    assert PostRevision.objects.filter(post=post).count() == 21
    return post


def near(post, number, words=20) -> str:
    some = WORDS[words * number : words * (number + 1)]
    return quoting(post, " ".join([*some[:4], "nonsense", *some[5:]]), "")


def composed(thread, user, text):
    return composing.compose(user=user, board=thread.board, source=text, thread=thread)


def test_the_work_is_bounded_and_says_so(thread, often_edited, opener, monkeypatch):
    scanned = []
    read = altered.folded_words
    monkeypatch.setattr(altered, "folded_words", lambda text: scanned.append(text) or read(text))
    text = "".join(near(often_edited, n) for n in range(markup.MAX_QUOTES)) + "So."
    found = composed(thread, opener, text)
    assert len(scanned) <= 400  # of the 1,050 comparisons that were asked for
    assert {quote.verdict for quote in found.quotes} == {"altered", "unverifiable"}
    stopped = [quote for quote in found.quotes if quote.verdict == "unverifiable"]
    assert {(quote.reason, quote.source_post) for quote in stopped} == {(Quote.TOO_MUCH, None)}
    html = rendering.render_preview(found, user=opener)
    assert html.count("unverifiable: too much to compare") == len(stopped)


def test_some_near_quotes_of_an_often_edited_chapter_are_judged(thread, often_edited, opener):
    text = "".join(near(often_edited, n) for n in range(5)) + "So."
    assert {quote.verdict for quote in composed(thread, opener, text).quotes} == {"altered"}
    whole = " ".join(word if n % 9 else "nonsense" for n, word in enumerate(WORDS))
    found = composed(thread, opener, quoting(often_edited, whole[:50_000]))
    assert found.quotes[0].verdict == "altered"


def test_as_many_exact_quotes_as_a_post_may_hold_are_judged(thread, often_edited, opener):
    some = (" ".join(WORDS[100 * n : 100 * n + 30]) for n in range(markup.MAX_QUOTES))
    text = "".join(quoting(often_edited, words, "") for words in some) + "So."
    assert {quote.verdict for quote in composed(thread, opener, text).quotes} == {"exact"}


def test_words_that_stand_nowhere_as_words_cost_no_more(thread, often_edited, opener, monkeypatch):
    """A letter that every word holds is looked for among all places where a text may be cut."""
    marked = []
    mark = finding._marked
    monkeypatch.setattr(finding, "_marked", lambda text: marked.append(text) or mark(text))
    text = "".join(quoting(often_edited, "e", "") for _ in range(markup.MAX_QUOTES)) + "So."
    composed(thread, opener, text)
    assert sum(map(len, marked)) <= 3_000_000


def test_quotes_reach_over_so_much_of_their_sources(thread, often_edited, opener):
    text = quoting(often_edited, f"{WORDS[0]} {WORDS[1]} … week 1948 of that year.", "")
    assert composed(thread, opener, f"{text}So.").quotes[0].verdict == "shortened"
    with pytest.raises(composing.Unacceptable, match="reach over at most 300,000 characters"):
        composed(thread, opener, 8 * text + "So.")
