"""Forms that stand open while words are erased for a legal reason: none brings them back, whoever
sends it, and none shows them again."""

import re
from html.parser import HTMLParser
from uuid import uuid4

import pytest
from django import forms
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.db import connection
from django.test import RequestFactory
from django.urls import URLPattern, get_resolver

from accounts.models import User
from core.opened_texts import OpenedForm
from forum.actions import arguments, description, glossary, pages, threadmarks
from forum.actions.divergences import read_divergence
from forum.admin.site import ReadOnly
from forum.models import Board, Draft, Term, Upload
from forum.moderation import erasing, states
from tests.admin.test_uploads import PASTED, form_of, sent
from tests.moderation.test_erasing import NAME, anywhere, squashed
from tests.people import browser, edit, quoting, reply, start, typed
from tests.races.soundness import faults

pytestmark = pytest.mark.django_db
TEXT = f"I knew the father.\n\nIt was {NAME} of 12 Mill Lane, he said."


def columns_of(model) -> set[str]:
    return set(erasing.TEXTS.get(model._meta.concrete_model, ()))


def forms_of(kind: type) -> list[type]:
    return [one for sub in kind.__subclasses__() for one in (sub, *forms_of(sub))]


def test_every_form_of_a_row_says_with_which_texts_it_was_opened():
    """Of all classes of forms that there are, once all pages are known."""
    assert get_resolver().url_patterns
    seen = set()
    for form in forms_of(forms.ModelForm):
        model = getattr(getattr(form, "_meta", None), "model", None)
        if model is None or not form.__module__.startswith(("forum.", "accounts.")):
            continue
        if words := columns_of(model) & set(form.base_fields):
            assert issubclass(form, OpenedForm), form
            assert words <= set(form.texts), form
            seen.add(form.__name__)
    assert seen == {"PageForm", "TermForm", "BoardForm", "ChangeForm", "SettingsForm"}


def test_every_page_of_the_desk_that_changes_words_draws_it(administrator, board):
    request = RequestFactory().get("/")
    request.user = administrator
    seen = set()
    for model, desk in admin.site._registry.items():
        if isinstance(desk, ReadOnly):
            continue
        form = desk.get_form(request, model(pk=1), change=True)
        if words := columns_of(model) & set(form.base_fields):
            assert words <= set(form.texts), model
            assert "base" in flatten_fieldsets(desk.get_fieldsets(request, model(pk=1))), model
            seen.add(model.__name__)
    assert seen == {"Page", "Term", "Board", "User"}


@pytest.fixture
def world(board, opener, answerer, administrator, moderator):
    """Rows of all kinds that a form changes, and that name somebody."""
    thread = start(board, opener, title=f"What if {NAME} had lived?", text=TEXT)
    post = reply(thread, opener, TEXT)
    threadmarks.mark(user=opener, post=post, category="story", label=f"On {NAME}")
    arguments.change_mind(
        user=opener, post=reply(thread, answerer, "So it is."), was="against", now="for",
        reason=f"{NAME} told me.",
    )  # fmt: skip
    divergence = read_divergence(change=f"{NAME} lives.", when="1924", actor=NAME, place="Here")
    description.describe(
        user=opener, thread=thread, divergences=[divergence], questions=[],
        own_answer=f"{NAME} rules.",
    )  # fmt: skip
    pages.edit(user=administrator, kind="imprint", source=f"Ask {NAME}.")
    term = Term(name=f"{NAME}'s", aliases=NAME, meaning=f"What {NAME} has.")
    glossary.define(user=administrator, term=term)
    Board.objects.filter(pk=board.pk).update(
        description=f"Of {NAME}.", name=f"All of {NAME}", slug="ignatius-quillfeather"
    )
    User.objects.filter(pk__in=[opener.pk, administrator.pk]).update(about=f"I am no {NAME}.")
    return post


class Form(HTMLParser):
    """What a browser would send of a page: ticked boxes and buttons, chosen options besides."""

    def __init__(self, response) -> None:
        super().__init__()
        self.left: set[str] = set()
        self.chosen: dict[str, str] = {}
        self.select = ""
        self.feed(response.content.decode())
        texts = {name: text for name, text in typed(response).items() if name not in self.left}
        self.fields = texts | self.chosen

    def handle_starttag(self, tag, attrs) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("type") in ("radio", "checkbox", "submit"):
            self.left.add(given.get("name", ""))
            if "checked" in given:
                self.chosen[given["name"]] = given.get("value", "on")
        elif tag == "select":
            self.select = given.get("name", "")
        elif tag == "option" and self.select and "selected" in given:
            self.chosen[self.select] = given["value"]


