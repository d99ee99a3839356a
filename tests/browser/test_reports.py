"""A report from beginning to end, as those see it whom it concerns."""

import re

import pytest

from accounts.models import User
from forum.actions import notices
from forum.models import Board, Notice, Post

from . import world
from .readers import NARROW, faults


@pytest.mark.parametrize("javascript", [True, False])
def test_a_report_arrives_is_decided_read_logged_and_undone(site, sits_down, javascript):
    author, finder = world.member("member-a"), world.member("member-b")
    warden = world.member("member-w", is_staff=True)
    world.load_source_thread()
    Board.objects.get(slug="after-1900").moderators.add(warden)
    thread = world.start(author, "What if the tunnel had been dug?", "In 1880, say.")
    post = world.reply(author, thread, "Whoever doubts it cannot read.")

    reporter = sits_down(finder, javascript=javascript)
    reporter.opens(thread.get_absolute_url())
    reporter.opens_more(post)
    reporter.follows("Report to the moderators")
    reporter.page.get_by_label("It attacks a person").check()
    reporter.fills("In your words (needed for “something else”)", "It means me.")
    reporter.presses("Report it")
    assert reporter.page.get_by_text("you will be told").is_visible()

    moderator = sits_down(warden, javascript=javascript)
    moderator.opens("/admin/")
    assert moderator.page.get_by_role("link", name="Queue (1)").is_visible()
    case = moderator.page.locator(".docket")
    assert "It means me." in case.inner_text()
    assert "Whoever doubts it" in case.inner_text()
    moderator.page.set_viewport_size(NARROW)
    assert not javascript or not faults(moderator.page, ours=False)
    # By keyboard: the reason, then the letter on the button, or the button itself.
    case.get_by_label("Reason, shown").focus()
    moderator.page.keyboard.type("It attacks a person.")
    with moderator.page.expect_navigation():
        if javascript:
            case.locator("summary").press("h")
        else:
            case.get_by_role("button", name="Hide").press("Enter")
    assert moderator.page.get_by_text("Nothing waits for you here.").is_visible()
    assert Post.objects.get(pk=post.pk).state == "hidden"

    writer = sits_down(author, javascript=javascript)
    writer.opens("/")
    writer.goes_by(writer.page.get_by_role("link", name=re.compile("^Notices")))
    page = writer.page.get_by_role("main")
    assert "Your post was hidden." in page.inner_text()
    assert "It attacks a person." in page.inner_text()
    writer.presses("Mark all read")
    assert User.objects.get(pk=author.pk).unread_notices == 0

    reporter.opens("/notices/")
    assert "The post that you reported was hidden." in reporter.page.content()
    reporter.opens("/log/")
    assert "It attacks a person." in reporter.page.content()
    assert "Whoever doubts it" not in reporter.page.content()
    assert "member-b" not in reporter.page.get_by_role("main").inner_text()

    moderator.opens(f"/posts/{post.pk}/moderate/")
    moderator.page.locator("summary", has_text="Take back").first.click()
    moderator.goes_by(moderator.page.get_by_role("button", name="Take it back").first)
    assert Post.objects.get(pk=post.pk).state == "visible"
    moderator.opens("/admin/forum/case/")
    assert "#2 by" in moderator.page.locator(".docket .subject").inner_text()
    told = Notice.objects.filter(member=author).latest("pk")
    assert told.sentence == "An act that you were told of was undone."
    notices.recount(author.pk)
    assert User.objects.get(pk=author.pk).unread_notices == 1
