"""What starting a debate asks for, that nothing chosen is lost on the way, and where the questions
are that nobody has answered."""

import re
from importlib import import_module
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db import connection

from core.opened_texts import ChangedMeanwhile
from forum.actions import description, posts
from forum.actions.arguments import Tie
from forum.actions.composing import Unacceptable
from forum.checking.threads import check_thread
from forum.models import Board, Draft, Post, Question, Thread
from forum.models.threads import NOT_A_SLUG
from forum.urls import thread_urls
from forum.views.questions import unanswered
from tests.people import browser, dump, fresh, start, typed
from tests.views.test_queries import MEMBER, queries

pytestmark = pytest.mark.django_db
TABLES = (Draft, Post, Question, Thread)
TEXT = "It holds, and an army crosses.\n\nWho stops it? Nobody. Why so late? The usual reasons."
ASKED = ["Who stops it?", "Why so late?"]
OWN = "The siege fails, since nobody is left to feed it."


@pytest.fixture
def send(board, opener):
    """Call it with fields of the form of a new debate; gives the response."""

    def call(user=opener, **fields):
        given = {
            "board": board.slug,
            "title": "The bridge",
            "kind": "WI",
            "text": TEXT,
            "own_answer": OWN,
            "proposed": ASKED,
            "token": str(uuid4()),
        }
        sent = {name: value for name, value in {**given, **fields}.items() if value is not None}
        return browser(user).post("/threads/new/", sent)

    return call


# --- What is asked for ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "needed"),
    [
        ("WI", True),
        ("AHC", True),
        ("PC", True),
        ("DBWI", False),
        ("TL", False),
        ("discussion", False),
    ],
)
def test_an_own_answer_is_needed_by_kind(send, kind, needed):
    response = send(kind=kind, own_answer=" ")
    assert response.status_code == (422 if needed else 302)
    if needed:
        body = response.content.decode()
        assert 'id="own_answer-error">Write at least one consequence you expect, and why.<' in body
        assert not Thread.objects.exists()
        assert send(kind=kind).status_code == 302
    assert Thread.objects.get().own_answer == (OWN if needed else "")


@pytest.mark.parametrize(
    ("needs", "fields", "says"),
    [
        ({"own_answer_needed": "always"}, {"kind": "TL", "own_answer": ""}, "Write at least one"),
        ({"own_answer_needed": "never"}, {"own_answer": ""}, ""),
        ({"divergence_needed": True}, {}, "says where it leaves history"),
        ({"questions_needed": True}, {}, "tick a question"),
        ({"policy_needed": True}, {}, "Choose whether your premise may be challenged."),
        ({"policy_needed": True}, {"policy": "granted"}, ""),
        ({"questions_needed": True}, {"question": ASKED[:1]}, ""),
    ],
)
def test_boards_ask_for_more_or_less(send, board, moderator, needs, fields, says):
    Board.objects.filter(pk=board.pk).update(**needs)
    response = send(**fields)
    assert response.status_code == (422 if says else 302)
    if says:
        assert says in response.content.decode()
        assert not Thread.objects.exists()
        # Moderators of the board may do without.
        assert send(moderator, **fields).status_code == 302
    assert Thread.objects.count() == 1


def test_the_action_asks_for_it_too(board, opener):
    before = dump(*TABLES)
    with pytest.raises(Unacceptable):
        from forum.actions import threads

        threads.start(user=opener, board=board, title="T", kind="WI", source="Text.", token=uuid4())
    assert dump(*TABLES) == before


def test_the_own_answer_and_the_policy_stand_on_the_card(send, stranger):
    send(policy="granted", own_answer="One.\r\n\r\n<b>Two</b>.")
    thread = Thread.objects.get()
    assert (thread.policy, thread.own_answer) == ("granted", "One.\n\n<b>Two</b>.")
    body = browser(stranger).get(thread.get_absolute_url()).content.decode()
    assert "<dt>Own answer</dt>" in body
    assert "&lt;b&gt;Two&lt;/b&gt;" in body
    assert "<dt>Premise</dt><dd>Granted for argument’s sake</dd>" in body
    Post.objects.update(state="hidden")
    body = browser(stranger).get(thread.get_absolute_url()).content.decode()
    assert "&lt;b&gt;Two&lt;/b&gt;" not in body


