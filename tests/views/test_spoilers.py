"""Words under a spoiler stand nowhere but where one can open it: on no list, in no notice, mail,
feed, book, outline or find. Every address there is, opened by those who see most of it."""

import io
import re
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from uuid import uuid4

import pytest
from django.urls import get_resolver, reverse

from forum.mailing import composing
from forum.models import Case, Mail, Notice, Post, PostWords, Quote, Thread
from forum.moderation import reports
from forum.outbox.worker import Worker
from forum.text import markup
from forum.text.questions import open_questions
from tests.people import browser, quoting, reply, start

pytestmark = pytest.mark.django_db
SECRETS = ("quince", "damson", "medlar", "sorbus", "juniper", "rowan", "bilberry", "hawthorn")
OPENING = """An opening that ||hawthorn knew||. Would the party have split?

Who was it, ||if not hawthorn||?
"""
HIDING = """[spoiler="The end"]
It was the quince.
[/spoiler]

[spoiler]
And was it the quince?
[/spoiler]

In open words first, ||with a *damson*|| then, and ~~struck ||medlar|| too~~.

- an item
- [a link with ||sorbus|| in it](https://example.org/)

  [spoiler="Below an item"]
  Of juniper.

  - and ||rowan||
  [/spoiler]

||bilberry||[^1]

[^1]: A note.
"""
# They show the text as it was typed, to whoever may change it or takes it along as a file.
SOURCES = {"edit", "history", "thread-fixture", "thread-markdown", "save-draft", "newest-draft"}
SOURCES |= {"post-words"}  # for the text of a reply, with its marks: see below


