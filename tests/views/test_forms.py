"""Forms that are filled in wrongly, by people, scripts and slow networks: a clear error, the text
given back as it was typed, never a failure of ours, and nothing changed."""

import re
from uuid import uuid4

import pytest
from django.middleware.csrf import _get_new_csrf_string

from forum.actions import threads
from forum.models import Board, Draft, Post, PostRevision, Quote, Submission, Thread
from forum.moderation import states
from tests.people import browser, dump, fresh, pending, quoting, reply, start, typed

pytestmark = pytest.mark.django_db
TABLES = (Board, Draft, Post, PostRevision, Quote, Submission, Thread)
# Every byte of it matters: leading line breaks, blanks at ends, markup, what HTML would eat.
TEXT = (
    '\n\n  Leading, "quotes" & <b>marks</b> </textarea> &amp;\t\n\n\n[quote="x"]é 日本 🜨\nend  \n '
)
TEXT = TEXT + "[/quote]\n\nMy own words."


def same(shown: str, given: str) -> bool:
    """Whether a browser that shows `shown` shows `given`: line breaks count as one kind."""
    return shown.replace("\r\n", "\n") == given.replace("\r\n", "\n")


@pytest.fixture
def forms(thread, opener):
    """Every form that takes a text: its address and what one of its author's pages would send."""
    post = thread.posts.get(number=3)
    return {
        "reply": (f"/threads/{thread.pk}/reply/", {"text": TEXT, "token": str(uuid4())}),
        "edit": (f"/posts/{post.pk}/edit/", {"text": TEXT, "base": "1", "token": str(uuid4())}),
        "start": (
            "/threads/new/",
            {
                "board": thread.board.slug,
                "title": "Another one",
                "kind": "TL",
                "text": TEXT,
                "token": str(uuid4()),
            },
        ),
    }


NAMES = ("reply", "edit", "start")


# --- Wrong values -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ""),
        (" \t ", ""),
        ("nul \0 here", "ull character"),
        ("x" * 100_000, "60,000 characters"),
        ("*" * 6000, "markup signs"),
        ("> only a quote", "of your own"),
    ],
)
def test_texts_that_are_not_taken(opener, forms, name, text, says):
    where, fields = forms[name]
    before = dump(*TABLES)
    for do in ("post", "preview"):
        response = browser(opener).post(where, {**fields, "text": text, "do": do})
        assert response.status_code == 422
        assert says in response.content.decode()
        assert same(typed(response)["text"], text)
    assert dump(*TABLES) == before


@pytest.mark.parametrize("name", ["reply", "start"])
@pytest.mark.parametrize("token", [None, "", "x", "0" * 40])
def test_a_form_without_its_token_comes_back_with_one(opener, forms, name, token):
    where, fields = forms[name]
    fields = {**fields, "token": token}
    if token is None:
        del fields["token"]
    client = browser(opener)
    before = dump(*TABLES)
    response = client.post(where, fields)
    assert response.status_code == 422
    assert dump(*TABLES) == before
    again = typed(response)
    assert same(again["text"], TEXT)
    # What came back can be sent as it is.
    assert client.post(where, {**fields, "token": again["token"]}).status_code == 302


def test_an_edit_without_its_base(opener, forms):
    where, fields = forms["edit"]
    before = dump(*TABLES)
    for base in ("", "x", "-1", "0", "9" * 30):
        response = browser(opener).post(where, {**fields, "base": base})
        assert response.status_code in (409, 422), base
        assert same(typed(response)["text"], TEXT)
    assert dump(*TABLES) == before


def test_an_edit_without_its_token_is_saved_all_the_same(opener, forms):
    """The token of an edit only names its draft; two saves of one text are one."""
    where, fields = forms["edit"]
    del fields["token"]
    assert browser(opener).post(where, fields).status_code == 302


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("board", ["", "nowhere", "closed", "\0", "x" * 500, "after-1900\0"]),
        ("title", ["", "  ", "x" * 161, "x" * 500, "nul \0", "turned \u202e"]),
        ("kind", ["", "XX", "\0"]),
    ],
)
def test_a_debate_with_something_wrong(opener, forms, inner_board, field, values):
    where, fields = forms["start"]
    before = dump(*TABLES)
    for value in values:
        response = browser(opener).post(where, {**fields, field: value})
        assert response.status_code == 422, value
        shown = typed(response)
        assert same(shown["text"], TEXT)
        assert shown["title"] == (value if field == "title" else "Another one")
    assert dump(*TABLES) == before