def test_several_divergences_are_given_row_by_row(send):
    rows = {"change": "It holds.", "when": "c. 1924"}
    more = send(**rows, do="more", own_answer="", title="")
    page = typed(more)
    assert more.status_code == 200
    assert (page["more-TOTAL_FORMS"], page["change"], page["text"]) == ("1", "It holds.", TEXT)
    second = {"more-TOTAL_FORMS": "1", "more-0-change": "It falls.", "more-0-when": "soon"}
    wrong = send(**rows, **second)
    assert wrong.status_code == 422
    assert typed(wrong)["more-0-when"] == "soon"
    assert 'id="id_more-0-when-error"' in wrong.content.decode()
    assert send(**rows, **{**second, "more-0-when": "1936-39"}).status_code == 302
    assert [one["edtf"] for one in Thread.objects.get().card["divergences"]] == [
        "1924~",
        "1936/1939",
    ]


@pytest.mark.parametrize("count", ["9", "-1", "x", "9" * 30])
def test_a_count_of_rows_that_nobody_offered(send, count):
    assert send(**{"more-TOTAL_FORMS": count}).status_code in (302, 422)


def test_no_title_leads_to_another_page_of_the_debate(board, opener):
    words = {str(part.pattern).strip("/") for part in thread_urls}
    assert {word for word in words if word.isalpha()} <= NOT_A_SLUG
    for title in ("Outline", "New!", "Reply"):
        thread = start(board, opener, title=title)
        assert browser().get(thread.get_absolute_url()).status_code == 200
        assert title in browser().get(thread.get_absolute_url()).content.decode()


def by_the_upgrade(thread):
    module = import_module("forum.migrations.0054_address_of_the_atlas")
    module.give_way(apps, None)


def by_the_check(thread):
    assert [fault.kind for fault in check_thread(thread.pk, fix=True)] == ["slug"]


@pytest.mark.parametrize("heal", [by_the_upgrade, by_the_check])
def test_a_debate_called_atlas_before_there_was_one_is_read_again(board, opener, heal):
    thread = start(board, opener, title="Atlas", text="Suppose that Atlas shrugged.")
    Thread.objects.filter(pk=thread.pk).update(slug="atlas")
    before = fresh(thread)
    assert "Atlas shrugged" not in browser().get(before.get_absolute_url()).content.decode()
    heal(before)
    after = fresh(thread)
    assert after.slug == "atlas-debate" and after.version > before.version
    assert "Atlas shrugged" in browser().get(after.get_absolute_url()).content.decode()
    led_on = browser().get(f"/threads/{thread.pk}/")
    assert led_on.headers["Location"] == after.get_absolute_url()
    # Who comes by the old address meets the atlas, which leads to the debate.
    atlas = browser().get(f"/threads/{thread.pk}/atlas/").content.decode()
    assert f'href="{after.get_absolute_url()}"' in atlas


def test_administrators_say_at_the_desk_what_a_board_asks_for(board, administrator):
    address = f"/admin/forum/board/{board.pk}/change/"
    page = browser(administrator).get(address).content.decode()
    for name in ("own_answer_needed", "divergence_needed", "questions_needed", "policy_needed"):
        assert f'name="{name}"' in page


# --- Questions --------------------------------------------------------------------------------


def boxes(response) -> dict[str, bool]:
    """The questions that a page offers, each with whether it is ticked."""
    found = re.findall(
        r'<input type="checkbox" name="question" value="([^"]*)"( checked)?>',
        response.content.decode(),
    )
    return {text: bool(ticked) for text, ticked in found}


def test_questions_are_confirmed_before_the_debate_opens(send):
    response = send(proposed=None)
    assert response.status_code == 200
    assert boxes(response) == dict.fromkeys(ASKED, True)
    assert typed(response)["text"] == TEXT
    assert "One look before it opens" in response.content.decode()
    assert not Thread.objects.exists()
    assert send(question=ASKED[1:]).status_code == 302
    assert [one["text"] for one in Thread.objects.get().card["questions"]] == ASKED[1:]


def test_a_preview_offers_them_and_keeps_what_was_unticked(send):
    page = send(do="preview", proposed=ASKED[:1], question=[])
    assert boxes(page) == {ASKED[0]: False, ASKED[1]: True}
    assert not Thread.objects.exists()


def test_no_more_are_ticked_than_a_card_holds(send):
    text = " ".join(f"Is it {n}?" for n in range(14))
    page = send(text=text, proposed=None)
    assert sum(boxes(page).values()) == 10


def test_back_and_sent_again_opens_no_second_debate(send):
    first = send(question=ASKED)
    again = send(question=ASKED)
    assert first["Location"] == again["Location"]
    assert Thread.objects.count() == 1
    looked = str(Thread.objects.get().pk)
    assert send(title="Another bridge", looked=looked).status_code == 302
    assert Thread.objects.count() == 2


