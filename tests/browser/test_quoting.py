"""Select to quote, in a real browser: words of one post or several, of one debate or several, come
out exact, whatever was selected around them."""

import re

import pytest
from playwright.sync_api import expect

from forum.models import Post, Quote, Term
from forum.moderation import states
from forum.text.markup import attribution_source
from tests.text.markup.test_excerpts import EVERYTHING

from . import world
from .readers import NARROW

# Selects from the first occurrence of some words in the page to the end of others, as a drag of
# the pointer does: it may begin and end inside words.
SELECT = """([from, to, within]) => {
  const find = (words, last) => {
    const walker = document.createTreeWalker(document.querySelector(within), NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const at = node.data.indexOf(words);
      if (at >= 0) return [node, last ? at + words.length : at];
    }
    throw new Error("not on the page: " + words);
  };
  const range = document.createRange();
  range.setStart(...find(from, false));
  range.setEnd(...find(to, true));
  const selection = getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}"""


def select(page, first: str, last: str | None = None, within: str = "main") -> None:
    page.evaluate(SELECT, [first, last or first, within])
    # The script hears of a selection a moment later.
    page.evaluate("new Promise((done) => setTimeout(done, 50))")


def cite(page, post: Post) -> None:
    """Press the button at the words that were chosen, else Quote below a post; the words are in the
    form of the reply then."""
    page.wait_for_timeout(200)  # the button stands there once the hand rests
    offered = page.get_by_role("button", name="Quote these words")
    (offered if offered.count() else page.locator(f"#post-{post.pk} a.cite")).click()
    expect(page.locator("form.composer [name=text]")).to_have_value(re.compile(r"\[quote="))


def verdicts(post: Post) -> list[tuple[str, int, str]]:
    rows = Quote.objects.filter(post=post).order_by("ordinal")
    return [(q.verdict, q.source_post and q.source_post.number, q.words) for q in rows]


@pytest.fixture
def debate(site):
    """Four posts: #3 quotes #2; #4 is full of what Markdown would read as signs."""
    world.load_source_thread()
    one, two = world.member("member-a"), world.member("member-b")
    thread = world.start(
        one, "What if Lenin had lived?", "Suppose that Lenin had named a successor."
    )
    second = world.reply(two, thread, "The party obeyed nobody.\n\nIt had a secretary, after all.")
    world.reply(
        one,
        thread,
        f'[quote="x, post: {second.pk}"]\nThe party obeyed nobody.\n[/quote]\n\n'
        "Their secretary was well-known, and *nobody's* friend.",
    )
    world.reply(
        two,
        thread,
        r"Losses of \*three\* in \[1921\], file\_name &amp;amp; 5 < 6 \| \`code\` \~\~gone\~\~."
        "\n\n1\\. This begins like a list.\n\n\\- So does this.\n\n\\# And this like a heading.",
    )
    return thread


@pytest.fixture
def posts(debate) -> dict[int, Post]:
    return {post.number: post for post in debate.posts.all()}


def test_words_of_two_posts_in_one_answer(debate, posts, sits_down):
    member = world.member("member-x")
    reader = sits_down(member)
    page = reader.page
    reader.opens(debate.get_absolute_url())
    # Partial words grow to whole ones.
    select(page, "ecretary, aft", within=f"#post-{posts[2].pk}")
    cite(page, posts[2])
    select(page, "ppose that Lenin", within=f"#post-{posts[1].pk}")
    cite(page, posts[1])
    page.get_by_text("Quoted in your reply to #2 by member-b.").wait_for()
    text = page.locator("textarea[name=text]")
    expect(text).to_have_value(re.compile("Suppose that Lenin"))
    value = text.input_value()
    assert f'[quote="member-b, post: {posts[2].pk}"]\nsecretary, after\n[/quote]' in value
    assert f'[quote="member-a, post: {posts[1].pk}"]\nSuppose that Lenin\n[/quote]' in value
    text.press("Control+End")
    text.press_sequentially("I doubt both.")
    reader.presses("Post reply")
    page.wait_for_url(re.compile("#post-"))
    answer = Post.objects.latest("pk")
    assert verdicts(answer) == [
        ("exact", 2, "secretary, after"),
        ("exact", 1, "Suppose that Lenin"),
    ]
    quotes = page.locator(f"#post-{answer.pk} .quote")
    assert [q.get_attribute("data-status") for q in quotes.all()] == ["exact", "exact"]


