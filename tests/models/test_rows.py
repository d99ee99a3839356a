"""What the database itself refuses, and what rows say of themselves."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError

from forum.models import AuditEntry, Post, PostRevision, Quote, Thread, slug_for
from forum.moderation import states
from tests.people import edit, fresh, quoting, reply

pytestmark = pytest.mark.django_db


def refused(write):
    """Whether the database refuses a write."""
    try:
        with transaction.atomic():
            write()
            # Deferred checks come at the end of a transaction; ask for them now.
            connection.check_constraints()
    except (DatabaseError, ProtectedError):
        return True
    return False


def test_numbers_roots_keys_and_revisions_are_unique(thread, answer):
    others = Post.objects.filter(thread=thread, number=4)
    assert refused(lambda: others.update(number=2))
    assert refused(lambda: others.update(tree_id=answer.tree_id))
    assert refused(lambda: others.update(key=answer.key))
    edit(answer, "Another text.")
    second = PostRevision.objects.filter(post=answer, number=2)
    assert refused(lambda: second.update(number=1))


@pytest.mark.parametrize("what", ["thread", "post", "revision", "board"])
def test_nothing_that_others_hang_on_is_deleted(thread, answer, board, what):
    row = {"thread": thread, "post": answer, "revision": answer.body.revision, "board": board}[what]
    assert refused(row.delete)
    assert fresh(row)


def test_a_member_who_goes_takes_no_post_along(thread, answer, answerer, opener):
    rows = Post.objects.filter(number__lte=4).order_by("pk")
    before = list(rows.values_list("pk", "number", "tree_id", "lft", "rght", "level"))
    reply(thread, opener, quoting(answer, "The party obeyed nobody."))
    assert refused(answerer.delete) or fresh(answer).author is None
    assert list(rows.values_list("pk", "number", "tree_id", "lft", "rght", "level")) == before
    assert Quote.objects.get().source_post == answer


def test_the_log_is_append_only(thread, moderator):
    states.pin(user=moderator, thread=thread, reason="Worth reading.")
    entry = AuditEntry.objects.filter(thread=thread)
    if connection.vendor == "postgresql":
        assert refused(lambda: entry.update(reason="Another."))
        assert refused(lambda: entry._raw_delete("default"))
    assert entry.get().reason == "Worth reading."


def test_a_slug_is_never_empty_or_long():
    assert slug_for("What if? Yes!") == "what-if-yes"
    assert slug_for("Ça alors") == "ça-alors"
    assert slug_for("???") == "debate"
    assert len(slug_for("x" * 500)) == 80


def test_lists_go_on_after_a_row_even_if_others_share_its_moment(thread, board, opener):
    moment = thread.last_post_at
    rows = []
    for n in range(5):
        row = fresh(thread)
        row.pk, row.key, row.last_post = None, f"k{n}", None
        row.save(force_insert=True)
        rows.append(row)
    listed = Thread.objects.order_by("-last_post_at", "-pk")
    read, at = [], None
    while True:
        some = listed.older_than("last_post_at", moment, at) if at else listed
        first = some.first()
        if first is None:
            break
        read.append(first.pk)
        at = first.pk
    assert read == sorted([thread.pk, *(row.pk for row in rows)], reverse=True)


def test_writers_are_named_by_member_byline_or_absence(thread, answer):
    assert answer.writer == "answerer"
    assert Post(byline="Voice 5").writer == "Voice 5"
    assert Post().writer == "Unnamed member"
    assert Thread(byline="Voice 1").opener == "Voice 1"
