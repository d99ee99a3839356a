"""What programs write: the same acts, rights and rates as by the forms; nothing twice."""

import pytest

from forum.actions import description, posts
from forum.models import Answer, Board, Draft, Post, Submission, Thread
from forum.moderation import sanctions, states
from tests.people import dump, quoting, start
from tests.views.test_access import TABLES

pytestmark = pytest.mark.django_db


@pytest.fixture
def sends(program):
    """Sends JSON to an address of the API in the name of a member; gives the answer."""
    clients = {}

    def send(user, address: str, sent=None, *, key: str = "", scope: str = "write"):
        if user.pk not in clients:
            clients[user.pk] = program(user, scope=scope)
        headers = {"idempotency-key": key} if key else {}
        return clients[user.pk].post(
            f"/api/{address}", sent or {}, content_type="application/json", headers=headers
        )

    return send


def test_a_reply(sends, thread, answer, opener, stranger):
    asked = "Would the purges have come all the same?"
    thread = description.describe(user=opener, thread=thread, divergences=[], questions=[asked])
    said = {
        "text": quoting(answer, "The party obeyed nobody.", "It did.\n\nOften."),
        "to": answer.pk,
        "lane": "premise",
        "stance": "disputes",
        "quotes": {"1": "asks"},
        "answers": [{"question": thread.questions.get().pk, "verdict": "agrees", "passage": 2}],
    }
    response = sends(stranger, f"threads/{thread.pk}/posts/", said, key="a")
    assert response.status_code == 201, response.content
    told = response.json()
    post = Post.objects.get(number=5)
    assert (told["id"], told["parent"], told["number"]) == (post.pk, answer.pk, 5)
    assert (post.author, post.lane, post.stance) == (stranger, "premise", "disputes")
    assert (told["quotes"][0]["status"], told["quotes"][0]["stance"]) == ("exact", "asks")
    assert Answer.objects.get().passage == 2
    # Sent again it is the same, whatever stands in it by now.
    again = sends(stranger, f"threads/{thread.pk}/posts/", {"text": "Other."}, key="a")
    assert (again.status_code, again.json()["id"]) == (201, post.pk)
    assert Post.objects.count() == 5
    # A key of somebody else means something else.
    other = sends(opener, f"threads/{thread.pk}/posts/", {"text": "Mine."}, key="a")
    assert other.json()["number"] == 6


def test_who_may_not_write_is_told(sends, program, thread, opener, stranger, moderator):
    address, said = f"threads/{thread.pk}/posts/", {"text": "Yes."}
    before = dump(*TABLES)
    headers = {"idempotency-key": "1"}
    visitor = program().post(
        f"/api/{address}", said, content_type="application/json", headers=headers
    )
    assert visitor.status_code == 401
    reader = program(opener, scope="read").post(
        f"/api/{address}", said, content_type="application/json", headers=headers
    )
    assert reader.status_code == 403
    assert "only read" in reader.json()["error"]
    assert dump(*TABLES) == before
    states.lock(user=moderator, thread=thread)
    locked = sends(stranger, address, said, key="1")
    assert (locked.status_code, locked.json()["error"]) == (
        *(403, "This debate is locked; no more answers are taken."),
    )
    sanctions.suspend(user=moderator, member=stranger, days=3, reason="Calm down.")
    suspended = sends(stranger, "threads/", {}, key="1")
    assert suspended.status_code in (403, 422)
    Thread.objects.filter(pk=thread.pk).update(state="hidden")
    gone = sends(stranger, address, said, key="1")
    assert (gone.status_code, gone.json()["error"]) == (404, "There is nothing at this address.")


