"""Marking posts and reading the story: the form, the index on the debate, the reader mode."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forum.actions import threadmarks
from forum.models import Board, Thread, Threadmark
from forum.moderation import states
from tests.people import browser, fresh, reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(thread, opener) -> list:
    """Five posts, of which four are marked: 1 and 3 story, 4 side story, 5 informational."""
    reply(thread, opener, "A map of it all.")
    posts = list(thread.posts.order_by("number"))
    for number, category, label in (
        (1, "story", "The opening"),
        (3, "story", "A point"),
        (4, "side", "Meanwhile <b>"),
        (5, "info", "The map"),
    ):
        post = posts[number - 1]
        threadmarks.mark(user=opener, post=post, category=category, label=label)
    return posts


def get(address: str, user=None, status=200) -> str:
    response = browser(user).get(address)
    assert response.status_code == status
    return response.content.decode()


def test_the_form_marks_changes_and_takes_away(thread, answer, opener):
    client, address = browser(opener), f"/posts/{answer.pk}/mark/"
    page = client.get(address).content.decode()
    assert "Make #2 part of the story" in page and "The party obeyed nobody." in page
    sent = client.post(address, {"label": "Chapter 1", "category": "story", "do": "mark"})
    assert sent["Location"] == f"/posts/{answer.pk}/"
    page = client.get(address).content.decode()
    assert 'value="Chapter 1"' in page and "Take it out of the story" in page
    client.post(address, {"label": "A flag", "category": "media", "do": "mark"})
    assert Threadmark.objects.get().category == "media"
    page = get(thread.get_absolute_url(), opener)
    assert "Media: <bdi>A flag</bdi>" in page and "Its part in the story" in page
    client.post(address, {"do": "unmark"})
    assert not Threadmark.objects.exists()
    assert "Read the story" not in get(thread.get_absolute_url())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"label": " ", "category": "story"}, "Give it a label"),
        ({"label": "Chapter", "category": "poem"}, "Choose one of the categories"),
        ({"label": "x" * 200, "category": "story"}, "at most 120 characters"),
        ({"label": "Nul\0", "category": "story"}, ""),
        ({}, "Give it a label"),
    ],
)
def test_what_is_typed_stays_when_it_is_refused(answer, opener, fields, said):
    response = browser(opener).post(f"/posts/{answer.pk}/mark/", fields)
    assert response.status_code == 422
    page = response.content.decode()
    assert said in page
    assert fields.get("label", "").replace("\0", "").strip() in page.replace("\0", "")
    assert not Threadmark.objects.exists()


def test_the_debate_has_an_index_of_its_story(thread, story):
    page = get(thread.get_absolute_url())
    assert "4 parts of the story" in page
    places = [page.index(label) for label in ("The opening", "A point", "Meanwhile", "The map")]
    assert places == sorted(places)
    assert "Meanwhile &lt;b&gt;" in page
    assert page.count(f"/threads/{thread.pk}/read/?post={story[0].pk}") == 2  # index and post


def test_reading_from_mark_to_mark(thread, story):
    base = f"/threads/{thread.pk}/read/"
    page = get(base)
    assert "part 1 of 4" in page and ">The opening</h1>" in page
    assert "Suppose that Lenin" in page and "That is a point" not in page
    assert f'rel="next" href="?post={story[2].pk}"' in page and 'rel="prev"' not in page
    page = get(f"{base}?post={story[2].pk}")
    assert "part 2 of 4" in page and "That is a point" in page
    assert f'rel="prev" href="?post={story[0].pk}"' in page
    last = get(f"{base}?post={story[4].pk}")
    assert 'rel="next"' not in last and "last part so far" in last


def test_categories_are_chosen(thread, story):
    base = f"/threads/{thread.pk}/read/?show=story&show=info"
    page = get(base)
    assert "part 1 of 3" in page
    assert f'href="?post={story[2].pk}&amp;show=story&amp;show=info"' in page
    page = get(f"{base}&post={story[2].pk}")
    assert f'rel="next" href="?post={story[4].pk}' in page  # the side story is left out
    # What is left out leads to the next that is not.
    assert "part 3 of 3" in get(f"{base}&post={story[3].pk}")
    assert "part 1 of 4" in get(f"/threads/{thread.pk}/read/?show=poem")


def test_what_is_not_there(thread, story, other_board, opener):
    base = f"/threads/{thread.pk}/read/?post="
    for wrong in ("x", "-1", "9" * 30, "999999", ""):
        get(base + wrong, status=404)
    assert "part 2 of 4" in get(base + str(story[1].pk))  # not marked: the next one


def test_a_debate_without_marks_says_so(thread):
    assert "No post of this debate is part of a story yet" in get(f"/threads/{thread.pk}/read/")


def test_a_hidden_post_leaves_the_story(thread, story, moderator, stranger):
    states.hide(user=moderator, post=story[2], reason="Off topic.")
    for user in (None, stranger, moderator):
        page = get(f"/threads/{thread.pk}/read/", user)
        assert "A point" not in page and "1 of 3" in page
        assert "A point" not in get(thread.get_absolute_url(), user)


def test_a_story_that_one_may_not_see(thread, story, stranger, moderator):
    Board.objects.update(audience="moderators")
    get(f"/threads/{thread.pk}/read/", stranger, 404)
    get(f"/posts/{story[0].pk}/mark/", stranger, 404)
    get(f"/threads/{thread.pk}/read/", moderator)


def test_an_ignored_member_is_folded_here_too(thread, story, opener, stranger):
    stranger.ignoring = [opener.pk]
    stranger.save()
    page = get(f"/threads/{thread.pk}/read/", stranger)
    assert "You ignore this member" in page and "<bdi>opener</bdi>" not in page


def test_the_same_number_of_queries_for_a_long_story(thread, opener, story):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as context:
            get(f"/threads/{thread.pk}/read/")
        return len(context)

    queries()  # the terms of the glossary are kept from here on
    few = queries()
    for number in range(60):
        post = reply(fresh(thread), opener, f"Instalment {number}")
        threadmarks.mark(user=opener, post=post, category="story", label=f"Chapter {number}")
    assert queries() == few
    page = get(f"/threads/{thread.pk}/read/")
    assert "The parts around this one, of 64" in page
    assert Thread.objects.get(pk=thread.pk).threadmarks.count() == 64
