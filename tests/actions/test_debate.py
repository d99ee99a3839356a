"""What a debate is about: who says so, what is kept of it, and that card and rows agree."""

from itertools import pairwise
from uuid import uuid4

import pytest

from forum.actions import description, threads
from forum.actions.composing import Unacceptable
from forum.actions.divergences import DivergenceInput, read_divergence
from forum.models import AuditEntry, Divergence, Post, Question, Thread
from forum.moderation import states
from forum.permissions import NotThere, Refused
from tests.people import dump, fresh

pytestmark = pytest.mark.django_db
TABLES = (AuditEntry, Divergence, Post, Question, Thread)
ASKED = ("Would the purges have come all the same?",)


def divergence(when="c. 1924", change="Another succeeds Lenin.", **more) -> DivergenceInput:
    return read_divergence(change=change, when=when, **more)


def describe(thread, user, *divergences, questions=(), **more) -> Thread:
    return description.describe(
        user=user, thread=thread, divergences=divergences, questions=questions, **more
    )


def laid_out(thread) -> dict:
    """The card that the rows of a debate make, counted on their own."""
    rows = Divergence.objects.filter(thread=thread).order_by("order")
    asked = Question.objects.filter(thread=thread).order_by("order")
    assert [row.order for row in rows] == list(range(1, len(rows) + 1))
    assert [row.order for row in asked] == list(range(1, len(asked) + 1))
    if not rows and not asked:
        return {}
    return {
        "divergences": [
            {
                "change": row.change,
                "actor": row.actor,
                "place": row.place,
                "edtf": row.edtf,
                "first": row.first_day,
                "last": row.last_day,
                "by_editor": row.by_editor,
                **(
                    {}
                    if row.latitude is None
                    else {"spot": [row.latitude, row.longitude, row.radius]}
                ),
            }
            for row in rows
        ],
        "questions": [
            {"id": row.pk, "text": row.text, "answers": 0, "disputed": 0, "by": []} for row in asked
        ],
    }


def texts(thread) -> list[str]:
    """The questions on a card."""
    return [one["text"] for one in thread.card["questions"]]


def start(board, user, *divergences, token=None, **more) -> Thread:
    return threads.start(
        user=user,
        board=board,
        title="What if the bridge had held?",
        kind="WI",
        own_answer="Nobody crosses it.",
        source="It holds. Who crosses it?",
        token=token or uuid4(),
        divergences=divergences,
        **more,
    )


# --- Reading one ------------------------------------------------------------------------------


def test_what_was_typed_is_read_and_tidied():
    one = read_divergence(
        change=" The  bridge\tholds. ", when=" about 1924", place=" a  b ", actor=""
    )
    assert (one.change, one.place, one.actor) == ("The bridge holds.", "a b", "")
    assert (one.date.edtf, one.by_editor) == ("1924~", False)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"change": " \t"}, "Say what changes."),
        ({"change": "a" * 301}, "“What changes” holds at most 300 characters."),
        ({"place": "a" * 121}, "“Where” holds at most 120 characters."),
        ({"actor": "a" * 121}, "“Who” holds at most 120 characters."),
        ({"actor": "a\u202eb"}, "“Who” holds characters that cannot be shown."),
        ({"change": "a\0b"}, "“What changes” holds characters that cannot be shown."),
        ({"when": "some day"}, "480 BC"),
        ({"when": ""}, "No date is given."),
    ],
)
def test_what_cannot_be_taken_is_said(given, says):
    with pytest.raises(Unacceptable) as refused:
        divergence(**{"when": "1924", **given})
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("divergences", "questions"),
    [
        (6, []),
        (0, [f"{n}?" for n in range(11)]),
        (0, ["a" * 500 + "?"]),
        (0, ["One\nline?"]),
        (0, [" "]),
        (0, ["Twice?", "Twice?"]),
    ],
)
def test_more_than_a_card_can_show(divergences, questions):
    with pytest.raises(Unacceptable):
        description.check([divergence()] * divergences, questions)


def test_as_much_as_a_card_can_show():
    # Scripts that join letters without a mark, and French spaces, are questions as well.
    odd = ["Pourquoi\u202f?", "می\u200cخواهم?"]
    description.check([divergence()] * 5, [*odd, *(f"{n}?" for n in range(8))])


# --- Opening a debate -------------------------------------------------------------------------


def test_a_debate_starts_with_its_divergence(board, opener):
    thread = fresh(
        start(board, opener, divergence(place="Petrograd"), questions=["Who crosses it?"])
    )
    assert thread.card == laid_out(thread)
    assert thread.card["divergences"][0] | {"first": 0, "last": 0} == {
        "change": "Another succeeds Lenin.",
        "actor": "",
        "place": "Petrograd",
        "edtf": "1924~",
        "first": 0,
        "last": 0,
        "by_editor": False,
        "spot": [59.94, 30.31, 0],
    }
    assert texts(thread) == ["Who crosses it?"]


def test_a_debate_without_a_divergence(board, opener):
    thread = fresh(start(board, opener))
    assert thread.card == laid_out(thread) == {}


def test_a_token_sent_twice_makes_one_set_of_rows(board, opener):
    token = uuid4()
    one = start(
        board,
        opener,
        divergence(),
        divergence("480 BC"),
        token=token,
        questions=["Who crosses it?"],
    )
    before = dump(*TABLES)
    other = start(board, opener, divergence("1999"), token=token)
    assert other.pk == one.pk
    assert dump(*TABLES) == before
    assert Divergence.objects.count() == 2


def test_a_debate_that_is_refused_leaves_no_rows(board, opener):
    before = dump(*TABLES)
    with pytest.raises(Unacceptable):
        start(board, opener, *[divergence()] * 6)
    assert dump(*TABLES) == before


