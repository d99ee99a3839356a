"""In a text, "#5" is a link to the post that had this number when it was typed."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forum.actions import posts as acts
from forum.actions.rendering import recompose, stored_html
from forum.models import Post, State
from forum.moderation import merging, moving, states
from forum.text import markup
from tests.people import browser, fresh, quoting, reply, start

pytestmark = pytest.mark.django_db


def links(post: Post) -> list[tuple[str, int]]:
    """The words and the post of each link to a post in a text as a visitor reads it."""
    page = browser().get(f"/posts/{post.pk}/", follow=True).content.decode()
    body = page.partition(f'id="post-{post.pk}-1"')[2].partition("</article>")[0]
    found = re.findall(r'<a href="/posts/(\d+)/"[^>]*>(#\d+)</a>', body)
    return [(words, int(pk)) for pk, words in found]


@pytest.fixture
def fifth(thread, answer, opener) -> Post:
    """#5, after which the tests below write."""
    return reply(thread, opener, "The fifth.")


def test_a_number_leads_to_its_post(thread, answer, fifth, stranger):
    post = reply(
        thread, stranger, f"As #{fifth.number}, and #{answer.number}'s word (see #1), said."
    )
    first = thread.posts.get(number=1)
    assert links(post) == [
        (f"#{fifth.number}", fifth.pk),
        (f"#{answer.number}", answer.pk),
        ("#1", first.pk),
    ]
    assert post.body.revision.plain == post.body.revision.source


@pytest.mark.parametrize(
    "text",
    [
        "In `code #5` and\n\n    #5 of a block",
        "[a link to #5](https://example.org/) https://example.org/#5",
        "Not #5a, C#5, ##5, /#5, &#53;, #5.2, #5/8 or #05.",
        "#400 was never written.",
    ],
)
def test_what_is_no_number_of_a_post_is_text(thread, fifth, stranger, text):
    assert fifth.number == 5
    post = reply(thread, stranger, text)
    assert links(post) == []
    assert not post.body.revision.posts_named


def test_what_the_writer_may_not_read_is_text(thread, answer, fifth, stranger, moderator):
    states.hide(user=moderator, post=fifth, reason="Off the matter.")
    for writer in (stranger, moderator):
        assert links(reply(thread, writer, f"As #{fifth.number} said.")) == []
    states.restore(user=moderator, post=fifth)
    post = reply(thread, stranger, f"As #{fifth.number} said.")
    states.hide(user=moderator, post=fifth, reason="Off the matter.")
    ((_, pk),) = links(post)
    assert browser().get(f"/posts/{pk}/", follow=True).status_code == 200  # its placeholder
    assert "The fifth." not in browser().get(f"/posts/{pk}/", follow=True).content.decode()


def test_the_link_follows_the_post(board, thread, answer, fifth, stranger, moderator):
    """Merged behind another debate and split off again; an edit in between keeps what was meant."""
    other = start(board, stranger, title="Another one")
    for number in range(3):
        reply(other, stranger, f"Before {number}.")
    post = reply(thread, stranger, f"As #{fifth.number} said.")
    before = fresh(post).body.html
    Post.objects.filter(thread=other).update(loaded_at="1990-01-01T00:00Z")
    merging.merge(user=moderator, thread=fresh(thread), into=fresh(other))
    assert fresh(fifth).number != fifth.number
    assert links(fresh(post)) == [(f"#{fifth.number}", fifth.pk)]
    again = recompose(fresh(post).body.revision)
    assert stored_html(again, ()) == fresh(post).body.html == before
    acts.edit(
        user=stranger,
        post=fresh(post),
        source=f"As #{fifth.number} and #{fresh(answer).number} said.",
        reason="",
        base=1,
    )
    assert [pk for _, pk in links(fresh(post))] == [fifth.pk, answer.pk]
    moving.split(user=moderator, thread=fresh(other), chosen=[fifth.pk], title="Split off")
    assert fresh(fifth).thread_id != other.pk
    (_, pk), *_ = links(fresh(post))
    assert (
        browser()
        .get(f"/posts/{pk}/")
        .headers["Location"]
        .startswith(fresh(fifth).thread.get_absolute_url())
    )


def test_the_words_can_be_quoted_and_are_exact(thread, answer, fifth, stranger, opener):
    post = reply(thread, stranger, f"It was as #{fifth.number} said, so ||see #1|| there.")
    quote = reply(thread, opener, quoting(post, f"as #{fifth.number} said, so ||see #1|| there."))
    (row,) = quote.quotes.all()
    assert (row.verdict, row.source_post) == ("exact", post)
    assert f'href="/posts/{fifth.pk}/"' in fresh(quote).body.html  # as its source draws it
    assert markup.words_without_spoilers(fresh(post).body.html, 200) == (
        f"It was as #{fifth.number} said, so [spoiler] there."
    )


def test_as_many_queries_with_numbers_as_without(thread, answer, fifth, stranger):
    def asked(text: str) -> tuple[int, int]:
        with CaptureQueriesContext(connection) as writing:
            post = reply(thread, stranger, text)
        written = len(writing)  # counted here: the first request empties the list it is cut from
        browser().get(f"/posts/{post.pk}/", follow=True)
        with CaptureQueriesContext(connection) as reading:
            browser().get(f"/threads/{thread.pk}/{thread.slug}/?n={post.pk}")
        return written, len(reading)

    for number in range(3):  # the first ones also begin a read mark and welcome the member
        reply(thread, stranger, f"Before {number}.")
    plain = asked("Words alone.")
    one, many = asked("As #1 said."), asked("As #1, #2, #3, #4 and #5 said.")
    assert one == many == (plain[0] + 1, plain[1])


def test_a_text_names_so_many_posts(thread, stranger):
    text = " ".join(f"#{n}" for n in range(1, 3000))
    assert len(markup.numbers_in(text)) == markup.MAX_NUMBERS
    post = reply(thread, stranger, text)
    assert fresh(post).state == State.VISIBLE
