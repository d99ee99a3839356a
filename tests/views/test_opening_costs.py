"""What is read to find where a debate begins, while the forum around it grows."""

from functools import partial

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection

from forum.models import Post, Thread
from forum.rendering.outline import outline_of
from forum.views.fetch import thread_or_404
from tests.effort import analyzed, effort
from tests.people import browser, cast, settled_row, start
from tests.views.test_road import grow

pytestmark = pytest.mark.django_db
AROUND = 6_000  # posts, of which every other one answers none but the opening of its debate
ABOVE = [n - 1 if n % 2 else None for n in range(AROUND)]
opener = settled_row("opener")


@pytest.fixture(scope="module")
def world(settled):
    made = cast()
    made.small = start(made.board, made.opener, "A small debate", "Suppose.")
    made.answers = grow(made.small, made.opener, [None, 0, 1, 2])
    return made


@pytest.fixture(autouse=True)
def plain(settings):
    settings.PLAIN_QUERIES = ["all"]


def looks(world) -> dict:
    """What asks for an opening, by name."""
    debate, post = world.small, world.answers[-1]
    client = browser(world.opener)
    pages = {
        "outline": f"/threads/{debate.pk}/outline/",
        "road": f"/posts/{post.pk}/road/",
        "describe": f"/threads/{debate.pk}/describe/",
        "reply": f"/threads/{debate.pk}/reply/",
        "reader": f"/threads/{debate.pk}/read/",
    }
    return {
        "the row": lambda: list(Post.objects.opening_of(debate.pk)),
        "stances": lambda: outline_of(
            thread_or_404(AnonymousUser(), debate.pk), AnonymousUser(), first=1, most=50
        ),
        **{name: partial(read, client, address) for name, address in pages.items()},
    }


def read(client, address: str) -> None:
    assert client.get(address).status_code == 200, address


def test_an_opening_is_found_without_a_look_at_other_debates(world):
    """After statistics were taken, as loading a debate does: by these, few posts answer none."""
    before = {}
    for name, look in looks(world).items():
        look()
        before[name] = effort(look, "forum_post", without=())
    grow(Thread.objects.get(pk=world.thread.pk), world.answerer, ABOVE)
    analyzed()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    after = {name: effort(look, "forum_post", without=()) for name, look in looks(world).items()}
    # PostgreSQL reads small tables as a whole, so before there were other posts it read few.
    grown = {name: (before[name], rows) for name, rows in after.items() if rows > before[name] + 90}
    assert not grown
