"""A moderator of one board splits a branch off, from the post itself, and takes it back."""

import pytest
from django.db import connection

from forum.models import AuditEntry, Board, Post, Thread
from tests.races.soundness import faults

from . import world

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_branch_becomes_a_debate_and_comes_back(sits_down):
    world.load_source_thread()
    asks, answers = world.member("member-a"), world.member("member-b")
    warden = world.member("warden", is_staff=True)
    Board.objects.get(slug="after-1900").moderators.add(warden)
    thread = world.start(asks, "What if the ice had held?", "Suppose that it had.", kind="TL")
    first = world.reply(answers, thread, "The carts were too heavy for it.")
    world.reply(asks, thread, "Not those of the baker.", first)
    before = thread.posts.count()

    reader = sits_down(warden, javascript=False)
    reader.opens(thread.get_absolute_url())
    page = reader.page
    reader.goes_by(reader.opens_more(first).get_by_role("link", name="Moderate"))
    reader.goes_by(page.get_by_role("link", name="Split the branch off"))
    assert "2 posts go along." in page.inner_text("main")
    page.get_by_label("Title of the new debate").fill("Carts on the ice")
    page.get_by_label("Reason").fill("Another subject.")
    reader.goes_by(page.get_by_role("button", name="Split the branch off"))
    assert page.locator("h1").inner_text() == "Carts on the ice"
    new = Thread.objects.get(title="Carts on the ice")
    assert page.locator("article.post").count() == 2
    assert Post.objects.get(pk=first.pk).thread == new
    assert not faults(connection)

    # The permalink of the post finds it there, and its writer is told why.
    member = sits_down(answers, javascript=False)
    member.opens(f"/posts/{first.pk}/")
    assert f"/threads/{new.pk}/" in member.page.url
    member.opens("/notices/")
    assert "Another subject." in member.page.inner_text("main")

    reader.opens(f"/threads/{thread.pk}/moderate/")
    page.locator("summary", has_text="Take back").first.click()
    reader.goes_by(page.get_by_role("button", name="Take it back"))
    assert thread.posts.count() == before
    assert AuditEntry.objects.filter(verb="undo").exists()
    assert not faults(connection)
    # Whoever kept the address of the debate that is not there any more is led back.
    reader.opens(f"/threads/{new.pk}/carts-on-the-ice/")
    assert page.locator("h1").inner_text() == "What if the ice had held?"
