"""No kept page outlives what was taken back, also if it was drawn while that happened."""

import pytest
from django.test import Client

from forum.actions import posts
from forum.models import Board, Post, Thread
from forum.moderation import moving, states
from forum.operations import caching
from tests.races.orders import before

pytestmark = [pytest.mark.races, pytest.mark.postgres]
WORDS = "Nobody crosses before January."
TOLD = 'INSERT INTO "forum_auditentry"'  # the last that each of the acts writes


@pytest.fixture(autouse=True)
def kept(settings):
    settings.KEPT_PAGES_MB = 4
    caching.pages.clear()
    caching.fragments.clear()


def hide(forum, post: Post) -> None:
    states.hide(user=forum.moderator, post=post, reason="Off the point")


def withdraw(forum, post: Post) -> None:
    posts.withdraw(user=forum.members[1], post=post)


def move(forum, post: Post) -> None:
    narrow = Board.objects.create(name="Members", slug="members", audience="members")
    moving.move_thread(user=forum.moderator, thread=post.thread, board=narrow)


@pytest.mark.parametrize("act", (hide, withdraw, move))
def test_a_page_that_began_to_quote_it_meanwhile_is_drawn_anew(crew, forum, act):
    """The quote is written, and its page drawn, after the act has looked for quotes and before it
    stands."""
    source = forum.reply(forum.start(), WORDS)
    other = forum.start("What if it had thawed")
    source = Post.objects.select_related("thread__board").get(pk=source.pk)
    address = Thread.objects.get(pk=other.thread_id).get_absolute_url()

    def page() -> str:
        return Client().get(address).content.decode()

    def quotes() -> None:
        forum.reply(other, f'[quote="member-b, post: {source.pk}"]{WORDS}[/quote]\n\nNo.', member=2)

    # The page is drawn before the quoting reply is answered, which waits for the source's debate.
    with before(TOLD, quotes), before(TOLD, page):
        act(forum, source)
    kept = page()
    assert "Nobody crosses" in kept
    caching.pages.clear()
    caching.fragments.clear()
    assert kept == page()
