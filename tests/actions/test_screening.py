"""What is held and why, what the writer is told, and what is not held."""

from dataclasses import replace
from functools import partial
from uuid import uuid4

import pytest

from forum.actions import description, polls, posts, threads
from forum.actions.composing import Unacceptable
from forum.actions.divergences import read_divergence
from forum.actions.lately import written_lately
from forum.models import AuditEntry, Board, Case, Draft, Notice, Post, Thread
from forum.moderation import cleanup, queue, sanctions, states, undoing
from forum.operations import checks
from forum.permissions import may
from tests.people import browser, edit, fresh, reply, start, typed

pytestmark = pytest.mark.django_db
LINK = "See [this archive](https://archive.example.org/7) for the minutes of the meeting."
LONG = "The bridges over the river were mined by order of the staff on the fourth of May, " * 2


@pytest.fixture(autouse=True)
def on_guard(settings):
    settings.HOLD_NEW_LINKS, settings.NEW_MEMBER_POSTS = True, 3
    settings.REPEAT_MINUTES = 30


def kinds() -> list[str]:
    return list(Case.objects.open().order_by("pk").values_list("kind", flat=True))


def test_links_of_new_members_wait_and_others_do_not(thread, stranger, opener, moderator):
    post = reply(thread, stranger, LINK)
    assert (post.state, post.number) == ("pending", None)
    assert post.state_reason == "it holds links or pictures, and you are a new member."
    assert kinds() == ["held"]
    inside = "See [the opening](/posts/1/) again, and [below](#post-2)."
    assert reply(thread, stranger, inside).state == "visible"
    assert reply(thread, moderator, LINK).state == "visible"
    for n in range(3):
        reply(thread, stranger, f"Word {n}.")
    assert reply(thread, fresh(stranger), LINK + " Again.").state == "visible"


def test_an_edit_brings_no_link_in_past_the_queue(thread, stranger):
    post = reply(thread, stranger, "No link here.")
    with pytest.raises(Unacceptable, match="Write a reply"):
        edit(post, LINK)
    waiting = reply(thread, stranger, LINK)
    assert edit(waiting, LINK + " More of it.").state == "pending"


ADDRESS = "See HTTPS://archive.example.org/7"


@pytest.mark.parametrize("field", ["question", "choices"])
def test_addresses_in_a_poll_wait_as_those_in_posts_do(thread, stranger, moderator, field):
    asked = polls.Asked("Who decides?", ["The party", "Nobody"])
    bad = replace(asked, **{field: ADDRESS if field == "question" else ["Nobody", ADDRESS]})
    assert reply(thread, stranger, "Let us vote.", poll=asked).state == "visible"
    assert reply(thread, stranger, "Vote here.", poll=bad).state == "pending"
    assert reply(thread, moderator, "Vote as well.", poll=bad).state == "visible"


@pytest.mark.parametrize("field", ["title", "own_answer", "divergences", "poll"])
def test_addresses_beside_an_opening_wait_as_those_in_it_do(board, stranger, field):
    given = {
        "title": ADDRESS,
        "own_answer": ADDRESS,
        "divergences": [read_divergence(change=ADDRESS, when="1923")],
        "poll": polls.Asked("Who decides?", ["The party", ADDRESS]),
    }
    asked = {"title": "What if the ice held?", "own_answer": "It would."}
    thread = threads.start(
        user=stranger,
        board=board,
        kind="WI",
        source="It holds.",
        token=uuid4(),
        **{**asked, field: given[field]},
    )
    assert thread.state == "pending"
    waiting = fresh(thread)
    assert threads.rename(user=stranger, thread=waiting, title=f"{ADDRESS}?").title != thread.title