def test_one_selection_across_posts(debate, posts, sits_down):
    """Each post gives its own words: no quotes of others, no notes, names or buttons between."""
    reader = sits_down(world.member("member-x"))
    page = reader.page
    reader.opens(debate.get_absolute_url())
    select(page, "had a secretary", "well-known")
    cite(page, posts[3])
    value = page.locator("textarea[name=text]").input_value()
    assert value == (
        f'[quote="member-b, post: {posts[2].pk}"]\nhad a secretary, after all.\n[/quote]\n\n'
        f'[quote="member-a, post: {posts[3].pk}"]\nTheir secretary was well-known\n[/quote]\n\n'
    )
    page.locator("textarea[name=text]").press("Control+End")
    page.locator("textarea[name=text]").press_sequentially("So?")
    reader.presses("Post reply")
    page.wait_for_url(re.compile("#post-"))
    assert verdicts(Post.objects.latest("pk")) == [
        ("exact", 2, "had a secretary, after all."),
        ("exact", 3, "Their secretary was well-known"),
    ]


@pytest.mark.parametrize("javascript", [True, False])
def test_a_term_is_explained_where_it_stands_and_quoted_without_that(debate, sits_down, javascript):
    """By key and by tap, with script and without; Escape closes; the meaning is nobody's words. In
    wide windows it stands in the margin (test_leaf.py)."""
    Term.objects.create(name="POD", meaning="The point of divergence.")
    post = world.reply(world.member("member-t"), debate, "No POD is needed here, and no POD there.")
    reader = sits_down(
        world.member("member-x"), javascript=javascript, viewport=NARROW, has_touch=True
    )
    page = reader.page
    reader.opens(debate.get_absolute_url())
    term = page.locator(f"#post-{post.pk} .term")
    meaning = page.get_by_text("The point of divergence.")
    assert term.count() == 1
    expect(meaning).to_be_hidden()
    term.tap()
    expect(meaning).to_be_visible()
    term.press("Tab")
    expect(meaning).to_be_hidden()
    page.keyboard.press("Shift+Tab")
    expect(meaning).to_be_visible()
    if not javascript:
        page.locator(f"#post-{post.pk} .who h3").tap()
        expect(meaning).to_be_hidden()
        return
    page.keyboard.press("Escape")
    expect(meaning).to_be_hidden()
    term.tap()
    select(page, "No ", "needed here", within=f"#post-{post.pk}")
    cite(page, post)
    value = page.locator("textarea[name=text]").input_value()
    assert "\nNo POD is needed here\n" in value


def test_words_grow_to_whole_ones_and_no_further(debate, posts, sits_down):
    reader = sits_down(world.member("member-x"))
    reader.opens(debate.get_absolute_url())
    text = reader.page.locator("textarea[name=text]")
    for selected, quoted in (
        ("party", "party"),
        ("arty obey", "party obeyed"),
        (" party ", "party"),  # as a double click takes it on some systems
        (" obeyed nobody.", "obeyed nobody."),
        ("The party obeyed nobody.", "The party obeyed nobody."),
    ):
        text.fill("")
        select(reader.page, selected, within=f"#post-{posts[2].pk}")
        cite(reader.page, posts[2])
        assert text.input_value().split("\n")[1] == quoted, selected


def test_all_of_a_post_with_a_list_is_quoted_exactly(site, sits_down):
    """The source thread's opening is plain text, and the heads of its items (". ") are no text of
    the page."""
    world.load_source_thread()
    opening = Post.objects.get(number=1)
    reader = sits_down(world.member("member-q"))
    reader.opens(opening.thread.get_absolute_url())
    cite(reader.page, opening)
    whole = opening.body.revision.plain
    assert reader.page.locator("#text").input_value().strip() == (
        attribution_source(opening.writer, opening.pk, whole).strip()
    )


def test_words_chosen_across_list_items_are_quoted_exactly(site, sits_down):
    thread = world.load_source_thread()
    opening = Post.objects.get(number=1)
    reader = sits_down(world.member("member-q"))
    reader.opens(thread.get_absolute_url())
    select(reader.page, "there any disagreements", "much more", within=f"#post-{opening.pk}")
    cite(reader.page, opening)
    text = reader.page.locator("#text")
    assert re.search(r"there any disagreements\?\s+\. There also", text.input_value())
    text.press("Control+End")
    text.press_sequentially("There are.")
    reader.presses("Post reply")
    reader.page.wait_for_url(re.compile("#post-"))
    assert [verdict for verdict, *_ in verdicts(Post.objects.latest("pk"))] == ["exact"]


