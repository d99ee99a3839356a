"""Writing where one reads: the form of a reply opens under the post that it answers, with what was
quoted in it, and what one writes is shown as it will look."""

import re

import pytest
from playwright.sync_api import expect

from forum.models import Draft, Post, Quote
from tests.waiting import until

from . import world
from .readers import NARROW, WIDE, faults
from .test_quoting import select

TEXT = "It was cheap."


@pytest.fixture
def thread(site):
    """An opening, two answers and one more below; the page is several windows long."""
    world.load_source_thread()
    one, two = world.member("member-a"), world.member("member-b")
    thread = world.start(one, "Does it hold?", "The first words. " * 40)
    second = world.reply(two, thread, "Words of the second post.\n\n" + "And many more. " * 60)
    world.reply(one, thread, "Words of the third post.\n\n" + "And many more. " * 60, second)
    world.reply(two, thread, "Words of the fourth post.", second)
    return thread


@pytest.fixture
def posts(thread) -> dict[int, Post]:
    return {post.number: post for post in thread.posts.all()}


@pytest.fixture
def reader(thread, sits_down):
    reader = sits_down(world.member("member-x"))
    reader.opens(thread.get_absolute_url())
    return reader


def text(page):
    return page.locator("form.composer [name=text]")


def article(page, post: Post):
    return page.locator(f"#post-{post.pk}")


def replies_to(page, post: Post) -> None:
    """Press Reply below a post; its form is open then."""
    article(page, post).get_by_role("link", name="Reply").click()
    expect(page.get_by_role("heading", name=f"Your reply to #{post.number} by")).to_be_visible()


def quotes(page, post: Post) -> None:
    """Press Quote below a post; its form is open then, and one writes on below the quote."""
    article(page, post).get_by_role("link", name="Quote").click()
    expect(text(page)).to_have_value(re.compile(r"^\[quote="))
    expect(text(page)).to_be_focused()


def top_of(page, post: Post) -> float:
    return article(page, post).evaluate("(post) => post.getBoundingClientRect().top")


def sent(reader) -> Post:
    """Post the reply; the post that it became."""
    reader.presses("Post reply")
    reader.page.wait_for_url(re.compile("#post-"))
    return Post.objects.latest("pk")


def test_words_are_quoted_where_one_reads(reader, thread, posts):
    """One press; the form opens in sight, under the post, which is what is answered."""
    page = reader.page
    article(page, posts[3]).scroll_into_view_if_needed()
    select(page, "Words of the third post", within=f"#post-{posts[3].pk}")
    button = page.get_by_role("button", name="Quote these words")
    before = top_of(page, posts[3])
    button.click()
    expect(text(page)).to_have_value(re.compile("Words of the third post"))
    expect(text(page)).to_be_focused()
    expect(text(page)).to_be_in_viewport(ratio=1)
    assert top_of(page, posts[3]) == before
    expect(page.get_by_role("heading", name="Your reply to #3 by member-a")).to_be_visible()
    page.keyboard.type(TEXT)
    answer = sent(reader)
    assert answer.parent_id == posts[3].pk
    assert Quote.objects.get(post=answer).verdict == "exact"


def test_words_are_quoted_by_keyboard(reader, posts):
    page = reader.page
    select(page, "Words of the second post", within=f"#post-{posts[2].pk}")
    button = page.get_by_role("button", name="Quote these words")
    expect(button).to_be_visible()
    page.keyboard.press("Escape")
    expect(button).to_have_count(0)
    select(page, "of the second post", within=f"#post-{posts[2].pk}")
    expect(button).to_be_visible()
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(text(page)).to_have_value(re.compile("of the second post"))
    expect(text(page)).to_be_focused()


def test_quotes_of_several_posts_gather_in_one_reply(reader, posts):
    page = reader.page
    replies_to(page, posts[3])
    text(page).fill("First words of mine.")
    select(page, "Words of the second post", within=f"#post-{posts[2].pk}")
    page.get_by_role("button", name="Quote these words").click()
    said = article(page, posts[2]).get_by_role("status")
    expect(said).to_have_text("Quoted in your reply to #3 by member-a.")
    expect(said).to_be_in_viewport()
    page.get_by_role("link", name="Go to it").click()
    expect(text(page)).to_be_in_viewport()
    assert text(page).input_value().startswith("First words of mine.\n\n[quote=")
    assert sent(reader).parent_id == posts[3].pk


