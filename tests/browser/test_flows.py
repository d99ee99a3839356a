"""What one does often, counted: presses of the pointer and pages loaded, with JavaScript and
without. The counts are the promise; a change that costs a press more has to change them here."""

import re
import sys
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from accounts.models import Session
from forum.models import Post
from forum.moderation import moving, reports

from . import world
from .test_quoting import select

# (presses, page loads), typing not counted: with JavaScript, and without.
PROMISED = {
    "reply to a post": ((2, 1), (2, 2)),
    "open the reply to a post": ((1, 0), (1, 1)),
    "quote words": ((1, 0), None),
    "quote a post": ((1, 0), (1, 1)),
    "the session ended: sign in and send": ((1, 1), (1, 1)),
    "see how it will look": ((0, 0), (1, 1)),
    "sign out": ((2, 1), (2, 1)),
    "hide a reported post": ((2, 1), (2, 1)),
    "lock a debate": ((2, 1), (2, 1)),
    "take a split back": ((2, 1), (2, 1)),
}


class Counter:
    """Counts what happens from `begins` on."""

    def __init__(self, reader) -> None:
        self.reader, self.loads, self.presses = reader, 0, 0
        reader.page.on("load", self._loaded)

    def _loaded(self, _page) -> None:
        self.loads += 1

    def begins(self) -> None:
        self.loads = self.presses = 0

    def press(self, thing) -> None:
        self.presses += 1
        thing.click()

    @property
    def told(self) -> tuple[int, int]:
        self.reader.page.wait_for_load_state("networkidle")
        return self.presses, self.loads


def holds(counted: dict, javascript: bool, record_property) -> None:
    """What was counted is what was promised of these flows; both are shown (`-s`)."""
    for flow, told in counted.items():
        record_property(f"presses, page loads: {flow}", told)
        how = "with script" if javascript else "without"
        sys.stdout.write(f"\n{flow:40}{how:14}{told[0]}/{told[1]}")
    assert counted == {flow: PROMISED[flow][not javascript] for flow in counted}


both = pytest.mark.parametrize("javascript", [True, False], ids=["with script", "without script"])


@both
def test_flows_cost_what_was_promised(javascript, site, sits_down, record_property):
    world.load_source_thread()
    member = world.member("member-a")
    thread = world.start(member, "Does it hold?", "The first words. " * 30)
    post = world.reply(world.member("member-b"), thread, "Words of another.\n\n" + "More. " * 300)
    reader = sits_down(member, javascript=javascript)
    page, counter, counted = reader.page, Counter(reader), {}
    article, text = page.locator(f"#post-{post.pk}"), page.locator(".composer textarea[name=text]")
    heading = page.get_by_role("heading", name="Your reply to #2 by member-b")

    def opens() -> None:
        reader.careless = True  # a form of the flow before may be open
        reader.opens(thread.get_absolute_url())
        counter.begins()

    opens()
    counter.press(article.get_by_role("link", name="Reply"))
    expect(heading).to_be_visible()
    counted["open the reply to a post"] = counter.told
    text.fill("Said once.")
    counter.press(page.get_by_role("button", name="Post reply"))
    page.wait_for_url(re.compile("#post-"))
    counted["reply to a post"] = counter.told
    assert Post.objects.filter(parent=post).count() == 1

    opens()
    counter.press(article.get_by_role("link", name="Quote"))
    expect(text).to_have_value(re.compile("Words of another"))
    expect(text).to_be_in_viewport()
    counted["quote a post"] = counter.told
    if javascript:
        text.fill("")
        opens()
        select(page, "Words of another", within=f"#post-{post.pk}")
        counter.press(page.get_by_role("button", name="Quote these words"))
        expect(text).to_have_value(re.compile("Words of another"))
        expect(text).to_be_in_viewport()
        counted["quote words"] = counter.told

    reader.opens(f"/threads/{thread.pk}/reply/?to={post.pk}")
    text.fill("Said in spite of it.")
    Session.objects.all().delete()
    reader.presses("Post reply")
    reader.fills("Name or mail address", "member-a")
    reader.fills("Password", world.PASSWORD)
    counter.begins()
    counter.press(page.get_by_role("button", name="Sign in and send it"))
    page.wait_for_url(re.compile("#post-"))
    counted["the session ended: sign in and send"] = counter.told

    opens()
    text.fill("Will it *look* so?")
    if not javascript:
        counter.press(page.get_by_role("button", name="Preview"))
    expect(page.locator(".look em")).to_have_text("look")
    counted["see how it will look"] = counter.told

    opens()
    counter.press(page.locator(".me summary"))
    counter.press(page.get_by_role("button", name="Sign out"))
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    counted["sign out"] = counter.told

    holds(counted, javascript, record_property)
    # What the script itself tried to keep meanwhile was refused: nobody was signed in.
    reader.trouble[:] = [said for said in reader.trouble if "/drafts/" not in said]


@both
def test_moderating_costs_what_was_promised(javascript, site, sits_down, record_property):
    world.load_source_thread()
    one, two = world.member("member-a"), world.member("member-b")
    keeper = world.member("member-m", is_staff=True, is_moderator=True)
    thread = world.start(one, "Does it hold?", "The first words.")
    posts = [world.reply(two, thread, f"Words of number {number}.") for number in (2, 3, 4)]
    for post in posts[:2]:
        reports.report(user=one, post=post, reason="attack", token=uuid4())
    made = moving.split(
        user=keeper, thread=thread, chosen=[posts[2].pk], title="Another debate", reason="It is."
    )
    reader = sits_down(keeper, javascript=javascript)
    page, counter, counted = reader.page, Counter(reader), {}

    reader.opens("/admin/")
    counter.begins()
    case = page.locator(".docket").nth(1)
    counter.press(case.locator("summary").first)
    case.get_by_label("Reason, shown").fill("It attacks a person.")
    counter.press(case.get_by_role("button", name="Hide"))
    expect(page.locator(".docket")).to_have_count(1)
    counted["hide a reported post"] = counter.told
    assert Post.objects.get(pk=posts[1].pk).state == "hidden"

    reader.opens("/admin/")
    counter.begins()
    entry = page.locator("#latest ~ ol li").filter(has_text="Split")
    counter.press(entry.locator("summary"))
    counter.press(entry.get_by_role("button", name="Take it back"))
    expect(page.get_by_text("Taken back, and written to the log.")).to_be_visible()
    counted["take a split back"] = counter.told
    assert Post.objects.get(pk=posts[2].pk).thread == thread
    assert not made.posts.exists()

    reader.opens(thread.get_absolute_url())
    counter.begins()
    counter.press(page.locator(".title .more summary", has_text="More"))
    counter.press(page.get_by_role("button", name="Lock"))
    expect(page.get_by_text("Lock: done, and written to the log.")).to_be_visible()
    counted["lock a debate"] = counter.told
    thread.refresh_from_db()
    assert thread.locked
    holds(counted, javascript, record_property)
