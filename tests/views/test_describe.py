"""Saying where a debate leaves history: while it is opened, afterwards, and how it is shown."""

import re
from html import unescape
from uuid import uuid4

import pytest

from forum.actions import description
from forum.actions.divergences import read_divergence
from forum.models import AuditEntry, Divergence, Draft, Post, Question, Thread
from forum.moderation import states
from tests.actions.test_debate import laid_out
from tests.people import browser, dump, fresh, make_member, reply, typed
from tests.views.test_queries import MEMBER, queries

pytestmark = pytest.mark.django_db
TABLES = (AuditEntry, Divergence, Draft, Post, Question, Thread)
TEXT = "It holds, and an army crosses.\n\nWho stops it? Nobody. Why so late? The usual reasons."
ASKED = ["Who stops it?", "Why so late?"]
SOME_DAY = "the day before yesterday"


def words(response) -> str:
    """What a page says, without its markup."""
    body = re.sub(r"<(script|style)\b.*?</\1>", "", response.content.decode(), flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def errors(response) -> dict[str, str]:
    """What a page says about each of its fields, by the field's id."""
    found = re.findall(r'id="([\w-]+)-error">(.*?)</', response.content.decode())
    body = response.content.decode()
    for field, _ in found:
        assert re.search(rf'<\w+ id="{field}"[^>]*aria-invalid="true"', body), field
        assert re.search(rf'<\w+ id="{field}"[^>]*aria-describedby="[^"]*{field}-error', body), (
            field
        )
        assert f'href="#{field}"' in body, f"{field} is not in the summary"
    return {field: unescape(said) for field, said in found}


# --- Opening a debate -------------------------------------------------------------------------


@pytest.fixture
def starts(board, opener):
    """Call it with fields of the form; gives the response."""

    def send(**fields):
        given = {"board": board.slug, "title": "The bridge", "kind": "TL", "text": TEXT}
        given["proposed"] = ASKED
        return browser(opener).post("/threads/new/", {**given, "token": str(uuid4()), **fields})

    return send


def test_a_debate_without_a_divergence_starts_as_before(starts):
    assert starts(change="", when="", place=" ", actor="").status_code == 302
    thread = Thread.objects.get()
    assert thread.card == laid_out(thread) == {}


def test_a_debate_with_a_divergence(starts, stranger):
    response = starts(
        change="The bridge holds.", when="march 44 BC", place="Rome", actor="Horatius"
    )
    thread = Thread.objects.get()
    assert response["Location"] == thread.get_absolute_url()
    assert thread.card == laid_out(thread)
    (one,) = thread.card["divergences"]
    assert (one["change"], one["place"], one["actor"]) == ("The bridge holds.", "Rome", "Horatius")
    assert (one["edtf"], one["by_editor"]) == ("-0043-03", False)
    page = words(browser(stranger).get(thread.get_absolute_url()))
    assert (
        "What changes The bridge holds. When March 44 BC Where Rome On the map Who Horatius" in page
    )
    assert "dated by the editor" not in page


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"change": "It holds."}, {"when": "Say when, as well as you know"}),
        ({"when": "1924"}, {"change": "Say what changes."}),
        ({"place": "Rome"}, {"change": "Say what changes.", "when": "Say when"}),
        ({"change": "It holds.", "when": SOME_DAY}, {"when": f"“{SOME_DAY}”"}),
        ({"change": "It holds.", "when": "29 February 1900"}, {"when": "no day 29"}),
        ({"change": "It holds.", "when": "1904-05"}, {"when": "can mean"}),
        ({"change": "c" * 301, "when": "1924"}, {"change": "at most 300 characters"}),
        ({"change": "It", "when": "1924", "place": "p" * 121}, {"place": "at most 120 char"}),
        ({"change": "It", "when": "1924", "actor": "a\0b"}, {"actor": "ull characters"}),
    ],
)
@pytest.mark.parametrize("do", ["post", "preview"])
def test_what_cannot_be_taken_is_said_at_its_field_and_nothing_is_lost(starts, fields, wrong, do):
    before = dump(*TABLES)
    response = starts(**fields, do=do)
    assert response.status_code == 422
    said = errors(response)
    assert said.keys() == wrong.keys()
    for field, part in wrong.items():
        assert part in said[field]
    shown = typed(response)
    assert shown["text"].replace("\r\n", "\n") == TEXT
    for name, value in fields.items():
        assert shown[name] == value
    assert dump(*TABLES) == before


def test_an_unreadable_date_is_answered_with_examples(starts):
    said = errors(starts(change="It holds.", when=SOME_DAY))["when"]
    assert "Try" in said
    assert "480 BC" in said


