"""Editing: every text stays, quotes stay as they were judged, two tabs do not lose each other's."""

from datetime import timedelta

import pytest
from django.utils import timezone

from forum.actions import posts, threads
from forum.actions.composing import Unacceptable
from forum.models import Post, PostBody, PostRevision, Quote, Thread
from forum.moderation import states
from forum.permissions import NotThere, Refused
from tests.people import dump, edit, fresh, pending, quoting, reply, start

TABLES = (Thread, Post, PostRevision, PostBody, Quote)


def texts(post):
    return list(post.revisions.order_by("number").values_list("number", "source"))


def test_every_text_stays(thread, answer):
    first = PostRevision.objects.filter(post=answer).values().get()
    version = fresh(thread).version
    edit(answer, "The party obeyed its secretary.", reason="Too strong.")
    post = edit(answer, "The party obeyed somebody.")
    assert PostRevision.objects.filter(post=answer, number=1).values().get() == first
    assert [number for number, _ in texts(answer)] == [1, 2, 3]
    assert post.revisions.get(number=2).reason == "Too strong."
    body = post.body
    assert (body.revision.source, body.revision_number) == ("The party obeyed somebody.", 3)
    assert "obeyed somebody" in body.html
    assert body.edited_at == body.revision.created_at
    assert fresh(thread).version == version + 2
    assert fresh(post).loaded_at == answer.loaded_at


def test_saving_the_same_text_makes_no_new_one(answer):
    before = dump(*TABLES)
    edit(answer, answer.body.revision.source)
    assert dump(*TABLES) == before


def test_two_tabs(answer):
    edit(answer, "From the first tab.")
    before = dump(*TABLES)
    with pytest.raises(posts.EditedMeanwhile) as raised:
        posts.edit(user=answer.author, post=answer, source="From the second tab.", base=1)
    assert raised.value.current.source == "From the first tab."
    assert dump(*TABLES) == before
    # A second tab that holds the same text has nothing to lose.
    posts.edit(user=answer.author, post=fresh(answer), source="From the first tab.", base=1)
    assert dump(*TABLES) == before


def test_quotes_that_were_left_alone_stay_as_they_were_judged(thread, answer, opener):
    quoted = quoting(answer, "The party obeyed nobody.")
    post = reply(thread, opener, quoted)
    edit(answer, "The party obeyed its secretary.")
    edit(post, f"{quoted}\n\nAnd more besides.")
    old, new = Quote.objects.filter(post=post).order_by("pk")
    for name in ("source_revision", "start", "end", "verdict", "words", "source_passage"):
        assert getattr(new, name) == getattr(old, name)
    assert new.source_revision.number == 1
    assert (old.revision.number, new.revision.number) == (1, 2)


def test_a_new_quote_above_an_old_one_moves_it_down_and_leaves_its_verdict(
    thread, opening, answer, opener
):
    old = quoting(answer, "The party obeyed nobody.")
    post = reply(thread, opener, old)
    edit(answer, "Another text altogether, about the harvest.")
    edit(post, f"{quoting(opening, 'the party had obeyed')}\n\n{old}")
    first, second = Quote.objects.filter(revision=fresh(post).body.revision).order_by("ordinal")
    assert (first.source_post, second.source_post) == (opening, answer)
    assert (second.verdict, second.source_revision.number, second.ordinal) == ("exact", 1, 2)
    assert second.passage == 3


def test_a_number_keeps_the_post_it_meant(thread, answer, opener, moderator):
    quoted = '[quote="x, #2"]\nThe party obeyed nobody.\n[/quote]\n\nYes.'
    post = reply(thread, opener, quoted)
    states.hide(user=moderator, post=answer, reason="For now.")
    edit(post, f"{quoted} And no.")
    quote = Quote.objects.get(revision=fresh(post).body.revision)
    assert (quote.source_post, quote.verdict) == (answer, "exact")