# --- Nothing is lost --------------------------------------------------------------------------


def test_a_draft_keeps_every_field_of_a_new_debate(send, opener, board):
    given = {
        "do": "draft",
        "kind": "AHC",
        "title": "",
        "change": "It holds.",
        "when": "some day",
        "place": "Rome",
        "policy": "granted",
        "more-TOTAL_FORMS": "1",
        "more-0-change": "It falls.",
        "question": ASKED[:1],
    }
    assert send(**given)["Location"] == "/drafts/"
    page = browser(opener).get("/threads/new/")
    found = typed(page)
    for name in ("change", "when", "place", "more-0-change"):
        assert found[name] == given[name], name
    assert (found["text"], found["own_answer"]) == (TEXT, OWN)
    body = page.content.decode()
    for chosen in (
        f'<option value="{board.slug}" selected>',
        'name="kind" value="AHC" checked',
        'name="policy" value="granted" checked',
    ):
        assert chosen in body, chosen
    assert boxes(page) == {ASKED[0]: True, ASKED[1]: False}


def test_a_draft_keeps_what_was_chosen_in_a_reply(thread, opener, answer, stranger):
    description.describe(user=opener, thread=thread, divergences=[], questions=ASKED[:1])
    question = Question.objects.get()
    target = f"/threads/{thread.pk}/reply/"
    sent = {
        "do": "draft",
        "to": str(answer.pk),
        "text": "No.",
        "lane": "meta",
        "stance": "evidence",
        f"answer-{question.pk}": "disputes",
        f"passage-{question.pk}": "1",
        "token": str(uuid4()),
    }
    client = browser(stranger)
    assert client.post(target, sent)["Location"] == "/drafts/"
    body = client.get(f"{target}?to={answer.pk}").content.decode()
    assert '<option value="meta" selected>' in body
    assert '<option value="evidence" selected>' in body
    assert '<option value="disputes" selected>' in body
    newest = client.get("/drafts/newest/", {"target": f"{target}?to={answer.pk}"}).json()
    assert newest["fields"]["lane"] == ["meta"]


@pytest.mark.parametrize("fields", [{"x": "a" * 30_000}, {f"f{n}": "a" for n in range(200)}])
def test_drafts_have_bounds(stranger, fields):
    sent = {"target": "/threads/new/", "token": str(uuid4()), "text": "T.", **fields}
    assert browser(stranger).post("/drafts/save/", sent).status_code == 422
    assert not Draft.objects.exists()


def test_a_draft_of_an_edit_remembers_what_it_was_begun_with(thread, answer, answerer):
    client = browser(answerer)
    target = f"/posts/{answer.pk}/edit/"
    sent = {"do": "draft", "text": "Older.", "base": "1", "token": str(uuid4())}
    client.post(target, sent)
    posts.edit(user=answerer, post=fresh(answer), source="Newer.", base=1)
    page = typed(client.get(target))
    assert (page["text"], page["base"]) == ("Older.", "1")
    assert client.post(target, {**page, "do": "save"}).status_code == 409


def test_two_who_describe_at_once_are_shown_both(thread, opener, moderator):
    address = f"/threads/{thread.pk}/describe/"
    opened = typed(browser(opener).get(address))["base"]
    form = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "0", "base": opened, "policy": "open"}
    mine = {**form, "form-0-change": "Mine.", "form-0-when": "1924"}
    theirs = {**form, "form-0-change": "Theirs.", "form-0-when": "1923"}
    assert browser(moderator).post(address, theirs).status_code == 302
    response = browser(opener).post(address, mine)
    assert response.status_code == 409
    page = typed(response)
    assert page["form-0-change"] == "Mine."
    assert page["base"] != opened
    assert "Theirs." in response.content.decode()
    assert fresh(thread).card["divergences"][0]["change"] == "Theirs."
    assert browser(opener).post(address, {**mine, "base": page["base"]}).status_code == 302
    assert fresh(thread).card["divergences"][0]["change"] == "Mine."
    with pytest.raises(ChangedMeanwhile):
        description.describe(user=opener, thread=thread, divergences=[], questions=[], base=opened)


def test_an_own_answer_is_its_authors_and_stays_where_it_is_needed(thread, opener, moderator):
    was = fresh(thread).own_answer
    assert was
    description.describe(
        user=moderator, thread=thread, divergences=[], questions=[], own_answer="Hers."
    )
    assert fresh(thread).own_answer == was
    with pytest.raises(Unacceptable):
        description.describe(
            user=opener, thread=thread, divergences=[], questions=[], own_answer=""
        )
    description.describe(
        user=opener, thread=thread, divergences=[], questions=[], own_answer="Mine."
    )
    assert fresh(thread).own_answer == "Mine."


