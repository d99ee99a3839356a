"""Boards at the desk: made, changed, ordered and removed by administrators; moderators say who is
invited to theirs."""

import re

import pytest
from django.urls import reverse

from accounts.models import SiteVersion
from forum.actions import boards
from forum.models import AuditEntry, Board, Notice
from forum.permissions import NotThere, Refused
from tests.people import browser, dump, fresh, make_member

pytestmark = [pytest.mark.django_db, pytest.mark.reads]
LIST = reverse("admin:forum_board_changelist")
FIELDS = {
    "name": "Maps",
    "slug": "maps",
    "audience": "public",
    "starters": "members",
    "answerers": "members",
    "own_answer_needed": "kind",
}


def page(board) -> str:
    return reverse("admin:forum_board_change", args=[board.pk])


def site_version() -> int:
    """The number that says whether pages kept for visitors still hold."""
    return sum(SiteVersion.objects.values_list("number", flat=True))


def order() -> list[str]:
    """The boards in order, each after a dot for every board that holds it."""
    return ["." * board.level + board.slug for board in Board.objects.in_order()]


def test_boards_are_made_changed_and_removed(board, administrator, moderator):
    client, add = browser(administrator), reverse("admin:forum_board_add")
    assert client.post(add, {**FIELDS, "parent": board.pk}).status_code == 302
    assert order() == ["after-1900", ".maps"]
    assert browser(moderator).post(add, {**FIELDS, "slug": "x"}).status_code == 403
    made = Board.objects.get(slug="maps")
    delete = reverse("admin:forum_board_delete", args=[made.pk])
    assert browser(moderator).post(delete, {"post": "yes"}).status_code == 403
    assert client.post(delete, {"post": "yes"}).status_code == 302
    assert order() == ["after-1900"]


def test_a_board_that_holds_something_or_is_told_of_stays(thread, administrator, other_board):
    client = browser(administrator)
    boards.change(user=administrator, board=other_board, name="Early days")
    Board.objects.create(name="Maps", slug="maps", parent=Board.objects.create(name="X", slug="x"))
    for slug in ("after-1900", "antiquity", "x"):
        stays = Board.objects.get(slug=slug)
        delete = reverse("admin:forum_board_delete", args=[stays.pk])
        assert client.post(delete, {"post": "yes"}).status_code == 403
        with pytest.raises(Refused, match="instead"):
            boards.remove(user=administrator, board=stays)
    assert Board.objects.count() == 4


def test_a_change_is_told_and_every_page_is_drawn_anew(board, administrator):
    before = site_version()
    fields = {**FIELDS, "name": board.name, "slug": board.slug, "audience": "members"}
    fields |= {"read_only": "on", "reason": "A rest."}
    assert browser(administrator).post(page(board), fields).status_code == 302
    board = fresh(board)
    assert (board.audience, board.read_only, board.lft, board.rght) == ("members", True, 1, 2)
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.reason, entry.board) == ("change board", "A rest.", board)
    assert entry.detail["before"] == {"audience": "public", "read_only": False}
    assert site_version() > before
    browser(administrator).post(page(board), fields)
    assert AuditEntry.objects.count() == 1  # nothing changed


def test_tree_columns_are_no_fields(board, other_board, administrator):
    fields = {**FIELDS, "name": board.name, "slug": board.slug}
    fields |= {"lft": "9", "rght": "10", "tree_id": "7", "level": "3", "thread_count": "99"}
    before = dump(Board)
    fields |= {"parent": other_board.pk}
    browser(administrator).post(page(board), fields)
    assert dump(Board) == before


# --- Named members ----------------------------------------------------------------------------


