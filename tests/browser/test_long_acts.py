"""A reply that meets a moderator who divides the debate: the text is there, a button sends it, and
with script it goes once more by itself."""

import pytest

from forum import tree
from forum.actions import posts
from forum.models import Post
from forum.views import errors

from . import world

WORDS = "Written while the debate was divided."


@pytest.fixture
def thread(site):
    """A debate."""
    world.load_source_thread()
    return world.start(world.member("member-a"), "Does it hold?", "The first words of the debate.")


@pytest.fixture
def divided(monkeypatch):
    """Lets the next so many replies wait in vain; who sent them is noted."""
    right, sent = posts.reply, []

    def arrange(count: int) -> list:
        def reply(**given):
            sent.append(given["token"])
            if len(sent) <= count:
                raise tree.StillLocked([given["thread"].pk], Exception("lock timeout"))
            return right(**given)

        monkeypatch.setattr(posts, "reply", reply)
        monkeypatch.setattr(errors.tree, "kept_for", lambda ids: "split")
        return sent

    return arrange


def write(thread, sits_down, *, javascript: bool):
    reader = sits_down(world.member("member-b"), javascript=javascript)
    page = reader.page
    if javascript:
        reader.turns_clock()
    page.goto(f"/threads/{thread.pk}/reply/")
    page.get_by_label("Text", exact=True).fill(WORDS)
    reader.goes_by(page.get_by_role("button", name="Post"))  # and its scripts are there
    assert "dividing this debate" in page.locator("main").inner_text()
    assert page.get_by_label("Text", exact=True).input_value() == WORDS
    return page


def test_it_goes_once_more_by_itself(thread, sits_down, divided):
    sent = divided(1)
    page = write(thread, sits_down, javascript=True)
    assert "by itself in ten seconds" in page.get_by_role("status").inner_text()
    page.clock.fast_forward(11_000)
    page.wait_for_url("**#post-*")
    assert len(sent) == 2 and len(set(sent)) == 1
    assert Post.objects.filter(body__revision__source=WORDS).count() == 1


def test_it_goes_by_itself_only_once(thread, sits_down, divided):
    sent = divided(2)
    page = write(thread, sits_down, javascript=True)
    with page.expect_navigation():
        page.clock.fast_forward(11_000)
    assert page.locator("form[data-by-itself]").count() == 0
    page.clock.fast_forward(60_000)
    assert len(sent) == 2
    page.get_by_role("button", name="Send it again").click()
    page.wait_for_url("**#post-*")
    assert len(set(sent)) == 1


def test_who_writes_on_sends_it_by_hand(thread, sits_down, divided):
    sent = divided(1)
    page = write(thread, sits_down, javascript=True)
    page.get_by_label("Text", exact=True).fill(f"{WORDS} And on.")
    assert page.get_by_role("status").count() == 0
    page.clock.fast_forward(60_000)
    assert len(sent) == 1
    page.get_by_role("button", name="Send it again").click()
    page.wait_for_url("**#post-*")
    assert Post.objects.filter(body__revision__source=f"{WORDS} And on.").count() == 1


def test_without_script_a_button_sends_it(thread, sits_down, divided):
    divided(1)
    page = write(thread, sits_down, javascript=False)
    assert not page.get_by_text("by itself").is_visible()
    page.get_by_role("button", name="Send it again").click()
    page.wait_for_url("**#post-*")
    assert Post.objects.filter(body__revision__source=WORDS).count() == 1
