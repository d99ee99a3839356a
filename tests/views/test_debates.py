"""All debates of all boards on one list: narrowed by board, kind, years and what is new; and the
front page, which leads visitors to the example."""

import pytest
from django.core.management import call_command

from forum.actions import description
from forum.actions.divergences import read_divergence
from forum.models import Board, Thread
from forum.moderation import states
from tests.people import browser, fresh, make_member, reply, start
from tests.views.test_boards import thread_ids
from tests.views.test_queries import queries

pytestmark = pytest.mark.django_db


@pytest.fixture
def several(board, opener):
    """A debate of 1066 in `board` and one of 1588 in another, that one answered."""
    other = Board.objects.create(name="Sails", slug="sails")
    first, second = start(board, opener, title="Hastings"), start(other, opener, title="Armada")
    for thread, date in ((first, "1066"), (second, "1588")):
        divergence = read_divergence(change="It goes otherwise.", when=date)
        description.describe(user=opener, thread=thread, divergences=[divergence], questions=[])
    reply(second, opener)
    return fresh(first), fresh(second)


def test_all_boards_are_on_it_newest_answer_first(client, several):
    hastings, armada = several
    assert thread_ids(client.get("/debates/")) == [armada.pk, hastings.pk]
    assert thread_ids(client.get("/debates/?order=newest")) == [armada.pk, hastings.pk]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("board=sails", [1]),
        ("board=nowhere", []),
        ("only=unanswered", [0]),
        ("only=answered", [1]),
        ("from=1500&to=1600", [1]),
        ("to=1100", [0]),
        ("from=1700", []),
        ("from=1066&to=1066&board=sails", []),
    ],
)
def test_it_is_narrowed(client, several, query, found):
    answer = client.get(f"/debates/?{query}")
    assert thread_ids(answer) == [several[n].pk for n in found]
    assert ("No debate fits" in answer.content.decode()) == (not found)


def test_what_is_no_year_is_said_and_kept(client, several):
    shown = client.get("/debates/?from=long+ago&board=sails").content.decode()
    assert "No year found in" in shown
    assert 'value="long ago"' in shown


def test_a_hidden_opening_s_years_narrow_nothing(client, several, moderator):
    hastings, _ = several
    states.hide(user=moderator, post=hastings.posts.get(number=1), reason="Spam.")
    assert hastings.pk not in thread_ids(client.get("/debates/?from=1066&to=1066"))


def test_unread_is_for_members_and_ends(several, opener):
    reader = make_member("reader")
    client = browser(reader)
    hastings, armada = several
    reply(armada, opener)
    reply(hastings, opener)
    assert sorted(thread_ids(client.get("/debates/?only=unread"))) == [hastings.pk, armada.pk]
    client.post("/read/")
    assert "You have read everything" in client.get("/debates/?only=unread").content.decode()


def test_the_list_costs_the_same_at_any_length(board, opener):
    client = browser(make_member("reader"))
    start(board, opener)
    few = queries(client, "/debates/")
    for _ in range(35):
        start(board, opener)
    assert queries(client, "/debates/") == few


def test_visitors_are_led_to_the_example_where_it_is(client, board):
    assert "shows it all" not in client.get("/").content.decode()
    call_command("loaddata", "boards", verbosity=0)
    call_command("loaddata", "fixtures/threads/worked-example.json", verbosity=0)
    example = Thread.objects.get(key="example-fleets")
    shown = client.get("/").content.decode()
    assert f'<a class="btn main" href="{example.get_absolute_url()}">' in shown
    debate = client.get(example.get_absolute_url()).content.decode()
    for status in ("exact", "altered", "shortened"):
        assert f'data-status="{status}"' in debate
    assert "What is different here" not in browser(make_member("reader")).get("/").content.decode()
