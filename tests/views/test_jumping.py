"""From one place of a long debate to another."""

from datetime import UTC, datetime, timedelta

import pytest

from forum.models import Post, State
from tests.people import fresh
from tests.tree.test_tree import grow
from tests.views.test_queries import queries, write_texts

pytestmark = pytest.mark.django_db
BEGAN = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def long(board):
    """A debate of ninety posts, one a day."""
    thread = grow(board, [None] * 90)
    for post in thread.posts.all():
        Post.objects.filter(pk=post.pk).update(loaded_at=BEGAN + timedelta(days=post.number - 1))
    write_texts(thread)
    return fresh(thread)


def led_to(client, thread, typed: str, view: str = "") -> str:
    answer = client.get(f"/threads/{thread.pk}/jump/", {"to": typed, "view": view})
    return answer.headers.get("Location", "")


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        *(("#75", 75), ("75", 75), (" # 1 ", 1), ("2026-05-31", 31), ("31 May 2026", 31)),
        *(("June 2026", 32), ("1066", None), ("the year 1066", 1), ("#91", None), ("#0", None)),
        ("1 January 9998", None),
    ],
)
def test_to_a_number_or_a_day(client, long, typed, number):
    address = led_to(client, long, typed)
    if number is None:
        assert address == ""
    else:
        post = long.posts.get(number=number)
        assert address.endswith(f"#post-{post.pk}")
        assert f'id="post-{post.pk}"' in client.get(address).content.decode()


@pytest.mark.parametrize(("typed", "page"), [("page 2", 2), ("p2", 2), ("page 99", 5), ("p. 0", 1)])
@pytest.mark.parametrize("view", ["flat", "tree", ""])
def test_to_a_page_in_the_view_one_came_from(client, long, typed, page, view):
    address = led_to(client, long, typed, view)
    assert f"page={page}" in address
    assert (f"view={view}" in address) == bool(view)
    assert client.get(address).status_code == 200


def test_in_the_tree_too(client, long):
    post = long.posts.get(number=80)
    address = led_to(client, long, "#80", "tree")
    assert "view=tree" in address
    assert f'id="post-{post.pk}"' in client.get(address).content.decode()


@pytest.mark.parametrize("typed", ["", "nothing", "12.5.2026", "<b>", "#" * 200, "#999999999"])
def test_what_cannot_be_read_is_asked_for_again(client, long, typed):
    answer = client.get(f"/threads/{long.pk}/jump/", {"to": typed})
    assert answer.status_code == 200
    if typed:
        assert 'class="error"' in answer.content.decode()


def test_a_hidden_post_is_a_placeholder_like_any_other(client, long):
    post = long.posts.get(number=80)
    Post.objects.filter(pk=post.pk).update(state=State.HIDDEN)
    assert led_to(client, fresh(long), "#80").endswith(f"#post-{post.pk}")


def test_it_costs_the_same_wherever_one_goes(client, long):
    def cost(typed: str) -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as captured:
            led_to(client, long, typed)
        return len(captured)

    assert cost("#2") == cost("#88")
    assert cost("2 May 2026") == cost("20 July 2026")


def test_the_pager_offers_it(client, long):
    assert (
        f'action="/threads/{long.pk}/jump/"' in client.get(long.get_absolute_url()).content.decode()
    )
    assert queries(client, long.get_absolute_url()) < 12