@pytest.mark.parametrize(
    ("when", "read"),
    [
        ("c. 1924", "about 1924"),
        ("1936-39", "between 1936 and 1939"),
        ("late 15th century", "late 15th century"),
        ("480 bc", "480 BC"),
    ],
)
def test_the_preview_says_how_the_date_was_read(starts, when, read):
    response = starts(change="It holds.", when=when, do="preview")
    assert response.status_code == 200
    assert f"Read as {read} ." in words(response)
    assert typed(response)["when"] == when
    assert not Thread.objects.exists()


def test_a_date_is_echoed_beside_an_error_elsewhere(starts):
    response = starts(change="It holds.", when="c. 1924", title="")
    assert response.status_code == 422
    assert "Read as about 1924 ." in words(response)


def test_the_same_form_sent_twice_makes_one_set_of_rows(starts):
    token = str(uuid4())
    first = starts(change="It holds.", when="1924", token=token)
    again = starts(change="It holds.", when="1924", token=token)
    assert first["Location"] == again["Location"]
    assert (Thread.objects.count(), Divergence.objects.count()) == (1, 1)


def test_drafts_of_a_new_debate_keep_working(starts, opener):
    token = str(uuid4())
    assert starts(do="draft", token=token)["Location"] == "/drafts/"
    shown = typed(browser(opener).get("/threads/new/"))
    assert (shown["text"].replace("\r\n", "\n"), shown["title"]) == (TEXT, "The bridge")
    assert not Thread.objects.exists()
    again = starts(token=shown["token"], restored=token, restored_at=shown["restored_at"])
    assert again.status_code == 302
    assert not Draft.objects.exists()


def test_an_empty_form_shows_no_errors_and_reads_nothing(opener, board):
    response = browser(opener).get("/threads/new/")
    assert errors(response) == {}
    assert "Read as" not in words(response)


# --- Describing it afterwards -----------------------------------------------------------------


@pytest.fixture
def bridge(starts) -> Thread:
    """A debate whose opening asks two questions; nothing is said about its divergence."""
    starts()
    return Thread.objects.get()


def rows(*given: tuple[str, str], kept: int = 0, **more) -> dict:
    """The fields of the form: what changes and when, for each row."""
    sent = {"form-TOTAL_FORMS": str(len(given)), "form-INITIAL_FORMS": str(kept)}
    for at, (change, when) in enumerate(given):
        sent |= {f"form-{at}-change": change, f"form-{at}-when": when}
    return sent | more


def send(user, thread, *given, **more):
    return browser(user).post(f"/threads/{thread.pk}/describe/", rows(*given, **more))


def offered(response) -> dict[str, bool]:
    """The questions that the form offers, and which are ticked."""
    boxes = re.findall(r'name="question" value="(.*?)"( checked)?>', response.content.decode())
    return {unescape(text): bool(checked) for text, checked in boxes}


def test_the_form_offers_the_openings_questions_unticked(bridge, opener):
    response = browser(opener).get(f"/threads/{bridge.pk}/describe/")
    assert offered(response) == dict.fromkeys(ASKED, False)
    assert typed(response)["form-TOTAL_FORMS"] == "1"
    assert errors(response) == {}


@pytest.mark.parametrize("who", ["opener", "moderator", "board_moderator"])
def test_divergences_and_questions_are_said(bridge, request, who):
    user = request.getfixturevalue(who)
    given = [("It holds.", "c. 1924"), ("So does the other.", "480 BC"), ("", "")]
    response = send(user, bridge, *given, question=[ASKED[1]], reason="Said at last.")
    assert response["Location"] == bridge.get_absolute_url()
    thread = fresh(bridge)
    assert thread.card == laid_out(thread)
    assert [one["edtf"] for one in thread.card["divergences"]] == ["1924~", "-0479"]
    assert [one["text"] for one in thread.card["questions"]] == [ASKED[1]]
    assert thread.version == bridge.version + 1
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.verb, entry.reason) == (user, "describe", "Said at last.")
    assert entry.detail["before"] == description.described(bridge)
    assert entry.detail["after"] == description.described(thread)


def test_the_form_shows_what_stands_and_brings_it_back_unchanged(bridge, opener):
    dates = ["c. 1924", "1936-39", "480 BC", "before 3500 BC"]
    send(opener, bridge, *((f"Number {when}", when) for when in dates), question=[ASKED[0]])
    response = browser(opener).get(f"/threads/{bridge.pk}/describe/")
    assert offered(response) == {ASKED[0]: True, ASKED[1]: False}
    fields = typed(response)
    assert fields["form-TOTAL_FORMS"] == "5"
    before = dump(*TABLES)
    sent = {name: value for name, value in fields.items() if name.startswith("form-")}
    browser(opener).post(f"/threads/{bridge.pk}/describe/", {**sent, "question": [ASKED[0]]})
    assert dump(*TABLES) == before


