"""The source thread is read, quoted and answered by somebody who came from nowhere, and what was
answered is edited, and hidden by a moderator: with JavaScript and without."""

import re
from pathlib import Path

import pytest
from django.conf import settings as project
from playwright.sync_api import expect

from forum.models import Post, Thread

from . import world

SOURCE = Path(project.BASE_DIR, "fixtures", "sources", "trotsky-spain.txt")
both = pytest.mark.parametrize("javascript", [False, True], ids=["without script", "with script"])


def paragraphs() -> list[list[str]]:
    """The posts of the plain text, read as a person would: a separator is a line that holds one
    no-break space, the first line is the title, the last an artefact of the page."""
    lines = SOURCE.read_text(encoding="utf-8").split("\n")
    posts = [[]]
    for line in lines[1:]:
        if line == "\N{NO-BREAK SPACE}":
            posts.append([])
        elif line.strip():
            posts[-1].append(line)
    assert posts.pop() == ["Top"]
    return posts


def shown(article) -> list[str]:
    """The paragraphs of a post as they stand in the page, quotes included, notes left out."""
    return article.locator(".prose").evaluate(
        """(prose) => [...prose.querySelectorAll("p, li")]
            .filter((e) => !e.closest(".margin, figcaption, .hint") && !e.querySelector("p"))
            .map((e) => (e.closest(".prose li") ? ". " : "") + e.textContent)"""
    )


def reads_source_thread(reader, thread: Thread) -> None:
    """Flat: seven posts to the letter, in order, under their names, with three exact quotes."""
    reader.opens("/")
    reader.follows(thread.title)
    page = reader.page
    assert page.locator("h1").inner_text() == SOURCE.read_text(encoding="utf-8").split("\n")[0]
    articles = page.locator("article.post")
    assert articles.locator("h3").all_inner_texts() == [f"Voice {n}" for n in range(1, 8)]
    texts = [shown(article) for article in articles.all()]
    assert texts == paragraphs()

    quotes = page.locator(".quote")
    assert [quote.get_attribute("data-status") for quote in quotes.all()] == ["exact"] * 3
    assert page.locator(".quote .status").all_inner_texts() == ["exact"] * 3
    found = [
        (
            quote.evaluate("(e) => e.closest('article').querySelector('.who a[href]').innerText"),
            quote.locator("figcaption a").inner_text(),
            quote.locator("blockquote p").evaluate_all("(all) => all.map((p) => p.textContent)"),
        )
        for quote in quotes.all()
    ]
    assert found == [
        ("#5", "the whole of #4", paragraphs()[3]),
        ("#6", "#5, paragraph 4", paragraphs()[4][-1:]),
        ("#7", "#6, paragraph 2", paragraphs()[5][1:]),
    ]
    notes = page.locator(".margin")
    assert [note.inner_text() for note in notes.all()] == [
        "¶ 4.1 quoted in #5",
        "¶ 5.4 quoted in #6",
        "¶ 6.2 quoted in #7",
    ]


def reads_tree(reader, thread: Thread) -> None:
    """Tree: 5 under 4, 6 under 5, 7 under 6, and 2 to 4 answer the debate, nobody knows whom."""
    page = reader.page
    reader.follows("As a tree")
    page.wait_for_url("**view=tree")
    articles = page.locator("article.post").all()
    found = {
        article.get_attribute("id").removeprefix("post-"): re.search(
            r"opening|nobody knows what it answers|answers #\d",
            article.locator(".who").inner_text(),
        )[0]
        for article in articles
    }
    numbers = {str(post.pk): post.number for post in Post.objects.filter(thread=thread)}
    assert {numbers[pk]: said for pk, said in found.items()} == {
        1: "opening",
        2: "nobody knows what it answers",
        3: "nobody knows what it answers",
        4: "nobody knows what it answers",
        5: "answers #4",
        6: "answers #5",
        7: "answers #6",
    }
    # An indent is a fork; a lone reply runs straight on.
    assert [article.get_attribute("data-level") for article in articles] == list("0111111")
    rails = [
        article.locator(".rails i").evaluate_all("(all) => all.map((i) => i.className)")
        for article in articles
    ]
    assert rails == [[], ["t"], ["t"], ["l"], [""], [""], [""]]
    classes = [set(article.get_attribute("class").split()) for article in articles]
    straight = [number for number, known in enumerate(classes, 1) if "up" in known]
    assert straight == [5, 6, 7]
    assert [n for n, known in enumerate(classes, 1) if "unsure" in known] == [2, 3, 4]


def follows_permalinks(reader, thread: Thread) -> None:
    """A post's number, and a passage's sign, lead to the element of that name."""
    page = reader.page
    for post in Post.objects.filter(thread=thread).order_by("number"):
        reader.opens(f"/posts/{post.pk}/")
        assert page.url.endswith(f"#post-{post.pk}")
        target = page.locator(":target")
        assert target.get_attribute("id") == f"post-{post.pk}"
        assert target.locator("h3").inner_text() == f"Voice {post.number}"
    reader.opens(thread.get_absolute_url())
    reader.goes_by(page.locator(".quote figcaption a").last)
    sixth = Post.objects.get(thread=thread, number=6)
    assert page.locator(":target").get_attribute("id") == f"post-{sixth.pk}-2"
    assert page.locator(":target").inner_text() == paragraphs()[5][1]


