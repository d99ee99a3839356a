"""Who may join: everybody, who was invited, or nobody; and who invited whom."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.urls import reverse

from accounts import invitations
from accounts.models import Invitation, User
from core.problems import Problem
from forum.models import Suspension
from forum.moderation import closing, sanctions
from tests.accounts.test_accounts import PASSWORD, confirm, sign_up, signed_in
from tests.people import browser, fresh

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site(settings):
    confirm(settings, "optional")
    settings.NEW_MEMBER_POSTS = 3


@pytest.fixture
def by_invitation(settings):
    settings.JOINING = "invitation"


def invite(member, **fields) -> Invitation:
    User.objects.filter(pk=member.pk).update(welcomed_at=member.date_joined)
    return invitations.make(user=fresh(member), **fields)


def joins(name: str, invitation: Invitation | str) -> User | None:
    token = getattr(invitation, "token", invitation)
    sign_up(browser(), name, invitation=token)
    return User.objects.filter(username=name).first()


def test_who_has_a_link_joins_and_nobody_else(by_invitation, stranger):
    client = browser()
    assert "Joining is by invitation" in client.get("/accounts/signup/").content.decode()
    assert joins("uninvited", "") is None
    assert joins("guessing", "x" * 22) is None
    invitation = invite(stranger, note="For a friend")
    page = client.get(f"/accounts/signup/?invitation={invitation.token}").content.decode()
    assert f"<bdi>{stranger.username}</bdi> invites you." in page
    assert f'value="{invitation.token}"' in page
    guest = joins("member-x", invitation)
    assert guest.invitation == invitation
    assert joins("member-y", invitation) is None  # it was for one
    assert list(fresh(invitation).guests.all()) == [guest]


def test_a_mistake_in_the_form_costs_no_use(by_invitation, stranger):
    invitation = invite(stranger)
    client = browser()
    answer = sign_up(client, "member-x", invitation=invitation.token, password1="short")
    assert f'value="{invitation.token}"' in answer.content.decode()
    assert fresh(invitation).uses_left == 1
    assert sign_up(client, "member-x", invitation=invitation.token).status_code == 302
    assert signed_in(client)


def test_the_last_use_goes_once(by_invitation, stranger, monkeypatch):
    """Both had found it while it was good."""
    invitation = invite(stranger)
    held = fresh(invitation)
    monkeypatch.setattr(invitations, "found", lambda token: held)
    assert joins("member-x", invitation)
    client = browser()
    answer = sign_up(client, "member-y", invitation=invitation.token)
    assert "This invitation holds no more" in answer.content.decode()
    assert not User.objects.filter(username="member-y").exists()
    assert not signed_in(client)
    assert fresh(invitation).uses_left == 0


@pytest.mark.parametrize("end", ["taken back", "too old", "closed"])
def test_a_link_ends(by_invitation, stranger, opener, end):
    invitation = invite(stranger, uses=5)
    first = joins("member-x", invitation)
    if end == "taken back":
        invitations.take_back(user=opener, pk=invitation.pk)  # somebody else's
        assert joins("member-y", invitation)
        invitations.take_back(user=stranger, pk=invitation.pk)
    elif end == "too old":
        Invitation.objects.update(ends_at=F("ends_at") - timedelta(days=15))
    else:
        closing.close_own(user=stranger)
    assert joins("member-z", invitation) is None
    assert fresh(first).is_active
    assert (fresh(first).invitation is None) == (end == "closed")


def test_a_link_of_who_is_suspended_lets_nobody_in(by_invitation, stranger, administrator):
    """Else whoever is kept out comes back by a link that they made before."""
    invitation = invite(stranger, uses=5)
    done = sanctions.suspend(user=administrator, member=stranger, days=1, reason="Rude.")
    assert joins("member-x", invitation) is None
    suspension = Suspension.objects.get(member=stranger)
    sanctions.lift_suspension(user=administrator, suspension=suspension, reason="Sorry.")
    assert done and joins("member-y", invitation)


def test_in_an_open_forum_a_link_says_who_invited_and_a_bad_one_stops_nobody(stranger):
    invitation = invite(stranger)
    assert joins("member-x", invitation).invitation == invitation
    assert joins("member-y", invitation).invitation is None
    assert joins("member-z", "!" * 3)


def test_a_closed_forum_takes_nobody(settings, stranger):
    invitation = invite(stranger)
    settings.JOINING = "closed"
    assert joins("member-x", invitation) is None
    page = browser().get(f"/accounts/signup/?invitation={invitation.token}").content.decode()
    assert "No new accounts just now" in page
    with pytest.raises(Problem, match="takes no new members"):
        invitations.make(user=fresh(stranger))


def test_new_and_suspended_members_invite_nobody(stranger, opener, administrator):
    assert fresh(stranger).is_new
    with pytest.raises(Problem, match="some standing"):
        invitations.make(user=fresh(stranger))
    User.objects.filter(pk=opener.pk).update(welcomed_at=opener.date_joined)
    sanctions.suspend(user=administrator, member=opener, days=3, measure="silence", reason="So.")
    with pytest.raises(Problem, match="some standing"):
        invitations.make(user=fresh(opener))


def test_nobody_has_more_than_a_few_links(stranger):
    for _ in range(invitations.MOST):
        last = invite(stranger)
    with pytest.raises(Problem, match="Take one back first"):
        invite(stranger)
    invitations.take_back(user=stranger, pk=last.pk)
    assert invite(stranger)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"uses": "0", "days": "3"}, "greater than or equal to 1"),
        ({"uses": "26", "days": "3"}, "less than or equal to 25"),
        ({"uses": "2", "days": "91"}, "less than or equal to 90"),
        ({"uses": "x", "days": ""}, "Enter a whole number"),
        ({"uses": "2", "days": "3", "note": "a\u0007b"}, "one line"),
    ],
)
def test_what_cannot_be_is_told_and_kept(stranger, fields, words):
    User.objects.filter(pk=stranger.pk).update(welcomed_at=stranger.date_joined)
    answer = browser(stranger).post("/accounts/invitations/", {"note": "kept", **fields})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Invitation.objects.exists()


def test_the_page_lists_makes_and_takes_back(stranger, opener, settings):
    settings.SITE_URL = "https://forum.example"
    User.objects.filter(pk=stranger.pk).update(welcomed_at=stranger.date_joined)
    client = browser(stranger)
    assert "You have made none." in client.get("/accounts/invitations/").content.decode()
    client.post("/accounts/invitations/", {"note": "For two", "uses": "2", "days": "3"})
    invitation = Invitation.objects.get()
    joins("member-x", invitation)
    page = client.get("/accounts/invitations/").content.decode()
    assert "For 1 person more" in page
    assert "Came: <bdi>member-x</bdi>" in page
    assert f"https://forum.example/accounts/signup/?invitation={invitation.token}" in page
    assert invitation.token not in browser(opener).get("/accounts/invitations/").content.decode()
    client.post("/accounts/invitations/", {"take_back": invitation.pk})
    page = client.get("/accounts/invitations/").content.decode()
    assert "Nobody joins by it any more" in page
    assert invitation.token not in page
    assert browser().get("/accounts/invitations/").status_code == 302


def test_administrators_see_who_invited_whom(stranger, administrator, moderator):
    invitation = invite(stranger)
    joins("member-x", invitation)
    page = reverse("admin:accounts_invitation_change", args=[invitation.pk])
    text = browser(administrator).get(page).content.decode()
    assert "member-x" in text
    assert invitation.token not in text
    assert browser(moderator).get(page).status_code == 403


def test_the_page_costs_the_same_with_many_links(stranger, django_assert_num_queries):
    client = browser(stranger)
    client.get("/accounts/invitations/")
    invite(stranger)
    with django_assert_num_queries(3):
        client.get("/accounts/invitations/")
    for number in range(5):
        joins(f"member-n{number}", invite(stranger))
    with django_assert_num_queries(3):
        client.get("/accounts/invitations/")
    assert PASSWORD