def test_quote_without_a_selection_takes_the_whole_post(reader, posts):
    page = reader.page
    article(page, posts[4]).get_by_role("link", name="Quote").click()
    expect(text(page)).to_have_value(
        f'[quote="member-b, post: {posts[4].pk}"]\nWords of the fourth post.\n[/quote]\n\n'
    )
    page.keyboard.type(TEXT)
    assert sent(reader).parent_id == posts[4].pk


def test_words_typed_while_the_form_is_fetched_are_kept(reader, posts):
    """On a slow line the page's own form can be typed into after Reply was pressed."""
    page, held = reader.page, []
    page.route("**/reply/?to=*", lambda route: held.append(route))
    with page.expect_request("**/reply/?to=*"):
        article(page, posts[4]).get_by_role("link", name="Reply").click()
    text(page).fill(TEXT)
    held[0].continue_()
    expect(page.get_by_role("heading", name="Your reply to #4 by member-b")).to_be_visible()
    expect(text(page)).to_have_value(TEXT)
    assert sent(reader).parent_id == posts[4].pk


def test_what_is_answered_can_be_changed(reader, thread, posts):
    """By the choice in the form, and by Reply under another post: the text comes along."""
    page = reader.page
    replies_to(page, posts[3])
    text(page).fill(TEXT)
    expect(page.locator(".draft-state")).to_have_text(re.compile("Draft kept"))
    page.get_by_label("what", exact=True).select_option(label="#2 by member-b")
    expect(page.get_by_role("heading", name="Your reply to #2 by member-b")).to_be_visible()
    replies_to(page, posts[4])
    expect(page.get_by_role("heading", name="Your reply to #4 by member-b")).to_be_visible()
    assert text(page).input_value() == TEXT
    target = f"/threads/{thread.pk}/reply/?to={posts[4].pk}"
    page.wait_for_timeout(3500)
    # One draft, of what it answers now.
    until(
        lambda: [draft.target for draft in Draft.objects.all()] == [target],
        lambda: f"{[draft.target for draft in Draft.objects.all()]}",
    )
    assert sent(reader).parent_id == posts[4].pk
    assert not Draft.objects.exists()


def test_put_away_it_is_kept_and_reply_opens_it_again(reader, posts):
    page = reader.page
    reply = article(page, posts[3]).get_by_role("link", name="Reply")
    replies_to(page, posts[3])
    text(page).fill(TEXT)
    with page.expect_response("**/drafts/save/"):
        page.get_by_role("button", name="Put it away").click()
    expect(page.get_by_text("Kept. Reply opens it again.")).to_be_visible()
    expect(reply).to_be_focused()
    # The page's own form is back.
    expect(page.get_by_role("heading", name="Your reply to the opening")).to_be_visible()
    reply.click()
    expect(text(page)).to_have_value(TEXT)


def test_the_preview_keeps_up_with_its_verdicts(reader, posts):
    page = reader.page
    quotes(page, posts[4])
    page.keyboard.type("So?")
    status = page.locator(".look .quote .status")
    expect(status).to_have_text("exact")
    text(page).fill(text(page).input_value().replace("fourth", "fifth"))
    expect(status).to_have_text("altered")
    assert Post.objects.count() == 4 + 7  # those of the debate that comes along


def test_the_toolbar_writes_plain_markdown(reader, posts):
    page = reader.page
    replies_to(page, posts[4])
    for press, typed, written in (
        ("Bold", "one", "**one**"),
        ("Italic", "one", "*one*"),
        ("Link", "one", "[one](https://)"),
        ("Spoiler", "one", "||one||"),
        ("Quote", "one", "> one"),
        ("List", "one", "- one"),
        ("Note", "one", "one[^1]\n\n[^1]: "),
    ):
        text(page).fill(typed)
        text(page).select_text()
        page.get_by_role("button", name=press, exact=True).click()
        assert text(page).input_value() == written, press
        expect(text(page)).to_be_focused()