def test_a_change_brings_no_address_in_past_the_queue(board, stranger, moderator):
    asked = polls.Asked("Who decides?", ["The party", "Nobody"])
    thread = start(board, stranger, "What if the ice held?")
    post = reply(thread, stranger, "Let us vote.", poll=asked)
    fork = read_divergence(change=ADDRESS, when="1923")

    describe = partial(description.describe, user=stranger, thread=thread, questions=[])
    bad = replace(asked, question=ADDRESS)
    for change in (
        partial(polls.change, user=stranger, post=post, asked=bad),
        partial(threads.rename, user=stranger, thread=thread, title=ADDRESS),
        partial(describe, divergences=[fork]),
        partial(describe, divergences=[], own_answer=ADDRESS),
    ):
        with pytest.raises(Unacceptable, match="New members"):
            change()
    polls.change(user=stranger, post=post, asked=replace(asked, question="Who would decide?"))
    threads.rename(user=moderator, thread=thread, title=ADDRESS)
    kept = fresh(thread)
    # What stands there may go on standing while something else is changed.
    threads.rename(user=stranger, thread=kept, title=f"{ADDRESS}, what if it held?")
    sanctions.suspend(user=moderator, member=stranger, days=3, reason="Heat.", measure="approval")
    with pytest.raises(Unacceptable, match="page of warnings and limits"):
        polls.change(user=fresh(stranger), post=post, asked=replace(asked, question="Who?"))


@pytest.mark.parametrize(
    ("site", "asked", "held"), [(0, None, 0), (2, None, 2), (2, 0, 0), (0, 1, 1)]
)
def test_first_posts_are_approved_where_site_or_board_says_so(
    thread, stranger, moderator, settings, site, asked, held
):
    settings.APPROVE_FIRST_POSTS = site
    Board.objects.update(approve_first=asked)
    thread = fresh(thread)
    for n in range(held):
        post = reply(thread, stranger, f"My number {n}.")
        assert post.state == "pending"
        assert kinds() == ["first"]
        queue.decide(user=moderator, case=Case.objects.open().get(), act="approve")
    assert reply(thread, stranger, "And now at once.").state == "visible"


def test_repeated_texts_wait(thread, other_board, stranger, opener, answerer, moderator, settings):
    elsewhere = start(other_board, opener, text="What of the bridges?")
    assert reply(thread, stranger, LONG).state == "visible"
    near = LONG.replace("fourth", "fifth", 1)
    assert reply(elsewhere, stranger, near).state == "pending"
    assert reply(elsewhere, stranger, "I agree with that.").state == "visible"
    assert reply(thread, stranger, "I agree with that.").state == "visible"
    copied = reply(elsewhere, answerer, LONG)
    assert copied.state_reason == "the same text was posted under another name a short while ago."
    assert reply(elsewhere, opener, " ".join(f"word{n}" for n in range(40))).state == "visible"
    settings.REPEAT_MINUTES = 0
    assert reply(elsewhere, stranger, near + " Once more.").state == "visible"


def test_a_reply_sent_again_is_known_though_an_older_one_was_edited_since(thread, stranger):
    """A form that was fetched anew has another token; what is compared is the newest post."""
    older = reply(thread, stranger, "The first of two.")
    newest = reply(thread, stranger, "The second of two.")
    for n in range(11):
        edit(older, f"The first of two, text {n}.")
    lately = written_lately(fresh(stranger))
    assert lately.same_reply("The second of two.", thread, None) == newest.pk
    assert lately.same_reply("The first of two, text 10.", thread, None) is None


def test_the_trap_holds_and_throws_nothing_away(thread, stranger, board):
    client = browser(stranger)
    page = client.get(f"/threads/{thread.pk}/reply/").content.decode()
    assert 'name="leave_empty"' in page
    fields = {"text": "Buy it.", "token": uuid4(), "leave_empty": "http://spam.example"}
    response = client.post(f"/threads/{thread.pk}/reply/", fields, follow=True)
    page = response.content.decode()
    assert "Buy it." in page
    assert "It waits for approval" in page
    assert "a field that people leave empty was filled in." in page
    assert Post.objects.get(author=stranger).state == "pending"
    stranger.welcomed_at = thread.created_at
    stranger.save()
    assert "leave_empty" not in client.get(f"/threads/{thread.pk}/reply/").content.decode()


def test_after_warnings_posts_wait_and_standing_ones_stay_as_they_are(thread, stranger, moderator):
    standing = reply(thread, stranger, "Before.")
    sanctions.suspend(user=moderator, member=stranger, days=3, reason="Heat.", measure="approval")
    post = reply(thread, fresh(stranger), "After.")
    assert post.state == "pending"
    assert "looked at first until" in post.state_reason
    with pytest.raises(Unacceptable, match="page of warnings and limits"):
        edit(standing, "Changed.")