@pytest.mark.parametrize("title", ["", "  ", "x" * 161, "nul \0", "turned \u202e"])
def test_a_new_title_that_is_not_taken(opener, thread, title):
    response = browser(opener).post(
        f"/threads/{thread.pk}/rename/", {"title": title, "reason": "Better."}
    )
    assert response.status_code == 422
    assert (typed(response)["title"], typed(response)["reason"]) == (title, "Better.")
    assert fresh(thread).title == thread.title


@pytest.mark.parametrize(
    "reason", ["nul \0", "half \ud800".encode("utf-16", "surrogatepass"), "x" * 5000]
)
def test_reasons_that_cannot_be_kept(opener, answerer, thread, answer, reason):
    edit = {"text": "Other.", "base": "1", "reason": reason}
    for client, where, fields in (
        (browser(answerer), f"/posts/{answer.pk}/edit/", edit),
        (browser(answerer), f"/posts/{answer.pk}/withdraw/", {"reason": reason}),
        (browser(opener), f"/threads/{thread.pk}/rename/", {"title": "T", "reason": reason}),
    ):
        response = client.post(where, fields)
        assert response.status_code in (302, 422), where


def test_closing_needs_to_be_said(opener, thread):
    threads.close(user=opener, thread=thread, closed=True)
    browser(opener).post(f"/threads/{thread.pk}/close/", {"do": "what?"})
    browser(opener).post(f"/threads/{thread.pk}/close/")
    assert fresh(thread).closed_by_author


JUNK = ["0", "-1", "99999999999", "x", "1.5", "１", "", "\0", "9" * 40, "1'", "²"]


def test_addresses_with_junk(thread, answer, opener):
    asked = [f"{thread.get_absolute_url()}?{key}=" for key in ("page", "view", "fold")]
    asked += [f"/threads/{thread.pk}/reply/?{key}=" for key in ("quote", "to")]
    asked += [f"/posts/{answer.pk}/?{key}=" for key in ("p", "view")]
    asked += [f"/posts/{answer.pk}/{key}=" for key in ("quotes/?before", "road/?page")]
    asked += [f"/posts/{answer.pk}/history/?{key}=" for key in ("rev", "at")]
    asked += [f"/boards/after-1900/?{key}=" for key in ("before", "order", "kind", "only")]
    asked += [f"/members/opener/?{key}=" for key in ("before",)]
    asked += ["/threads/new/?board=", "/theme/?next=", "/drafts/newest/?target="]
    before = dump(*TABLES)
    for client in (browser(), browser(opener)):
        for where in asked:
            pairs = zip(JUNK, reversed(JUNK), strict=True) if "boards" in where else ()
            for junk in [*JUNK, *(f"{one}-{other}" for one, other in pairs)]:
                # The value as it is, percent-encoded by the client.
                path, _, query = where.partition("?")
                response = client.get(path, {query.removesuffix("="): junk})
                assert response.status_code in (200, 302, 404), (where, junk)
    for path in (
        f"/posts/{'9' * 30}/",
        f"/threads/{'9' * 30}/",
        f"/threads/{'9' * 30}/reply/",
        "/members/%00/",
        "/members/%ff/",
        "/boards/%00/",
        f"/threads/{thread.pk}/%00/",
        f"/threads/{thread.pk}/{'x' * 3000}/",
    ):
        assert browser(opener).get(path).status_code in (301, 302, 404), path
    assert dump(*TABLES) == before


@pytest.mark.parametrize("to", ["x", "0", "-1", "9" * 30, "999999", "\0"])
def test_an_answer_to_what_is_not_there_keeps_the_text(opener, forms, to):
    where, fields = forms["reply"]
    before = dump(*TABLES)
    response = browser(opener).post(where, {**fields, "to": to})
    assert response.status_code in (404, 422)
    assert same(typed(response)["text"], TEXT)
    assert dump(*TABLES) == before


def test_an_answer_to_a_post_of_another_debate_keeps_the_text(board, opener, forms):
    where, fields = forms["reply"]
    elsewhere = start(board, opener, title="Elsewhere").posts.get()
    before = dump(*TABLES)
    response = browser(opener).post(where, {**fields, "to": elsewhere.pk})
    assert response.status_code == 409
    assert "is now in “Elsewhere”" in response.content.decode()
    assert f'action="/threads/{elsewhere.thread_id}/reply/"' in response.content.decode()
    assert same(typed(response)["text"], TEXT)
    assert dump(*TABLES) == before


def test_an_answer_is_never_put_elsewhere_than_its_writer_meant(
    thread, answer, opener, moderator, forms
):
    """A moderator still reads what was hidden, and one's own waiting post is there: neither can be
    answered, and the answer must not end as one to the opening."""
    states.hide(user=moderator, post=answer, reason="Off the point.")
    waiting = pending(thread, opener)
    where, fields = forms["reply"]
    before = dump(*TABLES)
    for user, post in ((moderator, answer), (opener, waiting)):
        response = browser(user).post(where, {**fields, "to": post.pk})
        assert response.status_code == 403
        assert same(typed(response)["text"], TEXT)
    assert dump(*TABLES) == before


