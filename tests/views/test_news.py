"""What a page of a debate asks for while it is read: how much came, and how many notices wait."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forum.actions import boards, members
from forum.models import Board, Notice, Post
from forum.moderation import states
from forum.outbox.worker import Worker
from tests.people import browser, fresh, pending, reply

pytestmark = pytest.mark.django_db
NOTE = "written while you read"


def address(thread, number=4) -> str:
    return f"/threads/{thread.pk}/since/{number}/"


def asked(client, thread, mark="", number=4):
    return client.get(address(thread, number), headers={"if-none-match": mark} if mark else {})


@pytest.fixture
def reading(stranger, thread):
    """The stranger's browser, and the mark of the answer that nothing is new."""
    client = browser(stranger)
    response = asked(client, thread)
    assert response.status_code == 200
    assert NOTE not in response.content.decode()
    return client, response["ETag"]


def test_nothing_new_costs_one_statement(reading, thread):
    client, mark = reading
    with CaptureQueriesContext(connection) as statements:
        response = asked(client, thread, mark)
    assert response.status_code == 304
    assert len(statements) == 1
    assert response.content == b""
    assert response["ETag"] == mark
    assert response["Cache-Control"] == "private, no-cache"
    assert asked(client, thread, f"W/{mark}").status_code == 304
    assert asked(client, thread, mark, number=3).status_code == 200
    assert asked(client, thread, '"0"').status_code == 200


def test_a_reply_of_another_is_told(reading, thread, answerer, stranger):
    client, mark = reading
    reply(thread, answerer)
    response = asked(client, thread, mark)
    page = response.content.decode()
    assert response.status_code == 200
    assert f"1 new post was {NOTE}" in page
    assert f'href="/threads/{thread.pk}/new/"' in page
    reply(thread, answerer)
    assert f"2 new posts were {NOTE}" in asked(client, thread, response["ETag"]).content.decode()
    reply(thread, stranger)  # one's own, in another window
    assert f"2 new posts were {NOTE}" in asked(client, thread).content.decode()
    assert f"1 new post was {NOTE}" in asked(client, thread, number=5).content.decode()


def test_more_than_a_hundred_are_not_counted(reading, thread, answerer):
    client, _ = reading
    at = thread.posts.get(number=4).loaded_at
    Post.objects.bulk_create(
        Post(thread=thread, number=n, author=answerer, loaded_at=at, tree_id=-n, lft=1)
        for n in range(5, 205)
    )
    type(thread).objects.update(numbered=204)
    assert f"More than 99 new posts were {NOTE}" in asked(client, thread).content.decode()


def test_what_one_is_told_of_is_counted(reading, thread, answerer):
    client, mark = reading
    reply(thread, answerer, "Is this so, @stranger?")
    Worker().drain()
    response = asked(client, thread, mark)
    assert '1<span class="vh"> new</span>' in response.content.decode()
    client.post("/notices/read/", {"until": Notice.objects.latest("pk").pk})
    again = asked(client, thread, response["ETag"])
    assert again.status_code == 200
    assert '<span class="vh"> new</span>' not in again.content.decode()


def test_nothing_is_told_of_what_one_does_not_read(reading, thread, answerer, moderator, stranger):
    client, mark = reading
    post = reply(thread, answerer)
    assert NOTE in asked(client, thread, mark).content.decode()
    states.hide(user=moderator, post=post, reason="Off.")
    assert NOTE not in asked(client, thread, mark).content.decode()
    pending(thread, answerer)
    assert NOTE not in asked(client, thread, mark).content.decode()
    told = reply(thread, answerer)
    mark = asked(client, thread, mark)["ETag"]
    members.ignore(user=fresh(stranger), other=answerer, ignored=True)
    response = asked(client, thread, mark)
    assert response.status_code == 200
    assert NOTE not in response.content.decode()
    assert told.number == 6


def test_a_debate_that_went_inside_is_not_there_any_more(reading, thread, board, administrator):
    client, mark = reading
    boards.change(user=administrator, board=board, audience="moderators")
    reply(fresh(thread), administrator, "Among us.")
    assert asked(client, thread, mark).status_code == 404


def test_who_is_invited_no_more_is_told_nothing(thread, board, administrator, stranger, answerer):
    Board.objects.filter(pk=board.pk).update(audience="invited")
    boards.invite(user=administrator, board=fresh(board), members=[stranger, answerer])
    client = browser(stranger)
    mark = asked(client, thread)["ETag"]
    assert asked(client, thread, mark).status_code == 304
    boards.invite(user=administrator, board=fresh(board), members=[answerer])
    assert asked(client, thread, mark).status_code == 404


def test_who_was_signed_out_or_changed_the_password_gets_no_answer(reading, thread, stranger):
    client, mark = reading
    key = client.session.session_key
    stranger.set_password("another one, of 1935")
    stranger.save()
    assert asked(client, thread, mark).status_code != 304
    client.cookies["session"] = key
    client.session.delete(key)
    assert asked(client, thread, mark).status_code not in (200, 304)
    assert asked(browser(), thread, mark).status_code not in (200, 304)


def test_one_members_mark_is_no_others(reading, thread, opener):
    _, mark = reading
    assert asked(browser(opener), thread, mark).status_code == 200


def test_a_number_that_is_not_there(reading, thread):
    client, _ = reading
    reply(thread, thread.author)
    for number in (5, 999_999_999):
        page = asked(client, thread, number=number).content.decode()
        assert NOTE not in page
    assert client.get(f"/threads/{thread.pk}/since/{'9' * 30}/").status_code in (200, 404)
    assert client.get("/threads/999999999/since/4/").status_code == 404
    assert client.post(address(thread)).status_code in (200, 405)
    client.cookies["sessionid"] = "\x00" * 32
    assert asked(client, thread).status_code not in (200, 304, 500)


def test_the_page_says_where_to_ask(thread, stranger):
    page = browser(stranger).get(thread.get_absolute_url()).content.decode()
    assert f'data-from="{address(thread)}"' in page
    assert "/since/" not in browser().get(thread.get_absolute_url()).content.decode()