def test_words_of_others_are_not_quoted_as_ones_own(debate, posts, sits_down):
    """Selected inside a quote, they are not the words of who quotes: Quote then takes the post's
    own."""
    reader = sits_down(world.member("member-x"))
    page = reader.page
    reader.opens(debate.get_absolute_url())
    text = page.locator("textarea[name=text]")
    select(page, "party obeyed", within=f"#post-{posts[3].pk} blockquote")
    cite(page, posts[3])
    assert "party obeyed" not in text.input_value()
    assert "Their secretary was well-known" in text.input_value()
    text.fill("")
    select(page, "quoted in", within=f"#post-{posts[2].pk} .margin")
    cite(page, posts[2])
    assert "quoted in" not in text.input_value()
    assert "It had a secretary, after all." in text.input_value()


def test_signs_of_markdown_stay_letters(debate, posts, sits_down):
    """The whole of #4, selected paragraph by paragraph, is quoted exactly."""
    reader = sits_down(world.member("member-x"))
    page = reader.page
    reader.opens(debate.get_absolute_url())
    select(page, "Losses of", "this like a heading.", within=f"#post-{posts[4].pk}")
    cite(page, posts[4])
    text = page.locator("textarea[name=text]")
    text.press("Control+End")
    text.press_sequentially("So?")
    reader.presses("Post reply")
    page.wait_for_url(re.compile("#post-"))
    answer = Post.objects.latest("pk")
    ((verdict, number, _),) = verdicts(answer)
    assert (verdict, number) == ("exact", 4)
    said = page.locator(f"#post-{answer.pk} blockquote p").all_inner_texts()
    assert said == page.locator(f"#post-{posts[4].pk} .prose p:not(.margin)").all_inner_texts()


def test_quotes_collected_in_one_debate_join_the_reply_in_another(debate, posts, sits_down):
    reader = sits_down(world.member("member-x"))
    page = reader.page
    other = world.start(world.member("member-y"), "Another debate", "About something else.")
    moderator = world.member("member-m", is_staff=True, is_moderator=True)
    states.lock(user=moderator, thread=debate, reason="Said enough.")
    reader.opens(debate.get_absolute_url())
    for words, number in (("The party obeyed", 2), ("Suppose that", 1)):
        select(page, words, within=f"#post-{posts[number].pk}")
        page.get_by_role("button", name="Quote these words").click()
        page.get_by_text("Collected for your reply.").wait_for()
    assert page.url.endswith(debate.get_absolute_url())
    reader.opens(other.get_absolute_url())
    text = page.locator("textarea[name=text]")
    expect(text).not_to_have_value("")
    text.press("Control+End")
    text.press_sequentially("From over there.")
    reader.presses("Post reply")
    page.wait_for_url(re.compile("#post-"))
    answer = Post.objects.latest("pk")
    assert answer.thread_id == other.pk
    assert verdicts(answer) == [
        ("exact", 2, "The party obeyed"),
        ("exact", 1, "Suppose that"),
    ]
    # They are used once.
    reader.opens(other.get_absolute_url())
    page.wait_for_load_state("networkidle")
    assert text.input_value() == ""


def test_words_that_a_visitor_chose_wait_for_the_reply(debate, posts, sits_down):
    """What quotes is fetched once they choose words; the words are there after signing in."""
    member = world.member("member-x")
    reader = sits_down(None)
    page = reader.page
    reader.opens(debate.get_absolute_url())
    assert "quote.js" not in page.content()
    select(page, "The party obeyed", within=f"#post-{posts[2].pk}")
    page.get_by_role("button", name="Quote these words").click()
    page.get_by_text("Collected for your reply.").wait_for()
    reader.comes_signed_in(member)
    reader.opens(debate.get_absolute_url())
    text = page.locator("textarea[name=text]")
    expect(text).to_have_value(re.compile("The party obeyed"))


def test_without_script_quote_opens_the_posts_own_words(debate, posts, sits_down):
    reader = sits_down(world.member("member-x"), javascript=False)
    page = reader.page
    reader.opens(debate.get_absolute_url())
    page.locator(f"#post-{posts[3].pk} a.cite").click()
    page.wait_for_url("**/reply/**")
    value = page.locator("textarea[name=text]").input_value()
    assert "party obeyed" not in value
    page.locator("textarea[name=text]").fill(
        value.replace("Their secretary was ", "").rstrip() + "\n\nWas it?"
    )
    reader.presses("Post reply")
    page.wait_for_url(re.compile("#post-"))
    assert verdicts(Post.objects.latest("pk")) == [("exact", 3, "well-known, and nobody's friend.")]


MARKED = """We will ~~never~~ always sign it, ||he dies||, and *all* of **us** *know*_it.

- the first item
  - an inner one

[spoiler="The end"]
They sign in 1940.
[/spoiler]

[quote="x, post: {source}"]
The party obeyed nobody.
[/quote]

After that, nothing."""


