"""What a reply is to the debate: who says it, what is counted, what is told in the log."""

from uuid import uuid4

import pytest

from forum.actions import arguments, description, posts
from forum.actions.arguments import Tie, argue, change_mind, count_anew, keep_mind
from forum.actions.composing import Unacceptable
from forum.models import Answer, AuditEntry, ChangeOfMind, Post, Question, Quote, Thread
from forum.moderation import states
from forum.permissions import Refused
from tests.people import dump, fresh, pending, quoting, reply

pytestmark = pytest.mark.django_db
TABLES = (Answer, AuditEntry, ChangeOfMind, Post, Question, Quote, Thread)
ASKED = "Would the purges have come all the same?"


@pytest.fixture
def question(thread, opener) -> Question:
    description.describe(user=opener, thread=thread, divergences=[], questions=[ASKED])
    return Question.objects.get()


def say(thread, user, text="So it is.", to=None, **more) -> Post:
    return posts.reply(
        user=user, thread=fresh(thread), source=text, token=uuid4(), parent=to, **more
    )


def place(post, user, **changes) -> Post:
    """Call `argue` with what stands, but for `changes`."""
    post = fresh(post)
    ties = [Tie(row.question_id, row.verdict, row.passage) for row in post.answers.all()]
    given = {"lane": post.lane, "stance": post.stance, "quotes": {}, "ties": ties, **changes}
    return argue(user=user, post=post, **given)


def counted(thread) -> dict[str, int]:
    return {lane: n for lane, n in fresh(thread).lane_counts.items() if n}


# --- Lanes ------------------------------------------------------------------------------------


def test_a_reply_keeps_to_the_lane_of_what_it_answers(thread, answer, stranger):
    assert (fresh(answer).lane, counted(thread)) == ("consequence", {"consequence": 3})
    doubt = say(thread, stranger, to=answer, lane="premise")
    below = say(thread, stranger, to=doubt)
    assert (doubt.lane, below.lane) == ("premise", "premise")
    assert counted(thread) == {"consequence": 3, "premise": 2}
    assert thread.posts.get(number=1).lane == ""


def test_talk_without_a_divergence_has_no_lanes(thread, stranger):
    Thread.objects.filter(pk=thread.pk).update(kind="discussion")
    assert say(thread, stranger).lane == ""
    with pytest.raises(Unacceptable, match="lanes"):
        say(thread, stranger, lane="meta")


def test_below_an_imported_post_that_names_no_lane_it_is_consequence(thread, answer, stranger):
    Post.objects.filter(pk=answer.pk).update(lane="")
    assert say(thread, stranger, to=fresh(answer)).lane == "consequence"


def test_counts_follow_what_stands(thread, answer, stranger, moderator):
    post = say(thread, stranger, lane="meta")
    states.hide(user=moderator, post=post, reason="Noise.")
    assert counted(thread) == {"consequence": 3}
    states.restore(user=moderator, post=fresh(post))
    assert counted(thread) == {"consequence": 3, "meta": 1}
    waiting = pending(thread, stranger)
    Post.objects.filter(pk=waiting.pk).update(lane="meta")
    assert counted(thread) == {"consequence": 3, "meta": 1}
    states.approve(user=moderator, post=fresh(waiting))
    assert counted(thread) == {"consequence": 3, "meta": 2}
    place(post, stranger, lane="premise")
    assert counted(thread) == {"consequence": 3, "meta": 1, "premise": 1}
    again = fresh(thread)
    count_anew(again)
    assert again.lane_counts == counted(thread)


def test_a_change_of_lane_is_logged_whoever_makes_it(thread, answer, answerer, opener, moderator):
    for user, lane in ((answerer, "meta"), (opener, "premise"), (moderator, "consequence")):
        before = fresh(answer).lane
        version = fresh(thread).version
        place(answer, user, lane=lane, reason="It fits.")
        entry = AuditEntry.objects.latest("pk")
        assert (entry.actor, entry.verb, entry.post_id) == (user, "set lane", answer.pk)
        assert entry.detail == {"before": before, "after": lane}
        assert fresh(thread).version == version + 1
    rows = dump(*TABLES)
    place(answer, answerer)  # nothing new
    assert dump(*TABLES) == rows