# --- Preview ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_preview_shows_and_stores_nothing(opener, forms, name, answer):
    where, fields = forms[name]
    text = quoting(answer, "The party obeyed nobody.", then="**Bold** claim.")
    before = dump(*TABLES)
    response = browser(opener).post(where, {**fields, "text": text, "do": "preview"})
    body = response.content.decode()
    assert response.status_code == 200
    assert "<strong>Bold</strong> claim." in body
    assert 'data-status="exact"' in body
    assert same(typed(response)["text"], text)
    assert dump(*TABLES) == before
    # And what was previewed can be posted as it stands.
    sent = {**fields, **{k: v for k, v in typed(response).items() if k in ("token", "base")}}
    assert browser(opener).post(where, {**sent, "text": text}).status_code == 302


def test_a_preview_of_an_edit_is_what_the_edit_becomes(thread, answer, opener, answerer):
    post = reply(thread, opener, "Nothing yet.", to=answer)
    text = "> The party obeyed nobody.\n\nSo it is."
    where = f"/posts/{post.pk}/edit/"
    page = browser(opener).post(where, {"text": text, "base": "1", "do": "preview"})
    assert 'data-status="exact"' in page.content.decode()
    browser(opener).post(where, {"text": text, "base": "1"})
    assert Quote.objects.get(post=post).verdict == "exact"


def test_a_preview_says_where_else_the_words_stand(thread, answer, opener, answerer, forms):
    """And naming a post chooses it. Nothing is said where the choice is made."""
    words = "The party obeyed nobody."
    copy = reply(thread, answerer, f"Once more:\n\n{words}\n\nI insist.")
    where, fields = forms["reply"]
    fields = {**{k: v for k, v in fields.items() if k != "to"}, "do": "preview"}

    def previewed(text, **more):
        page = browser(opener).post(where, {**fields, "text": text, **more})
        assert page.status_code == 200
        return page.content.decode()

    body = previewed(f"> {words}\n\nNo.")
    assert f"The words of quote 1 are taken from #{answer.number} and also stand in" in body
    assert f'<a href="/posts/{copy.pk}/">#{copy.number}</a>' in body
    assert f"[quote=#{copy.number}]" in body
    # So too where the copy is answered: from there back to who wrote it first.
    assert f"[quote=#{answer.number}]" in previewed(f"> {words}\n\nNo.", to=copy.pk)
    chosen = f"[quote=#{copy.number}]\n{words}\n[/quote]\n\nNo."
    assert "also stand in" not in previewed(chosen)
    browser(opener).post(where, {**fields, "text": chosen, "do": "post"})
    assert Quote.objects.latest("pk").source_post == copy


# --- Twice, too fast, too late ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["reply", "start"])
def test_a_double_click(opener, forms, name):
    where, fields = forms[name]
    client = browser(opener)
    first, again = client.post(where, fields), client.post(where, fields)
    assert first.status_code == again.status_code == 302
    assert first["Location"] == again["Location"]
    assert Submission.objects.filter(token=fields["token"]).count() == 1


@pytest.mark.parametrize("name", NAMES)
def test_writing_too_fast_keeps_the_text(opener, forms, name, settings):
    settings.POSTS_PER_MINUTE = settings.STARTS_PER_HOUR = 1
    where, fields = forms[name]
    before = dump(*TABLES)
    response = browser(opener).post(where, fields)
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert same(typed(response)["text"], TEXT)
    assert typed(response)["token"] == fields["token"]
    assert dump(*TABLES) == before


@pytest.mark.parametrize("name", NAMES)
def test_too_many_previews_keep_the_text(opener, forms, name, settings):
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "preview": "1/m/user"}
    where, fields = forms[name]
    client = browser(opener)
    client.post(where, {**fields, "do": "preview"})
    response = client.post(where, {**fields, "do": "preview"})
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert same(typed(response)["text"], TEXT)


def test_a_lock_meanwhile_keeps_the_text(thread, opener, moderator, forms):
    states.lock(user=moderator, thread=thread)
    for name in ("reply", "edit"):
        where, fields = forms[name]
        response = browser(opener).post(where, fields)
        assert response.status_code == 403
        assert same(typed(response)["text"], TEXT)


