"""Links both ways between quotes and passages: they lead to the very words, whatever happens to
either post, and show to each reader only what that one may see."""

import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from forum.models import Board, Post, Quote, Thread
from forum.moderation import states
from forum.rendering import backlinks, page_cuts
from forum.views.road import QUOTES
from tests.effort import analyzed, effort
from tests.people import browser, edit, fresh, quoting, reply, start
from tests.views.test_road import grow

pytestmark = pytest.mark.django_db
WORDS = "The party obeyed nobody."


def page(address: str, user=None) -> str:
    response = browser(user).get(address)
    assert response.status_code == 200
    return response.content.decode()


def quoted_by(post: Post, user=None, query: str = "") -> list[int]:
    """The posts that the page of quotes lists, as links to the quoting passage."""
    html = page(f"/posts/{post.pk}/quotes/{query}", user)
    return [int(pk) for pk in re.findall(r'<h3><a href="/posts/(\d+)/\?p=\d+">', html)]


# --- Permalinks of passages -------------------------------------------------------------------


@pytest.mark.parametrize("view", ["flat", "tree"])
@pytest.mark.parametrize("size", [10, 50])
def test_a_passage_has_an_address_that_finds_its_page(thread, answer, opener, view, size):
    for _ in range(20):
        reply(thread, opener, to=answer)
    late = reply(thread, opener, "First.\n\nSecond.\n\nThird.")
    opener.view, opener.posts_per_page = view, size
    opener.save()
    for post, passage in ((answer, 2), (late, 3)):
        response = browser(opener).get(f"/posts/{post.pk}/?p={passage}")
        address, _, place = response["Location"].partition("#")
        assert place == f"post-{post.pk}-{passage}"
        assert f'id="{place}"' in page(address, opener)
    visitors = browser().get(f"/posts/{late.pk}/?p=2")["Location"]
    assert visitors == f"{thread.get_absolute_url()}?page=2#post-{late.pk}-2"


@pytest.mark.parametrize("passage", ["x", "-1", "1.5", "999999", "²", "", "0"])
def test_a_passage_that_cannot_be_is_the_post(answer, thread, passage):
    location = browser().get(f"/posts/{answer.pk}/", {"p": passage})["Location"]
    assert location == f"{thread.get_absolute_url()}#post-{answer.pk}"


def test_the_words_stay_where_the_link_leads(thread, answer, opener):
    """A quote's number counts as a passage, so that an edit above moves nothing by itself."""
    quote = reply(thread, opener, quoting(answer, "It had a secretary"))
    edit(answer, "A new beginning.\n\nThe party obeyed nobody.\n\nIt had a secretary, after all.")
    html = page(thread.get_absolute_url())
    status = re.search(r'data-status="(\w+)"', html)[1]
    # The passage stands in the new text as well, so it is exact, not edited.
    assert status == "exact"
    href = re.search(r'<figcaption>\s*<span>answerer, <a href="([^"]+)"', html)[1]
    place = href.removeprefix("#")
    passage = re.search(rf'id="{place}"[^>]*>(.*?)</p>', html)[1]
    assert "It had a secretary" in passage
    assert quote.number == 5


def test_a_backlink_stands_under_the_words_after_an_edit(thread, answer, opener):
    reply(thread, opener, quoting(answer, "It had a secretary"))
    edit(answer, "A new beginning.\n\nThe party obeyed nobody.\n\nIt had a secretary, after all.")
    html = page(thread.get_absolute_url())
    before, note = re.search(
        r'<p id="post-[^>]*>([^<]*)</p>\s*<p class="margin">(.*?)</p>', html
    ).groups()
    assert before == "It had a secretary, after all."
    assert "¶ 2.3" in note


# --- When the source changes ------------------------------------------------------------------


@pytest.fixture
def quote(thread, answer, opener) -> Post:
    """#5, which quotes the first passage of #2."""
    return reply(thread, opener, quoting(answer, WORDS))


