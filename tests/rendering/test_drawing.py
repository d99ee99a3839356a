"""Quotes as each reader sees them: one word, the attribution from the database, and nothing of
what the reader may not see."""

import re

import pytest
from django.core.management import call_command

from forum import rendering
from forum.actions import posts
from forum.models import Board, Post, Quote, Thread
from forum.moderation import states
from tests.people import browser, edit, fresh, pending, quoting, reply, start
from tests.reading import flat

WORDS = "The party obeyed nobody."


def drawn(post, user) -> str:
    """The HTML of a post alone on a page."""
    row = Post.objects.for_reading().select_related("thread__board").get(pk=post.pk)
    return rendering.render_post(row, user=user).html or ""


def status(post, user) -> list[str]:
    return re.findall(r'data-status="(\w+)"', drawn(post, user))


@pytest.fixture
def quote(thread, answer, opener):
    """The opener quotes the first sentence of the answer."""
    return reply(thread, opener, quoting(answer, WORDS))


# --- The one word -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "expected", "said"),
    [
        (WORDS, "exact", "exact"),
        ("The party … had a secretary", "shortened", "shortened"),
        ("The party obeyed everybody.", "altered", "altered"),
        ("Spain would have burned that summer", "unverifiable", "unverifiable"),
    ],
)
def test_the_verdict(thread, answer, opener, guest, words, expected, said):
    html = flat(drawn(reply(thread, opener, quoting(answer, words)), guest))
    assert f'data-status="{expected}"' in html
    assert f'<span class="status">{said}</span>' in html
    assert words.partition("…")[0].strip() in html
    if expected == "unverifiable":
        assert "Source unknown" in html
        assert "answerer" not in html
    else:
        assert re.search(r"answerer, <a [^>]*>#2, paragraph 1</a>", html)


def test_parts_that_changed_their_order_are_an_edited_source(thread, answer, opener, guest):
    """Each of them still stands; the quote says what the source does not say any more."""
    quote = reply(thread, opener, quoting(answer, "The party … had a secretary"))
    edit(answer, "It had a secretary, and he had it. The party obeyed nobody.")
    assert status(quote, guest) == ["edited"]
    edit(answer, "The party of old, it is said, had a secretary.")
    assert status(quote, guest) == ["shortened"]


def test_marks_that_both_hold_are_not_compared(thread, answer, opener, guest):
    """Also where the span was stored by an older judgement, which knew words alone."""
    quote = reply(thread, opener, quoting(answer, "The party obeyed everybody."))
    for end in (None, len("The party obeyed nobody")):
        if end:
            Quote.objects.update(start=0, end=end, parts=[[0, end]])
        compared = drawn(quote, guest).partition("Compare with the source")[2]
        assert re.findall(r"<(?:ins|del)>([^<]*)<", compared.partition("</details>")[0]) == [
            " nobody",
            " everybody",
        ]


def test_an_edit_elsewhere_in_the_source_leaves_a_quote_exact(quote, answer, guest):
    edit(answer, f"{WORDS}\n\nIt had a secretary, and a good one.")
    assert status(quote, guest) == ["exact"]


@pytest.mark.parametrize("words", [WORDS, "The party … had a secretary"])
def test_an_edit_of_the_passage_says_so_and_shows_both_texts(thread, answer, opener, guest, words):
    post = reply(thread, opener, quoting(answer, words))
    edit(answer, "The party obeyed its secretary.\n\nIt had one, after all.")
    html = drawn(post, guest)
    assert status(post, guest) == ["edited"]
    assert "source edited since" in html
    assert "Read the source as it stands now" in html
    assert "altered" not in html


def test_the_passage_may_be_gone_altogether(quote, answer, guest):
    edit(answer, "I take it all back, harvests interest me more.")
    assert status(quote, guest) == ["edited"]
    page = browser().get(f"/posts/{quote.pk}/quotes/1/").content.decode()
    assert "do not stand in the source any more" in page


def test_an_altered_quote_stays_altered_whatever_the_source_says_later(
    thread, answer, opener, guest
):
    post = reply(thread, opener, quoting(answer, "The party obeyed everybody."))
    edit(answer, "The party obeyed everybody.")
    assert status(post, guest) == ["altered"]
    html = drawn(post, guest)
    assert "Compare with the source" in html
    assert "<del>" in html
    assert "<ins>" in html