def test_a_second_tab_gets_both_texts(opener, forms):
    where, fields = forms["edit"]
    client = browser(opener)
    client.post(where, {"text": "From the first tab.", "base": "1"})
    response = client.post(where, fields)
    assert response.status_code == 409
    shown = re.search(r'<p class="preview".*?</p>', response.content.decode(), re.S)[0]
    theirs = re.sub("<ins>.*?</ins>", "", shown, flags=re.S)
    assert "From the first tab." in re.sub("<[^>]*>", "", theirs)
    shown = typed(response)
    assert same(shown["text"], TEXT)
    assert shown["base"].startswith("2.")
    # Having seen both, the writer may save over it.
    assert client.post(where, {**fields, "base": shown["base"]}).status_code == 302
    assert Post.objects.get(number=3, thread__author=opener).revisions.count() == 3


def sent_from(client, where, fields, **headers):
    return client.post(where, fields, headers=headers)


@pytest.mark.parametrize("name", NAMES)
def test_a_stale_form_of_ours_can_be_sent_again(opener, forms, name):
    where, fields = forms[name]
    client = browser(opener, enforce_csrf_checks=True)
    before = dump(*TABLES)
    response = sent_from(client, where, fields, origin="http://testserver")
    assert response.status_code == 403
    shown = typed(response)
    assert same(shown["text"], TEXT)
    assert dump(*TABLES) == before
    sendable = {key: shown[key] for key in (*fields, "csrfmiddlewaretoken")} | {"text": TEXT}
    assert sent_from(client, where, sendable, origin="http://testserver").status_code == 302


@pytest.mark.parametrize("name", NAMES)
def test_a_form_of_another_site_gets_no_token(opener, forms, name):
    where, fields = forms[name]
    for headers in (
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {},
        {"origin": "http://testserver", "sec-fetch-site": "same-site"},
    ):
        client = browser(opener, enforce_csrf_checks=True)
        response = sent_from(client, where, fields, **headers)
        assert response.status_code == 403
        shown = typed(response)
        assert same(shown["text"], TEXT)
        # The page's own small forms (theme) may hold a token; the text's form must not.
        body = response.content.decode()
        around = body[body.rindex("<form", 0, body.index("<textarea")) :]
        assert "csrfmiddlewaretoken" not in around[: around.index("</form>")]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("checks", [True, False])
def test_an_expired_session_keeps_the_text(forms, name, checks):
    where, fields = forms[name]
    client = browser(enforce_csrf_checks=checks)
    secret = _get_new_csrf_string()
    client.cookies["csrftoken"] = secret
    before = dump(*TABLES)
    response = client.post(where, {**fields, "csrfmiddlewaretoken": secret})
    assert response.status_code == 403
    assert same(typed(response)["text"], TEXT)
    assert "Sign in" in response.content.decode()
    assert dump(*TABLES) == before


def test_a_form_larger_than_any_post(opener, forms):
    where, fields = forms["reply"]
    response = browser(opener).post(where, {**fields, "text": "x" * 3_000_000})
    assert response.status_code == 400
    response = browser(opener).post(where, {f"f{n}": "x" for n in range(600)})
    assert response.status_code == 400


# --- Where forms lead -------------------------------------------------------------------------


def test_where_a_reply_leads(opener, thread, answer, forms):
    where, fields = forms["reply"]
    response = browser(opener).post(where, {**fields, "to": answer.pk})
    made = Post.objects.latest("pk")
    assert (made.parent, made.author) == (answer, opener)
    assert response["Location"] == f"{thread.get_absolute_url()}#post-{made.pk}"


@pytest.mark.parametrize(
    "back",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\0", ""],
)
def test_the_theme_form_leads_nowhere_else(opener, back):
    for client in (browser(), browser(opener)):
        response = client.post("/theme/", {"theme": "dark", "next": back})
        assert response["Location"] == "/"


def test_fields_that_are_not_in_a_form_change_nothing(opener, stranger, thread, forms):
    where, fields = forms["reply"]
    extra = {
        "author": stranger.pk,
        "number": 99,
        "tree_id": 1,
        "state": "hidden",
        "is_staff": "1",
        "parent": 1,
        "thread": 99,
    }
    browser(opener).post(where, {**fields, **extra})
    made = Post.objects.latest("pk")
    assert (made.author, made.number, made.tree_id, made.state, made.thread) == (
        *(opener, 5, made.pk, "visible", thread),
    )
    assert not fresh(opener).is_staff


def test_a_quote_opens_the_reply_with_the_words(opener, thread, answer):
    page = browser(opener).get(f"/threads/{thread.pk}/reply/?to={answer.pk}&quote={answer.pk}.2")
    assert typed(page)["text"] == (
        f'[quote="answerer, post: {answer.pk}"]\nIt had a secretary, after all.\n[/quote]\n\n'
    )
    made = reply(thread, opener, typed(page)["text"] + "Had it?", to=answer)
    assert Quote.objects.get(post=made).verdict == "exact"