def test_what_cannot_be_taken_is_told_and_changes_nothing(sends, thread, board, opener, answer):
    address = f"threads/{thread.pk}/posts/"
    other = start(board, opener, "Another debate").posts.get()
    before = dump(*TABLES)
    for said, status, field in (
        ({}, 422, "text"),
        ({"text": ""}, 422, "text"),
        ({"text": " \n"}, 422, ""),
        ({"text": "a\0b"}, 422, "text"),
        ({"text": "x" * 70_000}, 422, ""),
        ({"text": ["x"]}, 422, "text"),
        ({"text": "x", "lane": "none"}, 422, "lane"),
        ({"text": "x", "stance": "hates"}, 422, "stance"),
        ({"text": "x", "to": 10**9}, 422, "to"),
        ({"text": "x", "to": 10**30}, 422, "to"),
        ({"text": "x", "to": other.pk}, 409, "to"),
        ({"text": "x", "answers": [{"question": 1, "verdict": "agrees"}]}, 422, ""),
        ({"text": "x", "answers": {}}, 422, "answers"),
        ([], 422, "text"),
        ('"x"', 422, "text"),
        (7, 422, "text"),
    ):
        response = sends(opener, address, said, key="1")
        told = response.json()
        assert response.status_code == status, (said, told)
        assert told.get("field", "") == field, (said, told)
        assert told["error"].endswith("."), told
    assert sends(opener, address, {"text": "Yes."}).status_code == 400  # no key
    assert dump(*TABLES) == before


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"[" * 100_000, b'{"text": "\\ud800"}', b'{"text": 1e999}', b"null"],
)
def test_odd_bodies(program, thread, stranger, body):
    client = program(stranger, scope="write")
    for address in (f"threads/{thread.pk}/posts/", "threads/", "drafts/"):
        for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x"):
            response = client.post(
                f"/api/{address}", body, content_type=kind, headers={"idempotency-key": "1"}
            )
            assert response.status_code in (400, 422), response.content
            assert response.json()["error"]
    assert Post.objects.count() == 4


def test_a_body_that_is_too_large(program, thread, stranger):
    client = program(stranger, scope="write")
    response = client.post(
        f"/api/threads/{thread.pk}/posts/",
        b'{"text": "' + b"x" * 2_200_000 + b'"}',
        content_type="application/json",
        headers={"idempotency-key": "1"},
    )
    assert (response.status_code, response.json()["error"]) == (
        413,
        "A request holds at most 2 MB.",
    )


def test_rates_are_those_of_the_forms(sends, thread, stranger, settings):
    settings.POSTS_PER_MINUTE = 2
    address = f"threads/{thread.pk}/posts/"
    statuses = [
        sends(stranger, address, {"text": f"Number {n}."}, key=str(n)).status_code for n in range(3)
    ]
    assert statuses == [201, 201, 429]


# --- Edits ------------------------------------------------------------------------------------


def test_an_edit(sends, program, answer, answerer, opener):
    address = f"posts/{answer.pk}/revisions/"
    read = program(answerer).read(f"posts/{answer.pk}/")
    assert "edit" in read["may"]
    assert program(opener).read(f"posts/{answer.pk}/")["base"] is None
    said = {"text": "The party obeyed nobody, ever.", "reason": "Stronger", "base": read["base"]}
    response = sends(answerer, address, said)
    assert (response.status_code, response.json()["revision"]) == (201, 2)
    # Sent again it changes nothing.
    again = sends(answerer, address, said)
    assert (again.status_code, again.json()["revision"]) == (201, 2)
    late = sends(answerer, address, said | {"text": "Some of it did."})
    assert late.status_code == 409
    told = late.json()
    assert told["yours"] == "Some of it did."
    assert told["current"]["text"] == "The party obeyed nobody, ever."
    done = sends(answerer, address, said | {"text": "Hm.", "base": told["current"]["base"]})
    assert done.json()["revision"] == 3
    assert sends(opener, address, said).status_code == 403
    assert sends(answerer, address, said | {"base": ""}).status_code == 422


# --- Debates ----------------------------------------------------------------------------------

DEBATE = {
    "board": "after-1900",
    "title": "What if the bridge had held?",
    "kind": "WI",
    "text": "Suppose that it held.\n\nWho would have crossed it?",
    "own_answer": "Nobody, since it led nowhere.",
    "divergences": [{"change": "The bridge holds", "when": "c. 1924", "place": "Tay"}],
    "questions": ["Who would have crossed it?"],
}


def test_a_new_debate(sends, board, stranger):
    response = sends(stranger, "threads/", DEBATE, key="1")
    assert response.status_code == 201, response.content
    thread = Thread.objects.get()
    assert response.json()["thread"] == thread.pk
    assert (thread.title, thread.author) == (DEBATE["title"], stranger)
    assert thread.divergences.get().edtf == "1924~"
    assert thread.questions.get().text == "Who would have crossed it?"
    again = sends(stranger, "threads/", DEBATE, key="1")
    assert again.json()["thread"] == thread.pk
    assert Thread.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"board": "nowhere"}, "board"),
        ({"title": " "}, ""),
        ({"kind": "XX"}, "kind"),
        ({"own_answer": ""}, ""),
        ({"questions": ["Who asked this?"]}, "questions"),
        ({"text": "It held. ||Who fell?||", "questions": ["Who fell?"]}, "questions"),
        ({"divergences": [{"change": "x", "when": "soon"}]}, ""),
        ({"divergences": [{"change": "x", "when": "1900"}] * 6}, ""),
        ({"policy": "closed"}, "policy"),
    ],
)
def test_what_is_no_debate(sends, board, stranger, wrong, field):
    response = sends(stranger, "threads/", DEBATE | wrong, key="1")
    assert response.status_code == 422
    assert response.json().get("field", "") == field
    assert not Thread.objects.exists()