def test_words_edited_away_are_found_in_the_history(thread, quote, answer):
    edit(answer, "Nothing of the kind.\n\nIt had a secretary, after all.", "Typo.")
    html = page(thread.get_absolute_url())
    assert 'data-status="edited"' in html
    compared = page(f"/posts/{quote.pk}/quotes/1/")
    assert "These words do not stand in the source any more." in compared
    href = re.search(r'href="(/posts/\d+/history/[^"]+)"', html)[1].replace("&amp;", "&")
    address, _, place = href.partition("#")
    assert place == "said"
    said = page(address)
    assert re.search(r'<mark id="said">(.*?)</mark>', said, re.S)[1] == WORDS
    assert "text 1" in said


def test_the_history_names_no_source_that_the_page_conceals(
    thread, answer, opener, answerer, other_board, stranger, moderator, board_moderator
):
    elsewhere = start(other_board, answerer, title="Elsewhere", text=f"{WORDS}\n\nIndeed.")
    source = elsewhere.posts.get()
    post = reply(thread, opener, quoting(source, WORDS))
    post = edit(post, quoting(source, WORDS, then="I doubt it still."))
    nested = reply(thread, stranger, f"[quote]\n{quoting(source, WORDS)}\n[/quote]\n\nNo.")
    tag, history = f"{answerer}, post: {source.pk}", f"/posts/{post.pk}/history/"
    desk = reverse("admin:forum_postrevision_change", args=[post.body.revision_id])
    assert tag in page(history, stranger)
    Board.objects.filter(pk=other_board.pk).update(audience="moderators")
    for address in (history, f"{history}?rev=1&at=0-5", f"/posts/{nested.pk}/history/"):
        for user in (None, answerer, board_moderator):
            text = page(address, user)
            assert tag not in text and f"post: {source.pk}" not in text, (address, user)
            assert WORDS in text
    assert tag not in page(desk, board_moderator)
    for user in (opener, moderator):  # who wrote it, and who may see all of it
        assert tag in page(history, user).replace("&quot;", '"')


def test_a_post_that_became_shorter_keeps_its_backlinks(thread, answer, opener):
    reply(thread, opener, quoting(answer, "It had a secretary"))
    edit(answer, "Only this is left.")
    assert "¶ 2.1" in re.search(r'<p class="margin">(.*?)</p>', page(thread.get_absolute_url()))[1]
    edit(answer, "Only this is left.\n\nAnd this.\n\nIt had a secretary, after all.")
    assert "¶ 2.3" in re.search(r'<p class="margin">(.*?)</p>', page(thread.get_absolute_url()))[1]


def test_a_changed_passage_is_compared(thread, quote, answer):
    edit(answer, "The old party obeyed nobody.\n\nIt had a secretary, after all.")
    html = page(thread.get_absolute_url())
    assert 'data-status="edited"' in html
    assert "altered" not in html
    compared = page(f"/posts/{quote.pk}/quotes/1/")
    assert re.search(r"<(ins|del)>\s*old\s*</\1>", compared)


def test_backlinks_of_words_edited_away_are_still_there(thread, quote, answer):
    edit(answer, "Only this is left.")
    assert quoted_by(answer) == [quote.pk]
    assert f'href="#post-{quote.pk}">#5</a>' in page(thread.get_absolute_url())


@pytest.mark.parametrize("how", ["hide", "remove"])
def test_hiding_and_restoring_the_source(thread, quote, answer, moderator, how):
    getattr(states, how)(user=moderator, post=answer, reason="Off the point.")
    html = page(thread.get_absolute_url())
    assert 'data-status="removed"' in html
    assert f'href="#post-{answer.pk}-1"' not in html
    assert browser().get(f"/posts/{answer.pk}/quotes/").status_code == 404
    assert browser().get(f"/posts/{answer.pk}/history/?rev=1&at=0-5").status_code == 404
    states.restore(user=moderator, post=answer)
    html = page(thread.get_absolute_url())
    assert f'href="#post-{answer.pk}-1"' in html
    assert 'data-status="exact"' in html
    assert quoted_by(answer) == [quote.pk]