def test_moderators_of_a_board_invite_to_it_and_change_nothing_else(
    board, other_board, board_moderator, stranger, opener
):
    Board.objects.update(audience="invited")
    client = browser(board_moderator)
    shown = client.get(page(board)).content.decode()
    assert 'name="invited"' in shown
    for field in (*FIELDS, "moderators", "read_only", "parent"):
        assert f'name="{field}"' not in shown
    fields = {**FIELDS, "invited": "Stranger\nopener", "moderators": [opener.pk]}
    assert client.post(page(board), fields | {"reason": "Readers."}).status_code == 302
    board = fresh(board)
    assert set(board.invited.all()) == {stranger, opener}
    assert (board.slug, list(board.moderators.all())) == ("after-1900", [board_moderator])
    assert Notice.objects.get(member=stranger).sentence == "You were invited to a board."
    client.post(page(board), {"invited": "opener"})
    assert list(board.invited.all()) == [opener]
    assert Notice.objects.filter(member=stranger).count() == 2
    assert AuditEntry.objects.filter(verb="invite", board=board).count() == 2
    assert client.get(page(other_board)).status_code == 302
    client.post(page(other_board), {"invited": "opener"})
    assert not other_board.invited.exists()
    with pytest.raises(NotThere):
        boards.invite(user=board_moderator, board=fresh(other_board), members=[])


@pytest.mark.parametrize("names", ["nobody", "stranger nobody", "x" * 3000, "a\0b"])
def test_an_invitation_to_nobody_is_given_back(board, administrator, stranger, names):
    fields = {**FIELDS, "name": board.name, "slug": board.slug, "invited": names}
    answer = browser(administrator).post(page(board), fields)
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not board.invited.exists()


def test_moderators_are_named_by_administrators_from_among_the_staff(
    board, administrator, stranger
):
    helper = make_member("helper", is_staff=True)
    fields = {**FIELDS, "name": board.name, "slug": board.slug, "moderators": [helper.pk]}
    browser(administrator).post(page(board), fields)
    assert list(board.moderators.all()) == [helper]
    assert Notice.objects.get(member=helper).sentence == "You look after a board now."
    answer = browser(administrator).post(page(board), fields | {"moderators": [stranger.pk]})
    assert answer.status_code == 200
    with pytest.raises(Refused, match="may not enter"):
        boards.name_moderators(user=administrator, board=board, members=[stranger])
    assert list(board.moderators.all()) == [helper]


# --- Order ------------------------------------------------------------------------------------


@pytest.fixture
def three(db):
    return [Board.objects.create(name=name, slug=name.lower()) for name in "ABC"]


def test_boards_are_ordered_by_buttons(three, administrator):
    client = browser(administrator)
    listed = client.get(LIST).content.decode()

    def press(board, way):
        value = f"{board.pk}:{way}"
        assert f'name="_shift" value="{value}"' in listed
        answer = client.post(LIST, {"_shift": value})
        assert answer["Location"] == f"{LIST}#order-{board.pk}"

    a, b, c = three
    for board, way, expected in (
        (c, "up", ["a", "c", "b"]),
        (a, "down", ["c", "a", "b"]),
        (a, "in", ["c", ".a", "b"]),
        (b, "in", ["c", ".a", ".b"]),
        (b, "up", ["c", ".b", ".a"]),
        (b, "in", ["c", ".b", ".a"]),  # nobody stands above it
        (a, "in", ["c", ".b", "..a"]),
        (b, "out", ["c", "b", ".a"]),
        (a, "out", ["c", "b", "a"]),
        (a, "out", ["c", "b", "a"]),
        (a, "down", ["c", "b", "a"]),
    ):
        press(board, way)
        assert order() == expected, (board, way)
    for junk in ("x", "1:left", f"{10**17}:up", ""):
        assert client.post(LIST, {"_shift": junk}).status_code in (200, 302)
    assert order() == ["c", "b", "a"]


def test_boards_are_ordered_by_drag(three, administrator):
    a, b, c = three
    client = browser(administrator)

    def drag(board, beside, position):
        fields = {"cmd": "move_node", "cut_item": board, "pasted_on": beside}
        return client.post(LIST, fields | {"position": position})

    before = site_version()
    assert drag(c.pk, a.pk, "left").status_code == 200
    assert order() == ["c", "a", "b"]
    drag(b.pk, c.pk, "last-child")
    assert order() == ["c", ".b", "a"]
    assert site_version() > before
    drag(c.pk, b.pk, "last-child")
    assert "cannot stand within itself" in client.get(LIST).content.decode()
    for junk in ((c.pk, 10**9, "left"), ("x", "", "left"), (c.pk, a.pk, "above")):
        drag(*junk)
    assert order() == ["c", ".b", "a"]