def test_one_of_several_is_removed_and_the_others_close_up(bridge, opener):
    send(opener, bridge, ("One.", "1901"), ("Two.", "1902"), ("Three.", "1903"))
    send(opener, bridge, ("One.", "1901"), ("", ""), ("Three.", "1903"), ("", ""), kept=3)
    thread = fresh(bridge)
    assert [one["change"] for one in thread.card["divergences"]] == ["One.", "Three."]
    assert thread.card == laid_out(thread)


def test_questions_are_unticked(bridge, opener):
    send(opener, bridge, question=ASKED)
    assert [one["text"] for one in fresh(bridge).card["questions"]] == ASKED
    send(opener, bridge)
    assert fresh(bridge).card == laid_out(bridge) == {}
    assert not Question.objects.exists()


def test_the_same_form_sent_twice_keeps_what_it_said(bridge, opener):
    for _ in range(2):  # a double click: the second finds the rows there and changes nothing
        send(opener, bridge, ("It holds.", "1924"), ("", ""), question=[ASKED[0]])
    thread = fresh(bridge)
    assert [one["change"] for one in thread.card["divergences"]] == ["It holds."]
    assert thread.card == laid_out(thread)
    assert AuditEntry.objects.count() == 1


def test_a_question_that_the_opening_does_not_ask_is_not_taken(bridge, opener):
    send(opener, bridge, question=[*ASKED, "Is this one planted?"])
    assert [one["text"] for one in fresh(bridge).card["questions"]] == ASKED


def test_a_question_stays_after_the_opening_was_edited(bridge, opener):
    send(opener, bridge, question=ASKED)
    post = bridge.posts.get()
    browser(opener).post(
        f"/posts/{post.pk}/edit/", {"text": "All new. What now?", "base": "1", "reason": ""}
    )
    response = browser(opener).get(f"/threads/{bridge.pk}/describe/")
    assert offered(response) == {ASKED[0]: True, ASKED[1]: True, "What now?": False}


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ([("It holds.", "1924"), ("Or not.", SOME_DAY)], {"id_form-1-when": f"“{SOME_DAY}”"}),
        ([("", "1924")], {"id_form-0-change": "Say what changes."}),
        ([("It holds.", "")], {"id_form-0-when": "Say when"}),
        ([("c" * 301, "1924")], {"id_form-0-change": "at most 300"}),
        ([("a\0b", "1924")], {"id_form-0-change": "ull characters"}),
        ([("It holds.", "1" * 101)], {"id_form-0-when": "at most 100"}),
    ],
)
def test_what_cannot_be_taken_is_said_and_nothing_is_changed(bridge, opener, given, wrong):
    send(opener, bridge, ("It holds.", "c. 1924"), question=[ASKED[0]])
    before = dump(*TABLES)
    response = send(opener, bridge, *given, question=[ASKED[1]], reason="Because.")
    assert response.status_code == 422
    said = errors(response)
    assert said.keys() == wrong.keys()
    for field, part in wrong.items():
        assert part in said[field]
    shown = typed(response)
    assert shown["reason"] == "Because."
    for at, (change, when) in enumerate(given):
        assert (shown[f"form-{at}-change"], shown[f"form-{at}-when"]) == (change, when)
    assert offered(response) == {ASKED[0]: False, ASKED[1]: True}
    assert dump(*TABLES) == before


def test_more_than_five_are_refused(bridge, opener):
    before = dump(*TABLES)
    response = send(opener, bridge, *((f"Number {n}.", str(1900 + n)) for n in range(6)))
    assert response.status_code == 422
    assert "A debate has at most 5 divergences." in words(response)
    assert dump(*TABLES) == before
    assert send(opener, bridge, *((f"N. {n}", str(1900 + n)) for n in range(5))).status_code == 302


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"form-TOTAL_FORMS": "1"},
        {"form-TOTAL_FORMS": "x", "form-INITIAL_FORMS": "0"},
        {"form-TOTAL_FORMS": "-1", "form-INITIAL_FORMS": "0"},
        {"form-TOTAL_FORMS": str(10**9), "form-INITIAL_FORMS": "0"},
        {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "0", "reason": "a\0b"},
        rows(("It holds.", "1924"), reason="r" * 5_000 + "\0\n"),
    ],
)
def test_forms_that_no_page_of_ours_sends(bridge, opener, sent):
    response = browser(opener).post(f"/threads/{bridge.pk}/describe/", sent)
    assert response.status_code in (302, 422)
    if response.status_code == 422:
        assert "This was not taken yet" in words(response)
        assert fresh(bridge).version == bridge.version
    assert not AuditEntry.objects.filter(reason__contains="\n").exists()


@pytest.mark.parametrize("who", ["guest", "stranger", "answerer"])
def test_others_may_not(bridge, request, who):
    before = dump(*TABLES)
    response = send(request.getfixturevalue(who), bridge, ("It holds.", "1924"))
    assert response.status_code == 403
    assert dump(*TABLES) == before