def test_hiding_and_restoring_the_quoting_post(thread, quote, answer, moderator, stranger):
    states.hide(user=moderator, post=quote, reason="Off the point.")
    for reader in (None, stranger):
        assert quoted_by(answer, reader) == []
        assert "quoted in" not in page(thread.get_absolute_url(), reader)
    states.restore(user=moderator, post=quote)
    assert quoted_by(answer) == [quote.pk]


def test_an_edit_of_the_quoting_post(quote, answer):
    edit(quote, "Nothing quoted.")
    assert quoted_by(answer) == []
    edit(quote, quoting(answer, "It had a secretary"))
    assert quoted_by(answer) == [quote.pk]


# --- The page of quotes -----------------------------------------------------------------------


def test_all_quotes_of_a_post_in_pages(thread, answer, other_board, stranger, opener):
    elsewhere = start(other_board, stranger, title="Another one")
    made = []
    for number in range(QUOTES + 5):
        there = elsewhere if number % 3 == 0 else thread
        made.append(reply(there, opener, quoting(answer, WORDS, f"Number {number}")).pk)
    newest = list(reversed(made))
    assert quoted_by(answer) == newest[:QUOTES]
    html = page(f"/posts/{answer.pk}/quotes/")
    (before,) = re.findall(r'rel="next" href="(\?before=\d+)"', html)
    assert quoted_by(answer, query=before) == newest[QUOTES:]
    assert 'rel="next"' not in page(f"/posts/{answer.pk}/quotes/{before}")
    assert f'in <a href="{elsewhere.get_absolute_url()}"' in html
    assert "The party obeyed nobody." in html


def test_quotes_one_may_not_see(thread, answer, quote, inner_board, moderator, stranger, opener):
    inner = start(inner_board, moderator, title="Behind doors")
    secret = reply(inner, moderator, quoting(answer, WORDS))
    for reader in (None, stranger, opener):
        assert quoted_by(answer, reader) == [quote.pk]
        assert "Behind doors" not in page(f"/posts/{answer.pk}/quotes/", reader)
    assert quoted_by(answer, moderator) == [secret.pk, quote.pk]
    Thread.objects.filter(pk=thread.pk).update(state="hidden")
    assert browser(stranger).get(f"/posts/{answer.pk}/quotes/").status_code == 404


def test_a_page_of_quotes_takes_as_many_queries_as_one(thread, answer, quote, opener):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            page(f"/posts/{answer.pk}/quotes/")
        return len(captured)

    few = queries()
    for _ in range(QUOTES):
        reply(thread, opener, quoting(answer, WORDS))
    assert queries() == few


@pytest.mark.parametrize("before", ["x", "-1", "1e3", "9" * 30, "²"])
def test_junk_in_the_address(answer, before):
    assert browser().get(f"/posts/{answer.pk}/quotes/", {"before": before}).status_code == 404


def test_a_post_that_nobody_quoted(answer):
    assert quoted_by(answer) == []
    assert "Nobody has quoted it yet." in page(f"/posts/{answer.pk}/quotes/")


# --- Many quotes of one passage ---------------------------------------------------------------


def test_a_note_names_eight_and_counts_the_rest(thread, answer, opener):
    most = backlinks.MAX_BACKLINKS
    for _ in range(most):
        reply(thread, opener, quoting(answer, WORDS))
    note = re.search(r'<p class="margin">(.*?)</p>', page(thread.get_absolute_url()))[1]
    assert note.count("#post-") == most + 1  # and the passage itself
    assert "more" not in note
    for _ in range(3):
        reply(thread, opener, quoting(answer, WORDS))
    note = re.search(r'<p class="margin">(.*?)</p>', page(thread.get_absolute_url()))[1]
    assert note.count("#post-") == most + 1
    assert f'and <a href="/posts/{answer.pk}/quotes/">3 more</a>' in note


