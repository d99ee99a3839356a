"""Who asks, what their token lets them do, and how often."""

import pytest
from django.test import Client

from accounts.models import User
from forum.models import Board, Draft, Post
from tests.people import PASSWORD, browser, fresh

pytestmark = pytest.mark.django_db


def test_a_token_reads_what_its_member_reads(program, board, thread, stranger):
    Board.objects.filter(pk=board.pk).update(audience="invited")
    address = f"/api/threads/{thread.pk}/"
    client = program(stranger)
    assert client.get(address).status_code == 404
    board.invited.add(stranger)
    assert client.get(address).status_code == 200
    assert program().get(address).status_code == 404


def test_the_limits_are_those_of_the_token_and_of_the_network(
    program, stranger, opener, settings, stopped_clock
):
    settings.API_PER_MINUTE, settings.API_PER_MINUTE_VISITORS = 3, 2
    clients = [program(stranger), program(stranger), program(opener)]
    for client in clients:
        assert [client.get("/api/boards/").status_code for _ in range(4)] == [200, 200, 200, 429]
    told = clients[0].get("/api/boards/")
    assert 0 < int(told["Retry-After"]) <= 60
    assert (
        told.json()["error"]
        == "That was 3 requests within a minute. Wait until the minute is over."
    )
    # Guessing tokens is counted as what a visitor asks.
    wrong = {"authorization": "Bearer jonbar_guessed"}
    statuses = [Client().get("/api/boards/", headers=wrong).status_code for _ in range(3)]
    assert statuses == [401, 401, 429]
    assert Client().get("/api/boards/").status_code == 429
    assert Client(REMOTE_ADDR="192.0.2.7").get("/api/boards/").status_code == 200


def test_staff_without_a_second_step_is_kept_out_where_it_is_asked(program, moderator, settings):
    settings.REQUIRE_TWO_STEP_FOR_STAFF = True
    response = program(moderator).get("/api/boards/")
    assert response.status_code == 403
    assert "two-step" in response.json()["error"]


# --- Cookies are nobody -----------------------------------------------------------------------


def test_a_session_writes_nothing(thread, stranger, administrator):
    for user in (stranger, administrator):
        for address in (f"threads/{thread.pk}/posts/", "threads/", "drafts/"):
            response = browser(user).post(
                f"/api/{address}",
                {"text": "Yes.", "target": "/threads/new/"},
                content_type="application/json",
                headers={"idempotency-key": "1"},
            )
            assert response.status_code in (401, 422), address
    assert Post.objects.count() == 4
    assert not Draft.objects.exists()


def test_nobody_signs_in_here(thread, stranger):
    """The fields by which a form signs in who was signed out while writing: here no token of a
    form guards them, so that a page elsewhere could sign its reader in as somebody."""
    client = Client()
    fields = {"sign_in_name": "stranger", "sign_in_password": PASSWORD, "text": "Yes."}
    for address in (f"threads/{thread.pk}/posts/", "drafts/", "boards/"):
        response = client.post(f"/api/{address}", fields)
        assert response.status_code in (400, 401, 405, 422), address
        assert not response.cookies
    assert not client.session.keys()


def test_answers_are_for_no_other_page(program, thread, stranger):
    response = program(stranger).get(
        f"/api/threads/{thread.pk}/", headers={"origin": "https://elsewhere.example"}
    )
    assert not [name for name in response.headers if name.lower().startswith("access-control")]
    assert not response.cookies


def test_a_suspended_member_reads(program, thread, stranger, moderator):
    from forum.moderation import sanctions

    client = program(stranger, scope="write")
    sanctions.suspend(user=moderator, member=fresh(stranger), days=3, reason="Calm down.")
    assert client.get(f"/api/threads/{thread.pk}/").status_code == 200
    assert User.objects.get(pk=stranger.pk).suspended


@pytest.mark.parametrize("method", ["delete", "put", "patch", "options", "post"])
@pytest.mark.parametrize("address", ["boards/", "threads/1/", "openapi.json", "nowhere/", "a/b/"])
def test_a_wrong_method_and_an_unknown_address_are_told_as_all_else(program, address, method):
    response = getattr(program(), method)(f"/api/{address}")
    assert response["Content-Type"] == "application/json"
    told = response.json()
    assert told["status"] == response.status_code and told["error"]
    if address in ("nowhere/", "a/b/") and method in ("options", "post"):
        assert response.status_code == 404
    else:
        assert response.status_code == 405 and "GET" in response["Allow"]