def test_hidden_words_are_not_offered_as_questions(bridge, opener, moderator, stranger):
    send(opener, bridge, ("It holds.", "1924"), question=[ASKED[0]])
    assert ASKED[0] in words(browser(stranger).get(bridge.get_absolute_url()))
    states.hide(user=moderator, post=bridge.posts.get(), reason="An insult.")
    for reader, sees in ((stranger, False), (opener, False), (None, False), (moderator, True)):
        for view in ("flat", "tree"):
            page = words(browser(reader).get(f"{bridge.get_absolute_url()}?view={view}"))
            assert (ASKED[0] in page) is sees
            assert ("It holds." in page) is sees
    form = browser(opener).get(f"/threads/{bridge.pk}/describe/")
    assert ASKED[1] not in offered(form)


# --- The card on the page ---------------------------------------------------------------------


@pytest.fixture
def long(bridge, opener, answerer) -> Thread:
    """A debate of two pages, described."""
    for n in range(25):
        reply(bridge, answerer, f"Remark {n}.")
    divergence = read_divergence(change="It holds.", when="c. 1924", place="Rome")
    other = read_divergence(change="So does the other.", when="1936-39")
    description.describe(
        user=opener, thread=bridge, divergences=[divergence, other], questions=ASKED
    )
    return fresh(bridge)


@pytest.mark.parametrize("view", ["flat", "tree"])
def test_the_card_stands_on_the_first_page_only(long, stranger, view):
    first, second = (
        browser(stranger).get(f"{long.get_absolute_url()}?view={view}&page={page}")
        for page in (1, 2)
    )
    assert first.content.decode().count('class="card band"') == 1
    assert first.content.decode().count('class="axis"') == 1
    said = words(first)
    assert "What changes It holds. When about 1924 Where Rome" in said
    assert "What changes So does the other. When between 1936 and 1939" in said
    for question in ASKED:
        assert said.count(question) == 2  # beside the debate and in the opening
    assert 'class="card band"' not in second.content.decode()
    assert "So does the other." not in words(second)
    # The date stands in the head of every page.
    assert "c. 1924" in words(second)


def test_the_picture_has_a_text_beside_it(long):
    page = browser().get(long.get_absolute_url()).content.decode()
    (said,) = re.findall(r'<svg class="axis"[^>]* role="img" aria-label="(.*?)"', page)
    assert "about 1924" in said
    assert "between 1936 and 1939" in said


@pytest.mark.parametrize("view", ["flat", "tree"])
@pytest.mark.parametrize("signed_in", [True, False])
def test_the_card_asks_the_database_nothing(long, stranger, view, signed_in):
    client = browser(stranger if signed_in else None)
    path = f"{long.get_absolute_url()}?view={view}"
    client.get(path)
    with_card = queries(client, path)
    Thread.objects.filter(pk=long.pk).update(card={})
    assert 'class="card band"' not in client.get(path).content.decode()
    assert with_card == queries(client, path)
    if view == "flat":
        assert with_card <= MEMBER


def test_lists_show_the_date_of_the_first_divergence(long):
    for page in ("/", "/boards/after-1900/"):
        body = browser().get(page).content.decode()
        assert '<span class="vh">Divergence </span>c. 1924</div>' in body


def test_questions_alone_make_a_card_without_a_picture(bridge, opener):
    send(opener, bridge, question=ASKED)
    page = browser().get(bridge.get_absolute_url()).content.decode()
    assert "What is asked" in page
    assert 'class="axis"' not in page


def test_what_members_typed_is_text(bridge, opener):
    evil = '<script>alert(1)</script>" onload="x'
    send(opener, bridge, (evil, "1924"))
    for path in (bridge.get_absolute_url(), f"/threads/{bridge.pk}/describe/", "/timeline/"):
        body = browser(opener).get(path).content.decode()
        assert "<script>alert" not in body
        assert '" onload="x' not in body
        assert evil in unescape(body)


def test_pages_that_were_kept_are_drawn_anew(bridge, opener):
    """Whatever a browser or cache keeps of the page, it is not the old card."""
    client = browser()
    before = client.get(bridge.get_absolute_url())
    send(opener, bridge, ("It holds.", "1924"))
    headers = {}
    if before.has_header("ETag"):
        headers["If-None-Match"] = before["ETag"]
    after = client.get(bridge.get_absolute_url(), headers=headers)
    assert after.status_code == 200
    assert 'class="card band"' in after.content.decode()


def test_members_with_the_same_rights_see_the_same_card(long):
    def card(user):
        body = browser(user).get(long.get_absolute_url()).content.decode()
        return re.search(r'<section class="card band".*?</section>', body, re.S)[0]

    assert card(None) == card(make_member("somebody"))
