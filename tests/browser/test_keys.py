"""Keys of a debate: each does what a link or button does, none acts while somebody types, all can
be turned off. And a deep debate on a small screen."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from forum.actions import read_state
from forum.models import Post, ReadMark, Thread

from . import world
from .readers import NARROW, faults


@pytest.fixture
def debate(site):
    """Thirty posts: #3 answers #2, #4 answers #3, the others answer the opening; #1 to #5 and #7
    were read by member-a, who was there before."""
    world.load_source_thread()
    one, two = world.member("member-a"), world.member("member-b")
    thread = world.start(two, "What if Lenin had lived?", "Suppose that Lenin had lived. " * 20)
    above = None
    for number in range(2, 31):
        parent = above if number in (3, 4) else None
        above = world.reply(two, thread, f"Remark {number}. " * 30, parent)
    one.date_joined -= timedelta(days=1)
    one.save()
    read_state.mark_read(user=one, thread=thread, numbers=[(1, 5), (7, 7)])
    return SimpleNamespace(thread=Thread.objects.get(pk=thread.pk), one=one)


def numbers(debate) -> dict[str, int]:
    return {f"post-{post.pk}": post.number for post in debate.thread.posts.all()}


def at(page, debate) -> int | None:
    """The post that has the focus."""
    return numbers(debate).get(page.evaluate("document.activeElement.id"))


def press(page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_next_and_previous(debate, sits_down):
    reader = sits_down(debate.one)
    page = reader.page
    reader.opens(f"{debate.thread.get_absolute_url()}?view=flat")
    seen = []
    for key in "jjjkjkkkk":
        press(page, key)
        seen.append(at(page, debate))
    # Whether the first key leads to #1 or #2 depends on how much of #1 was on the screen.
    assert seen[0] in (1, 2)
    first = seen[0]
    assert seen[:6] == [first, first + 1, first + 2, first + 1, first + 2, first + 1]
    assert seen[-1] == 1
    assert page.evaluate("scrollY") < 800
    press(page, *"j" * 25)
    assert at(page, debate) == 20  # the last of the page


def test_next_new_goes_on_to_the_next_page(debate, sits_down):
    reader = sits_down(debate.one)
    page = reader.page
    reader.opens(f"{debate.thread.get_absolute_url()}?view=flat")
    press(page, "n")
    assert at(page, debate) == 6
    press(page, "n")
    assert at(page, debate) == 8
    press(page, *"n" * 12)
    assert at(page, debate) == 20
    press(page, "n")
    page.wait_for_url("**page=2#post-*")
    assert page.url.endswith(f"#post-{debate.thread.posts.get(number=21).pk}")


def test_to_the_post_that_is_answered(debate, sits_down):
    reader = sits_down(debate.one)
    page = reader.page
    reader.opens(f"{debate.thread.get_absolute_url()}?view=flat")
    page.locator(f"#post-{debate.thread.posts.get(number=4).pk} a.reply").focus()
    press(page, "p")
    assert at(page, debate) == 3
    press(page, "p")
    assert at(page, debate) == 2
    press(page, "p")  # answers the opening: no other post
    assert at(page, debate) == 2


def test_reply_and_quote(debate, sits_down):
    reader = sits_down(debate.one)
    page = reader.page
    second = debate.thread.posts.get(number=2)
    reader.opens(f"{debate.thread.get_absolute_url()}?view=flat")
    page.locator(f"#post-{second.pk} a.cite").focus()
    press(page, "r")
    text = page.locator("textarea[name=text]")
    expect(page.get_by_role("heading", name="Your reply to #2 by member-b")).to_be_visible()
    expect(text).to_be_focused()
    page.locator(f"#post-{second.pk} a.cite").focus()
    press(page, "q")
    expect(text).to_have_value(re.compile("Remark 2."))


def test_quote_of_what_is_selected(debate, sits_down):
    reader = sits_down(debate.one)
    page = reader.page
    reader.opens(f"{debate.thread.get_absolute_url()}?view=flat")
    second = debate.thread.posts.get(number=2)
    page.locator(f"#post-{second.pk} .prose p").evaluate(
        """(p) => getSelection().setBaseAndExtent(p.firstChild, 0, p.firstChild, 6)"""
    )
    page.evaluate("new Promise((done) => setTimeout(done, 50))")
    press(page, "q")
    expect(page.locator("textarea[name=text]")).to_have_value(
        f'[quote="member-b, post: {second.pk}"]\nRemark\n[/quote]\n\n'
    )


@pytest.mark.parametrize("signed_in", [True, False])
def test_fold(debate, sits_down, signed_in):
    reader = sits_down(debate.one if signed_in else None)
    page = reader.page
    second, third = (debate.thread.posts.get(number=n) for n in (2, 3))
    reader.opens(f"{debate.thread.get_absolute_url()}?view=tree")
    page.locator(f"#post-{second.pk} h3 a").focus()
    press(page, "f")
    expect(page.locator(f"#post-{third.pk}")).to_have_count(0)
    expect(page.get_by_text("Unfold 2 replies")).to_be_visible()
    assert ReadMark.objects.filter(folded=[second.pk]).exists() == signed_in
    if signed_in:
        page.locator(f"#post-{second.pk} h3 a").focus()
        press(page, "f")
    else:
        page.get_by_text("Unfold 2 replies").press("Enter")
    expect(page.locator(f"#post-{third.pk}")).to_have_count(1)


@pytest.mark.parametrize("signed_in", [True, False])
def test_fold_without_script(debate, sits_down, signed_in):
    reader = sits_down(debate.one if signed_in else None, javascript=False)
    page = reader.page
    second, third = (debate.thread.posts.get(number=n) for n in (2, 3))
    reader.opens(f"{debate.thread.get_absolute_url()}?view=tree")
    role = "button" if signed_in else "link"
    fold = page.locator(f"#post-{second.pk}").get_by_role(role, name="Fold the branch under post 2")
    page.locator(f"#post-{second.pk} .more summary").press("Enter")
    fold.press("Enter")
    expect(page.locator(f"#post-{third.pk}")).to_have_count(0)
    unfold = page.locator(f"#post-{second.pk}").get_by_role(role, name="Unfold 2 replies")
    unfold.press("Enter")
    expect(page.locator(f"#post-{third.pk}")).to_have_count(1)


def test_the_page_of_keys_turns_them_off(debate, sits_down):
    reader = sits_down(debate.one)
    page = reader.page
    address = f"{debate.thread.get_absolute_url()}?view=flat"
    reader.opens(address)
    press(page, "?")
    page.wait_for_url("**/keys/")
    for key in ("j", "k", "n", "p", "r", "q", "f", "?"):
        expect(page.locator("kbd", has_text=key).first).to_be_visible()
    box = page.get_by_label("Use these keys in this browser")
    assert box.is_checked()
    box.uncheck()
    reader.opens(address)
    press(page, *"jnprqf?")
    assert at(page, debate) is None
    assert page.url.endswith(address)
    reader.opens("/keys/")
    assert not box.is_checked()
    box.check()
    reader.opens(address)
    press(page, "j")
    assert at(page, debate) in (1, 2)


def test_no_key_acts_while_somebody_types_or_holds_another(debate, sits_down):
    reader = sits_down(debate.one)
    page = reader.page
    address = f"{debate.thread.get_absolute_url()}?view=flat&page=2"
    reader.opens(address)
    text = page.locator("textarea[name=text]")
    text.press_sequentially("jknprqf?")
    assert text.input_value() == "jknprqf?"
    assert page.url.endswith(address)
    text.fill("")
    page.locator(".post a.reply").first.focus()
    focused = page.evaluate("document.activeElement.outerHTML")
    for key in ("Control+j", "Alt+r", "Meta+k"):
        press(page, key)
    assert page.evaluate("document.activeElement.outerHTML") == focused
    assert page.url.endswith(address)


def test_the_switch_of_view_keeps_the_place(debate, sits_down):
    reader = sits_down(debate.one)
    page = reader.page
    reader.opens(f"{debate.thread.get_absolute_url()}?view=flat")
    press(page, *"j" * 12)
    number = at(page, debate)
    page.locator(".tabs a.view", has_text="Tree").press("Enter")
    page.wait_for_url("**view=tree**")
    post = debate.thread.posts.get(number=number)
    assert page.url.endswith(f"#post-{post.pk}")


def test_who_only_scrolls_keeps_the_place_too(debate, sits_down):
    """The switch stands above all posts: scrolling up to it must not lose where one was."""
    reader = sits_down(None)
    page = reader.page
    reader.opens(f"{debate.thread.get_absolute_url()}?view=flat")
    post = debate.thread.posts.get(number=12)
    rest = "new Promise((done) => addEventListener('scrollend', done, { once: true }))"
    for place in (f"document.getElementById('post-{post.pk}').offsetTop - 150", "0"):
        page.evaluate(f"() => {{ const rest = {rest}; scrollTo(0, {place}); return rest; }}")
    page.locator(".tabs a.view", has_text="Tree").click()
    page.wait_for_url("**view=tree**")
    assert page.url.endswith(f"#post-{post.pk}")


def test_twelve_levels_deep_on_a_small_screen(site, sits_down):
    world.load_source_thread()
    made = SimpleNamespace(
        one=world.member("member-a"), two=world.member("member-b"), quiet=world.member("member-q")
    )
    thread = world.deep(made)
    assert Post.objects.filter(thread=thread).latest("level").level == 11
    reader = sits_down(None, viewport=NARROW)
    page = reader.page
    reader.opens(f"{thread.get_absolute_url()}?view=tree")
    assert faults(page) == []
    widths = page.locator(".post .prose").evaluate_all(
        "(all) => all.map((e) => e.getBoundingClientRect().width)"
    )
    assert min(widths) >= 230, widths
    deep = page.locator('.post[data-level="8"]')
    assert deep.count() >= 3
    # The depth that is not drawn is said.
    assert page.get_by_text("depth 12").count() + page.get_by_text("depth 11").count() >= 1
