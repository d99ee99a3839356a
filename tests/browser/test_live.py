"""One reads while another writes: what came is said below, and stands in its place once asked
for."""

import re

import pytest
from playwright.sync_api import Page, expect

from forum.actions import boards, members
from forum.models import Board, Post
from forum.moderation import states
from forum.outbox.worker import Worker
from tests.waiting import PATIENCE

from . import world
from .readers import NARROW, faults

HALF_A_MINUTE = 30_000


@pytest.fixture
def two(site):
    return world.member("member-a"), world.member("member-b")


@pytest.fixture
def thread(two):
    """An opening, two answers to it, and one to the first of these; several windows long."""
    one, other = two
    world.load_source_thread()
    thread = world.start(one, "Does it hold?", "The first words. " * 60)
    first = world.reply(other, thread, "It does. " * 200)
    world.reply(one, thread, "It does not. " * 200)
    world.reply(one, thread, "Why? " * 200, first)
    Worker().drain()
    return thread


def reads(reader, thread, view: str) -> Page:
    """The page of a debate, whose clock the test turns."""
    reader.turns_clock()
    reader.opens(f"{thread.get_absolute_url()}?view={view}")
    return reader.page


def waits(page: Page) -> None:
    with page.expect_response(re.compile("/since/")):
        page.clock.fast_forward(HALF_A_MINUTE)


def order(page: Page) -> list[int]:
    """The ids of the posts as they stand one after another."""
    return page.locator(".posts .post[id]").evaluate_all(
        "(posts) => posts.map((post) => Number(post.id.slice(5)))"
    )


def drawn(page: Page) -> list[tuple]:
    """How each post hangs on the lines."""
    return page.locator(".posts .post[id]").evaluate_all(
        """(posts) => posts.map((post) => [
            post.id, post.dataset.level, post.querySelector(".rails")?.innerHTML,
            post.matches(".up"), post.matches(".down")])"""
    )


@pytest.mark.parametrize("view", ["flat", "tree"])
def test_a_reply_is_told_without_a_jump_and_laid_in_where_it_belongs(
    site, sits_down, two, thread, view
):
    one, other = two
    first = Post.objects.get(thread=thread, number=2)
    reader = sits_down(one)
    page = reads(reader, thread, view)
    before = order(page)
    page.locator(f"#post-{before[2]}").scroll_into_view_if_needed()
    at = page.evaluate("scrollY")
    assert at > 0

    writer = sits_down(other)
    writer.opens(f"/threads/{thread.pk}/reply/?to={first.pk}")
    writer.fills("Text", "Since it was cheap, @member-a.")
    writer.presses("Post reply")
    Worker().drain()
    waits(page)
    note = page.locator("#news")
    expect(note).to_contain_text("1 new post was written while you read. Lay it in")
    expect(page.get_by_role("link", name="Notices 1 new")).to_be_visible()
    assert page.evaluate("scrollY") == at
    assert order(page) == before
    assert faults(page) == []

    watched = page.locator(f"#post-{before[1]}")
    watched.scroll_into_view_if_needed()
    note.get_by_role("link", name="Lay it in").click()
    new = Post.objects.latest("pk")
    expect(page.locator(f"#post-{new.pk}")).to_be_focused()
    expect(note).to_be_empty()
    assert page.locator(f"#post-{new.pk}.fresh").count() == 1
    laid = order(page), drawn(page)
    assert new.pk in laid[0]
    waits(page)
    expect(page.get_by_role("link", name="Notices", exact=True)).to_be_visible()  # it was read
    reader.opens(f"{thread.get_absolute_url()}?view={view}")
    assert (order(page), drawn(page)) == laid  # as the server draws it from the start


@pytest.mark.parametrize("view", ["flat", "tree"])
def test_what_stands_on_the_next_page_is_gone_to(site, sits_down, two, thread, view):
    one, other = two
    for number in range(5, 21):
        world.reply(one, thread, f"Number {number}.")
    page = reads(sits_down(one), thread, view)
    world.reply(other, thread, "Number 21.")
    waits(page)
    page.locator("#news a").click()
    page.wait_for_url(re.compile(r"page=2"))
    expect(page.get_by_text("Number 21.")).to_be_visible()


def test_nothing_is_said_of_what_one_does_not_read(site, sits_down, two, thread):
    one, other = two
    keeper = world.member("member-m", is_staff=True, is_moderator=True, is_superuser=True)
    reader = sits_down(one)
    page = reads(reader, thread, "flat")
    note = page.locator("#news")
    post = world.reply(other, thread, "Soon to be hidden.")
    waits(page)
    expect(note).to_contain_text("1 new post")
    states.hide(user=keeper, post=post, reason="Off.")
    waits(page)
    expect(note).to_be_empty()
    members.ignore(user=one, other=other, ignored=True)
    world.reply(other, thread, "By somebody ignored.")
    waits(page)
    expect(note).to_be_empty()
    world.reply(keeper, thread, "By somebody else.")
    waits(page)
    expect(note).to_contain_text("1 new post")
    board = Board.objects.get(pk=thread.board_id)
    boards.change(user=keeper, board=board, audience="moderators")
    waits(page)
    expect(note).to_be_empty()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for _ in range(3):
        page.clock.fast_forward(20 * HALF_A_MINUTE)
    assert asked == []  # it is asked no further
    (refused,) = reader.trouble
    assert "/since/" in refused
    reader.trouble.clear()


def test_a_page_that_nobody_looks_at_asks_nothing(site, sits_down, two, thread):
    one, _ = two
    page = reads(sits_down(one, viewport=NARROW), thread, "flat")
    asked = []
    page.on("request", lambda request: asked.append(request.url))

    def looked_at(visible: bool) -> None:
        page.evaluate(
            """(hidden) => {
                Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
                document.dispatchEvent(new Event("visibilitychange"));
            }""",
            not visible,
        )

    looked_at(visible=False)
    for _ in range(3):
        page.clock.fast_forward(20 * HALF_A_MINUTE)
    assert asked == []
    with page.expect_response(re.compile("/since/")):
        looked_at(visible=True)
    page.context.set_offline(True)
    asked.clear()
    page.clock.fast_forward(20 * HALF_A_MINUTE)
    assert asked == []
    with page.expect_response(re.compile("/since/")):
        page.context.set_offline(False)


def test_the_pauses_grow_while_nothing_is_new(site, sits_down, two, thread):
    """By the page's clock; an answer takes none of its time, however long the server takes."""
    page = reads(sits_down(two[0]), thread, "flat")
    asked, waiting = [], set()
    page.on("request", lambda request: (asked.append(request), waiting.add(request)))
    page.on("requestfinished", lambda request: waiting.discard(request))
    for _ in range(6 * 30):  # an hour
        page.clock.fast_forward(20_000)
        page.wait_for_timeout(1)
        for _ in range(1_000 * PATIENCE // 20):
            if not waiting:
                break
            page.wait_for_timeout(20)
        assert not waiting, "the server does not answer"
    assert 5 < len(asked) < 30