# --- Describing it anew -----------------------------------------------------------------------


def test_rows_and_card_are_replaced_together(thread, opener):
    describe(thread, opener, divergence(), divergence("480 BC", "The wall holds."), questions=ASKED)
    assert fresh(thread).card == laid_out(thread)
    assert [one["edtf"] for one in fresh(thread).card["divergences"]] == ["1924~", "-0479"]
    describe(thread, opener, divergence("480 BC", "The wall holds."))
    assert fresh(thread).card == laid_out(thread)
    assert len(fresh(thread).card["divergences"]) == Divergence.objects.count() == 1
    assert not Question.objects.exists()
    describe(thread, opener)
    assert fresh(thread).card == laid_out(thread) == {}


def test_it_is_told_in_the_log_with_before_and_after(thread, opener, moderator):
    describe(thread, opener, divergence())
    first = description.described(fresh(thread))
    describe(thread, moderator, divergence("1923"), questions=ASKED, reason="The year was wrong.")
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.verb, entry.thread_id) == (moderator, "describe", thread.pk)
    assert (entry.board_id, entry.reason) == (thread.board_id, "The year was wrong.")
    after = description.described(fresh(thread))
    assert (entry.detail["before"], entry.detail["after"]) == (first, after)
    assert first != after


def test_the_version_rises_so_that_kept_pages_are_drawn_anew(thread, opener):
    described = describe(thread, opener, divergence())
    assert described.version == fresh(thread).version == thread.version + 1


def test_the_same_again_changes_nothing(thread, opener):
    describe(thread, opener, divergence(), questions=ASKED)
    before = dump(*TABLES)  # with the rows' ids: answers to a question will hang on them
    describe(thread, opener, divergence(), questions=ASKED)
    assert dump(*TABLES) == before


def test_dates_of_moderators_are_marked_and_marks_stay(thread, opener, moderator):
    def marks():
        return [row.by_editor for row in Divergence.objects.order_by("order")]

    describe(thread, opener, divergence())
    assert marks() == [False]
    describe(thread, moderator, divergence(change="A slip mended."), divergence("1936-39"))
    assert marks() == [False, True]
    # The member who opened it goes over it: the editor's date stays the editor's.
    describe(thread, opener, divergence("1936-39", "In other words."), divergence("1923"))
    assert marks() == [True, False]


@pytest.mark.parametrize("who", ["guest", "stranger", "answerer"])
def test_others_may_not(thread, request, who):
    before = dump(*TABLES)
    with pytest.raises(Refused):
        describe(thread, request.getfixturevalue(who), divergence())
    assert dump(*TABLES) == before


def test_nor_the_opener_once_it_is_locked(thread, opener, moderator):
    states.lock(user=moderator, thread=thread, reason="Settled.")
    before = dump(*TABLES)
    with pytest.raises(Refused):
        describe(thread, opener, divergence())  # asked of the locked row, not of the one in hand
    assert dump(*TABLES) == before
    describe(thread, moderator, divergence())
    assert fresh(thread).card


def test_nor_a_moderator_of_another_board(thread, other_board, board_moderator):
    Thread.objects.filter(pk=thread.pk).update(board=other_board)
    with pytest.raises(Refused):
        describe(thread, board_moderator, divergence())


def test_of_what_one_may_not_see_nothing_is_known(thread, stranger, inner_board):
    Thread.objects.filter(pk=thread.pk).update(board=inner_board)
    with pytest.raises(NotThere):
        describe(thread, stranger, divergence())


def test_what_is_refused_leaves_all_as_it_was(thread, opener):
    describe(thread, opener, divergence(), questions=ASKED)
    before = dump(*TABLES)
    with pytest.raises(Unacceptable):
        describe(thread, opener, *[divergence()] * 6)
    with pytest.raises(Unacceptable):
        describe(thread, opener, questions=["a" * 501])
    assert dump(*TABLES) == before


# --- Order ------------------------------------------------------------------------------------

EARLIER_TO_LATER = [
    *("12000 BC", "before 3500 BC", "3500 BC", "c. 1200 BC", "480 BC", "479 BC", "44 BC"),
    *("15 March 44 BC", "1 BC", "AD 1", "1066", "late 15th century", "1936", "spring 1936"),
]


def test_the_order_of_dates_runs_through_the_years_before_christ(thread, opener):
    for when in reversed(EARLIER_TO_LATER):
        one = divergence(when)
        Divergence.objects.create(
            thread=thread,
            order=Divergence.objects.count() + 1,
            change=when,
            edtf=one.date.edtf,
            first_day=one.date.first,
            last_day=one.date.last,
        )
    found = [row.change for row in Divergence.objects.by_date()]
    open_start = ["before 3500 BC"]
    assert found == open_start + [when for when in EARLIER_TO_LATER if when not in open_start]
    # And each is a seek away from the one before it.
    rows = list(Divergence.objects.by_date())
    for row, following in pairwise(rows):
        after = Divergence.objects.after(row.first_day, row.last_day, row.pk).by_date()
        assert after.first() == following


def test_what_may_have_happened_between_two_days(thread, opener):
    describe(
        thread, opener, divergence("480 BC"), divergence("c. 1924"), divergence("before 3500 BC")
    )

    def between(first, last):
        days = (divergence(first).date.first, divergence(last).date.last)
        return [row.edtf for row in Divergence.objects.between(*days).by_date()]

    assert between("500 BC", "AD 1") == ["-0479"]
    assert between("1926", "1930") == ["1924~"]
    assert between("1927", "1930") == []
    assert between("9000 BC", "8000 BC") == ["../-3499"]
