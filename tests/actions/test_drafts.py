"""Drafts: one for each form, never overwritten by another, kept within limits."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from forum.actions import drafts, posts, threads
from forum.models import Draft
from forum.text import markup
from tests.people import dump, fresh, start

TARGET = "/threads/1/reply/"


def keep(user, text="Some words.", *, token=None, target=TARGET, **more) -> Draft:
    return drafts.save(
        user=user, token=token or uuid4(), target=target, label="An answer", text=text, **more
    )


def texts(user) -> list[str]:
    return list(Draft.objects.filter(user=user).order_by("pk").values_list("text", flat=True))


def test_a_form_keeps_one_draft(opener):
    token = uuid4()
    for text in ("Some", "Some words", "Some words.", "Fewer."):
        keep(opener, text, token=token)
    assert texts(opener) == ["Fewer."]


def test_two_tabs_keep_two_drafts(opener):
    one, two = uuid4(), uuid4()
    for text, token in (("A", one), ("B", two), ("A and more", one), ("B and more", two)):
        keep(opener, text, token=token)
    assert texts(opener) == ["A and more", "B and more"]
    assert drafts.newest(opener, TARGET).text == "B and more"


def test_each_target_has_its_own(opener):
    for target in (TARGET, f"{TARGET}?to=3", "/posts/3/edit/", "/threads/new/"):
        keep(opener, target, target=target)
        assert drafts.newest(opener, target).text == target
    assert len(texts(opener)) == 4
    assert drafts.newest(opener, "/threads/2/reply/") is None


def test_drafts_are_ones_own(opener, stranger):
    token = uuid4()
    keep(opener, "Mine", token=token)
    keep(stranger, "Another's, by chance under one token", token=token)
    assert texts(opener) == ["Mine"]
    drafts.discard(user=stranger, token=token)
    assert texts(opener) == ["Mine"]
    assert drafts.newest(stranger, TARGET) is None


def test_a_restored_draft_lives_on_in_the_form_it_was_restored_in(opener):
    old = keep(opener, "Old words")
    keep(opener, "Old words and new", restored=old.token, restored_at=old.saved_at)
    assert texts(opener) == ["Old words and new"]


def test_what_was_written_on_elsewhere_is_not_taken_away(opener):
    """Another tab was restored from the draft; in the first one somebody writes on."""
    old = keep(opener, "Old words")
    seen = old.saved_at
    keep(opener, "Old words, first tab", token=old.token)
    keep(opener, "Old words, second tab", restored=old.token, restored_at=seen)
    assert texts(opener) == ["Old words, first tab", "Old words, second tab"]


def test_a_form_does_not_discard_its_own_draft(opener):
    token = uuid4()
    draft = keep(opener, "A", token=token)
    keep(opener, "B", token=token, restored=token, restored_at=draft.saved_at)
    assert texts(opener) == ["B"]


def test_as_many_as_the_limit(opener, stranger):
    kept = [keep(opener, f"Number {n}") for n in range(drafts.MAX_DRAFTS)]
    before = dump(Draft)
    with pytest.raises(drafts.NotKept, match=r"50 drafts already\. Post or discard one"):
        keep(opener, "One too many")
    assert dump(Draft) == before
    keep(opener, "Those there can still be written on", token=kept[0].token)
    keep(stranger, "And others have theirs")
    # Going on with a restored one needs no room.
    keep(opener, "Moved", restored=kept[1].token, restored_at=timezone.now())
    assert len(texts(opener)) == drafts.MAX_DRAFTS
    drafts.discard(user=opener, token=kept[2].token)
    keep(opener, "Now there is room")


def test_a_refused_draft_takes_nothing_away(opener):
    kept = [keep(opener, f"Number {n}") for n in range(drafts.MAX_DRAFTS)]
    keep(opener, "Written on", token=kept[0].token)
    with pytest.raises(drafts.NotKept):
        keep(opener, "No room", restored=kept[0].token, restored_at=kept[0].saved_at)
    assert len(texts(opener)) == drafts.MAX_DRAFTS


def test_as_long_as_the_limit(opener):
    keep(opener, "x" * markup.MAX_SOURCE)
    before = dump(Draft)
    with pytest.raises(drafts.NotKept, match="at most 60,000 characters"):
        keep(opener, "x" * (markup.MAX_SOURCE + 1))
    for more in ({"text": "nul \0"}, {"title": "nul \0"}):
        with pytest.raises(drafts.NotKept, match="NUL"):
            keep(opener, **more)
    assert dump(Draft) == before


def test_labels_and_titles_are_cut_to_fit(opener):
    draft = drafts.save(
        user=opener, token=uuid4(), target=TARGET, label="L" * 500, text="x", title="T" * 500
    )
    assert (len(fresh(draft).label), len(fresh(draft).title)) == (200, 200)


def test_what_a_list_says_of_a_form(thread, answer):
    title = thread.title
    assert drafts.label_for(None) == "A new debate"
    assert drafts.label_for(thread) == f"Answer to {title}"
    assert drafts.label_for(thread, answer) == f"Answer to #2 in {title}"
    assert drafts.label_for(thread, answer, edit=True) == f"Edit of #2 in {title}"


def test_posting_takes_the_draft_with_it(thread, answer, opener, board):
    token = uuid4()
    keep(opener, token=token)
    keep(opener, "Another form's")
    posts.reply(user=opener, thread=thread, source="Some words.", token=token)
    assert texts(opener) == ["Another form's"]
    token = uuid4()
    keep(opener, token=token)
    threads.start(
        user=opener, board=board, title="Another one", kind="TL", source="x y", token=token
    )
    assert texts(opener) == ["Another form's"]


def test_what_is_not_posted_stays_a_draft(thread, opener, moderator):
    from forum.moderation import states
    from forum.permissions import Refused

    token = uuid4()
    keep(opener, token=token)
    states.lock(user=moderator, thread=thread, reason="Settled.")
    with pytest.raises(Refused):
        posts.reply(user=opener, thread=fresh(thread), source="Some words.", token=token)
    assert texts(opener) == ["Some words."]


def test_discarding_what_was_written_on(opener):
    draft = keep(opener)
    drafts.discard(user=opener, token=draft.token, saved_by=draft.saved_at - timedelta(seconds=1))
    assert len(texts(opener)) == 1
    drafts.discard(user=opener, token=draft.token, saved_by=draft.saved_at)
    assert texts(opener) == []


def test_a_debate_of_another_one_keeps_its_drafts(board, opener):
    keep(opener)
    start(board, opener, title="Another one")
    assert len(texts(opener)) == 1