def quoting_of(words: str) -> str:
    """A quote of a post that is yet to be written."""
    return f'[quote="answerer, post: NUMBER"]\n{words}\n[/quote]\n\n'


ARGUMENTS = re.compile(r"<(?:\w+:)?(\w+)>")


def addresses(known: dict[str, list]) -> list[str]:
    """Every address of the site that takes nothing but what is `known`."""
    found, todo = [], [("/", one) for one in get_resolver().url_patterns]
    while todo:
        path, one = todo.pop()
        if not isinstance(one, URLPattern):
            todo += [(path + str(one.pattern), inner) for inner in one.url_patterns]
            continue
        path += str(one.pattern)
        names = ARGUMENTS.findall(path)
        if set(names) <= set(known) and not re.search(r"[\\^$(]", path):
            choices = [path]
            for name in names:
                pattern = re.compile(rf"<(?:\w+:)?{name}>")
                choices = [pattern.sub(str(v), p) for p in choices for v in known[name]]
            found += choices
    return sorted(found)


def changed(fields: dict[str, str]) -> dict[str, str]:
    """What somebody goes on typing in a form: more, behind the words that stand in it."""
    return {
        name: f"{text} Also." if names_somebody(text) and "slug" not in name else text
        for name, text in fields.items()
    }


def names_somebody(text: str) -> bool:
    return squashed(NAME)[:20] in squashed(text)


def test_no_form_that_was_open_brings_erased_words_back(world, opener, administrator):
    thread = world.thread
    posts = list(thread.posts.values_list("pk", flat=True))
    known = {"post_id": posts, "thread_id": [thread.pk], "token": [uuid4()]}
    desk = [
        f"/admin/{model._meta.app_label}/{model._meta.model_name}/{row.pk}/change/"
        for model in admin.site._registry
        if model._meta.concrete_model in erasing.TEXTS
        for row in model._base_manager.all()
    ]
    opened = []
    for client, visits in (
        (browser(opener), addresses(known)),
        (browser(administrator), desk),
    ):
        for address in visits:
            if "logout" in address:
                continue
            page = client.get(address)
            if page.status_code != 200 or "html" not in page["Content-Type"]:
                continue
            fields = Form(page).fields
            if any(map(names_somebody, fields.values())):
                opened.append((client, address, fields))
    held = {re.sub(r"\d+", "N", address) for _, address, _ in opened}
    texts = erasing.find(world, NAME).texts
    erasing.erase(user=administrator, post=world, words=NAME, reason="Order 7.", texts=texts)
    assert anywhere(NAME) == []
    for client, address, fields in opened:
        for form in (fields, changed(fields)):
            page = client.post(address, form)
            assert not names_somebody(page.content.decode()), address
            assert page.status_code in (200, 302, 405, 409, 422), address
            assert anywhere(NAME) == [], address
        if page.status_code in (200, 409, 422) and "base" in fields:
            again = Form(page).fields
            assert any("Also." in text for text in again.values()), address
            assert client.post(address, again).status_code == 302, address
            assert anywhere(NAME) == [], address
    assert held >= {
        "/accounts/settings/",
        "/posts/N/edit/",
        "/posts/N/mark/",
        "/posts/N/minds/",
        "/threads/N/describe/",
        "/threads/N/rename/",
        "/admin/forum/board/N/change/",
        "/admin/forum/page/N/change/",
        "/admin/forum/term/N/change/",
        "/admin/accounts/user/N/change/",
    }
    assert faults(connection) == []


def test_a_debate_that_is_looked_over_at_the_desk_does_not_either(world, board, administrator):
    client = browser(administrator)
    sent(client, board, text=PASTED.replace("The carts", f"{NAME} and carts", 1))
    upload = Upload.objects.get()
    form = form_of(client, upload)
    assert any(names_somebody(str(value)) for value in form.values())
    texts = erasing.find(world, NAME).texts
    erasing.erase(user=administrator, post=world, words=NAME, reason="Order 7.", texts=texts)
    form = {
        name: [f"{one} Also." for one in value]
        if isinstance(value, list)
        else f"{value} Also."
        if name.startswith("text-")
        else value
        for name, value in form.items()
    }
    page = client.post(f"/admin/forum/upload/{upload.pk}/change/", {**form, "do": "save"})
    assert page.status_code == 422
    assert "erased" in page.content.decode()
    assert not names_somebody(page.content.decode())
    assert "Also." in page.content.decode()
    assert anywhere(NAME) == []


# --- What quotes the words, in a reply that stands open -------------------------------------------