# --- Stances ----------------------------------------------------------------------------------


def test_stances_are_their_authors_alone(thread, answer, answerer, opener, moderator, stranger):
    place(answer, answerer, stance="disputes")
    assert fresh(answer).stance == "disputes"
    assert not AuditEntry.objects.exists()
    rows = dump(*TABLES)
    for user in (opener, moderator, stranger):
        with pytest.raises(Refused):
            place(answer, user, stance="supports")
    assert dump(*TABLES) == rows


def test_quotes_take_stances_of_their_own(thread, answer, opening, stranger):
    text = (
        quoting(answer, "The party obeyed nobody.") + "\n\n" + quoting(opening, "Lenin had named")
    )
    post = say(thread, stranger, text, quotes={2: "supports"})
    assert list(post.quotes.order_by("ordinal").values_list("stance", flat=True)) == [
        "",
        "supports",
    ]
    place(post, stranger, quotes={1: "asks", 2: ""})
    assert list(post.quotes.order_by("ordinal").values_list("stance", flat=True)) == ["asks", ""]


@pytest.mark.parametrize(
    "wrong",
    [
        {"lane": "fast"},
        {"stance": "likes"},
        {"quotes": {1: "likes"}},
        {"ties": [Tie(10**6, "agrees")]},
        {"ties": "passage"},
        {"ties": "verdict"},
        {"ties": "twice"},
    ],
)
def test_what_is_not_offered_changes_nothing(thread, question, answer, answerer, wrong):
    made = {
        "passage": [Tie(question.pk, "agrees", 3)],
        "verdict": [Tie(question.pk, "perhaps")],
        "twice": [Tie(question.pk, "agrees"), Tie(question.pk, "disputes")],
    }
    if isinstance(wrong.get("ties"), str):
        wrong = {"ties": made[wrong["ties"]]}
    rows = dump(*TABLES)
    with pytest.raises(Unacceptable):
        place(answer, answerer, **wrong)
    with pytest.raises(Unacceptable):
        say(thread, answerer, "One passage.\n\nTwo.", **wrong)
    assert dump(*TABLES) == rows


# --- Answers ----------------------------------------------------------------------------------


def on_card(thread) -> tuple[int, int, list[int]]:
    (one,) = fresh(thread).card["questions"]
    row = Question.objects.get(pk=one["id"])
    assert (row.answer_count, row.disputed_count) == (one["answers"], one["disputed"])
    return one["answers"], one["disputed"], [by["number"] for by in one["by"]]


def test_answers_are_tied_counted_and_untied(thread, question, answer, answerer, stranger):
    assert on_card(thread) == (0, 0, [])
    say(thread, stranger, ties=[Tie(question.pk, "disputes", 1)])
    assert on_card(thread) == (1, 1, [5])
    place(answer, answerer, ties=[Tie(question.pk, "agrees", 2)])
    assert on_card(thread) == (2, 1, [2, 5])
    assert fresh(thread).card["questions"][0]["by"][0] == {
        "post": answer.pk,
        "number": 2,
        "passage": 2,
        "disputes": False,
    }
    place(answer, answerer, ties=[Tie(question.pk, "disputes")])
    assert on_card(thread) == (2, 2, [2, 5])
    place(answer, answerer, ties=[])
    assert on_card(thread) == (1, 1, [5])
    assert not AuditEntry.objects.exclude(verb="describe").exists()


