"""Words that are erased while somebody quotes them, in forced orders on two connections."""

import threading

import pytest
from django.db import connection, transaction

from forum import tree
from forum.actions import posts
from forum.actions.composing import Unacceptable
from forum.checking import check
from forum.models import Post, Quote
from forum.moderation import erasing
from forum.permissions import Refused
from tests.people import quoting
from tests.races.orders import before, waiting
from tests.races.soundness import faults
from tests.waiting import PATIENCE, until

pytestmark = [pytest.mark.races, pytest.mark.postgres]
SAID = "It was member-z of 12 Mill Lane."


@pytest.fixture
def source(crew, forum) -> Post:
    """A post that names somebody; the moderator of the forum may erase."""
    forum.moderator.is_superuser = True
    forum.moderator.save()
    return forum.reply(forum.start(), f"{SAID} He had a garden.")


def erase(forum, source: Post):
    texts = erasing.find(source, "12 Mill Lane").texts
    return erasing.erase(
        user=forum.moderator, post=source, words="12 Mill Lane", reason="By law.", texts=texts
    )


def hold_until_somebody_waits(thread_id: int, then) -> threading.Thread:
    """Hold the lock of a debate on a connection of its own until somebody waits for it; then do
    something else, and let go."""
    held = threading.Event()

    def run() -> None:
        try:
            with transaction.atomic():
                tree.lock(thread_id)
                held.set()
                until(waiting, "nobody waits for the debate")
                other = threading.Thread(target=then)
                other.start()
                other.join(PATIENCE)
        finally:
            connection.close()

    holder = threading.Thread(target=run)
    holder.start()
    assert held.wait(PATIENCE)
    return holder


def test_words_are_erased_while_their_quote_waits_for_its_debate(forum, source):
    into = forum.start("Another debate")

    def then() -> None:
        try:
            erase(forum, Post.objects.get(pk=source.pk))
        finally:
            connection.close()

    holder = hold_until_somebody_waits(into.thread_id, then)
    try:
        with pytest.raises(Unacceptable, match="erased"):
            forum.reply(into, quoting(source, SAID), member=2)
    finally:
        holder.join(3 * PATIENCE)
    assert not Quote.objects.filter(words__contains="Mill").exists()
    assert "Mill" not in Post.objects.get(pk=source.pk).body.revision.source
    assert faults(connection) == [] and list(check()) == []


def test_who_erases_waits_for_who_quotes(forum, source):
    """The quote was judged under its lock and is not yet there for others: whoever erases waits
    for it, is told that there is one text more, and looks again."""
    into, told = forum.start("Another debate"), []

    def meanwhile() -> None:
        try:
            erase(forum, Post.objects.get(pk=source.pk))
        except Refused as refusal:
            told.append(str(refusal))

    with before('INSERT INTO "forum_quote"', meanwhile):
        quote = forum.reply(into, quoting(source, SAID), member=2).quotes.get()
    assert told and "Look again" in told[0]
    assert quote.verdict == "exact"
    erase(forum, Post.objects.get(pk=source.pk))
    assert not Quote.objects.filter(words__contains="Mill").exists()
    assert faults(connection) == [] and list(check()) == []


def test_words_are_erased_while_the_edit_of_them_waits(forum, source):
    edits = {"source": f"{SAID} Indeed.", "base": posts.base_of(source.body.revision)}
    told = []

    def meanwhile() -> None:
        try:
            posts.edit(user=forum.members[1], post=Post.objects.get(pk=source.pk), **edits)
        except posts.EditedMeanwhile as conflict:
            told.append(conflict.current.source)

    # The debate is locked by whoever erases; the edit was composed with the words.
    with before('UPDATE "forum_postrevision"', meanwhile):
        erase(forum, Post.objects.get(pk=source.pk))
    assert told and "Mill" not in told[0]
    assert Post.objects.get(pk=source.pk).body.revision.number == 1
