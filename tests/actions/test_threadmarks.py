"""Threadmarks: who sets them, what is kept of it, and what is refused."""

import pytest

from forum.actions import threadmarks
from forum.actions.composing import Unacceptable
from forum.models import AuditEntry, Thread, Threadmark
from forum.moderation import states
from forum.permissions import Refused
from tests.people import fresh, pending

pytestmark = pytest.mark.django_db


def mark(user, post, category="story", label="Chapter 1"):
    return threadmarks.mark(user=user, post=post, category=category, label=label)


def test_the_author_of_a_debate_marks_any_post_of_it(thread, opener, answer):
    version = fresh(thread).version
    made = mark(opener, answer, label="  Chapter \n 1 ")
    assert (made.thread_id, made.post_id, made.label) == (thread.pk, answer.pk, "Chapter 1")
    assert fresh(thread).version == version + 1
    changed = mark(opener, answer, "info", "The map")
    assert changed.pk == made.pk
    assert (fresh(made).category, fresh(made).label) == ("info", "The map")
    assert fresh(thread).version == version + 2
    mark(opener, answer, "info", "The map")  # sent twice: nothing to do
    assert fresh(thread).version == version + 2
    threadmarks.unmark(user=opener, post=answer)
    threadmarks.unmark(user=opener, post=answer)
    assert not Threadmark.objects.exists()
    assert fresh(thread).version == version + 3
    assert not AuditEntry.objects.exists()


def test_what_a_moderator_does_is_kept_in_the_log(thread, moderator, answer):
    mark(moderator, answer)
    mark(moderator, answer, "media", "A flag")
    threadmarks.unmark(user=moderator, post=answer)
    entries = AuditEntry.objects.order_by("pk")
    assert [(e.verb, e.post_id, e.detail["before"], e.detail["after"]) for e in entries] == [
        ("mark", answer.pk, None, {"category": "story", "label": "Chapter 1"}),
        (
            *("mark", answer.pk, {"category": "story", "label": "Chapter 1"}),
            {"category": "media", "label": "A flag"},
        ),
        ("unmark", answer.pk, {"category": "media", "label": "A flag"}, None),
    ]


def test_others_mark_nothing(thread, answer, answerer, stranger, guest, opener):
    for user in (answerer, stranger, guest):
        with pytest.raises(Refused):
            mark(user, answer)
    Thread.objects.filter(pk=thread.pk).update(locked=True)
    with pytest.raises(Refused, match="locked"):
        mark(opener, answer)
    assert not Threadmark.objects.exists()


@pytest.mark.parametrize("label", ["", "  ", "x" * 121, "a\0b", "a\u202eb"])
def test_labels_that_cannot_be_shown(opener, answer, label):
    with pytest.raises(Unacceptable):
        mark(opener, answer, label=label)
    with pytest.raises(Unacceptable, match="categories"):
        mark(opener, answer, category="poem")
    assert not Threadmark.objects.exists()


def test_a_post_that_does_not_stand_is_not_marked_but_can_lose_its_mark(
    thread, opener, answer, moderator, stranger
):
    mark(moderator, answer)
    states.hide(user=moderator, post=answer, reason="Off topic.")
    with pytest.raises(Unacceptable, match="does not stand"):
        mark(moderator, answer, label="Chapter 2")
    with pytest.raises(Refused):
        mark(opener, answer)
    threadmarks.unmark(user=moderator, post=answer)
    assert not Threadmark.objects.exists()
    with pytest.raises(Unacceptable):
        mark(moderator, pending(thread, stranger))
