"""What one does often, counted: presses of the pointer and pages loaded, with JavaScript and
without. The counts are the promise; a change that costs a press more has to change them here."""

import re

import pytest
from playwright.sync_api import expect

from accounts.models import Session
from forum.models import Post

from . import world
from .test_quoting import select

# (presses, page loads), typing not counted: with JavaScript, and without.
PROMISED = {
    "reply to a post": ((2, 1), (2, 2)),
    "open the reply to a post": ((1, 0), (1, 1)),
    "quote words": ((1, 0), None),
    "quote a post": ((1, 0), (1, 1)),
    "the session ended: sign in and send": ((1, 1), (1, 1)),
    "sign out": ((2, 1), (2, 1)),
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


@pytest.mark.parametrize("javascript", [True, False], ids=["with script", "without script"])
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
    counter.press(page.locator(".me summary"))
    counter.press(page.get_by_role("button", name="Sign out"))
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    counted["sign out"] = counter.told

    for flow, told in counted.items():
        record_property(f"presses, page loads: {flow}", told)
    assert counted == {
        flow: promised[not javascript]
        for flow, promised in PROMISED.items()
        if promised[not javascript]
    }
    # What the script itself tried to keep meanwhile was refused: nobody was signed in.
    reader.trouble[:] = [said for said in reader.trouble if "/drafts/" not in said]