def test_nobody_else_orders_boards(three, moderator, stranger, guest):
    a, b, _ = three
    for user in (moderator, stranger, guest):
        client = browser(user)
        client.post(LIST, {"_shift": f"{b.pk}:up"})
        client.post(
            LIST,
            {"cmd": "move_node", "cut_item": b.pk, "pasted_on": a.pk, "position": "left"},
        )
    assert order() == ["a", "b", "c"]
    listed = browser(moderator).get(LIST).content.decode()
    assert not re.search(r"<button[^>]*_shift", listed)


# --- Rights that end --------------------------------------------------------------------------


def board_form(board, **changed) -> dict:
    """What the page of a board sends for it."""
    return {**FIELDS, "name": board.name, "slug": board.slug, **changed}


def member_form(member, *rights) -> dict:
    """What the page of a member sends who has these rights."""
    fields = {"email": member.email, "theme": member.theme, "view": member.view}
    fields |= {"posts_per_page": member.posts_per_page, "is_active": "on"}
    return fields | dict.fromkeys(rights, "on")


def test_who_loses_the_last_board_loses_the_desk_in_open_sessions(
    thread, inner_board, administrator
):
    board, warden = thread.board, make_member("warden", is_staff=True)
    for one in (board, inner_board):
        boards.name_moderators(user=administrator, board=one, members=[warden])
    signed_in, chief = browser(warden), browser(administrator)
    desk, post = reverse("admin:index"), thread.posts.get(number=2)
    assert signed_in.get(desk).status_code == 200
    assert signed_in.get(inner_board.get_absolute_url()).status_code == 200
    chief.post(page(inner_board), board_form(inner_board, audience="moderators"))
    assert signed_in.get(inner_board.get_absolute_url()).status_code == 404
    assert signed_in.get(desk).status_code == 200  # another board is left
    chief.post(page(board), board_form(board))
    assert not fresh(warden).is_staff
    for path in (desk, reverse("admin:forum_note_changelist"), page(board)):
        assert signed_in.get(path).status_code in (302, 403), path
    hide = {"_act": "hide", "reason": "I may no more."}
    signed_in.post(reverse("admin:forum_post_change", args=[post.pk]), hide)
    assert fresh(post).state == "visible"


@pytest.mark.parametrize("right", ["is_moderator", "is_superuser"])
def test_who_is_demoted_loses_the_desk_in_open_sessions(board, administrator, right):
    member = make_member("second", is_staff=True, **{right: True})
    address = reverse("admin:accounts_user_change", args=[member.pk])
    signed_in, chief = browser(member), browser(administrator)
    assert signed_in.get(reverse("admin:index")).status_code == 200
    # The box that opens the desk stays ticked; nobody has to think of it.
    assert chief.post(address, member_form(member, "is_staff")).status_code == 302
    assert not fresh(member).is_staff
    assert signed_in.get(reverse("admin:index")).status_code in (302, 403)
    # Who is to look after a board is let in first.
    assert chief.post(address, member_form(member, "is_staff")).status_code == 302
    assert fresh(member).is_staff
    boards.name_moderators(user=administrator, board=board, members=[member])
    rights = {right: True, "is_staff": True}
    type(member).objects.filter(pk=member.pk).update(**rights)
    assert chief.post(address, member_form(member, "is_staff")).status_code == 302
    assert fresh(member).is_staff  # a board is left


def test_the_moderators_of_a_board_that_is_taken_out_go_with_it(board, administrator):
    warden, keeper = (make_member(name, is_staff=True) for name in ("warden", "keeper"))
    type(keeper).objects.filter(pk=keeper.pk).update(is_moderator=True)
    board.moderators.set([warden, keeper])  # as a fixture does: the log does not tell of it
    boards.remove(user=administrator, board=board)
    assert not fresh(warden).is_staff
    assert fresh(keeper).is_staff