@pytest.mark.parametrize("how", ["hide", "remove", "withdraw"])
def test_a_source_taken_away(quote, answer, answerer, moderator, guest, how):
    if how == "withdraw":
        posts.withdraw(user=answerer, post=answer)
    else:
        getattr(states, how)(user=moderator, post=answer, reason="Off the point.")
    html = drawn(quote, guest)
    assert status(quote, guest) == ["removed"]
    assert "source removed" in html
    assert "<a " not in re.search(r"<figcaption>.*?</figcaption>", html, re.S)[0]
    states.restore(user=moderator, post=answer)
    assert status(quote, guest) == ["exact"]


def not_for_strangers(how, thread):
    if how == "hidden debate":
        Thread.objects.filter(pk=thread.pk).update(state="hidden")
    elif how == "waiting debate":
        Thread.objects.filter(pk=thread.pk).update(state="pending")
    elif how == "debate being loaded":
        Thread.objects.filter(pk=thread.pk).update(state="loading")
    else:
        Board.objects.filter(pk=thread.board_id).update(audience=how)


@pytest.mark.parametrize(
    "how", ["moderators", "members", "hidden debate", "waiting debate", "debate being loaded"]
)
def test_a_source_one_may_not_see(thread, answer, other_board, stranger, guest, how):
    elsewhere = start(other_board, stranger, title="Another one")
    quote = reply(elsewhere, stranger, quoting(answer, WORDS))
    not_for_strangers(how, thread)
    html = drawn(quote, guest)
    assert status(quote, guest) == ["unverifiable"]
    assert "Source unknown" in html
    for trace in ("answerer", "#2", f"post-{answer.pk}", f"/posts/{answer.pk}", "passage"):
        assert trace not in html, trace
    assert status(quote, stranger) == (["exact"] if how == "members" else ["unverifiable"])


def test_each_reader_gets_what_each_may_see(
    thread, answer, other_board, stranger, moderator, guest
):
    elsewhere = start(other_board, stranger, title="Another one")
    quote = reply(elsewhere, stranger, quoting(answer, WORDS))
    Board.objects.filter(pk=thread.board_id).update(audience="moderators")
    assert status(quote, moderator) == ["exact"]
    assert status(quote, guest) == ["unverifiable"]


# --- What stands around the words -------------------------------------------------------------


def test_ellipses_at_cuts_inside_a_sentence(thread, answer, opener, guest):
    cut = drawn(reply(thread, opener, quoting(answer, "party obeyed")), guest)
    assert re.search(r"<blockquote>\s*<p[^>]*>… party obeyed …</p>\s*</blockquote>", cut)
    for words in (WORDS, f"{WORDS}\n\nIt had a secretary, after all."):
        assert "…" not in drawn(reply(thread, opener, quoting(answer, words)), guest)
    head = drawn(reply(thread, opener, quoting(answer, "The party obeyed")), guest)
    assert '<p dir="auto">The party obeyed …</p>' in head


def test_a_link_leads_to_the_passage(thread, answer, opener, guest):
    quote = reply(thread, opener, quoting(answer, "It had a secretary"))
    assert f'href="/posts/{answer.pk}/?p=2"' in drawn(quote, guest)
    page = browser().get(thread.get_absolute_url()).content.decode()
    assert f'href="#post-{answer.pk}-2"' in page
    assert f'id="post-{answer.pk}-2"' in page


def test_a_whole_long_post_folds_and_a_short_one_does_not(thread, answer, opener, guest):
    long = reply(thread, opener, "Word after word. " * 30)
    folded = drawn(reply(thread, opener, quoting(long, ("Word after word. " * 30).strip())), guest)
    assert "Show the 90 words quoted" in folded
    assert folded.count("Word after word.") == 30
    whole = quoting(answer, f"{WORDS}\n\nIt had a secretary, after all.")
    assert "<details>" not in drawn(reply(thread, opener, whole), guest)


def test_a_quote_inside_a_quote_leaves_a_trace(thread, opening, quote, opener, guest, answer):
    inner = quoting(answer, WORDS, then="")
    text = f'[quote="opener, post: {quote.pk}"]\n{inner}\nI doubt it.\n[/quote]\n\nWhy?'
    html = flat(drawn(reply(thread, opener, text), guest))
    assert re.search(rf'<a href="/posts/{answer.pk}/">#2</a> quoted here', html)
    assert WORDS not in html
    Board.objects.filter(pk=thread.board_id).update(audience="moderators")
    row = Post.objects.for_reading().select_related("thread__board").latest("pk")
    row.thread.board.audience = "public"  # as if the reply stood elsewhere
    assert "#2" not in rendering.render_post(row, user=guest).html


def test_left_out_words_are_shown_on_demand(thread, answer, opener, guest):
    html = drawn(reply(thread, opener, quoting(answer, "The party … had a secretary")), guest)
    assert "Show the words left out" in html
    assert "obeyed nobody." in html


# --- Who quotes it ----------------------------------------------------------------------------