def joins(reader, mailoutbox) -> None:
    """Sign up, find the link in the mail, confirm, sign in."""
    page = reader.page
    reader.opens("/")
    reader.follows("Sign up")
    reader.fills("Name", "member-a")
    reader.fills("Mail address", "member-a@example.org")
    reader.fills("Password", world.PASSWORD)
    reader.presses("Make the account")
    assert page.locator("h1").inner_text() == "Confirm your address"
    (mail,) = mailoutbox
    assert mail.to == ["member-a@example.org"]
    link = re.search(r"https?://\S+/accounts/confirm-email/\S+", mail.body)[0]
    assert link.startswith(reader.url)
    # A mail program opens the link elsewhere: confirming there does not sign anybody in here.
    reader.context.clear_cookies()
    page.goto(link)
    reader.presses("Yes, confirm it")
    reader.opens("/accounts/login/")
    reader.fills("Name or mail address", "member-a")
    reader.fills("Password", world.PASSWORD)
    reader.presses("Sign in")
    page.wait_for_url("**/")
    assert page.locator(".me summary").inner_text() == "member-a"


def quotes_and_answers(reader, thread: Thread) -> Post:
    """Press Quote under the last post, add a line, send."""
    page = reader.page
    seventh = Post.objects.get(thread=thread, number=7)
    reader.opens(f"/posts/{seventh.pk}/")
    page.locator(f"#post-{seventh.pk}").get_by_role("link", name="Quote").click()
    begun = re.compile(re.escape(f'[quote="Voice 7, post: {seventh.pk}"]'))
    expect(page.get_by_label("Text")).to_have_value(begun)
    words = page.get_by_label("Text").input_value()
    page.get_by_label("Text").fill(words + "Lend lease came late anyway.")
    reader.presses("Preview")
    assert page.locator(".preview .quote").get_attribute("data-status") == "exact"
    reader.presses("Post reply")
    page.wait_for_url("**#post-*")
    mine = Post.objects.get(thread=thread, number=8)
    answer = page.locator(":target")
    assert answer.get_attribute("id") == f"post-{mine.pk}"
    assert answer.locator("h3").inner_text() == "member-a"
    assert "answers #7" in answer.locator(".who").inner_text()
    assert answer.locator(".quote").get_attribute("data-status") == "exact"
    assert answer.locator("blockquote p").all_text_contents() == [paragraphs()[6][1]]
    assert "Lend lease came late anyway." in shown(answer)
    note = page.locator(f"#post-{seventh.pk} .margin")
    assert note.inner_text() == "¶ 7.2 quoted in #8"
    return mine


def edits(reader, post: Post) -> None:
    """Change the answer, say why, and read what was changed."""
    page = reader.page
    reader.goes_by(reader.opens_more(post).get_by_role("link", name="Edit"))
    text = page.get_by_label("Text").input_value()
    page.get_by_label("Text").fill(text.replace("late", "late, but it came,"))
    page.get_by_label(re.compile("^Why")).fill("Fairness.")
    reader.presses("Save")
    page.wait_for_url("**#post-*")
    answer = page.locator(f"#post-{post.pk}")
    assert "Lend lease came late, but it came, anyway." in shown(answer)
    assert answer.locator(".quote").get_attribute("data-status") == "exact"
    reader.goes_by(answer.get_by_role("link", name="edited"))
    newest = page.locator("section.panel").first
    assert "Fairness." in newest.inner_text()
    assert "but it came," in "".join(newest.locator("ins").all_inner_texts())
    assert page.locator("section.panel").count() == 2


def hides(moderator, post: Post) -> None:
    """In the admin, with a reason."""
    moderator.opens(f"/posts/{post.pk}/")
    moderator.page.get_by_role("link", name="Desk").click()
    moderator.page.get_by_role("link", name="Posts", exact=True).first.click()
    moderator.page.locator(f'a[href*="/admin/forum/post/{post.pk}/change/"]').first.click()
    moderator.presses("Hide")
    assert "Say why" in moderator.page.locator(".messagelist").inner_text()
    moderator.fills("Reason", "Off the point.")
    moderator.presses("Hide")
    assert "Hide: done for 1." in moderator.page.locator(".messagelist").inner_text()


@both
def test_a_thread_is_read_answered_edited_and_moderated(
    javascript, site, sits_down, mailoutbox, settings
):
    settings.CONFIRM_ADDRESS, settings.ACCOUNT_EMAIL_VERIFICATION = "required", "mandatory"
    thread = world.load_source_thread()
    visitor = sits_down(javascript=javascript)
    reads_source_thread(visitor, thread)
    reads_tree(visitor, thread)
    follows_permalinks(visitor, thread)

    newcomer = sits_down(javascript=javascript)
    joins(newcomer, mailoutbox)
    answer = quotes_and_answers(newcomer, thread)
    edits(newcomer, answer)

    chief = world.member("member-m", is_staff=True, is_moderator=True)
    hides(sits_down(chief, javascript=javascript), answer)
    visitor.opens(thread.get_absolute_url())
    gone = visitor.page.locator(f"#post-{answer.pk}")
    assert gone.locator(".gone").inner_text() == "Hidden by a moderator: Off the point."
    assert "late" not in gone.inner_text()
    assert "#8" not in visitor.page.locator(f"#post-{answer.parent_id}").inner_text()
