"""What a moderator of some boards meets at the desk of what went out of their sight: an act on a
debate stays in the log of its board when the debate goes to another one; what that is called and
says there is named nowhere, found by no search and kept in no way back. Pages of the desk are
scanned for words of all kinds in tests/views/test_no_leaks.py."""

import re
from uuid import uuid4

import pytest
from django.urls import reverse

from forum.actions import threads
from forum.models import AuditEntry, Post, Quote, Warning
from forum.moderation import cleanup, moving, sanctions, states
from forum.permissions import Refused
from tests.people import browser, fresh, quoting, reply, start

pytestmark = [pytest.mark.django_db, pytest.mark.reads]
NEW_TITLE = "What we settle among ourselves"


def shown(user, name: str, query="", pk=None) -> str:
    """A page of the desk without what the reader asked for."""
    page = reverse(f"admin:forum_{name}_{'change' if pk else 'changelist'}", args=[pk] * bool(pk))
    text = browser(user).get(page + query).content.decode()
    return re.sub(r'<input[^>]*name="q"[^>]*>', "", text)


@pytest.fixture
def gone(thread, inner_board, moderator, answerer):
    """The debate of `board`, which was acted on there, is in a private board by now, and has
    another title."""
    post = thread.posts.get(number=2)
    states.lock(user=moderator, thread=thread, reason="It is settled.")
    states.hide(user=moderator, post=post, reason="Off the point.")
    moving.move_thread(user=moderator, thread=fresh(thread), board=inner_board)
    threads.rename(user=moderator, thread=fresh(thread), title=NEW_TITLE)
    return fresh(thread)


def test_the_log_names_no_debate_and_no_post_that_is_out_of_sight(
    gone, board_moderator, moderator, answerer
):
    entry = AuditEntry.objects.get(verb="hide")
    for name, query, pk in (
        ("auditentry", "", None),
        ("auditentry", "", entry.pk),
        ("case", "", None),
    ):
        page = shown(board_moderator, name, query, pk)
        assert "Off the point." in page
        assert NEW_TITLE not in page
        assert f"by {answerer.username}" not in page
    for name, pk in (("auditentry", None), ("auditentry", entry.pk), ("case", None)):
        assert NEW_TITLE in shown(moderator, name, "", pk)


def test_the_search_of_the_log_finds_nothing_by_a_title_that_is_out_of_sight(
    gone, board, board_moderator, moderator, opener
):
    there = start(board, opener, title="What if the bridge had held?")
    states.lock(user=moderator, thread=there, reason="Enough.")
    assert "It is settled." not in shown(board_moderator, "auditentry", "?q=among+ourselves")
    assert "It is settled." in shown(moderator, "auditentry", "?q=among+ourselves")
    for user in (board_moderator, moderator):
        assert "Enough." in shown(user, "auditentry", "?q=bridge+held")
        assert "It is settled." in shown(user, "auditentry", "?q=settled")


def test_the_particulars_of_a_split_name_no_debate_that_is_out_of_sight(
    thread, inner_board, board_moderator, moderator
):
    post = thread.posts.get(number=2)
    moving.split(
        user=moderator, thread=thread, chosen=[post.pk], title=NEW_TITLE, board=inner_board
    )
    entry = AuditEntry.objects.get(verb="split")
    assert NEW_TITLE not in shown(board_moderator, "auditentry", "", entry.pk)
    assert NEW_TITLE in shown(moderator, "auditentry", "", entry.pk)


def test_quotes_of_what_is_out_of_sight_are_not_listed_at_the_desk(
    thread, board, inner_board, board_moderator, moderator, opener
):
    """Their source would be named, as the page does not do."""
    other = start(board, opener, title="What if the bridge had held?")
    source = other.posts.get(number=1)
    post = reply(thread, opener, quoting(source, "the party had obeyed"))
    quote = Quote.objects.get(post=post)
    assert f">{source}<" in shown(board_moderator, "quote")
    moving.move_thread(user=moderator, thread=fresh(other), board=inner_board)
    assert f">{source}<" not in shown(board_moderator, "quote")
    address = reverse("admin:forum_quote_change", args=[quote.pk])
    assert browser(board_moderator).get(address).status_code == 302
    assert browser(moderator).get(address).status_code == 200


def test_reasons_of_warnings_for_what_is_out_of_sight_are_not_told(
    gone, board, board_moderator, moderator, answerer
):
    said = "For what was said among ourselves."
    post = Post.objects.select_related("thread__board").get(thread=gone, number=2)
    sanctions.warn(user=moderator, member=answerer, points=2, reason=said, post=post)
    warning = Warning.objects.get()
    page = shown(board_moderator, "member", "", answerer.pk)
    assert said not in page
    assert "Warning of 2 points" in page
    assert f"/posts/{post.pk}/" not in page
    assert "warned" not in shown(board_moderator, "warning", "?q=among+ourselves")
    assert answerer.username not in shown(board_moderator, "warning", "?q=among+ourselves")
    assert said not in shown(board_moderator, "warning", "", warning.pk)
    assert said in shown(moderator, "member", "", answerer.pk)
    here = start(board, answerer, title="Another debate").posts.get()
    sanctions.warn(user=moderator, member=answerer, points=1, reason="Rude.", post=here)
    assert "Rude." in shown(board_moderator, "member", "", answerer.pk)


def test_a_clean_up_that_reaches_further_is_left_to_who_may_bring_all_of_it_back(
    thread, inner_board, board_moderator, moderator, answerer, opener
):
    private = start(inner_board, moderator, title=NEW_TITLE)
    post = reply(private, moderator, "Between ourselves.")
    Post.objects.filter(pk=post.pk).update(author=answerer)
    here = thread.posts.get(number=2)
    entry = cleanup.clean_up(
        user=moderator,
        member=answerer,
        post_ids=[here.pk, post.pk],
        reason="All of it.",
        batch=uuid4(),
    )
    review = reverse("admin:forum_member_review", args=[answerer.pk])
    client = browser(board_moderator)
    answer = client.post(review, {"undo": entry.pk, "reason": "Mine."}, follow=True)
    assert NEW_TITLE not in answer.content.decode()
    assert (fresh(here).state, fresh(post).state) == ("hidden", "hidden")
    with pytest.raises(Refused):
        cleanup.undo(user=board_moderator, entry=entry)
    assert f'name="undo" value="{entry.pk}"' not in client.get(review).content.decode()
    # It is still there for who made it.
    assert f'name="undo" value="{entry.pk}"' in browser(moderator).get(review).content.decode()
    cleanup.undo(user=moderator, entry=fresh(entry))
    assert (fresh(here).state, fresh(post).state) == ("visible", "visible")