def test_others_correct_answers_and_the_log_says_so(
    thread, question, answer, opener, moderator, stranger
):
    for user in (opener, moderator):
        place(answer, user, ties=[Tie(question.pk, "agrees")], reason="It does.")
        entry = AuditEntry.objects.latest("pk")
        assert (entry.actor, entry.verb, entry.reason) == (user, "tie answer", "It does.")
        place(answer, user, ties=[])
    rows = dump(*TABLES)
    with pytest.raises(Refused):
        place(answer, stranger, ties=[Tie(question.pk, "agrees")])
    assert dump(*TABLES) == rows


def test_answers_count_while_their_posts_stand(thread, question, stranger, moderator):
    post = say(thread, stranger, ties=[Tie(question.pk, "agrees")])
    states.hide(user=moderator, post=post, reason="Noise.")
    assert on_card(thread) == (0, 0, [])
    states.restore(user=moderator, post=fresh(post))
    assert on_card(thread) == (1, 0, [5])


def test_a_question_taken_from_the_card_keeps_its_answers(thread, question, stranger, opener):
    say(thread, stranger, ties=[Tie(question.pk, "agrees")])
    description.describe(user=opener, thread=thread, divergences=[], questions=[])
    assert fresh(thread).card == {}
    assert Question.objects.get().stands is False
    description.describe(user=opener, thread=thread, divergences=[], questions=["New?", ASKED])
    asked = fresh(thread).card["questions"]
    assert [(one["text"], one["answers"]) for one in asked] == [("New?", 0), (ASKED, 1)]
    assert Question.objects.get(text=ASKED).pk == question.pk
    description.describe(user=opener, thread=thread, divergences=[], questions=[ASKED])
    assert not Question.objects.filter(text="New?").exists()  # nobody answered it


# --- Changed minds ----------------------------------------------------------------------------


def mind(post, user, was="for", now="against", reason="It adds up.") -> ChangeOfMind:
    return change_mind(user=user, post=fresh(post), was=was, now=now, reason=reason)


def test_a_mind_is_changed_once_by_a_reply(thread, answer, stranger, opener):
    mind(answer, stranger)
    mind(answer, opener)
    mind(answer, stranger, was="undecided", now="for", reason="Rather so.")
    assert fresh(answer).minds_changed == ChangeOfMind.objects.count() == 2
    assert ChangeOfMind.objects.get(member=stranger).reason == "Rather so."
    for _ in range(2):
        keep_mind(user=stranger, post=fresh(answer))
        assert fresh(answer).minds_changed == ChangeOfMind.objects.count() == 1


def test_whose_mind_is_not_changed(thread, answer, answerer, opening, stranger, guest, moderator):
    rows = dump(*TABLES)
    for post, user in ((answer, answerer), (opening, stranger), (answer, guest)):
        with pytest.raises(Refused):
            mind(post, user)
    for wrong in ({"now": "for"}, {"was": "sure"}, {"reason": " "}, {"reason": "a" * 501}):
        with pytest.raises(Unacceptable):
            mind(answer, stranger, **wrong)
    assert dump(*TABLES) == rows
    states.hide(user=moderator, post=fresh(answer), reason="Noise.")
    with pytest.raises(Refused):
        mind(answer, stranger)


def test_who_leaves_is_unnamed_and_the_change_stays(thread, answer, stranger):
    mind(answer, stranger)
    ChangeOfMind.objects.update(member=None)
    assert fresh(answer).minds_changed == 1


def test_what_was_moved_meanwhile_is_said(thread, answer, answerer, opener, board):
    from tests.people import start

    stale = fresh(answer)
    other = start(board, opener, title="Another")
    Post.objects.filter(pk=answer.pk).update(thread=other, number=90)
    assert arguments.argue(
        user=answerer, post=fresh(answer), lane="meta", stance="", quotes={}, ties=[]
    )
    with pytest.raises(Unacceptable, match="moved"):
        arguments.argue(user=answerer, post=stale, lane="meta", stance="", quotes={}, ties=[])
    assert reply(thread, answerer)
