"""Feeds of one member, read by whoever knows the address, until it is taken back."""

import logging

import pytest

from core import signed_values
from forum.actions import feeds, notices, watching
from forum.actions.audit import record
from forum.models import Board, Notice
from forum.moderation import states
from tests.people import browser, fresh, make_member, reply, start
from tests.views.test_feeds import read, titles
from tests.views.test_for_machines import ATOM, etree
from tests.views.test_queries import queries

pytestmark = pytest.mark.django_db


@pytest.fixture
def invited(board, stranger, opener):
    """The stranger, who is invited to the board and has addresses."""
    Board.objects.filter(pk=board.pk).update(audience=Board.Audience.INVITED)
    board.invited.add(stranger, opener)
    feeds.make(user=stranger)
    return stranger


@pytest.fixture
def debate(board, opener, answerer):
    thread = start(board, opener, title="Hastings")
    reply(thread, answerer, "The wall holds.")
    return fresh(thread)


def addresses(member, board) -> list[str]:
    return [
        feeds.address(member, "own-watching-feed"),
        feeds.address(member, "own-notices-feed"),
        feeds.address(member, "own-board-feed", board.slug),
    ]


def test_what_is_watched_and_private_boards(client, debate, invited, board):
    own = browser(invited)  # who may see what the feeds are about; the feeds need no session
    watched, told, of_board = addresses(invited, board)
    assert titles(read(own, watched)) == []
    watching.watch(user=invited, target=debate, level="all")
    assert titles(read(own, watched)) == ["Hastings", "Hastings"]
    assert "The wall holds" in client.get(watched).content.decode()
    assert titles(read(own, of_board)) == ["Hastings"]
    assert titles(read(own, told)) == []
    for address in (watched, told, of_board):
        answer = client.get(address)
        assert "no-store" in answer["Cache-Control"] and "private" in answer["Cache-Control"]
        assert "ETag" not in answer
        assert ATOM.validate(etree.fromstring(answer.content)), ATOM.error_log


def test_notices_are_told_and_stay_unread(client, debate, invited, moderator, board):
    entry = record(moderator, "pin", thread=debate, before={}, after={"pinned": True})
    notices.notify(invited, entry=entry)
    assert len(read(browser(invited), addresses(invited, board)[1])) == 1
    assert Notice.objects.get(member=invited).read_at is None


def test_addresses_show_what_the_member_may_read_now(client, debate, invited, board, moderator):
    watched, _, of_board = addresses(invited, board)
    watching.watch(user=invited, target=debate, level="all")
    states.hide(user=moderator, post=debate.posts.get(number=2), reason="Spam.")
    assert "The wall holds" not in client.get(watched).content.decode()
    board.invited.remove(invited)
    assert "<entry>" not in client.get(watched).content.decode()
    assert client.get(of_board).status_code == 404


def test_what_is_taken_back_leads_nowhere(client, debate, invited, board):
    first = addresses(invited, board)
    feeds.make(user=invited)
    second = addresses(invited, board)
    assert [client.get(address).status_code for address in first] == [404] * 3
    assert [client.get(address).status_code for address in second] == [200] * 3
    feeds.take_back(user=invited)
    assert [client.get(address).status_code for address in second] == [404] * 3


@pytest.mark.parametrize("forged", ["x", "a:b:c", "%F0%9F%98%80", "x" * 3000])
def test_nobody_makes_up_an_address(client, invited, forged):
    assert client.get(f"/feeds/{forged}/watching/").status_code == 404
    no_number = signed_values.sign([invited.pk, None], salt=feeds.SALT)
    feeds.take_back(user=invited)
    assert client.get(f"/feeds/{no_number}/watching/").status_code == 404
    other_salt = signed_values.sign([invited.pk, invited.feed_number], salt="x")
    assert client.get(f"/feeds/{other_salt}/watching/").status_code == 404


def test_who_left_has_no_feeds(client, invited, board):
    every = addresses(invited, board)
    type(invited).objects.filter(pk=invited.pk).update(is_active=False)
    assert [client.get(address).status_code for address in every] == [404] * 3


def test_the_page_makes_and_takes_back(client, board):
    member = make_member("reader")
    own = browser(member)
    assert "You have no addresses" in own.get("/feeds/").content.decode()
    own.post("/feeds/", {"do": "make"})
    page = own.get("/feeds/")
    address = feeds.address(fresh(member), "own-watching-feed")
    assert address in page.content.decode() and page["Cache-Control"] == "no-store"
    assert client.get(address).status_code == 200
    own.post("/feeds/", {"do": "end"})
    assert client.get(address).status_code == 404


def test_no_address_stands_in_a_log(client, invited, board, caplog, settings):
    caplog.set_level(logging.DEBUG)
    every = addresses(invited, board)
    for address in every:
        client.get(address)
    feeds.take_back(user=invited)
    for address in every:
        client.get(address)
    ours = [record for record in caplog.records if record.name.startswith(("forum", "django"))]
    formatter = logging.Formatter("%(message)s")
    told = "\n".join(
        formatter.format(record) for record in ours if record.name != "django.db.backends"
    )
    for address in every:
        assert address.split("/")[2] not in told


def test_they_cost_the_same_at_any_length(client, debate, invited, board, opener):
    watching.watch(user=invited, target=debate, level="all")
    few = [queries(client, address) for address in addresses(invited, board)]
    for n in range(35):
        reply(fresh(debate), opener, f"Answer {n}.")
    for n in range(5):
        start(board, opener, title=f"Debate {n}")
    many = [queries(client, address) for address in addresses(invited, board)]
    assert many == few
