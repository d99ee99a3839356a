"""What stands under a post: Reply and Quote in sight, the rest under More with its meaning; and
why there is no Reply, where there is none."""

import re

import pytest
from django.test import Client

from forum.moderation import sanctions, states
from tests.people import fresh

pytestmark = pytest.mark.django_db


def row(thread, post, member=None) -> tuple[list[str], str]:
    """What stands in the row under the post, and what under More."""
    client = Client()
    if member:
        client.force_login(member)
    page = client.get(thread.get_absolute_url()).content.decode()
    article = page[page.index(f'id="post-{post.pk}"') :].split("</article>")[0]
    acts = article.partition('<footer class="acts quiet">')[2].split("</footer>")[0]
    acts, _, more = re.sub(r'<span\s+class="vh">.*?</span>', "", acts, flags=re.S).partition(
        '<ul class="list">'
    )
    words = [" ".join(said.split()) for said in re.findall(r">([^<>]+)<", acts)]
    return [said for said in words if said], more


def test_reply_quote_and_more_and_nothing_else(thread, answer, stranger, opener, moderator):
    for member in (stranger, opener, answer.author, moderator):
        found, more = row(thread, answer, member)
        assert found == ["Reply", "Quote", "More"], member
        # Each act is followed by what it means.
        acts = re.findall(r"<li[^>]*>.*?</(?:a|button)>\s*(.*?)</li>", more, flags=re.S)
        assert len(acts) >= 2 and all(len(meaning) > 10 for meaning in acts)


def test_a_visitor_is_led_to_signing_in(thread, answer):
    assert row(thread, answer)[0][:2] == ["Reply", "Quote"]


def test_a_locked_debate_says_why(thread, answer, stranger, moderator):
    states.lock(user=moderator, thread=thread, reason="Settled.")
    for member in (stranger, None):
        found, _ = row(fresh(thread), answer, member)
        assert found[0] == "Locked: no more answers" and "Reply" not in found
    assert row(fresh(thread), answer, moderator)[0][0] == "Reply"


def test_a_suspended_member_is_told_in_place_of_the_buttons(thread, answer, stranger, moderator):
    sanctions.suspend(user=moderator, member=stranger, days=1, reason="Rude.")
    found, more = row(thread, answer, fresh(stranger))
    assert found[0] == "You may not answer here just now" and "Reply" not in found
    assert "Edit" not in more


def test_a_post_has_a_link_to_copy(thread, answer, stranger):
    for member in (stranger, None):
        _, more = row(thread, answer, member)
        assert re.search(rf'<a class="copy" href="/posts/{answer.pk}/">Copy link<', more)


def test_forms_stand_below_what_they_are_about(thread, opening, answer):
    """What is answered, also where a reply names no post, and what is edited."""
    client = Client()
    client.force_login(answer.author)
    reply = f"/threads/{thread.pk}/reply/"
    for address, post in (
        (reply, opening),
        (f"{reply}?to={answer.pk}", answer),
        (f"/posts/{answer.pk}/edit/", answer),
    ):
        page = client.get(address).content.decode()
        shown, form = page.index(f'id="post-{post.pk}"'), page.index('class="composer"')
        assert shown < form and page.count("<article") == 1, address
