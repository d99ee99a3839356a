"""Drafts as pages and as what the script saves: restored where they belong, gone once posted,
shown to nobody else."""

import re
from uuid import uuid4

import pytest

from accounts.models import Session
from forum.actions import drafts
from forum.models import Board, Draft, Post, Thread
from forum.moderation import states
from forum.text import markup
from tests.people import browser, dump, fresh, quoting, reply, start, typed

pytestmark = pytest.mark.django_db


def save(user, target: str, text="Some words.", *, token=None, **more):
    """What the script sends every few seconds."""
    token = str(token or uuid4())
    fields = {"target": target, "token": token, "text": text, **more}
    return browser(user).post("/drafts/save/", fields)


def kept(user) -> list[tuple[str, str]]:
    return list(Draft.objects.filter(user=user).order_by("pk").values_list("target", "text"))


@pytest.fixture
def targets(thread, answer, opener) -> dict[str, str]:
    own = thread.posts.get(number=3)
    return {
        "debate": f"/threads/{thread.pk}/reply/",
        "post": f"/threads/{thread.pk}/reply/?to={answer.pk}",
        "edit": f"/posts/{own.pk}/edit/",
        "start": "/threads/new/",
    }


NAMES = ("debate", "post", "edit", "start")


# --- Saved and restored -----------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_form_opens_with_what_was_typed_in_it(opener, targets, name):
    target = targets[name]
    text = "\n Leading, “kept”\r\nas <it> & is  "
    response = save(opener, target, text, title="A title")
    assert re.fullmatch(r"\d\d:\d\d", response.json()["saved_at"])
    page = browser(opener).get(target)
    assert typed(page)["text"].replace("\r\n", "\n") == text.replace("\r\n", "\n")
    assert "Your text was restored from the draft of" in page.content.decode()
    assert f'data-draft="{target}"' in page.content.decode()
    if name == "start":
        assert typed(page)["title"] == "A title"
    for other in set(targets.values()) - {target}:
        assert "was restored" not in browser(opener).get(other).content.decode()


def test_two_tabs_never_overwrite_each_other(opener, targets):
    target = targets["debate"]
    one, two = uuid4(), uuid4()
    for text, token in (("First", one), ("Second", two), ("First, more", one)):
        save(opener, target, text, token=token)
    assert [text for _, text in kept(opener)] == ["First, more", "Second"]
    assert typed(browser(opener).get(target))["text"] == "First, more"


def test_a_restored_draft_is_not_doubled(opener, targets):
    """The form that opened with it goes on under a token of its own."""
    target = targets["debate"]
    save(opener, target, "Some words")
    fields = typed(browser(opener).get(target))
    assert fields["token"] != fields["restored"]
    for text in ("Some words more", "Some words more still"):
        again = {name: fields[name] for name in ("restored", "restored_at", "token")}
        save(opener, target, text, **again)
    assert kept(opener) == [(target, "Some words more still")]


