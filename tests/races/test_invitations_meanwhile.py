"""Many who join by one link at the same moment."""

import threading

import pytest
from django.db import connection, transaction

from accounts import invitations
from accounts.models import Invitation, User
from core.problems import Problem
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races, pytest.mark.postgres]


def test_a_link_lets_in_as_many_as_it_says(forum, settings):
    settings.JOINING = "invitation"
    link = invitations.make(user=forum.moderator, uses=2)
    began, refused, failures = threading.Barrier(6), [], []

    def once(member: User) -> None:
        try:
            began.wait(PATIENCE)
            with transaction.atomic():
                invitations.use(link.token, User.objects.get(pk=member.pk))
        except Problem as problem:
            refused.append(problem)
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    every = [threading.Thread(target=once, args=[member]) for member in forum.members[:6]]
    for one in every:
        one.start()
    for one in every:
        one.join()
    assert not failures
    assert len(refused) == 4
    assert Invitation.objects.get().uses_left == 0
    assert User.objects.filter(invitation=link).count() == 2