LINE = f"It was {NAME} of 12 Mill Lane, he said."
BLACK_LINE = "It was ████████ ████████████ of 12 Mill Lane, he said."
QUOTES = {
    "whole": quoting_of(LINE),
    "marked": quoting_of(LINE.replace(NAME, f"**{NAME}**")),
    "part": quoting_of(f"{NAME} of 12"),
    "shortened": quoting_of("It was […] Quillfeather of 12"),
    "altered": quoting_of(f"It was surely {NAME} of 12 Mill Lane."),
    "plain": "> {line}\n\n".replace("{line}", LINE),
    "one word": quoting_of("Quillfeather"),
}


@pytest.mark.parametrize(
    ("kind", "hidden"), [(kind, False) for kind in QUOTES] + [("whole", True), ("altered", True)]
)
def test_an_open_reply_keeps_no_quote_of_erased_words(
    thread, answerer, opener, administrator, moderator, kind, hidden
):
    """Neither as a draft, saved for the first time or on and on, nor posted; what else was typed
    stays to the letter."""
    post = reply(thread, answerer, f"I knew him.\n\n{LINE}\n\nNobody answered.")
    other = reply(thread, answerer, "Another had a garden there, for what it is worth.")
    quote = QUOTES[kind].replace("NUMBER", str(post.pk))
    typed_on = quoting(other, "a garden there") + "> Nobody answered.\n\nI doubt it."
    client, address = browser(opener), f"/threads/{thread.pk}/reply/"
    address += "" if hidden else f"?to={post.pk}"
    form = Form(client.get(address)).fields
    sent = {**form, "text": quote + typed_on, "target": address}
    texts = erasing.find(post, NAME).texts
    erasing.erase(user=administrator, post=post, words=NAME, reason="Order 7.", texts=texts)
    if hidden:
        states.hide(user=moderator, post=post, reason="So be it.")
    for _ in "12":
        assert client.post("/drafts/save/", sent).status_code == 200
        kept = Draft.objects.get(user=opener).text
        assert not names_somebody(kept) and "█" in kept
        assert "Quillfeather" not in kept
        assert kept.endswith(typed_on)
    page = client.post(address, {**sent, "do": "post"})
    assert page.status_code == 422
    again = Form(page).fields
    assert again["text"].replace("\r\n", "\n") == kept
    assert "Quillfeather" not in page.content.decode()
    assert client.post(address, {**again, "do": "post"}).status_code == 302
    assert anywhere("Quillfeather") == []


def test_quotes_of_what_stays_are_posted_as_they_are(thread, answerer, opener, administrator):
    post = reply(thread, answerer, f"I knew him.\n\n{LINE}\n\nNobody answered.")
    texts = erasing.find(post, NAME).texts
    erasing.erase(user=administrator, post=post, words=NAME, reason="Order 7.", texts=texts)
    texts = [
        quoting(post, "Nobody answered."),
        quoting(post, BLACK_LINE),
        quoting(post, "I knew him. […] Nobody answered."),
        quoting(post, "I never knew him."),
        "> I once knew somebody else of that name entirely.\n\nSo?",
    ]
    for text in texts:
        done = reply(thread, opener, text, to=post)
        assert "█" not in text.replace(BLACK_LINE, "")
        edit(done, text + " More.")
        client = browser(opener)
        sent = {"text": text, "target": f"/threads/{thread.pk}/reply/", "token": str(uuid4())}
        assert client.post("/drafts/save/", sent).status_code == 200
        assert Draft.objects.get(token=sent["token"]).text == text


def test_a_draft_that_was_erased_takes_no_word_back(thread, opener, answerer, administrator):
    """From the tab in which it is written: whatever field it stands in."""
    post = reply(thread, answerer, LINE)
    client, token = browser(opener), str(uuid4())
    sent = {
        "text": f"Did {NAME} know?", "title": f"What of {NAME}?", "change": f"{NAME} dies.",
        "target": "/threads/new/", "token": token,
    }  # fmt: skip
    client.post("/drafts/save/", sent)
    assert len(anywhere(NAME)) > 1
    texts = erasing.find(post, NAME).texts
    erasing.erase(user=administrator, post=post, words=NAME, reason="Order 7.", texts=texts)
    for same in ({}, {"token": str(uuid4()), "restored": token}):
        more = {**sent, **same, "text": f"Did {NAME} know? Who did?"}
        assert client.post("/drafts/save/", more).status_code == 200
        assert anywhere(NAME) == []
        draft = Draft.objects.get(token=more["token"])
        assert draft.text == "Did ████████ ████████████ know? Who did?"
        assert draft.fields["change"] == ["████████ ████████████ dies."]
