"""Replying: numbers, places, counters, quotes; and that a refusal changes nothing at all."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from forum.actions import pace, posts, threads
from forum.actions.composing import Unacceptable
from forum.models import (
    AuditEntry,
    Board,
    Post,
    PostBody,
    PostRevision,
    Quote,
    Submission,
    Thread,
)
from forum.moderation import states
from forum.permissions import NotThere, Refused
from tests.people import dump, edit, fresh, pending, quoting, reply, start

TABLES = (Thread, Post, PostRevision, PostBody, Quote, Submission, AuditEntry, Board)


@pytest.fixture
def nothing_changes():
    """Checks at the end of the test that no row of the forum is another than now."""

    def remember():
        rows.update(dump(*TABLES))

    rows: dict = {}
    yield remember
    assert rows and dump(*TABLES) == rows


def only_quote(post) -> Quote:
    return Quote.objects.get(post=post)


# --- What a reply changes ---------------------------------------------------------------------


def test_a_reply_is_numbered_counted_and_the_last(thread, stranger):
    before = fresh(thread)
    post = reply(thread, stranger, "One more.")
    thread = fresh(thread)
    assert (post.number, post.author, post.parent, post.state) == (5, stranger, None, "visible")
    assert (thread.numbered, thread.reply_count) == (5, 4)
    assert (thread.last_post, thread.last_post_at) == (post, post.loaded_at)
    assert thread.version == before.version + 1
    assert post.body.revision.source == "One more."
    assert post.body.html
    assert Submission.objects.get(post=post).user == stranger


def test_an_answer_to_the_opening_is_a_root_and_others_hang_below(thread, opening, answer, opener):
    to_opening = reply(thread, opener, to=opening)
    to_answer = reply(thread, opener, to=answer)
    assert (to_opening.parent, to_opening.parent_basis) == (None, "reply")
    assert fresh(to_opening).tree_id == to_opening.pk
    assert (to_answer.parent, to_answer.parent_basis) == (answer, "reply")
    assert fresh(to_answer).tree_id == answer.tree_id


def test_members_answer_in_a_board_for_members(board, opener, stranger):
    board.audience = "members"
    board.save()
    assert reply(start(board, opener), stranger).number == 2


def test_the_same_form_twice_makes_one_post(thread, stranger):
    token = uuid4()
    first = posts.reply(user=stranger, thread=thread, source="Once.", token=token)
    again = posts.reply(user=stranger, thread=thread, source="Once.", token=token)
    assert first == again
    assert fresh(thread).numbered == 5


def test_the_same_form_twice_opens_one_debate(board, opener):
    token = uuid4()
    given = {"user": opener, "board": board, "title": "T", "kind": "TL", "source": "Text."}
    first = threads.start(**given, token=token)
    assert threads.start(**given, token=token) == first
    assert Thread.objects.count() == 1
    assert fresh(board).thread_count == 1


def test_a_token_says_nothing_to_somebody_else(thread, stranger, answerer, nothing_changes):
    token = uuid4()
    posts.reply(user=stranger, thread=thread, source="Mine.", token=token)
    nothing_changes()
    with pytest.raises(Unacceptable):
        posts.reply(user=answerer, thread=thread, source="Not mine.", token=token)
    with pytest.raises(Unacceptable):
        threads.start(
            user=answerer, board=thread.board, title="T", kind="TL", source="No.", token=token
        )


# --- Refusals ---------------------------------------------------------------------------------


def test_a_locked_debate_takes_answers_of_moderators_only(
    thread, stranger, moderator, nothing_changes
):
    states.lock(user=moderator, thread=thread)
    assert reply(thread, moderator).number == 5
    nothing_changes()
    with pytest.raises(Refused, match="locked"):
        reply(thread, stranger)  # with a thread read before the lock, as in a race


def test_a_closed_debate_takes_no_answers(thread, opener, stranger, nothing_changes):
    threads.close(user=opener, thread=thread, closed=True)
    nothing_changes()
    for member in (opener, stranger):
        with pytest.raises(Refused, match="closed"):
            reply(thread, member)


def test_guests_and_closed_accounts_do_not_write(thread, guest, stranger, nothing_changes):
    stranger.is_active = False
    stranger.save()
    nothing_changes()
    for who in (guest, stranger):
        with pytest.raises(Refused):
            posts.reply(user=who, thread=thread, source="I.", token=uuid4())


def test_boards_where_only_moderators_write(board, thread, opener, board_moderator):
    board.answerers = board.starters = "moderators"
    board.save()
    with pytest.raises(Refused, match="Only moderators"):
        reply(fresh(thread), opener)
    with pytest.raises(Refused, match="Only moderators"):
        start(board, opener)
    assert reply(fresh(thread), board_moderator).number == 5
    assert start(board, board_moderator)


@pytest.mark.parametrize("state", ["pending", "hidden", "removed", "loading"])
def test_a_debate_that_is_not_there_takes_no_answer(thread, stranger, state, nothing_changes):
    stale = fresh(thread)
    Thread.objects.filter(pk=thread.pk).update(state=state)
    nothing_changes()
    for seen in (stale, fresh(thread)):
        with pytest.raises(NotThere):
            reply(seen, stranger)


def test_a_board_that_is_not_there_takes_no_answer(thread, board, stranger, nothing_changes):
    board.audience = "moderators"
    board.save()
    nothing_changes()
    with pytest.raises(NotThere):
        reply(fresh(thread), stranger)


@pytest.mark.parametrize("how", ["withdraw", "hide", "remove"])
def test_what_was_taken_away_cannot_be_answered(
    thread, answer, answerer, stranger, moderator, how, nothing_changes
):
    if how == "withdraw":
        posts.withdraw(user=answerer, post=answer)
    else:
        getattr(states, how)(user=moderator, post=answer, reason="Off the point.")
    nothing_changes()
    for who in (stranger, moderator):
        with pytest.raises(Refused):
            reply(thread, who, to=answer)


def test_a_waiting_post_cannot_be_answered(thread, stranger, opener, nothing_changes):
    waiting = pending(thread, stranger)
    nothing_changes()
    for who in (stranger, opener):
        with pytest.raises(Refused):
            reply(thread, who, to=waiting)


def test_a_post_of_another_debate_cannot_be_answered(
    thread, board, opener, stranger, nothing_changes
):
    elsewhere = start(board, opener, title="Another one").posts.get()
    nothing_changes()
    with pytest.raises(Unacceptable, match="moved"):
        reply(thread, stranger, to=elsewhere)


@pytest.mark.parametrize("text", ["", " \n\t", "\0", "half \ud800", "x" * 60_001, "> a quote"])
def test_texts_that_are_not_taken(thread, stranger, text, nothing_changes):
    nothing_changes()
    with pytest.raises(Unacceptable):
        reply(thread, stranger, text)


def test_writing_too_fast(thread, stranger, settings, nothing_changes):
    settings.POSTS_PER_MINUTE = 2
    reply(thread, stranger)
    reply(thread, stranger)
    nothing_changes()
    with pytest.raises(pace.TooFast, match="2 posts"):
        reply(thread, stranger)


def test_a_clock_that_was_set_back_binds_nobody(thread, stranger, settings):
    """What was written before it was lies in the time to come, and is no news of a minute ago."""
    settings.POSTS_PER_MINUTE, settings.STARTS_PER_HOUR = 2, 1
    opened = start(thread.board, stranger)
    reply(thread, stranger)
    ahead = timezone.now() + timedelta(hours=2)
    Post.objects.filter(author=stranger).update(loaded_at=ahead)
    Thread.objects.filter(pk=opened.pk).update(created_at=ahead)
    start(thread.board, stranger, title="Another")
    reply(thread, stranger)
    with pytest.raises(pace.TooFast):
        reply(thread, stranger)  # two within a minute are two


def test_opening_too_fast(board, stranger, settings, nothing_changes):
    settings.STARTS_PER_HOUR = 1
    start(board, stranger)
    nothing_changes()
    with pytest.raises(pace.TooFast):
        start(board, stranger)


@pytest.mark.parametrize(
    "title", ["", "  \t", "x" * 161, "nul\0", "half \ud800", "turned \u202e round"]
)
def test_titles_that_are_not_taken(board, opener, title, nothing_changes):
    nothing_changes()
    with pytest.raises(Unacceptable):
        start(board, opener, title=title)


def test_a_debate_needs_a_kind(board, opener, nothing_changes):
    nothing_changes()
    with pytest.raises(Unacceptable, match="kind"):
        threads.start(user=opener, board=board, title="T", kind="XX", source="Text.", token=uuid4())


# --- Quotes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ("The party obeyed nobody.", "exact"),
        ("It had a secretary", "exact"),
        ("The party obeyed nobody.\n\nIt had a secretary, after all.", "exact"),
        ("The party … had a secretary", "shortened"),
        ("The party obeyed everybody.", "altered"),
        ("the party obeyed nobody.", "altered"),
        ("Spain would have burned all the same in summer", "unverifiable"),
    ],
)
def test_quotes_are_judged_and_stored(thread, answer, opener, words, verdict):
    quote = only_quote(reply(thread, opener, quoting(answer, words)))
    assert (quote.verdict, quote.words, quote.ordinal) == (verdict, words, 1)
    if verdict == "unverifiable":
        assert (quote.source_post, quote.source_revision, quote.start) == (None, None, None)
        return
    assert quote.source_post == answer
    assert quote.source_revision == answer.body.revision
    plain = quote.source_revision.plain
    if verdict == "exact":
        assert plain[quote.start : quote.end] == words
        assert quote.whole == (words == plain)
        assert quote.source_passage == (2 if words.startswith("It had") else 1)


def test_a_quote_may_name_its_post_by_number(thread, answer, opener):
    text = '[quote="whoever, #2"]\nThe party obeyed nobody.\n[/quote]\n\nSo it did.'
    quote = only_quote(reply(thread, opener, text))
    assert (quote.source_post, quote.verdict) == (answer, "exact")


def test_a_plain_quote_that_is_exact_is_linked_and_no_other(thread, answer, opener):
    linked = reply(thread, opener, "> The party obeyed nobody.\n\nSo it did.", to=answer)
    assert only_quote(linked).source_post == answer
    plain = reply(thread, opener, "> The party obeyed somebody.\n\nNot so.", to=answer)
    assert not Quote.objects.filter(post=plain).exists()


def test_the_quoted_name_proves_nothing(thread, answer, opener):
    text = f'[quote="opener, post: {answer.pk}"]\nThe party obeyed nobody.\n[/quote]\n\nYes.'
    assert only_quote(reply(thread, opener, text)).source_post.author == answer.author


def test_what_the_source_said_while_the_form_was_open_is_still_exact(thread, answer, opener):
    edit(answer, "The party obeyed somebody after all, it is said.")
    quote = only_quote(reply(thread, opener, quoting(answer, "The party obeyed nobody.")))
    assert (quote.verdict, quote.source_revision.number) == ("exact", 1)


def test_a_post_one_may_not_see_is_as_if_it_did_not_exist(thread, inner_board, moderator, opener):
    secret = start(inner_board, moderator, text="The archive was moved to the east in June.")
    words = "The archive was moved to the east in June."
    hidden = only_quote(reply(thread, opener, quoting(secret.posts.get(), words)))
    absent = only_quote(
        reply(thread, opener, f'[quote="keeper, post: 999999"]\n{words}\n[/quote]\n\nI doubt it.')
    )
    same = [
        {k: v for k, v in row.items() if k not in ("id", "post_id", "revision_id")}
        for row in Quote.objects.filter(pk__in=[hidden.pk, absent.pk]).values()
    ]
    assert same[0] == same[1]
    assert same[0]["source_post_id"] is None


def test_words_are_not_carried_to_where_more_people_read(
    thread, inner_board, moderator, nothing_changes
):
    secret = start(inner_board, moderator, text="The archive was moved to the east.").posts.get()
    nothing_changes()
    with pytest.raises(Unacceptable, match="cannot be quoted here"):
        reply(thread, moderator, quoting(secret, "The archive was moved to the east."))


def test_words_are_carried_to_where_fewer_people_read(thread, answer, inner_board, moderator):
    inner = start(inner_board, moderator)
    quote = only_quote(reply(inner, moderator, quoting(answer, "The party obeyed nobody.")))
    assert (quote.source_post, quote.verdict) == (answer, "exact")


def test_the_debate_of_the_source_is_marked_as_changed(
    thread, answer, board, stranger, django_capture_on_commit_callbacks
):
    other = start(board, stranger, title="Another one")
    before = fresh(thread).version
    with django_capture_on_commit_callbacks(execute=True):
        reply(other, stranger, quoting(answer, "The party obeyed nobody."))
    assert fresh(thread).version == before + 1