def test_a_form_that_failed_gives_its_rows_back(thread, opener, settings):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(opener)
    sent = {"form-TOTAL_FORMS": "1", "form-0-change": "It holds.", "form-0-when": "1924"}
    response = client.post(
        f"/threads/{thread.pk}/describe/",
        {**sent, "own_answer": OWN},
        HTTP_SEC_FETCH_SITE="same-origin",
    )
    assert response.status_code == 403
    page = typed(response)
    for name in ("form-0-change", "form-0-when", "form-TOTAL_FORMS"):
        assert page[name] == sent[name], name
    assert page["own_answer"] == OWN


# --- Unanswered questions of the whole forum --------------------------------------------------


def asking(board, user, *questions) -> Thread:
    thread = start(board, user, title=f"Debate {Thread.objects.count()}")
    description.describe(user=user, thread=thread, divergences=[], questions=list(questions))
    return fresh(thread)


def listed(user=None, **query) -> list[str]:
    body = browser(user).get("/questions/", query).content.decode()
    return re.findall(r'<li dir="auto">(.*?)(?: <a |</li>)', body)


def test_what_nobody_answered_is_listed_newest_first(board, opener, stranger):
    thread = asking(board, opener, "One?", "Two?")
    asking(board, opener, "Three?")
    assert listed() == ["Three?", "One?", "Two?"]
    two = Question.objects.get(text="Two?")
    posts.reply(
        user=stranger, thread=thread, source="Yes.", token=uuid4(), ties=[Tie(two.pk, "agrees")]
    )
    assert listed() == ["Three?", "One?"]


def test_answer_it_opens_the_form_at_that_question(board, opener, stranger):
    thread = asking(board, opener, "One?", "Two?")
    two = Question.objects.get(text="Two?")
    address = f"/threads/{thread.pk}/reply/?question={two.pk}"
    for page in ("/questions/", thread.get_absolute_url()):
        assert address in browser(stranger).get(page).content.decode()
    body = browser(stranger).get(address).content.decode()
    # Before the text is what the form was opened for, the other question folded away below it.
    assert body.index(f'id="answer-{two.pk}"') < body.index("<textarea") < body.index("One?")
    assert "another question" in body and '<details class="answers">' in body
    chosen = re.search(rf'<select id="answer-{two.pk}".*?</select>', body)[0]
    assert '<option value="agrees" selected>' in chosen
    for nothing in ("0", "x", "9" * 30):
        body = browser(stranger).get(f"/threads/{thread.pk}/reply/?question={nothing}")
        assert "another question" not in body.content.decode()


def test_what_one_may_not_see_is_not_asked(board, inner_board, opener, moderator, stranger):
    asking(inner_board, moderator, "Inside?")
    hidden = asking(board, opener, "Hidden?")
    opening = asking(board, opener, "Opening hidden?")
    Thread.objects.filter(pk=hidden.pk).update(state="hidden")
    Post.objects.filter(thread=opening).update(state="hidden")
    assert listed(stranger) == listed() == []
    assert listed(moderator) == ["Inside?"]


def test_questions_are_read_page_by_page(board, opener):
    thread = asking(board, opener)
    Question.objects.bulk_create(
        Question(thread=thread, order=n, text=f"Is it {n}?") for n in range(1, 41)
    )
    few = queries(browser(), "/questions/?before=5")
    assert queries(browser(), "/questions/") == few <= MEMBER
    body = browser().get("/questions/").content.decode()
    older = int(re.search(r"\?before=(\d+)", body)[1])
    # One debate asks them all: each page holds the newest that are left, in the order asked.
    assert listed() == [f"Is it {n}?" for n in range(11, 41)]
    assert listed(before=older) == [f"Is it {n}?" for n in range(1, 11)]
    assert browser().get("/questions/?before=x").status_code == 404


def test_the_list_begins_with_the_questions(board, opener, board_moderator, moderator):
    """By their own index, not with all debates, of which few ask what nobody answered."""
    asking(board, opener, "One?", "Two?")
    for reader in (AnonymousUser(), opener, board_moderator, moderator):
        sql, given = unanswered(reader).select_related("thread__board")[:31].query.sql_with_params()
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL enable_seqscan = off")
            how = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
            cursor.execute(f"{how} {sql}", given)
            plan = "\n".join(str(row[-1]) for row in cursor)
        assert "question_unanswered" in plan, (reader, plan)