def test_strikes_spoilers_and_emphasis_are_quoted_as_they_are(debate, posts, sits_down):
    """By selecting and by the link, with a seam where the post quotes somebody else."""
    post = world.reply(world.member("member-m"), debate, MARKED.format(source=posts[2].pk))
    reader = sits_down(world.member("member-x"))
    page = reader.page
    reader.opens(debate.get_absolute_url())
    select(page, "never", within=f"#post-{post.pk}")
    cite(page, post)
    text = page.locator("textarea[name=text]")
    assert "\n~~never~~\n" in text.input_value()
    text.fill("")
    select(page, "We will", "After that", within=f"#post-{post.pk}")
    cite(page, post)
    value = text.input_value()
    assert value == (
        f'[quote="member-m, post: {post.pk}"]\n'
        "We will ~~never~~ always sign it, ||he dies||, and *all* of **us** *know*\\_it.\n\n"
        "the first item\n\nan inner one\n\n"
        '[spoiler="The end"]\n\nThey sign in 1940.\n\n[/spoiler]\n\n[…]\n\nAfter that\n'
        "[/quote]\n\n"
    )
    text.press("Control+End")
    text.press_sequentially("So?")
    reader.presses("Post reply")
    page.wait_for_url(re.compile("#post-"))
    answer = Post.objects.latest("pk")
    assert [verdict for verdict, _, _ in verdicts(answer)] == ["shortened"]
    quote = page.locator(f"#post-{answer.pk} .quote blockquote")
    assert quote.locator("s").inner_text() == "never"
    assert quote.locator("span.spoiler").inner_text() == "he dies"
    assert quote.locator("summary").inner_text() == "Spoiler: The end"
    assert quote.locator(".gap").inner_text() == "[…]"
    expect(quote.get_by_text("They sign in 1940.")).to_be_hidden()


# Every letter that a reader may see of an element, once all is unfolded: struck or not, hidden or
# not, under which label, in which item of a list, in which kind of block, linked where.
SEEN = """(element) => {
  const letters = [];
  for (const fold of element.querySelectorAll("details")) fold.open = true;
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const number = (item) => {
    const list = item.parentElement;
    if (list.tagName !== "OL") return "";
    let at = list.start - 1;
    for (const one of list.children) {
      at = one.hasAttribute("value") ? one.value : at + 1;
      if (one === item) return at;
    }
  };
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (parent.closest("summary, .gap, .margin, .footnote-ref, .footnote-back")) continue;
    if (!parent.checkVisibility()) throw new Error("not seen: " + node.data);
    const style = getComputedStyle(parent);
    const item = parent.closest("li");
    const marks = [
      parent.closest("s") ? "struck" : "", parent.closest("span.spoiler") ? "hidden" : "",
      style.fontStyle, style.fontWeight, style.fontFamily.includes("mono") ? "code" : "",
      parent.closest("h4, h5, h6, p, li, pre, td, th").tagName,
      parent.closest("a:not(.mention)")?.href ?? "", element.contains(item) ? number(item) : "",
      parent.closest("details.spoiler")?.querySelector("summary").textContent ?? "",
    ].join("|");
    for (const letter of node.data.replace(/\\s/g, "")) letters.push([letter, marks]);
  }
  return letters;
}"""


@pytest.mark.parametrize("typed", ["plain", "form"])
def test_what_is_seen_in_a_quote_is_what_is_seen_in_its_source(debate, sits_down, typed):
    """Every construct of docs/markup.md, typed without its marks and as the forum writes it."""
    source = world.reply(world.member("member-m"), debate, EVERYTHING)
    reader = sits_down(world.member("member-x"))
    page = reader.page
    if typed == "plain":
        form = attribution_source("x", source.pk, source.body.revision.plain)
    else:
        reader.opens(f"/threads/{debate.pk}/reply/?to={source.pk}&quote={source.pk}")
        form = page.locator("textarea[name=text]").input_value()
    answer = world.reply(world.member("member-y"), debate, f"{form}So?")
    (row,) = Quote.objects.filter(post=answer)
    assert row.verdict == "shortened" and row.whole  # it goes over a quote
    reader.opens(debate.get_absolute_url())
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    shown = page.locator(f"#post-{answer.pk} .quote blockquote").evaluate(SEEN)
    for quoted in page.locator(f"#post-{source.pk} .prose > blockquote").all():
        quoted.evaluate("(one) => one.remove()")
    assert shown == page.locator(f"#post-{source.pk} .prose").evaluate(SEEN)