def test_a_tab_that_writes_on_keeps_its_draft_when_another_posts(opener, targets, thread):
    target, first = targets["debate"], uuid4()
    save(opener, target, "Words of the first tab", token=first)
    second = typed(browser(opener).get(target))
    save(opener, target, "Words of the first tab, written on", token=first)
    response = browser(opener).post(target, second | {"do": "post"})
    assert response.status_code == 302
    assert [text for _, text in kept(opener)] == ["Words of the first tab, written on"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("previews", [0, 2])
def test_gone_once_it_is_posted(opener, targets, board, name, previews):
    target = targets[name]
    save(opener, target, "Some words.", title="A title")
    page = browser(opener).get(target)
    for _ in range(previews):
        page = browser(opener).post(target, typed(page) | extra(board, "preview"))
        assert page.status_code == 200
        assert "Not posted yet." in page.content.decode()
        assert typed(page)["text"] == "Some words."
    response = browser(opener).post(target, typed(page) | extra(board, "post"))
    assert response.status_code == 302, response.content.decode()
    assert kept(opener) == []
    # A cookie tells the script that the browser's copy is not needed any more.
    assert typed(page)["token"] in response.cookies["settled"].value.split(".")
    assert "was restored" not in browser(opener).get(target).content.decode()


def extra(board: Board, do: str) -> dict:
    return {"do": do, "board": board.slug, "kind": "TL", "reason": "", "title": "A title"}


def test_saved_again_while_previewed_it_is_gone_as_well(opener, targets, thread):
    """The script of the page that shows the preview goes on saving."""
    target = targets["debate"]
    save(opener, target, "Some words.")
    fields = typed(browser(opener).get(target))
    page = browser(opener).post(target, fields | {"do": "preview"})
    fields = typed(page)
    again = {name: fields[name] for name in ("restored", "restored_at", "token")}
    save(opener, target, "Some words, and more.", **again)
    browser(opener).post(target, fields | {"do": "post", "text": "Some words, and more."})
    assert kept(opener) == []


def test_an_expired_session_keeps_what_was_saved(opener, targets):
    target = targets["debate"]
    client = browser(opener)
    fields = {"target": target, "token": str(uuid4()), "text": "Some words."}
    client.post("/drafts/save/", fields)
    Session.objects.all().delete()
    response = client.post("/drafts/save/", fields | {"text": "Some words, more."})
    assert response.status_code in (302, 403)
    assert typed(browser(opener).get(target))["text"] == "Some words."


def test_a_lock_keeps_the_draft(opener, targets, thread, moderator):
    save(opener, targets["debate"])
    states.lock(user=moderator, thread=thread, reason="Settled.")
    assert browser(opener).get(targets["debate"]).status_code == 403
    assert "Some words." in browser(opener).get("/drafts/").content.decode()
    # What is typed in a form that was open is still kept.
    assert save(opener, targets["debate"], "More words.").status_code == 200


def test_a_draft_and_words_quoted_just_now(opener, targets, answer):
    save(opener, targets["debate"], "Some words.")
    page = browser(opener).get(f"{targets['debate']}?quote={answer.pk}.1")
    text = typed(page)["text"].replace("\r\n", "\n")
    assert text.startswith("Some words.\n\n[quote=")
    assert "The party obeyed nobody." in text


# --- Without JavaScript -----------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_button_that_keeps_a_draft(opener, targets, board, name):
    target = targets[name]
    fields = typed(browser(opener).get(target)) | extra(board, "draft")
    response = browser(opener).post(target, fields | {"text": "Kept by hand."})
    assert response["Location"] == "/drafts/"
    assert kept(opener) == [(target, "Kept by hand.")]
    # Opened, written on and kept again it is still one.
    fields = typed(browser(opener).get(target)) | extra(board, "draft")
    assert fields["text"] == "Kept by hand."
    browser(opener).post(target, fields | {"text": "Kept by hand, twice."})
    assert kept(opener) == [(target, "Kept by hand, twice.")]


def test_the_button_says_what_it_could_not_keep(opener, targets):
    target = targets["debate"]
    fields = typed(browser(opener).get(target)) | {"do": "draft"}
    long = "x" * (markup.MAX_SOURCE + 1)
    page = browser(opener).post(target, fields | {"text": long})
    assert page.status_code == 422
    assert "A draft holds at most 60,000 characters." in page.content.decode()
    assert typed(page)["text"] == long
    for number in range(drafts.MAX_DRAFTS):
        save(opener, "/threads/new/", f"Number {number}")
    page = browser(opener).post(target, fields | {"text": "One more."})
    assert page.status_code == 422
    assert "You keep 50 drafts already. Post or discard one first." in page.content.decode()
    assert typed(page)["text"] == "One more."
    assert len(kept(opener)) == drafts.MAX_DRAFTS


def test_the_script_hears_the_same(opener, targets):
    answer = save(opener, targets["debate"], "x" * (markup.MAX_SOURCE + 1))
    assert (answer.status_code, "60,000 characters" in answer.json()["error"]) == (422, True)
    answer = save(opener, targets["debate"], "nul \0")
    assert (answer.status_code, "NUL" in answer.json()["error"]) == (422, True)
    for number in range(drafts.MAX_DRAFTS):
        save(opener, targets["debate"], f"Number {number}")
    answer = save(opener, targets["debate"], "One more.")
    assert (answer.status_code, "50 drafts already" in answer.json()["error"]) == (422, True)
    assert len(kept(opener)) == drafts.MAX_DRAFTS


# --- One list ---------------------------------------------------------------------------------


def test_the_list_and_what_is_discarded(opener, stranger, targets, thread):
    for name in NAMES:
        save(opener, targets[name], f"Words <for> {name}")
    save(stranger, targets["debate"], "Another's words")
    html = browser(opener).get("/drafts/").content.decode()
    assert "Another's words" not in html
    for name in NAMES:
        assert f"Words &lt;for&gt; {name}" in html
        assert f'href="{targets[name]}"' in html
    said = re.findall(r'<h3><a href="[^"]*"[^>]*>(.*?)</a>', html)
    assert said == [  # newest first
        "A new debate",
        f"Edit of #3 in {thread.title}",
        f"Answer to #2 in {thread.title}",
        f"Answer to {thread.title}",
    ]
    other = Draft.objects.get(user=stranger)
    assert browser(opener).post(f"/drafts/{other.token}/discard/").status_code in (302, 404)
    assert Draft.objects.filter(pk=other.pk).exists()
    mine = Draft.objects.filter(user=opener).first()
    assert browser(opener).get(f"/drafts/{mine.token}/discard/").status_code == 405
    assert browser(opener).post(f"/drafts/{mine.token}/discard/")["Location"] == "/drafts/"
    assert not Draft.objects.filter(pk=mine.pk).exists()
    assert len(kept(opener)) == 3


def test_the_form_that_was_restored_can_discard(opener, targets):
    save(opener, targets["debate"])
    html = browser(opener).get(targets["debate"]).content.decode()
    (address,) = re.findall(r'id="discard-draft" method="post" action="([^"]+)"', html)
    browser(opener).post(address)
    assert kept(opener) == []


def test_visitors_have_no_drafts(targets, opener):
    before = dump(Draft)
    assert browser().get("/drafts/").status_code in (302, 403)
    assert browser().post("/drafts/save/", {"target": targets["debate"]}).status_code in (302, 403)
    assert browser().get("/drafts/newest/?target=/threads/new/").status_code in (302, 403)
    assert dump(Draft) == before


def test_foreign_forms_keep_nothing(opener, targets):
    client = browser(opener, enforce_csrf_checks=True)
    fields = {"target": targets["debate"], "token": str(uuid4()), "text": "x"}
    assert client.post("/drafts/save/", fields).status_code == 403
    assert kept(opener) == []


# --- What it may be for -----------------------------------------------------------------------


def test_targets_that_are_not_there(
    opener, stranger, thread, answer, other_board, inner_board, moderator, targets
):
    elsewhere = start(other_board, stranger, title="Another one")
    inner = start(inner_board, moderator, title="Behind doors")
    secret = inner.posts.get()
    hidden = reply(thread, opener)
    states.hide(user=moderator, post=hidden, reason="Off the point.")
    for target in (
        "",
        "/",
        "/threads/new",
        "/threads/new/?board=x",
        "https://example.org/threads/new/",
        "/threads/1/reply/x",
        f"/threads/{'9' * 30}/reply/",
        f"/threads/{10**9}/reply/",
        f"/threads/{thread.pk}/reply/?to={10**9}",
        f"/threads/{thread.pk}/reply/?to={elsewhere.posts.get().pk}",
        f"/threads/{inner.pk}/reply/",
        f"/threads/{inner.pk}/reply/?to={secret.pk}",
        f"/threads/{thread.pk}/reply/?to={secret.pk}",
        f"/threads/{thread.pk}/reply/?to={hidden.pk}",
        f"/posts/{secret.pk}/edit/",
        f"/posts/{hidden.pk}/edit/",
        f"/posts/{10**9}/edit/",
        "nul \0",
    ):
        assert save(stranger, target).status_code == 404, target
    assert save(stranger, f"/posts/{answer.pk}/edit/").status_code == 403
    for token in ("", "x", "1234"):
        assert save(stranger, targets["debate"], token=token or "-").status_code == 404
    assert kept(stranger) == []


@pytest.mark.parametrize("target", ["", "x", "nul \0", "/drafts/", "/threads/1/reply/?to=x"])
def test_nothing_newest_for_what_is_no_form(opener, target):
    assert browser(opener).get("/drafts/newest/", {"target": target}).status_code == 404


def test_the_newest_for_a_form_that_came_without(opener, stranger, targets):
    """The page of a debate is drawn without asking for drafts; its script asks."""
    target = targets["debate"]
    client = browser(opener)
    assert client.get("/drafts/newest/", {"target": target}).json() == {}
    save(opener, target, "Some words.")
    found = client.get("/drafts/newest/", {"target": target}).json()
    draft = Draft.objects.get()
    assert (found["text"], found["restored"]) == ("Some words.", str(draft.token))
    save(
        opener, target, "Some words and more.", **{k: found[k] for k in ("restored", "restored_at")}
    )
    assert kept(opener) == [(target, "Some words and more.")]
    assert browser(stranger).get("/drafts/newest/", {"target": target}).json() == {}


@pytest.mark.parametrize(
    "moment",
    [
        "",
        "x",
        "2026-13-45T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-01-01T00:00:00",
        "nul \0",
    ],
)
def test_junk_about_what_was_restored(opener, targets, thread, moment):
    """It takes nothing away, and keeps nothing from being saved or posted."""
    target = targets["debate"]
    old = uuid4()
    save(opener, target, "Old words.", token=old)
    more = {"restored": str(old), "restored_at": moment}
    assert save(opener, target, "New words.", **more).status_code == 200
    assert len(kept(opener)) == 2
    fields = {"text": "New words.", "token": str(uuid4()), "do": "post", **more}
    assert browser(opener).post(target, fields).status_code == 302
    fields = {"text": "New words.", "token": str(uuid4()), "do": "post", "restored": "x"}
    assert browser(opener).post(target, fields).status_code == 302
    assert kept(opener)[0] == (target, "Old words.")


def test_a_draft_of_a_debate_that_vanished_keeps_its_words(opener, targets, thread):
    save(opener, targets["debate"])
    Thread.objects.filter(pk=thread.pk).update(state="hidden")
    assert browser(opener).get(targets["debate"]).status_code == 404
    assert "Some words." in browser(opener).get("/drafts/").content.decode()


def test_saving_drafts_changes_nothing_else(opener, targets, answer):
    before = dump(Post, Thread, Board)
    save(opener, targets["post"], quoting(answer, "The party obeyed nobody."))
    browser(opener).get("/drafts/")
    assert dump(Post, Thread, Board) == before
    assert fresh(opener).drafts.count() == 1
