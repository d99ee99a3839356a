"""Polls: what can be asked, who votes and until when, what is counted, what nobody is told."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

import core.clock
from core.opened_texts import ChangedMeanwhile, base_of
from forum.actions import polls, posts, threads
from forum.actions.composing import Unacceptable
from forum.actions.polls import Asked, NoVote
from forum.checking import check
from forum.models import AuditEntry, Ballot, Draft, Notice, Poll, Post, State, Thread
from forum.moderation import erasing, merging, states, undoing
from forum.outbox.worker import Worker
from forum.permissions import NotThere, Refused
from tests.people import OWN_ANSWER, dump, fresh, make_member, reply, start
from tests.races.soundness import faults

pytestmark = pytest.mark.django_db
ASKED = Asked("Who decides?", ["The party", "Its clerk", "Nobody"])
NOON = datetime(2031, 5, 10, 12, tzinfo=UTC)
TABLES = (Poll, Ballot, Post, AuditEntry, Notice)


def put(thread, user, asked=ASKED) -> Post:
    """A reply with a poll."""
    return fresh(reply(fresh(thread), user, "Let us vote.", poll=asked))


def result(post) -> tuple[int, list[int]]:
    poll = Poll.objects.get(pk=post.pk)
    return poll.voters, poll.counts


@pytest.fixture
def polled(thread, answerer) -> Post:
    return put(thread, answerer)


@pytest.fixture
def clock(monkeypatch):
    def at(moment: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: moment)
        monkeypatch.setattr(core.clock, "now", lambda: moment)

    at(NOON)
    return at


# --- Asking -----------------------------------------------------------------------------------


def test_a_poll_comes_with_a_reply_or_an_opening(thread, board, answerer, opener):
    told = put(thread, answerer, Asked("  Who\n decides? ", ["The  party", "", " Its clerk "]))
    assert told.has_poll
    assert (told.poll.question, told.poll.choices) == ("Who decides?", ["The party", "Its clerk"])
    debate = threads.start(
        user=opener,
        board=board,
        title="What if the bridge held",
        kind="WI",
        source="It holds.",
        token=uuid4(),
        own_answer=OWN_ANSWER,
        poll=Asked("Does it?", ["Yes", "No"], is_open=True),
    )
    assert debate.posts.get().poll.is_open
    assert result(told) == (0, [0, 0])


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (Asked("", ["Yes", "No"]), "question"),
        (Asked("q" * 201, ["Yes", "No"]), "question"),
        (Asked("A\x07?", ["Yes", "No"]), "question"),
        (Asked("Which?", ["Yes", " "]), "choices"),
        (Asked("Which?", [str(n) for n in range(21)]), "choices"),
        (Asked("Which?", ["Yes", "YES"]), "choices"),
        (Asked("Which?", ["Yes", "n" * 201]), "choices"),
        (Asked("Which?", ["Yes", "No"], kind="all"), "kind"),
        (Asked("Which?", ["Yes", "No"], kind="several", most=3), "most"),
        (Asked("Which?", ["Yes", "No"], kind="several", most=1), "most"),
        (Asked("Which?", ["Yes", "No"], closes_at=NOON), "closes"),
        (Asked("Which?", ["Yes", "No"], closes_at=NOON + timedelta(days=4000)), "closes"),
    ],
)
def test_what_is_no_poll_is_said_at_its_field_and_nothing_is_posted(
    thread, answerer, clock, asked, field
):
    before = dump(Post, Poll)
    with pytest.raises(Unacceptable) as refused:
        put(thread, answerer, asked)
    assert refused.value.field == f"poll_{field}"
    assert refused.value.sentence.endswith(".")
    assert dump(Post, Poll) == before


def test_twenty_choices_of_two_hundred_letters(thread, answerer, stranger):
    choices = [f"{n:03} " + "x" * 196 for n in range(20)]
    post = put(thread, answerer, Asked("q" * 200, choices, kind="approved"))
    polls.vote(user=stranger, post=post, chosen=range(20))
    assert result(post) == (1, [1] * 20)


def test_the_same_form_sent_twice_asks_once(thread, answerer):
    token = uuid4()
    for _ in range(2):
        posts.reply(user=answerer, thread=fresh(thread), source="So.", token=token, poll=ASKED)
    assert Poll.objects.count() == 1


# --- Voting -----------------------------------------------------------------------------------


def test_votes_are_counted_once_each_and_can_be_changed_and_taken_back(
    polled, opener, stranger, answerer
):
    for _ in range(3):
        polls.vote(user=stranger, post=polled, chosen=[1])
    polls.vote(user=answerer, post=polled, chosen=[0])  # its maker votes as well
    assert result(polled) == (2, [1, 1, 0])
    polls.vote(user=stranger, post=polled, chosen=[2, 2])
    assert result(polled) == (2, [1, 0, 1])
    polls.take_back(user=stranger, post=polled)
    polls.take_back(user=stranger, post=polled)
    polls.take_back(user=opener, post=polled)
    assert result(polled) == (1, [1, 0, 0])
    assert faults(connection) == []


@pytest.mark.parametrize(
    ("asked", "taken", "refused"),
    [
        (ASKED, [0], [[], [0, 1], [3], [-1]]),
        (Asked("W?", ["a", "b", "c"], kind="several", most=2), [0, 2], [[0, 1, 2], []]),
        (Asked("W?", ["a", "b", "c"], kind="approved"), [0, 1, 2], [[], [3]]),
    ],
)
def test_each_kind_takes_so_many_choices(thread, answerer, stranger, asked, taken, refused):
    post = put(thread, answerer, asked)
    for chosen in refused:
        with pytest.raises(NoVote):
            polls.vote(user=stranger, post=post, chosen=chosen)
    assert not Ballot.objects.exists()
    polls.vote(user=stranger, post=post, chosen=taken)
    assert Ballot.objects.get().chosen == taken


def test_nobody_votes_once_it_is_closed(thread, answerer, stranger, opener, clock):
    post = put(thread, answerer, Asked("W?", ["a", "b"], closes_at=NOON + timedelta(hours=1)))
    polls.vote(user=stranger, post=post, chosen=[0])
    clock(NOON + timedelta(hours=1))
    for act in (
        lambda: polls.vote(user=opener, post=post, chosen=[1]),
        lambda: polls.vote(user=stranger, post=post, chosen=[1]),
        lambda: polls.take_back(user=stranger, post=post),
    ):
        with pytest.raises(NoVote, match="closed"):
            act()
    assert result(post) == (1, [1, 0])


def test_when_a_poll_closes_its_debate_is_drawn_anew(thread, answerer, clock):
    put(thread, answerer, Asked("W?", ["a", "b"], closes_at=NOON + timedelta(hours=1)))
    Worker().drain()
    before = fresh(thread).version
    clock(NOON + timedelta(hours=1, seconds=1))
    Worker().drain()
    assert fresh(thread).version == before + 1


@pytest.mark.parametrize("column", ["locked", "archived"])
def test_no_votes_in_debates_that_are_locked_or_archived(polled, stranger, column):
    Thread.objects.filter(pk=polled.thread_id).update(**{column: True})
    with pytest.raises(Refused):
        polls.vote(user=stranger, post=polled, chosen=[0])
    assert not Ballot.objects.exists()


def test_a_debate_that_its_opener_closed_still_counts_votes(polled, thread, opener, stranger):
    threads.close(user=opener, thread=thread, closed=True)
    polls.vote(user=stranger, post=polled, chosen=[0])
    assert result(polled)[0] == 1


def test_who_may_not_write_does_not_vote(polled, stranger, guest, moderator):
    stranger.suspended_until = timezone.now() + timedelta(days=1)
    stranger.save()
    for user in (guest, stranger):
        with pytest.raises(Refused):
            polls.vote(user=user, post=polled, chosen=[0])
    assert not Ballot.objects.exists()


def test_who_does_not_see_the_post_does_not_vote(polled, stranger, moderator):
    states.hide(user=moderator, post=polled, reason="Off the point.")
    for user in (stranger, polled.author):
        with pytest.raises(NotThere):
            polls.vote(user=user, post=polled, chosen=[0])
    with pytest.raises(Refused):
        polls.vote(user=moderator, post=polled, chosen=[0])
    states.restore(user=moderator, post=fresh(polled))
    polls.vote(user=stranger, post=polled, chosen=[0])


def test_a_vote_raises_no_version_and_tells_nobody(polled, thread, stranger):
    """Who has not voted sees no number, so that no kept page has to be drawn anew."""
    before = fresh(thread).version, dump(Notice, AuditEntry)
    polls.vote(user=stranger, post=polled, chosen=[0])
    assert (fresh(thread).version, dump(Notice, AuditEntry)) == before


def test_votes_of_a_deleted_account_stay_counted_and_nobodys(polled, stranger, opener):
    polls.vote(user=stranger, post=polled, chosen=[1])
    gone = make_member("member-a")
    polls.vote(user=gone, post=polled, chosen=[2])
    gone.emailaddress_set.all().delete()
    gone.delete()
    assert result(polled) == (2, [0, 1, 1])
    assert set(Ballot.objects.values_list("member", flat=True)) == {stranger.pk, None}
    assert faults(connection) == []


# --- Changing, closing, taking out ------------------------------------------------------------


def test_its_maker_changes_it_until_somebody_voted(polled, answerer, stranger):
    version = fresh(polled.thread).version
    asked = Asked("Who obeys?", ["Nobody", "All"], kind="approved")
    polls.change(user=answerer, post=polled, asked=asked)
    poll = Poll.objects.get()
    assert (poll.question, poll.choices, poll.most) == ("Who obeys?", ["Nobody", "All"], 2)
    assert poll.counts == [0, 0]
    assert fresh(polled.thread).version > version
    with pytest.raises(Refused, match="Only its author"):
        polls.change(user=stranger, post=polled, asked=ASKED)
    polls.vote(user=stranger, post=polled, chosen=[1])
    with pytest.raises(Refused, match="Somebody has voted"):
        polls.change(user=answerer, post=polled, asked=ASKED)
    polls.take_back(user=stranger, post=polled)
    polls.change(user=answerer, post=polled, asked=ASKED)


def test_a_form_that_was_open_while_the_poll_changed_says_so(polled, answerer):
    base = base_of(polls.stored_texts(polled.poll))
    polls.change(user=answerer, post=polled, asked=Asked("Who obeys?", ["Nobody", "All"]))
    with pytest.raises(ChangedMeanwhile):
        polls.change(user=answerer, post=polled, asked=ASKED, base=base)


def test_it_is_closed_early_by_its_maker_or_a_moderator(thread, answerer, stranger, moderator):
    own, other = put(thread, answerer), put(thread, answerer)
    with pytest.raises(Refused):
        polls.close(user=stranger, post=own)
    polls.close(user=answerer, post=own)
    assert not AuditEntry.objects.filter(verb="close poll").exists()
    when = fresh(own).poll.closes_at
    polls.close(user=answerer, post=own)  # again: nothing happens
    assert fresh(own).poll.closes_at == when
    polls.close(user=moderator, post=other, reason="Decided.")
    entry = AuditEntry.objects.get(verb="close poll")
    assert Notice.objects.get(entry=entry).member == answerer
    with pytest.raises(NoVote):
        polls.vote(user=stranger, post=other, chosen=[0])
    undoing.undo(user=moderator, entry=entry)
    polls.vote(user=stranger, post=other, chosen=[0])


def test_a_moderator_takes_a_poll_out_and_brings_it_back(polled, stranger, answerer, moderator):
    polls.vote(user=stranger, post=polled, chosen=[0])
    for user in (answerer, stranger):
        with pytest.raises(Refused):
            polls.remove(user=user, post=polled, reason="Mine.")
    with pytest.raises(Refused, match="Say why"):
        polls.remove(user=moderator, post=polled, reason=" ")
    polls.remove(user=moderator, post=polled, reason="Loaded question.")
    assert not fresh(polled).has_poll
    assert fresh(polled).state == State.VISIBLE
    for act in (
        lambda: polls.vote(user=stranger, post=polled, chosen=[1]),
        lambda: polls.take_back(user=stranger, post=polled),
        lambda: polls.close(user=answerer, post=polled),
        lambda: polls.remove(user=moderator, post=polled, reason="Again."),
    ):
        with pytest.raises(Refused, match="no poll"):
            act()
    undoing.undo(user=moderator, entry=AuditEntry.objects.get(verb="remove poll"))
    assert fresh(polled).has_poll
    assert result(polled) == (1, [1, 0, 0])


def test_the_poll_of_a_post_that_is_not_let_in_comes_back_with_its_draft(
    thread, answerer, moderator
):
    Thread.objects.filter(pk=thread.pk).update(approval=True)
    closes = timezone.now() + timedelta(days=2)
    waiting = put(thread, answerer, Asked("W?", ["a", "b"], is_open=True, closes_at=closes))
    assert waiting.state == State.PENDING
    states.reject(user=moderator, post=waiting, reason="Off the point.")
    fields = Draft.objects.get(user=answerer).fields
    assert fields["poll_question"] == ["W?"]
    assert fields["poll_choices"] == ["a\nb"]
    assert fields["poll_ballot"] == ["open"]
    assert fields["poll_closes"] == [timezone.localtime(closes).strftime("%Y-%m-%dT%H:%M")]


def test_a_poll_goes_where_its_post_goes(polled, thread, board, stranger, moderator):
    polls.vote(user=stranger, post=polled, chosen=[1])
    other = start(board, stranger, "What if it froze", "It does.")
    merging.merge(user=moderator, thread=fresh(other), into=fresh(thread))
    into = start(board, stranger, "What if it thawed", "It does.")
    merging.merge(user=moderator, thread=fresh(thread), into=fresh(into))
    assert fresh(polled).thread_id == into.pk
    polls.vote(user=moderator, post=polled, chosen=[1])
    assert result(polled) == (2, [0, 2, 0])
    assert not [fault for fault in check() if fault.kind == "polls"]


def test_its_words_are_erased_with_the_post_and_by_themselves(
    thread, answerer, stranger, administrator
):
    name = "Ignatius Quillfeather"
    post = put(thread, answerer, Asked(f"Was it {name}?", ["It was not", f"It was {name}"]))
    other = put(thread, stranger, Asked("Who then?", [name, "Nobody else"]))
    polls.vote(user=stranger, post=post, chosen=[1])
    texts = erasing.find(post, name).texts
    erasing.erase(user=administrator, post=post, words=name, reason="By law.", texts=texts)
    poll, theirs = Poll.objects.get(pk=post.pk), Poll.objects.get(pk=other.pk)
    assert "Quill" not in f"{poll.question}{poll.choices}{theirs.choices}"
    assert poll.choices[0] == "It was not" and theirs.choices[1] == "Nobody else"
    texts = erasing.find(fresh(post), "").texts
    erasing.erase(user=administrator, post=fresh(post), reason="By law.", texts=texts)
    poll = Poll.objects.get(pk=post.pk)
    assert "was" not in f"{poll.question}{poll.choices}"
    assert Poll.objects.get(pk=other.pk).choices[1] == "Nobody else"
    assert result(post) == (1, [0, 1])
    assert faults(connection) == []