class Open(HTMLParser):
    """What a page shows before anybody opens anything: text and attributes outside of spoilers and
    of the fields in which a text is written."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []
        self.folded: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        given = dict(attrs)
        if self.folded or "spoiler" in (given.get("class") or "").split() or tag == "textarea":
            if tag not in ("br", "hr", "img", "input", "meta", "link", "wbr"):
                self.folded.append(tag)
        else:
            self.shown += [value or "" for value in given.values()]

    def handle_endtag(self, tag) -> None:
        if self.folded and tag in self.folded:
            while self.folded.pop() != tag:
                pass

    def handle_data(self, data) -> None:
        if not self.folded:
            self.shown.append(data)


def shown(response) -> str:
    """What is to be read in an answer without opening anything."""
    body = b"".join(response) if response.streaming else response.content
    kind = response.headers.get("Content-Type", "")
    if kind == "application/epub+zip":
        book = zipfile.ZipFile(io.BytesIO(body))
        body = b"\n".join(book.read(name) for name in book.namelist())
    text = body.decode(errors="replace")
    if not kind.startswith("text/html"):
        return text
    page = Open()
    page.feed(text)
    return "\n".join(page.shown)


def addresses(values: dict[str, list], part=None, prefix="/"):
    """(name, address) of every page but those of accounts and of the desk."""
    for pattern in (part or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        # Programs are given whole texts by the API, spoilers marked as such.
        if route.startswith(("/accounts/", "/admin/", "/api/")):
            continue
        if hasattr(pattern, "url_patterns"):
            yield from addresses(values, pattern, route)
            continue
        asked = re.findall(r"<(?:\w+:)?(\w+)>", route)
        plain = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
        if "ordinal" in asked:
            for row in Quote.objects.values("post_id", "ordinal"):
                yield pattern.name, plain.format(**row)
        elif set(asked) <= set(values) | {"slug"}:
            for value in values[asked[0]] if asked else [None]:
                yield pattern.name, plain.format(**{"slug": "x"} | dict.fromkeys(asked[:1], value))


@pytest.fixture
def hiding(board, opener, answerer, stranger, moderator) -> Post:
    """A post with spoilers of every kind, which is quoted, disputed, reported and told of."""
    thread = start(board, opener, text=OPENING)
    first = thread.posts.get(number=1)
    hiding = reply(thread, answerer, f"{quoting(first, 'that ||hawthorn knew||', '')}\n{HIDING}")
    for text in (
        quoting(hiding, "In open words first, ||with a damson|| then", "No."),
        quoting(hiding, "damson", "No ||quince|| in it."),
        quoting(hiding, "It was the quince.", "It was."),
        quoting(hiding, "Nobody ever said ||quince|| of pears and plums", "Or not."),
    ):
        last = reply(thread, opener, text, to=hiding)
        last.stance = "disputes"
        last.save()
    Quote.objects.filter(post__author=opener).update(stance="disputes")
    Worker().drain()
    reports.report(user=stranger, post=last, reason="misquote", text="It does.", token=uuid4())
    return hiding


def test_words_under_a_spoiler_stand_nowhere_but_under_one(hiding, opener, answerer, moderator):
    thread = Thread.objects.select_related("board").get(pk=hiding.thread_id)
    values = {
        "thread_id": [thread.pk],
        "post_id": [hiding.pk, thread.posts.order_by("pk").last().pk],
        "slug": [thread.board.slug],
        "username": [opener.username, answerer.username],
    }
    pages = [(name, address) for name, address in addresses(values) if name not in SOURCES]
    pages += [("search", f"/search/?q={word}") for word in ("open", "then", "party", *SECRETS[:2])]
    pages += [("thread", f"/threads/{thread.pk}/{thread.slug}/?view=tree")]
    desk = [
        reverse(f"admin:forum_{model._meta.model_name}_changelist")
        for model in (Post, Thread, Case, Notice)
    ]
    desk.append(reverse("admin:forum_thread_change", args=[thread.pk]))
    for writer in (opener, answerer):
        desk.append(reverse("admin:forum_member_review", args=[writer.pk]))
        desk.append(reverse("admin:forum_member_change", args=[writer.pk]) + f"?post={hiding.pk}")
    opened, leaks = 0, set()
    for user in (None, opener, moderator):
        client = browser(user)
        for name, address in [*pages, *(("desk", one) for one in desk if user and user.is_staff)]:
            answer = client.get(address, follow=name != "theme")
            if answer.status_code == 200 and "history" not in answer.request["PATH_INFO"]:
                opened += 1
                text = shown(answer)
                leaks |= {(name, word) for word in SECRETS if word in text and word not in address}
    assert sorted(leaks) == []
    assert opened > 100
    assert "[spoiler]" in shown(browser(opener).get("/notices/"))
    assert "In open words first, [spoiler] then, and struck [spoiler] too." in shown(
        browser().get(f"/members/{answerer.username}/")
    )


def test_words_that_go_into_a_reply_keep_their_spoilers(hiding):
    address = f"/posts/{hiding.pk}/words/"
    for chosen in ("", "In open words first, with a damson then", "It was the quince."):
        text = browser().post(address, {"words": chosen}).content.decode()
        open_ = re.sub(r"\|\|.*?\|\||\[spoiler.*?\[/spoiler\]", "", text, flags=re.DOTALL)
        assert not [word for word in SECRETS if word in open_], text


def test_nor_in_mails_and_the_index(hiding, opener, answerer):
    told = [
        line.words
        for member in (opener, answerer)
        for line in composing.lines_of(list(Mail.objects.filter(member=member)))
    ]
    assert any("[spoiler]" in words for words in told)
    assert not [words for words in told for secret in SECRETS if secret in words]
    for secret in SECRETS:
        if secret in HIDING:
            row = PostWords.objects.get(post=hiding)
            found = markup.hidden_spans(
                hiding.body.html,
                plain=hiding.body.revision.plain,
                passages=hiding.body.revision.passages,
            )
            assert any(secret in hiding.body.revision.plain[a:b] for a, b in found), row.pk


def test_a_question_under_a_spoiler_is_proposed_to_no_card(hiding):
    for text, expected in ((OPENING, ("Would the party have split?",)), (HIDING, ())):
        made = markup.render(text, format="markdown")
        spans = [(passage.start, passage.end) for passage in made.passages]
        assert open_questions(made.html, plain=made.plain, passages=spans) == expected
    typed = markup.render("Is [spoiler\\] a word?", format="markdown")
    spans = [(passage.start, passage.end) for passage in typed.passages]
    assert open_questions(typed.html, plain=typed.plain, passages=spans) == (typed.plain,)


def test_two_spoilers_on_end_hide_both_their_paragraphs(thread, answerer):
    """Spans of neighbouring passages may be one."""
    post = reply(thread, answerer, "||quince||\n\n||damson|| and what is open")
    for asked, found in (("quince", 0), ("damson", 0), ("open", 1)):
        page = browser().get("/search/", {"q": asked}).content.decode()
        assert page.count(f'href="/posts/{post.pk}/') == found, asked


def test_no_template_shows_a_text_as_it_is_searched():
    """`plain` holds what is folded away; lists take `body.html|words_without_spoilers`."""
    root = Path(__file__).resolve().parents[2]
    found = [
        path.name
        for folder in ("templates", "templates_django")
        for path in (root / folder).rglob("*.*")
        if re.search(r"revision\.plain\b|quote\.words\b", path.read_text())
    ]
    assert found == ["report.html"]  # a Judgement's words, which `quoted_words` gave
