"""What pages read of pictures where debates are large and others have many maps."""

import pytest
from django.contrib.auth.models import AnonymousUser

from core import clock
from forum.actions.shown_pictures import shown_pictures
from forum.models import Picture, PictureUse, PostBody, Thread
from forum.models.visibility import pictures_visible_to
from forum.rendering import atlas
from forum.transfer.exporting import pictures_of
from forum.views.fetch import thread_or_404
from tests.effort import analyzed, effort
from tests.people import browser, cast, settled_row, start
from tests.views.test_road import grow

pytestmark = pytest.mark.django_db
FEW, MANY = 100, 10_000
GUEST = AnonymousUser()
opener = settled_row("opener")


@pytest.fixture(scope="module")
def world(settled):
    """A small and a large debate without pictures, one with many maps, and others with some."""
    made = cast()
    for name, posts in (("small", FEW), ("large", MANY)):
        debate = start(made.board, made.opener, f"A {name} debate", "Suppose.")
        grow(debate, made.opener, [None] * posts)
        setattr(made, name, debate)
    draw(made.opener, grow(made.thread, made.opener, [None] * 1_500))
    # Were all maps in one debate, PostgreSQL would expect them in any that is asked for.
    for n in range(20):
        debate = start(made.board, made.opener, f"A debate with maps, {n}", "Suppose.")
        draw(made.opener, grow(debate, made.opener, [None] * 50))
    analyzed()
    return made


def draw(user, posts) -> None:
    """Let each of these posts show a map of its own."""
    maps = Picture.objects.bulk_create(
        Picture(
            member=user,
            created_at=clock.now(),
            sent_sha256=f"of {post.pk}",
            sent_bytes=1,
            state=Picture.State.READY,
            shows=Picture.Shows.MAP,
            first_day=post.pk,
            last_day=post.pk,
        )
        for post in posts
    )
    revisions = dict(PostBody.objects.filter(post__in=posts).values_list("post", "revision"))
    PictureUse.objects.bulk_create(
        PictureUse(picture=one, post=post, revision_id=revisions[post.pk], thread_id=post.thread_id)
        for one, post in zip(maps, posts, strict=True)
    )


@pytest.fixture(autouse=True)
def plain(settings):
    settings.PLAIN_QUERIES = ["all"]


@pytest.fixture(params=["no maps", "a map"])
def debates(request, world, opener) -> tuple[Thread, Thread]:
    """The small and the large debate; where they show a map, the last post of each does."""
    both = world.small, world.large
    if request.param == "a map":
        for debate in both:
            draw(opener, [debate.posts.order_by("-number")[0]])
    return both


def test_whether_a_debate_has_maps_is_not_asked_of_its_posts(debates):
    assert_alike(debates, lambda debate: thread_or_404(GUEST, debate.pk, with_maps=True))
    pk = debates[1].pk
    alone = effort(lambda: thread_or_404(GUEST, pk), without=())
    asked = effort(lambda: thread_or_404(GUEST, pk, with_maps=True), without=())
    assert asked <= alone + 15, (alone, asked)


def test_the_page_of_ten_thousand_posts_reads_as_much_as_that_of_a_hundred(debates):
    client = browser()
    assert_alike(debates, lambda debate: client.get(debate.get_absolute_url()))


def test_an_atlas_and_what_a_debate_takes_along_read_its_pictures_alone(debates):
    def both(debate) -> None:
        atlas.in_thread(debate, GUEST, behind=None, most=30)
        pictures_of(debate)

    assert_alike(debates, both, "forum_pictureuse")


def test_of_a_debate_of_many_maps_the_first_is_enough(world, opener):
    draw(opener, [world.small.posts.order_by("-number")[0]])
    assert_alike(
        (world.small, world.thread),
        lambda debate: thread_or_404(GUEST, debate.pk, with_maps=True),
    )


ASKED = {
    "a file": (lambda w, key: pictures_visible_to(GUEST).get(key=key), "forum_picture"),
    "a member's": (lambda w, key: pictures_visible_to(w.stranger).get(key=key), "forum_picture"),
    "an atlas": (
        lambda w, key: atlas.in_thread(w.small, GUEST, behind=None, most=30),
        "forum_pictureuse",
    ),
    "the gallery": (
        lambda w, key: atlas.gallery(
            GUEST, shows="map", era=3, region="europe", before=None, most=24
        ),
        "forum_picture",
    ),
    "shown by another": (
        lambda w, key: shown_pictures([key], user=w.stranger, board=w.board),
        "forum_pictureuse",
    ),
}


def test_pictures_are_not_looked_for_in_all_posts_of_the_forum(world, opener):
    draw(opener, [world.small.posts.order_by("-number")[0]])
    key = Picture.objects.order_by("-pk")[0].key

    def costs() -> dict[str, int]:
        analyzed()
        return {
            name: effort(lambda ask=ask: ask(world, key), of, without=())
            for name, (ask, of) in ASKED.items()
        }

    few = costs()
    grow(world.large, opener, [None] * (MANY // 4))
    many = costs()
    assert {name for name in ASKED if not 0 < many[name] < few[name] * 1.1 + 5} == set(), (
        list(few.values()),
        list(many.values()),
    )


def assert_alike(debates, ask, of="forum_thread") -> None:
    """The second takes no more of the database than the first, as it chooses by itself."""
    for debate in debates:
        ask(debate)  # what is kept is kept from now on
    few, many = (effort(lambda debate=debate: ask(debate), of, without=()) for debate in debates)
    assert many <= few * 1.1 + 2, (few, many)
