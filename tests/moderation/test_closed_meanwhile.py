"""What a member began before the account was closed brings nothing of theirs back."""

from io import BytesIO

import pytest

from accounts import invitations, tokens
from accounts.models import ApiToken, Invitation, User
from core.problems import Problem
from forum.actions import emblems
from forum.models import OwnData
from forum.moderation import closing
from forum.own_data import asking
from tests.operations.pictures import corpus
from tests.people import fresh

ACTS = {
    "emblem": lambda user: emblems.choose(
        user=user, file=BytesIO(corpus.packed(corpus.drawn(60, 40, "P"), "PNG"))
    ),
    "invitation": lambda user: invitations.make(user=user, note="for a friend"),
    "token": lambda user: tokens.make(user=user, name="my program", scope="read"),
    "own data": lambda user: asking.ask(user=user),
}


@pytest.fixture(autouse=True)
def nothing_else_keeps_them_out(settings):
    settings.CONFIRM_ADDRESS = "off"
    settings.NEW_MEMBER_POSTS = 0


@pytest.mark.django_db
@pytest.mark.parametrize("act", ACTS)
def test_it_is_made_for_an_account_that_is_open(act, stranger):
    assert ACTS[act](User.objects.get(pk=stranger.pk))


@pytest.mark.django_db
@pytest.mark.parametrize("act", ACTS)
def test_nothing_is_made_for_an_account_that_was_closed_meanwhile(act, stranger):
    before = User.objects.get(pk=stranger.pk)  # as the request read it
    closing.close_own(user=stranger)
    with pytest.raises(Problem):
        ACTS[act](before)
    assert fresh(stranger).emblem == ""
    for model in (ApiToken, Invitation, OwnData):
        assert not model.objects.exists()
