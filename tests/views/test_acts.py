"""The pages on which moderators act: what they offer, what they say before, what they do."""

import pytest

from forum.models import AuditEntry, Post, Thread
from forum.moderation import states
from tests.people import browser, dump, fresh, pending, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper(moderator):
    return browser(moderator)


def test_what_is_offered_fits_how_the_post_stands(thread, answer, keeper, moderator, administrator):
    def offered(post, client=keeper) -> set[str]:
        page = client.get(f"/posts/{post.pk}/moderate/").content.decode()
        return {part.split('"')[0] for part in page.split('href="?act=')[1:]}

    usual = {"hide", "remove", "lock-branch", "split", "move-branch"}
    assert offered(answer) == usual
    assert offered(answer, browser(administrator)) == usual | {"erase"}
    assert offered(thread.posts.get(number=1)) == {"hide", "remove"}
    states.hide(user=moderator, post=answer, reason="Off the point.")
    assert "restore" in offered(answer)
    waiting = pending(thread, answer.author)
    assert offered(waiting) == {"approve", "reject"}


def test_moderators_see_at_the_debate_what_waits(thread, keeper, stranger):
    pending(thread, stranger)
    page = keeper.get(thread.get_absolute_url()).content.decode()
    assert "Moderate (1 post waits)" in page
    assert "1 post waits" not in browser(stranger).get(thread.get_absolute_url()).content.decode()
    assert "1 post waits" in keeper.get(f"/threads/{thread.pk}/moderate/").content.decode()


def test_posts_are_ticked_and_carried_from_page_to_page(thread, answer, keeper, monkeypatch):
    from forum.views import splitting

    monkeypatch.setattr(splitting, "PER_PAGE", 2)
    address = f"/threads/{thread.pk}/split/"
    third, fourth = (thread.posts.get(number=number) for number in (3, 4))
    first = keeper.get(address).content.decode()
    assert f'value="{answer.pk}"' in first
    fields = {"chosen": "", "here": f"{thread.posts.get(number=1).pk}.{answer.pk}"}
    second = keeper.post(address, {**fields, "branch": [answer.pk], "page": "2", "title": "Both"})
    page = second.content.decode()
    assert "2 posts chosen so far." in page
    assert 'value="Both"' in page
    chosen = f"{answer.pk}.{third.pk}"
    assert f'name="chosen" value="{chosen}"' in page
    fields = {"chosen": chosen, "here": f"{third.pk}.{fourth.pk}", "post": [third.pk, fourth.pk]}
    done = keeper.post(address, {**fields, "title": "Both", "do": "split"})
    new = Thread.objects.get(title="Both")
    assert done["Location"] == new.get_absolute_url()
    assert new.posts.count() == 3


def test_a_split_without_a_title_keeps_what_was_ticked(thread, answer, keeper):
    fields = {"chosen": str(answer.pk), "here": "", "do": "split", "title": "", "reason": "Why not"}
    page = keeper.post(f"/threads/{thread.pk}/split/", fields)
    assert page.status_code == 422
    assert f'name="chosen" value="{answer.pk}"' in page.content.decode()
    assert 'value="Why not"' in page.content.decode()
    assert not Thread.objects.exclude(pk=thread.pk).filter(title="").exists()


def test_what_is_refused_keeps_what_was_typed(thread, answer, keeper, board, opener):
    later = start(board, opener, title="Later")
    before = dump(Thread, Post, AuditEntry)
    for act, fields, says in (
        ("split", {"title": " "}, "This field is required"),
        ("move-branch", {"target": "nowhere"}, "no debate at this address"),
        ("move-branch", {"target": str(later.pk), "answers": "9"}, "no post with this number"),
        ("move-branch", {"target": f"/threads/{later.pk}/later/"}, "began before"),
        ("hide", {}, "Say why."),
    ):
        typed = {"reason": "", **fields} if act == "hide" else {"reason": "My reason.", **fields}
        answered = keeper.post(f"/posts/{answer.pk}/moderate/?act={act}", typed)
        page = answered.content.decode()
        assert answered.status_code == 422, (act, fields)
        assert says in page, (act, fields)
        assert act == "hide" or "My reason." in page
    assert dump(Thread, Post, AuditEntry) == before


def test_words_are_erased_when_their_places_were_confirmed(thread, answer, administrator):
    client, address = browser(administrator), f"/posts/{answer.pk}/moderate/?act=erase"
    fields = {"words": "secretary", "reason": "Order 7.", "texts": "", "sure": "on"}
    asked = client.post(address, fields)
    assert "Texts in which they stand: 1." in asked.content.decode()
    assert "secretary" in fresh(answer).body.html
    assert client.post(address, {**fields, "texts": "1"}).status_code == 302
    assert "secretary" not in fresh(answer).body.html


def test_an_act_is_taken_back_from_the_list_of_what_was_done(thread, keeper):
    keeper.post(f"/threads/{thread.pk}/moderate/?act=slow", {"minutes": "5", "reason": "Heat."})
    assert fresh(thread).slow_minutes == 5
    entry = AuditEntry.objects.get()
    page = keeper.get(f"/threads/{thread.pk}/moderate/").content.decode()
    assert f"/log/{entry.pk}/undo/" in page
    keeper.post(f"/log/{entry.pk}/undo/", {"reason": "It cooled."})
    assert fresh(thread).slow_minutes == 0
    page = keeper.get(f"/threads/{thread.pk}/moderate/").content.decode()
    assert f"/log/{entry.pk}/undo/" not in page
    again = keeper.post(f"/log/{entry.pk}/undo/", {"reason": ""})
    assert again.status_code == 422


def test_slow_mode_and_archive_refuse_and_keep_the_text(thread, keeper, stranger, opener):
    from uuid import uuid4

    client = browser(stranger)
    keeper.post(f"/threads/{thread.pk}/moderate/?act=slow", {"minutes": "5", "reason": ""})
    address = f"/threads/{thread.pk}/reply/"
    for text in ("One.", "Two, at once, which waits."):
        assert client.post(address, {"text": text, "token": uuid4()}).status_code == 302
    answered = client.post(address, {"text": "Three, at once.", "token": uuid4()})
    assert answered.status_code == 429
    assert int(answered["Retry-After"]) > 0
    assert "Three, at once." in answered.content.decode()
    assert "a reply of yours waits here already" in answered.content.decode()
    keeper.post(f"/threads/{thread.pk}/moderate/?act=archive", {"reason": ""})
    for person in (opener, stranger, None):
        page = browser(person).get(thread.get_absolute_url()).content.decode()
        assert "This debate is archived" in page
        assert 'name="text"' not in page
    assert keeper.post(address, {"text": "Even I?", "token": uuid4()}).status_code == 403