def test_a_member_is_new_as_long_as_their_posts_are_looked_at(settings):
    for new, first, warned in ((3, 0, 0), (3, 3, 0), (3, 4, 1), (0, 4, 0)):
        settings.NEW_MEMBER_POSTS, settings.APPROVE_FIRST_POSTS = new, first
        assert len(checks.screening()) == warned


@pytest.mark.parametrize("how", ["reject", "withdraw", "clean up"])
def test_a_text_that_is_not_taken_goes_back_to_the_drafts_of_its_writer(
    thread, answer, stranger, moderator, settings, how
):
    settings.APPROVE_FIRST_POSTS = 1
    post = reply(thread, stranger, "A first thought,\r\nand *more*.", to=answer)
    if how == "reject":
        states.reject(user=moderator, post=post, reason="Say more.")
        told = Notice.objects.get(member=stranger)
        assert told.sentence == "Your post was not taken. Its text is in your drafts."
        assert 'href="/drafts/">Your drafts' in browser(stranger).get("/notices/").content.decode()
    elif how == "withdraw":
        posts.withdraw(user=stranger, post=post)
    else:
        cleanup.clean_up(
            user=moderator, member=stranger, post_ids=[post.pk], reason="Spam.", batch=uuid4()
        )
    draft = Draft.objects.get(user=stranger)
    assert draft.text == post.body.revision.source
    address = f"/threads/{thread.pk}/reply/?to={answer.pk}"
    assert draft.target == address
    assert typed(browser(stranger).get(address))["text"].startswith("A first thought,")
    if how == "reject":
        undoing.undo(user=moderator, entry=AuditEntry.objects.get(verb="reject"))
        assert not Draft.objects.exists()
        states.reject(user=moderator, post=fresh(post), reason="Say more.")
        Draft.objects.update(text="A second thought.")
        states.approve(user=moderator, post=fresh(post))
        assert Draft.objects.get().text == "A second thought."  # written on in, so it stays


def test_an_opening_that_is_not_taken_goes_back_with_all_that_its_form_held(
    board, stranger, moderator, settings
):
    settings.APPROVE_FIRST_POSTS = 1
    thread = start(board, stranger, title="What if the ice held?", text="Would it hold? How long?")
    description.describe(
        user=stranger,
        thread=thread,
        divergences=[
            read_divergence(change="It holds", when="c. 1924"),
            read_divergence(change="B", when="44 BC"),
        ],
        questions=["Would it hold?"],
    )
    states.reject(user=moderator, post=thread.posts.get(), reason="Say more.")
    page = typed(browser(stranger).get("/threads/new/"))
    assert page["text"] == "Would it hold? How long?"
    assert page["title"] == "What if the ice held?"
    assert page["own_answer"] == thread.own_answer
    assert (page["change"], page["when"]) == ("It holds", "about 1924")
    assert page["more-0-change"] == "B"


def test_a_debate_waits_with_its_opening(board, other_board, stranger, opener, moderator, settings):
    settings.APPROVE_FIRST_POSTS = 1
    before = fresh(board).thread_count
    thread = start(board, stranger, title="Waiting to be read")
    assert thread.state == "pending"
    assert fresh(board).thread_count == before
    assert not may(stranger, "reply", thread)
    for user, status in ((stranger, 200), (moderator, 200), (opener, 404), (None, 404)):
        for view in ("flat", "tree"):
            path = f"{thread.get_absolute_url()}?view={view}"
            assert browser(user).get(path).status_code == status
    page = browser(stranger).get(thread.get_absolute_url()).content.decode()
    assert "Suppose that Lenin" in page
    assert "It waits for approval" in page
    assert "Waiting to be read" not in browser(opener).get("/").content.decode()
    queue.decide(user=moderator, case=Case.objects.open().get(), act="approve")
    assert fresh(thread).state == "visible"
    assert fresh(thread).numbered == 1
    assert fresh(board).thread_count == before + 1
    assert browser().get(thread.get_absolute_url()).status_code == 200
    undoing.undo(user=moderator, entry=AuditEntry.objects.get(verb="approve"))
    assert fresh(thread).state == "pending"
    assert fresh(board).thread_count == before
    assert kinds() == ["first"]
    queue.decide(user=moderator, case=Case.objects.open().get(), act="reject", reason="No.")
    assert fresh(thread).state == "rejected"
    states.approve(user=moderator, post=thread.posts.get())
    assert Thread.objects.get(pk=thread.pk).state == "visible"
