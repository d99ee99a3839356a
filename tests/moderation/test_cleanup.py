"""Cleaning up after one account, and bringing all of it back."""

from uuid import uuid4

import pytest

from forum.models import AuditEntry, Board, Case, Notice, Post, Report, Thread
from forum.moderation import cleanup, reports, states
from forum.permissions import Refused
from tests.people import browser, dump, fresh, pending, reply, start

pytestmark = pytest.mark.django_db
ROWS = (Board, Thread, Post, Case, Report)


@pytest.fixture
def posted(thread, other_board, stranger, opener):
    """What the stranger posted: two replies, a waiting one, and a debate elsewhere."""
    reply(thread, stranger, "Buy my book.")
    reply(thread, stranger, "Buy it now.")
    pending(thread, stranger, "Do buy it.")
    start(other_board, stranger, title="Books", text="My book is for sale.")
    reports.report(
        user=opener, post=stranger.posts.order_by("pk").first(), reason="spam", token=uuid4()
    )
    return list(stranger.posts.order_by("pk"))


def everything(user, member, batch=None, **chosen) -> AuditEntry:
    own = Post.objects.filter(author=member)
    chosen = chosen or {
        "post_ids": list(own.exclude(parent_basis="opening").values_list("pk", flat=True)),
        "thread_ids": list(Thread.objects.filter(author=member).values_list("pk", flat=True)),
    }
    return cleanup.clean_up(
        user=user, member=member, reason="Advertising.", batch=batch or uuid4(), **chosen
    )


def rows() -> dict:
    """All rows but the numbers that every change raises."""
    found = dump(*ROWS)
    for row in found[Thread]:
        row.pop("version")
    for row in found[Board]:
        row.pop("divergences_version")
    return found


def test_all_of_it_goes_and_comes_back(thread, posted, stranger, moderator):
    before = rows()
    entry = everything(moderator, stranger)
    assert [fresh(post).state for post in posted] == ["hidden", "hidden", "rejected", "visible"]
    assert fresh(posted[3].thread).state == "hidden"
    assert not Case.objects.open().exists()
    assert AuditEntry.objects.filter(detail__batch=entry.detail["batch"]).count() == 5
    told = Notice.objects.get(member=stranger)
    assert told.sentence == "4 things that you posted were hidden."
    _, left = cleanup.undo(user=moderator, entry=entry, reason="It was a quotation.")
    assert left == []
    assert rows() == before
    assert Notice.objects.filter(member=stranger).latest("pk").sentence == (
        "What you posted was brought back."
    )
    with pytest.raises(Refused, match="already"):
        cleanup.undo(user=moderator, entry=entry)


def test_one_batch_is_made_once(posted, stranger, moderator):
    batch = uuid4()
    first = everything(moderator, stranger, batch)
    count = AuditEntry.objects.count()
    assert everything(moderator, stranger, batch) == first
    assert AuditEntry.objects.count() == count
    with pytest.raises(Refused, match="nothing"):
        everything(moderator, stranger)


def test_what_happened_since_is_left_and_named(posted, stranger, moderator):
    entry = everything(moderator, stranger)
    states.remove(user=moderator, post=fresh(posted[0]), reason="For good.")
    _, left = cleanup.undo(user=moderator, entry=entry)
    assert len(left) == 1
    assert "by now" in left[0]
    assert [fresh(post).state for post in posted[:3]] == ["removed", "visible", "pending"]


def test_it_reaches_no_further_than_the_member_and_ones_boards(
    thread, posted, answer, stranger, opener, board_moderator, administrator
):
    chosen = {
        "post_ids": [answer.pk, posted[0].pk],
        "thread_ids": [thread.pk, posted[3].thread_id],
    }
    everything(board_moderator, stranger, **chosen)
    assert fresh(posted[0]).state == "hidden"
    assert fresh(answer).state == fresh(thread).state == "visible"
    assert fresh(posted[3].thread).state == "visible"
    for user, member in (
        (opener, stranger),
        (stranger, stranger),
        (board_moderator, administrator),
        (board_moderator, board_moderator),
    ):
        with pytest.raises(Refused):
            everything(user, member)
    with pytest.raises(Refused, match="At most"):
        everything(board_moderator, stranger, post_ids=range(201))


def test_the_page_of_everything(posted, stranger, moderator, board_moderator, opener):
    path = f"/admin/forum/member/{stranger.pk}/review/"
    client = browser(moderator)
    page = client.get(path).content.decode()
    assert page.count('type="checkbox"') == 4
    assert browser(board_moderator).get(path).content.decode().count('type="checkbox"') == 3
    assert browser(opener).get(path).status_code in (302, 403)
    fields = {"post": posted[1].pk, "batch": uuid4(), "reason": ""}
    response = client.post(path, fields)
    assert response.status_code == 422
    assert " checked" in response.content.decode()
    client.post(path, {**fields, "reason": "Advertising."})
    assert [fresh(post).state for post in posted] == ["visible", "hidden", "pending", "visible"]
    entry = AuditEntry.objects.get(verb="clean up")
    client.post(path, {"undo": entry.pk, "reason": "No."})
    assert fresh(posted[1]).state == "visible"
    for junk in ({}, {"batch": "x", "post": posted[1].pk, "reason": "R"}):
        assert client.post(path, junk).status_code == 422
    assert client.post(path, {"undo": "999"}).status_code == 404
    assert client.get("/admin/forum/member/99999/review/").status_code == 404
    assert client.get(f"{path}?before=x").status_code == 404
    all_of_it = {
        "all": "1",
        "all-post": [post.pk for post in posted[:3]],
        "all-thread": posted[3].thread_id,
        "batch": uuid4(),
        "reason": "Advertising.",
    }
    client.post(path, all_of_it)
    assert [fresh(post).state for post in posted[:3]] == ["hidden", "hidden", "rejected"]
