"""Counts of divergences that are kept: for whom they are, what they never tell, what they save."""

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from forum.actions import description
from forum.actions.divergences import read_divergence
from forum.models import Board, Divergence, Thread
from forum.models.debate import DivergenceQuerySet
from forum.moderation import states
from forum.operations import caching
from forum.views import maps, timeline
from tests.people import browser, make_member, start
from tests.views.test_maps import lying
from tests.views.test_queries import queries

pytestmark = [pytest.mark.django_db, pytest.mark.reads]
PATHS = ("/timeline/", "/map/")
LAST: dict = {}
LONDON, ROME = (51.5, -0.1), (41.9, 12.5)


@pytest.fixture(autouse=True)
def kept(settings, monkeypatch):
    settings.KEPT_PAGES_MB = 4
    caching.fragments.clear()
    monkeypatch.setattr(timeline, "PER_PAGE", 1)  # more than these it counts
    yield
    caching.fragments.clear()


@pytest.fixture
def lie(board, other_board, opener) -> None:
    """Two at London for everybody, three at Rome on a board for members."""
    lying(board, opener, [LONDON] * 2)
    lying(other_board, opener, [ROME] * 3, first=2)
    Board.objects.filter(pk=other_board.pk).update(audience="members")


def told(user, path="/timeline/") -> str:
    return browser(user).get(path).content.decode()


@pytest.fixture(autouse=True)
def drawn(monkeypatch) -> None:
    """What a page was drawn of last is in `LAST`."""
    for view in (timeline, maps):

        def noted(request, template, context, render=view.render):
            LAST.clear()
            LAST.update(context)
            return render(request, template, context)

        monkeypatch.setattr(view, "render", noted)


def on_the_timeline(user=None, query="") -> int:
    told(user, f"/timeline/{query}")
    return sum(int(number) for _, number, _ in LAST["crowd"].eras)


def on_the_map(user=None, query="") -> int:
    told(user, f"/map/{query}")
    assert LAST["anywhere"] == LAST["here"]
    return LAST["anywhere"]


def total(user, query="") -> int:
    """How many divergences the timeline and the map say there are, for they say the same."""
    found = on_the_timeline(user, query)
    assert on_the_map(user, query) == found
    return found


def counts() -> list[tuple]:
    return [key for key in caching.fragments._kept if key[0] == "counts"]


# --- Who is told what -------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["visitor", "member", "moderator"])
def test_nobody_is_given_what_others_count(lie, stranger, moderator, first):
    readers = {"visitor": (None, 2), "member": (stranger, 5), "moderator": (moderator, 5)}
    for who in (first, *readers, *readers):
        user, number = readers[who]
        assert total(user) == number, who
    assert total(None, "?board=after-1900") == total(stranger, "?board=after-1900") == 2


def test_who_is_invited_counts_more_and_tells_nobody(lie, other_board, stranger, answerer):
    Board.objects.filter(pk=other_board.pk).update(audience="invited")
    other_board.invited.add(stranger)
    for user, number in ((stranger, 5), (answerer, 2), (None, 2), (stranger, 5)):
        assert total(user) == number


@pytest.mark.parametrize("path", PATHS)
def test_who_sees_more_just_now_keeps_no_more_for_others(
    lie, other_board, stranger, answerer, monkeypatch, path
):
    """They are invited after the boards were read, and before anything is counted."""
    Board.objects.filter(pk=other_board.pk).update(audience="invited")

    def meanwhile(count):
        def invited(*given, **more):
            other_board.invited.add(stranger)
            return count(*given, **more)

        return invited

    with monkeypatch.context() as patch:
        for name in ("by_column", "by_cell", "counted_within"):
            patch.setattr(DivergenceQuerySet, name, meanwhile(getattr(DivergenceQuerySet, name)))
        told(stranger, path)
    assert total(answerer) == 2


def test_whose_debate_waits_counts_it_alone(lie, board, stranger, answerer, moderator):
    Board.objects.filter(pk=board.pk).update(approve_first=9)
    board.refresh_from_db()
    thread = start(board, stranger)
    one = read_divergence(change="It holds.", when="1066", place="London")
    description.describe(user=stranger, thread=thread, divergences=[one], questions=[])
    for user, number in ((stranger, 6), (answerer, 5), (None, 2), (stranger, 6)):
        assert total(user) == number
    states.reject(user=moderator, post=thread.posts.get(), reason="No.")
    assert (total(stranger), total(answerer)) == (6, 5)


def test_what_stands_alone_is_named_only_where_it_may_be_read(lie, board, opener):
    """The map names it by what is kept of where things lie; its row is asked for anew."""
    lying(board, opener, [(36.0, 116.0)], first=7)
    assert "Debate 7" in told(None, "/map/")
    Thread.objects.filter(title="Debate 7").update(state="hidden")  # past all that raises a number
    assert counts()
    assert "Debate 7" not in told(None, "/map/")


def test_what_changes_while_it_is_counted_is_counted_the_next_time(lie, board, opener, monkeypatch):
    one = read_divergence(change="It holds.", when="1066", place="London")
    thread = start(board, opener)
    count = DivergenceQuerySet.by_column

    def meanwhile(rows, *given, **more):
        found = count(rows, *given, **more)
        if not Divergence.objects.filter(thread=thread).exists():
            description.describe(user=opener, thread=thread, divergences=[one], questions=[])
        return found

    monkeypatch.setattr(DivergenceQuerySet, "by_column", meanwhile)
    assert (on_the_timeline(), on_the_timeline()) == (2, 3)


# --- What is kept -----------------------------------------------------------------------------


def test_what_is_typed_or_zoomed_by_hand_is_not_kept(lie):
    for query in ("?from=1000", "?place=x", "?from=never", "?board=nothing"):
        for path in PATHS:
            told(None, path + query)
    assert not counts()
    told(None, "/map/?in=50.00,0.00,90.0")
    assert [key[1] for key in counts()] == ["regions"]


def test_who_moderates_keeps_nothing(lie, moderator, board_moderator, administrator):
    for user in (moderator, board_moderator, administrator):
        for path in PATHS:
            told(user, path)
    assert not counts()


@pytest.mark.parametrize("query", ["", "?kind=WI", "?board=after-1900"])
def test_nothing_is_counted_twice(lie, stranger, query):
    """Neither for another reader who sees the same boards."""
    clients = [browser(stranger), browser(make_member("another"))]
    for path in PATHS:
        clients[0].get(path + query)
        for client in clients:
            with CaptureQueriesContext(connection) as captured:
                assert client.get(path + query).status_code == 200
            assert not [asked["sql"] for asked in captured if "COUNT(" in asked["sql"]]


def test_pages_ask_the_same_of_few_and_many(lie, board, opener, stranger):
    def asked() -> list[int]:
        caching.fragments.clear()
        clients = [browser(), browser(stranger)]
        return [queries(client, path) for _ in (1, 2) for client in clients for path in PATHS]

    few = asked()
    lying(board, opener, [LONDON, ROME] * 20, first=9)
    for n in range(9):
        Board.objects.create(name=f"Board {n}", slug=f"b{n}")
    assert asked() == few
    assert [first - second for first, second in zip(few[:4], few[4:], strict=True)] == [1, 2, 1, 2]


def test_what_raises_no_number_is_counted_again_within_the_hour(lie, board, opener):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert total(None) == 2
        lying(board, opener, [ROME], first=9)
        assert total(None) == 2
        clock.shift(3601)
        assert total(None) == 3