def test_of_a_post_quoted_a_thousand_times_a_page_reads_the_first(thread, answer, opener):
    """Whoever quotes it after these stands on the page of its quotes."""
    most = backlinks.MOST_LOOKED_AT
    quote_often(answer, thread, opener, 3 * most)
    shown = backlinks.backlinks([fresh(answer)], AnonymousUser(), ())
    ((_, found),) = shown[answer.pk].items()
    # A post that quotes it fifty times is named once.
    assert found.at_least and len(found.links) == 3
    with CaptureQueriesContext(connection) as queries:
        rows = backlinks._quoted_by([answer.pk])
    assert len(rows) == most
    assert len(queries) == 1


def quote_often(answer: Post, thread: Thread, author, number: int) -> None:
    """Quotes of a post, fifty in each of as many answers as it takes."""
    first = Quote.objects.get(post=reply(thread, author, quoting(answer, WORDS)))
    rows = []
    for _ in range(number // 50):
        post = reply(thread, author, "It was no party.")
        rows += [
            Quote(**_columns(first), post=post, revision=post.body.revision, ordinal=ordinal)
            for ordinal in range(50)
        ]
    Quote.objects.bulk_create(rows)


def _columns(quote: Quote) -> dict:
    own = ("id", "post_id", "revision_id", "ordinal")
    return {
        field.attname: getattr(quote, field.attname)
        for field in Quote._meta.concrete_fields
        if field.attname not in own
    }


def test_who_quotes_a_post_is_read_up_to_a_bound(thread, answer, other_board, opener, settings):
    settings.PLAIN_QUERIES = ["all"]
    elsewhere = start(other_board, opener, title="Where it is quoted")
    # In a forum of few other posts and quotes PostgreSQL may as well read them all.
    grow(elsewhere, opener, [None] * 3_000)
    quote_often(reply(thread, opener, f"{WORDS}, he said."), elsewhere, opener, 4_000)
    quote_often(answer, elsewhere, opener, 200)
    client, quotes = browser(), f"/posts/{answer.pk}/quotes/"

    def asked() -> dict[str, int]:
        analyzed()
        posts, guest = [fresh(answer)], AnonymousUser()
        return {
            # As PostgreSQL chooses: it took the condition of that page for rarer than it is.
            "its quotes": effort(lambda: client.get(quotes), "forum_quote", without=()),
            "beside it": effort(lambda: backlinks.backlinks(posts, guest, ()), "forum_quote"),
            "how often": effort(lambda: page_cuts.NARROW.by_id([answer.pk]), "forum_post"),
        }

    few = asked()
    quote_often(answer, elsewhere, opener, 1_000)
    many = asked()
    assert all(0 < many[what] < few[what] * 1.2 for what in few), (few, many)


def test_what_is_more_counts_only_what_one_may_see(thread, answer, opener, moderator):
    rows = [reply(thread, opener, quoting(answer, WORDS)) for _ in range(9)]
    states.hide(user=moderator, post=rows[0], reason="Off the point.")
    note = re.search(r'<p class="margin">(.*?)</p>', page(thread.get_absolute_url()))[1]
    assert "more" not in note


def test_a_post_that_quotes_a_passage_twice_is_named_once(thread, answer, opener):
    text = quoting(answer, WORDS) + "\n\n" + quoting(answer, WORDS)
    reply(thread, opener, text)
    note = re.search(r'<p class="margin">(.*?)</p>', page(thread.get_absolute_url()))[1]
    assert note.count("#5</a>") == 1
    assert Quote.objects.count() == 2


def test_a_private_board_made_public_shows_what_was_quoted(thread, answer, quote):
    Board.objects.filter(pk=thread.board_id).update(audience="moderators")
    assert browser().get(f"/posts/{answer.pk}/quotes/").status_code == 404
    Board.objects.filter(pk=thread.board_id).update(audience="public")
    assert quoted_by(fresh(answer)) == [quote.pk]
