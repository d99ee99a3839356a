"""The desk's lists are searched by the forum's search; none of what grows by pieces of words."""

import re

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import PastName, User
from forum.admin import searching
from forum.models import Board, Member, Post, PostRevision, Question, Quote, Thread
from forum.moderation import states
from tests.people import browser, edit, make_member, quoting, reply, start

pytestmark = [pytest.mark.django_db, pytest.mark.reads]
# Their words stand in no index of words: what moderators wrote, and what few boards hold.
BY_PIECES = {"Board", "Term", "AuditEntry", "Case", "Report", "Notice", "Suspension", "Note"}


def found(user, model, typed: str) -> list[int]:
    """The ids of the rows that a list of the desk shows."""
    path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    answer = browser(user).get(path, {"q": typed})
    assert answer.status_code == 200
    return sorted(row.pk for row in answer.context["cl"].result_list)


@pytest.fixture
def debate(board, opener, answerer):
    thread = start(board, opener, title="Hastings is lost")
    return reply(thread, answerer, "The shield walls of Łódź held; nobody doubted it.")


def test_texts_and_quotes_are_found_by_words(debate, moderator, stranger):
    edit(debate, "The shield walls of Łódź stood.")
    post = reply(debate.thread, stranger, quoting(debate, "The shield walls of Łódź stood."))
    texts = list(debate.revisions.order_by("pk").values_list("pk", flat=True))
    assert found(moderator, PostRevision, '"shield wall" lodz') == texts
    assert found(moderator, PostRevision, "hield") == []
    assert found(moderator, Quote, "lodz") == [post.quotes.get().pk]
    assert found(moderator, Post, "lodz by:answerer") == [debate.pk]
    assert found(moderator, Thread, "hastings") == [debate.thread_id]


def test_members_are_found_by_how_their_names_begin(moderator):
    one = make_member("hastings-fan")
    PastName.objects.create(user=one, username="norman-fan")
    for typed in ("hast", "HASTINGS", "hastingsf", "Norman"):
        assert found(moderator, Member, typed) == [one.pk], typed
    assert found(moderator, Member, "fan") == found(moderator, Member, "%") == []
    # What no search of posts takes may still begin a name.
    assert found(moderator, Member, "-") == found(moderator, Member, '"') == []
    assert found(moderator, Member, " ") == sorted(User.objects.values_list("pk", flat=True))


def test_nothing_is_found_out_of_sight(debate, moderator, board_moderator, other_board, opener):
    """Who moderates one board finds nothing of another that they may not read."""
    Board.objects.filter(pk=other_board.pk).update(audience="moderators")
    thread = start(other_board, moderator, title="Hastings in secret")
    secret = reply(thread, moderator, "Łódź in secret.")
    assert secret.revisions.get().pk in found(moderator, PostRevision, "lodz")
    assert found(board_moderator, PostRevision, "lodz") == [debate.revisions.get().pk]
    assert found(board_moderator, Thread, "hastings") == [debate.thread_id]
    states.hide(user=moderator, post=debate, reason="Spam.")
    assert found(board_moderator, PostRevision, "lodz") == [debate.revisions.get().pk]


def test_a_list_says_when_it_looked_at_the_newest_alone(board, opener, moderator, monkeypatch):
    """A filter beside it may hide all of these, and there are others."""
    for n in range(3):
        start(board, opener, title=f"Hastings is lost, version {n}")
    path = reverse("admin:forum_thread_changelist")
    client = browser(moderator)
    for most, told in ((2, True), (3, False)):
        monkeypatch.setattr(searching, "MOST_DEBATES", most)
        shown = client.get(path, {"q": "hastings", "state__exact": "visible"}).content.decode()
        assert ("More is found than a list looks through" in shown) is told
        assert re.search(rf"{most}\s+found</p>", shown)


def test_what_is_not_understood_is_told(debate, moderator):
    path = reverse("admin:forum_postrevision_changelist")
    page = browser(moderator).get(path, {"q": "kind:novel"}).content.decode()
    assert "There is WI, AHC" in page
    assert found(moderator, Question, "kind:novel") == []


def test_no_list_of_what_grows_is_read_through_for_a_piece_of_a_word(debate, administrator):
    client = browser(administrator)
    for model, site in admin.site._registry.items():
        # Accounts, which know of no forum, are found by their mail addresses too.
        if model._meta.app_label != "forum" or model.__name__ in BY_PIECES:
            continue
        if not site.get_search_fields(None):
            continue
        path = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse(path), {"q": "hastings"})
        pieces = [query["sql"] for query in captured if "LIKE '%" in query["sql"].upper()]
        assert not pieces, (model, pieces)