def test_a_board_that_is_not_seen_is_none(sends, inner_board, stranger):
    hidden = sends(stranger, "threads/", DEBATE | {"board": inner_board.slug}, key="1")
    nowhere = sends(stranger, "threads/", DEBATE | {"board": "nowhere"}, key="1")
    assert hidden.json() == nowhere.json()


# --- Drafts -----------------------------------------------------------------------------------


def test_drafts(sends, program, thread, answer, stranger, opener):
    target = f"/threads/{thread.pk}/reply/?to={answer.pk}"
    kept = sends(stranger, "drafts/", {"target": target, "text": "Perhaps."}, key="d")
    assert kept.status_code == 201, kept.content
    assert kept.json()["label"].startswith("Answer to #2")
    sends(stranger, "drafts/", {"target": target, "text": "Perhaps not."}, key="d")
    (draft,) = program(stranger).read("drafts/")["drafts"]
    assert draft["text"] == "Perhaps not."
    assert program(opener).read("drafts/") == {"drafts": []}
    # What is sent under its key takes it away.
    said = {"text": "Perhaps not.", "to": answer.pk}
    assert sends(stranger, f"threads/{thread.pk}/posts/", said, key="d").status_code == 201
    assert not Draft.objects.exists()
    late = sends(stranger, "drafts/", {"target": target, "text": "Perhaps not."}, key="d")
    assert (late.status_code, late.json()["error"]) == (422, "This was posted already.")
    other = sends(stranger, "drafts/", {"target": "/threads/new/", "text": "Hm."}, key="e").json()
    for user in (opener, stranger, stranger):
        assert sends(user, f"drafts/{other['token']}/discard/").status_code == 204
    assert not Draft.objects.exists()


@pytest.mark.parametrize("target", ["", "/", "/threads/999/reply/", "/posts/999/edit/", "/drafts/"])
def test_a_draft_is_for_a_form_of_ones_own(sends, thread, stranger, target):
    response = sends(stranger, "drafts/", {"target": target, "text": "Perhaps."}, key="d")
    assert (response.status_code, response.json()["field"]) == (422, "target")


def test_a_form_and_a_program_never_share_a_token(sends, thread, stranger):
    sends(stranger, f"threads/{thread.pk}/posts/", {"text": "Yes."}, key="1")
    assert str(Submission.objects.latest("created_at").token) != "1"
    post = Post.objects.get(number=5)
    assert posts.submitted(Submission.objects.latest("created_at").token, stranger) == post


def test_a_preview_draws_and_judges_and_keeps_nothing(sends, thread, answer, stranger):
    before = dump(*TABLES)
    text = quoting(answer, "The party obeyed nobody.", "*Did* it?")
    response = sends(stranger, "preview/", {"text": text, "thread": thread.pk, "to": answer.pk})
    assert response.status_code == 200, response.content
    told = response.json()
    assert "<em>Did</em> it?" in told["html"] and "Did it?" in told["plain"]
    assert [(q["status"], q["post"], q["words"]) for q in told["quotes"]] == [
        ("exact", answer.pk, "The party obeyed nobody.")
    ]
    text = quoting(answer, "The party obeyed everybody.", "So.")
    told = sends(stranger, "preview/", {"text": text, "thread": thread.pk}).json()
    assert [quote["status"] for quote in told["quotes"]] == ["altered"]
    told = sends(stranger, "preview/", {"text": "New.", "board": thread.board.slug}).json()
    assert (told["plain"], told["quotes"]) == ("New.", [])
    assert dump(*TABLES) == before


def test_what_cannot_be_previewed_is_told(sends, program, thread, stranger, other_board):
    Board.objects.filter(pk=other_board.pk).update(audience="moderators")
    for said, status in (
        ({"text": "To nobody."}, 422),
        ({"text": "", "thread": thread.pk}, 422),
        ({"text": "Nowhere.", "thread": 10**9}, 404),
        ({"text": "Secret.", "board": other_board.slug}, 422),
        ({"text": "To none.", "thread": thread.pk, "to": 10**9}, 422),
    ):
        response = sends(stranger, "preview/", said)
        assert response.status_code == status, (said, response.content)
        assert response.json()["error"]
    response = program().post("/api/preview/", {"text": "A"}, content_type="application/json")
    assert response.status_code == 401
