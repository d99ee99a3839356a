"""What was typed is not lost, and what was sent is not posted twice."""

import re

import pytest
from playwright.sync_api import expect

from accounts.models import Session
from forum.models import Draft, Post, Thread

from . import world

both = pytest.mark.parametrize("javascript", [False, True], ids=["without script", "with script"])


@pytest.fixture
def people(site):
    """A debate and its opener."""
    world.load_source_thread()
    member = world.member("member-a")
    return member, world.start(member, "Does it hold?", "The first words of the debate.")


@both
def test_two_tabs_edit_one_post(javascript, people, sits_down):
    member, thread = people
    post = world.opening(thread)
    reader = sits_down(member, javascript=javascript)
    first, second = reader.page, reader.context.new_page()
    for tab in (first, second):
        tab.goto(f"/posts/{post.pk}/edit/")
    first.get_by_label("Text").fill("The first words of this debate.")
    first.get_by_role("button", name="Save").click()
    first.wait_for_url("**#post-*")
    second.get_by_label("Text").fill("The first words of the debate, and some more.")
    second.get_by_role("button", name="Save").click()
    warning = second.get_by_role("alert")
    assert "saved elsewhere meanwhile" in warning.inner_text()
    # Both texts are there: one's own to send, the other's against it.
    mine = second.get_by_label("Text").input_value()
    assert mine == "The first words of the debate, and some more."
    assert "this" in "".join(warning.locator("del, ins").all_inner_texts())
    assert post.revisions.count() == 2
    second.get_by_label("Text").fill("The first words of this debate, and some more.")
    second.get_by_role("button", name="Save").click()
    second.wait_for_url("**#post-*")
    sources = post.revisions.order_by("number").values_list("source", flat=True)
    assert list(sources) == [
        "The first words of the debate.",
        "The first words of this debate.",
        "The first words of this debate, and some more.",
    ]


@pytest.mark.parametrize(
    "path", ["/threads/{thread.pk}/reply/", "/threads/new/", "/posts/{post.pk}/edit/"]
)
def test_leaving_with_unsent_text_asks(path, people, sits_down):
    member, thread = people
    address = path.format(thread=thread, post=world.opening(thread))
    reader = sits_down(member)
    page = reader.page
    reader.opens(address)
    page.route("**/drafts/save/", lambda route: None)  # no answer: nothing is kept
    text = page.locator("textarea[name=text]")
    text.click()  # browsers ask only those who did something in the page
    page.goto("/")
    assert reader.trouble == []

    reader.opens(address)
    text.press_sequentially("Words. ")
    page.remove_listener("dialog", reader._interrupted)
    with page.expect_event("dialog") as asked:
        page.evaluate("setTimeout(() => { location.href = '/' })")
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    assert text.input_value().startswith("Words. ")
    assert page.url.endswith(address)


def test_leaving_what_is_kept_as_a_draft_asks_nothing(people, sits_down):
    member, thread = people
    reader = sits_down(member)
    reader.opens(f"/threads/{thread.pk}/reply/")
    reader.page.locator("textarea[name=text]").press_sequentially("Words. ")
    expect(reader.page.locator(".draft-state")).to_have_text(re.compile("Draft kept"))
    reader.page.goto("/")
    assert reader.trouble == []
    assert Draft.objects.get().text == "Words. "


@both
def test_back_and_again_makes_one_post(javascript, people, sits_down):
    member, thread = people
    reader = sits_down(member, javascript=javascript)
    page = reader.page
    reader.opens("/")
    reader.opens(f"/threads/{thread.pk}/reply/")
    reader.fills("Text", "Said once.")
    reader.presses("Post reply")
    page.wait_for_url("**#post-*")
    page.go_back()
    page.wait_for_url("**/reply/")
    reader.fills("Text", "Said once.")
    reader.presses("Post reply")
    page.wait_for_url("**#post-*")
    assert Post.objects.filter(thread=thread, parent_basis="reply").count() == 1
    assert page.get_by_text("Said once.").count() == 1


@both
def test_a_double_click_opens_one_debate(javascript, people, sits_down):
    member, _ = people
    reader = sits_down(member, javascript=javascript)
    reader.opens("/threads/new/?board=antiquity")
    reader.fills("Title", "Opened once")
    reader.fills("Opening", "With a trembling hand.")
    reader.fills("What do you think follows?", "Another hand.")
    reader.page.get_by_role("button", name="Open the debate").dblclick()
    reader.page.wait_for_url(re.compile("/opened-once/"))
    assert Thread.objects.filter(title="Opened once").count() == 1


@both
def test_a_session_that_ended_costs_one_sending(javascript, people, sits_down):
    """Name and password beside the text; then it is posted."""
    member, thread = people
    reader = sits_down(member, javascript=javascript)
    page = reader.page
    reader.opens(f"/threads/{thread.pk}/reply/")
    reader.fills("Text", "Said in spite of it.")
    Session.objects.all().delete()
    assert reader.presses("Post reply").status == 403
    expect(page.locator("h1")).to_have_text("You were signed out while you wrote")
    reader.fills("Name or mail address", "member-a")
    reader.fills("Password", world.PASSWORD)
    reader.presses("Sign in and send it")
    page.wait_for_url("**#post-*")
    assert page.get_by_text("Said in spite of it.").count() == 1
    assert Post.objects.filter(thread=thread).count() == 2


@both
def test_a_session_that_ended_while_writing(javascript, people, sits_down):
    """The text comes back; signed in again in another tab, it is sent from where it stands."""
    member, thread = people
    text = 'Lines\n\n  kept "as they" <are> & \\ were.\n\nLast line'
    reader = sits_down(member, javascript=javascript)
    page = reader.page
    reader.opens(f"/threads/{thread.pk}/reply/")
    reader.fills("Text", text)
    Session.objects.all().delete()
    reader.presses("Post reply")
    assert page.get_by_label("Text").input_value() == text
    assert Post.objects.filter(thread=thread).count() == 1

    other = reader.context.new_page()
    other.goto("/accounts/login/")
    other.get_by_label("Name or mail address").fill("member-a")
    other.get_by_label("Password", exact=True).fill(world.PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    other.wait_for_url("**/")

    # The form's token is of the session that ended, so it is asked once whether to send it again.
    send = page.get_by_role("button", name=re.compile("[Ss]end it|Post reply"))
    for _ in range(2):
        if "#post-" not in page.url:
            reader.goes_by(send)
    page.wait_for_url("**#post-*")
    answer = Post.objects.get(thread=thread, number=2)
    assert answer.body.revision.source.replace("\r\n", "\n") == text