def test_names_and_numbers_are_completed(reader, posts):
    page = reader.page
    replies_to(page, posts[4])
    expect(text(page)).to_be_focused()
    page.keyboard.type("As @memb")
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_text(
        ["@member-a", "@member-b"]
    )
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type("said in #")
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(4)
    page.keyboard.type("3")
    page.keyboard.press("Tab")
    page.keyboard.type("and @nobody")
    page.keyboard.press("Enter")
    assert text(page).input_value() == "As @member-b said in #3 and @nobody\n"


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_open_form_can_be_used_by_everybody(viewport, reader, posts):
    page = reader.page
    page.set_viewport_size(viewport)
    quotes(page, posts[4])
    page.keyboard.type("With @mem")
    expect(page.locator(".look .quote")).to_be_visible(timeout=15_000)
    select(page, "Words of the second post", within=f"#post-{posts[2].pk}")
    expect(page.get_by_role("button", name="Quote these words")).to_be_visible()
    assert faults(page) == []
    expect(text(page)).to_be_visible()


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("alone", [False, True], ids=["in its place", "on its page"])
def test_with_a_poll_in_it_the_form_leaves_sight_of_what_is_answered(
    viewport, alone, reader, thread, posts
):
    """What it holds scrolls in it, its buttons stay in sight; on its page in a narrow window it
    lies below what is answered, and never over it."""
    page = reader.page
    page.set_viewport_size(viewport)
    if alone:
        reader.opens(f"/threads/{thread.pk}/reply/?to={posts[2].pk}")
    else:
        replies_to(page, posts[2])
    form = page.locator("form.composer")
    form.get_by_text("Add a poll").click()
    form.get_by_label("Choices").fill("Yes\nNo")
    if alone and viewport == NARROW:
        page.evaluate("scrollTo(0, 0)")
        below = form.bounding_box()["y"]
        assert below >= article(page, posts[2]).bounding_box()["y"] + 300
    else:
        assert form.bounding_box()["height"] <= 0.85 * viewport["height"]
        expect(page.get_by_role("button", name="Post reply")).to_be_in_viewport(ratio=1)


def test_at_400_percent_the_form_is_read_past(reader, posts):
    """A window of 1280 × 1024 at 400 %: the form covers nothing, and all of it can be reached."""
    page = reader.page
    page.set_viewport_size({"width": 320, "height": 256})
    replies_to(page, posts[4])
    article(page, posts[4]).evaluate("(post) => post.scrollIntoView()")
    end = article(page, posts[4]).bounding_box()
    form = page.locator("form.composer")
    assert form.bounding_box()["y"] >= end["y"] + end["height"] - 1
    page.get_by_role("button", name="Post reply").focus()
    expect(page.get_by_role("button", name="Post reply")).to_be_in_viewport(ratio=1)
    assert form.evaluate("(form) => form.scrollHeight <= form.clientHeight")


@pytest.mark.parametrize("javascript", [True, False], ids=["with script", "without script"])
def test_what_was_asked_for_comes_into_sight(javascript, thread, posts, sits_down):
    """A preview, and debates like the new one, stand below the text: on a telephone, below the end
    of the window."""
    member, answered = world.member("member-y"), posts[2]
    reader = sits_down(member, javascript=javascript, viewport=NARROW)
    own = world.reply(member, thread, "Words of one's own.", answered)
    for address, words in (
        (f"/threads/{thread.pk}/reply/?to={answered.pk}", "How it will look"),
        (f"/posts/{own.pk}/edit/", "How it will look"),
        ("/threads/new/", "How it will look"),
        ("/threads/new/", "Already argued?"),
    ):
        reader.opens(address)
        page = reader.page
        if address == "/threads/new/":
            page.fill("[name=title]", thread.title)
            page.fill("[name=own_answer]", "It does not.")
            page.select_option("[name=board]", thread.board.slug)
        page.fill("[name=text]", TEXT * 20)
        asked = "Preview" if words == "How it will look" else words
        reader.goes_by(page.get_by_role("button", name=asked))
        expect(page.get_by_role("heading", name=words)).to_be_in_viewport()
        reader.presses("Keep draft")  # or the page would not be left
