"""What says that a post shows a picture names the debate in which the post stands, wherever that
goes."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.models import F

from forum.checking import check
from forum.models import AuditEntry, Picture, PictureUse, Thread
from forum.moderation import merging, moving, undoing
from tests.people import browser, edit, fresh, reply, sent_picture, start
from tests.races.soundness import faults

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("picture_folder")]


@pytest.fixture
def other(board, stranger) -> Thread:
    return start(board, stranger, "What if it had thawed?", "Suppose.")


@pytest.fixture
def shown(thread, other, opener) -> dict[str, Picture]:
    """Maps of a debate: one that an answer shows, and one that came into it by an edit."""
    first, second = (sent_picture(words, member=opener) for words in ("The front", "The rear"))
    post = reply(thread, opener, f"Look:\n\n{first.markdown}")
    edit(reply(thread, opener, "I say.", to=post), f"I say:\n\n{second.markdown}")
    return {"front": first, "rear": second}


def has(thread, *pictures: Picture) -> bool:
    """Whether these, and no others, stand in the atlas of a debate, whose page links it then."""
    page = browser().get(f"/threads/{thread.pk}/atlas/", follow=True).content.decode()
    linked = ">Atlas</a>" in browser().get(thread.get_absolute_url(), follow=True).content.decode()
    found = {one.key for one in Picture.objects.all() if f'id="map-{one.key}"' in page}
    return found == {one.key for one in pictures} and linked == bool(pictures)


def undo_last(user) -> None:
    undoing.undo(user=user, entry=AuditEntry.objects.order_by("pk").last())


def test_maps_go_where_their_posts_go(thread, other, shown, moderator):
    assert has(thread, *shown.values()) and has(other)

    def parted() -> None:
        post = PictureUse.objects.get(picture=shown["rear"]).post
        moving.split(user=moderator, thread=fresh(thread), chosen=[post.pk], title="The rear")

    def moved() -> None:
        post = fresh(PictureUse.objects.get(picture=shown["front"]).post)
        moving.move_branch(user=moderator, post=post, target=fresh(other))

    def merged() -> None:
        merging.merge(user=moderator, thread=fresh(thread), into=fresh(other))

    for act, left, there in (
        (parted, ("front",), ()),
        (moved, (), ("front", "rear")),
        (merged, ("front", "rear"), ("front", "rear")),  # whose address leads there
    ):
        act()
        assert has(fresh(thread), *(shown[name] for name in left)), act
        assert has(fresh(other), *(shown[name] for name in there)), act
        if act is parted:
            assert has(Thread.objects.get(title="The rear"), shown["rear"])
        assert faults(connection) == []
        undo_last(moderator)
        assert has(fresh(thread), *shown.values()) and has(fresh(other)), act
        assert faults(connection) == []


def test_what_names_another_debate_is_healed(thread, other, shown):
    assert list(check()) == []
    for wrong in (other, None):
        PictureUse.objects.filter(picture=shown["front"]).update(thread=wrong)
        assert not has(thread, *shown.values())
        assert [fault.healed for fault in check()] == [False]
        assert [fault.healed for fault in check(fix=True)] == [True]
        assert has(fresh(thread), *shown.values())
        assert list(check()) == []


def test_the_upgrade_writes_the_debate(thread, other, shown, opener, monkeypatch):
    """A part at a time; begun again it goes on with what is left."""
    maps = [sent_picture(f"Map {n}", member=opener) for n in range(5)]
    reply(other, opener, "\n\n".join(each.markdown for each in maps))
    right = dict(PictureUse.objects.values_list("pk", "thread"))
    assert set(right.values()) == {thread.pk, other.pk}
    name = "0063_shown_pictures_in_debates"
    migration = import_module(f"forum.migrations.{name}")
    monkeypatch.setattr(migration, "PART", 2)
    loader = MigrationLoader(connection)
    apps = loader.project_state(("forum", name), at_end=False).apps
    for left in (PictureUse.objects.all(), PictureUse.objects.filter(pk__in=[*right][::3])):
        left.update(thread=None)
        migration.fill(apps, SimpleNamespace(connection=connection))
        assert dict(PictureUse.objects.values_list("pk", "thread")) == right
    assert not PictureUse.objects.exclude(thread=F("post__thread")).exists()