def test_changed_words_are_judged_anew(thread, answer, opener):
    post = reply(thread, opener, quoting(answer, "The party obeyed nobody."))
    edit(post, quoting(answer, "The party obeyed everybody."))
    verdicts = Quote.objects.filter(post=post).order_by("pk").values_list("verdict", flat=True)
    assert list(verdicts) == ["exact", "altered"]


def test_a_waiting_post_may_be_edited_by_its_author(thread, stranger):
    post = pending(thread, stranger)
    assert edit(post, "Please let me in.").body.revision_number == 2


def test_nobody_edits_anothers_words(answer, opener, stranger, moderator, administrator, guest):
    before = dump(*TABLES)
    for who in (opener, stranger, moderator, administrator, guest):
        with pytest.raises(Refused):
            posts.edit(user=who, post=answer, source="Mine now.", base=1)
    assert dump(*TABLES) == before


def test_a_locked_debate_stays_as_it_is(thread, answer, moderator):
    stale = fresh(answer)
    states.lock(user=moderator, thread=thread)
    before = dump(*TABLES)
    for post in (stale, fresh(answer)):
        with pytest.raises(Refused, match="locked"):
            posts.edit(user=post.author, post=post, source="Later.", base=1)
    assert dump(*TABLES) == before


def test_a_closed_debate_may_still_be_corrected(thread, answer, opener):
    threads.close(user=opener, thread=thread, closed=True)
    assert edit(answer, "The party obeyed nobody, as far as we know.").body.revision_number == 2


@pytest.mark.parametrize("how", ["withdraw", "hide", "remove"])
def test_what_was_taken_away_is_not_edited(answer, answerer, moderator, how):
    if how == "withdraw":
        posts.withdraw(user=answerer, post=answer)
    else:
        getattr(states, how)(user=moderator, post=answer, reason="Off the point.")
    before = dump(*TABLES)
    with pytest.raises(Refused):
        posts.edit(user=answerer, post=fresh(answer), source="Back again.", base=1)
    assert dump(*TABLES) == before


def test_the_edit_window(thread, answer, settings):
    settings.EDIT_WINDOW_HOURS = 2
    now = timezone.now()
    Post.objects.filter(pk=answer.pk).update(loaded_at=now - timedelta(hours=1, minutes=59))
    edit(answer, "In time.")
    Post.objects.filter(pk=answer.pk).update(loaded_at=now - timedelta(hours=2, minutes=1))
    with pytest.raises(Refused, match="2 hours"):
        edit(answer, "Too late.")
    settings.EDIT_WINDOW_HOURS = 0
    edit(answer, "There is no window.")


@pytest.mark.parametrize("text", ["", "\0", "x" * 60_001, "> only a quote"])
def test_texts_that_are_not_taken(answer, text):
    before = dump(*TABLES)
    with pytest.raises(Unacceptable):
        edit(answer, text)
    assert dump(*TABLES) == before


def test_debates_that_quote_the_post_are_marked_as_changed(
    board, answer, stranger, django_capture_on_commit_callbacks
):
    other = start(board, stranger, title="Another one")
    reply(other, stranger, quoting(answer, "The party obeyed nobody."))
    before = fresh(other).version
    with django_capture_on_commit_callbacks(execute=True):
        edit(answer, "The party obeyed somebody.")
    assert fresh(other).version == before + 1


def test_words_from_behind_doors_are_not_let_out_by_an_edit(thread, inner_board, moderator, opener):
    secret = start(inner_board, moderator, text="The archive was moved to the east.").posts.get()
    post = reply(thread, moderator)
    before = dump(*TABLES)
    with pytest.raises(Unacceptable, match="cannot be quoted here"):
        edit(post, quoting(secret, "The archive was moved to the east."))
    assert dump(*TABLES) == before


def test_a_post_of_a_debate_that_vanished_is_not_there_for_its_author(thread, answer):
    Thread.objects.filter(pk=thread.pk).update(state="hidden")
    with pytest.raises(NotThere):
        edit(answer, "Who reads this?")