def notes(post, user) -> list[str]:
    return re.findall(r'<p class="margin">.*?</p>', drawn(post, user), re.S)


def test_a_note_stands_under_the_passage_quoted(quote, answer, guest):
    (note,) = notes(answer, guest)
    assert "¶ 2.1" in note
    assert f'<a href="/posts/{quote.pk}/">#5</a>' in note
    html = drawn(answer, guest)
    assert html.index(note) < html.index("It had a secretary")


def test_notes_follow_the_current_text_of_the_quoting_post(quote, answer, guest):
    edit(quote, "I quote nobody any more.")
    assert notes(answer, guest) == []
    edit(quote, quoting(answer, "It had a secretary"))
    assert "¶ 2.2" in notes(answer, guest)[0]


def test_notes_name_only_posts_that_the_reader_may_see(
    thread, answer, inner_board, moderator, stranger, guest
):
    inner = start(inner_board, moderator, title="Behind doors")
    reply(inner, moderator, quoting(answer, WORDS))
    assert notes(answer, guest) == notes(answer, stranger) == []
    assert "another debate, #2" in notes(answer, moderator)[0]
    shown = reply(thread, stranger, quoting(answer, WORDS))
    assert len(re.findall("<a ", notes(answer, guest)[0])) == 2  # the passage and #5
    states.hide(user=moderator, post=shown, reason="Off the point.")
    assert notes(answer, guest) == []


def test_a_waiting_post_is_no_backlink(thread, answer, stranger, opener, moderator):
    pending(thread, stranger, quoting(answer, WORDS), to=answer)
    for reader in (stranger, opener, moderator):
        assert notes(answer, reader) == []


def test_the_source_thread(board, guest):
    """The thread that comes with the forum, as its readers see it."""
    call_command("loaddata", "trotsky-spain", verbosity=0)
    found = {p.number: p for p in Post.objects.filter(thread__key="trotsky-spain")}
    assert {n: status(p, guest) for n, p in found.items() if n > 4} == {
        5: ["exact"],
        6: ["exact"],
        7: ["exact"],
    }
    noted = {n: re.findall(r"¶ \d\.\d", "".join(notes(p, guest))) for n, p in found.items()}
    assert {n: marks for n, marks in noted.items() if marks} == {
        4: ["¶ 4.1"],
        5: ["¶ 5.4"],
        6: ["¶ 6.2"],
    }
    assert "<h3" not in drawn(found[1], guest)


# --- Text that would like to be more ----------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "<!--p1--><!--m1--><!--words--><!--cut-->",
        "<!--q1-->x<!--/q1--><!--/cut-->",
        '<figure class="quote" data-status="exact"><figcaption>Lenin',
        "&lt;!--@stranger--&gt; <!--@stranger-->",
        "<script>alert(1)</script><style>p{}</style>",
        '[quote="<b>x</b>\\"><script>, post: 1"]\nx\n[/quote]\n\ny',
    ],
)
def test_members_text_cannot_imitate_the_marks_of_the_forum(thread, opener, guest, text):
    html = drawn(reply(thread, opener, f"{text}\n\nAnd so on."), guest)
    assert "<!--" not in html
    assert "<script" not in html
    assert "<style" not in html
    assert not re.search('<[^>]*data-status="exact"', html)
    assert "/members/" not in html


def test_the_reason_words_and_names_of_others_are_text(thread, answer, opener, moderator, guest):
    nasty = "<!--words--><b>x</b>"
    Post.objects.filter(pk=answer.pk).update(author=None, byline=nasty)
    html = drawn(reply(thread, opener, quoting(fresh(answer), WORDS)), guest)
    assert nasty not in html
    assert "&lt;!--words--&gt;" in html
    assert WORDS in html


def test_mentions_lead_to_members_and_nobody_else(thread, opener, stranger, guest):
    html = drawn(reply(thread, opener, "@stranger and @Nobody-Here, you too."), guest)
    assert '<a class="mention" href="/members/stranger/">@stranger</a>' in html
    assert "@Nobody-Here" in html
    assert html.count("mention") == 1


def test_a_quote_is_drawn_in_as_many_queries_as_twenty(
    thread, answer, opener, guest, django_assert_max_num_queries
):
    rows = [reply(thread, opener, quoting(answer, WORDS)) for _ in range(20)]
    for some in (rows[:1], rows):
        listed = list(
            Post.objects.for_reading()
            .select_related("thread__board")
            .filter(pk__in=[p.pk for p in some])
        )
        with django_assert_max_num_queries(2):
            rendering.render_posts(listed, user=guest)
    assert Quote.objects.filter(verdict="exact").count() == 20
