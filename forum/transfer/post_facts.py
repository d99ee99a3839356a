"""What a thread fixture says about its posts: answers, changed minds, marks and polls, checked."""

from collections.abc import Mapping

from core.columns import longest
from forum.actions import polls
from forum.actions.composing import Unacceptable
from forum.models import Answer, ChangeOfMind, Poll, Threadmark

from .fields import ANSWER, CHANGE, POLL, Check
from .fixture import ImportedAnswer, ImportedChange, ImportedPoll, ImportedThreadmark, ThreadFixture


def read_post_fact(check: Check, fixture: ThreadFixture, indexes: Mapping[str, int]) -> None:
    """Take an answer, a change of mind, a threadmark or a poll into the fixture. Raises
    Rejected."""
    post = check.post("post", indexes)
    if check.model == ANSWER:
        answer = ImportedAnswer(
            post=post,
            question=check.text("question"),
            passage=check.fields.get("passage", 0),
            verdict=check.choice("verdict", Answer.Verdict.values),
        )
        passages = len(fixture.posts[post].rendered.passages)
        if answer.question not in fixture.questions:
            raise check.fail("answers a question that this thread does not ask.")
        if type(answer.passage) is not int or not 0 <= answer.passage <= passages:
            raise check.fail(f"passage must be a whole number from 0 to {passages}.")
        if (post, answer.question) in {(one.post, one.question) for one in fixture.answers}:
            raise check.fail("a post answers a question once.")
        fixture.answers.append(answer)
    elif check.model == CHANGE:
        was, now = (check.choice(name, ChangeOfMind.View.values) for name in ("was", "now"))
        reason = check.text("reason", longest(ChangeOfMind, "reason"))
        if was == now or not reason.strip():
            raise check.fail("says from which view to which other one, and why.")
        fixture.minds.append(ImportedChange(post, was, now, reason))
    elif check.model == POLL:
        if post in {poll.post for poll in fixture.polls}:
            raise check.fail("a post has one poll.")
        fixture.polls.append(_poll(check, post))
    else:
        category = check.choice("category", Threadmark.Category.values)
        label = check.text("label", longest(Threadmark, "label"))
        if not label.strip() or post in {mark.post for mark in fixture.marks}:
            raise check.fail("a post has one mark, with a label.")
        fixture.marks.append(ImportedThreadmark(post, category, label))


def _poll(check: Check, post: int) -> ImportedPoll:
    check.kinds()
    kind = check.choice("kind", Poll.Kind.values, Poll.Kind.ONE)
    most, voters = check.fields.get("most") or 1, check.fields.get("voters") or 0
    counts, closes_at = check.fields.get("counts") or [], check.moment("closes_at")
    asked = polls.Asked(
        question=check.text("question"),
        choices=check.text("choices").split("\n"),
        kind=kind,
        most=most,
        is_open=bool(check.fields.get("is_open")),
        closes_at=closes_at,
    )
    try:
        asked = polls.check(asked)
    except Unacceptable as error:
        raise check.fail(error.sentence) from None
    if counts and (len(counts) != len(asked.choices) or closes_at is None):
        raise check.fail("counts are one number for each choice of a poll that closes.")
    if voters < 0 or bool(voters) > bool(counts) or any(not 0 <= n <= voters for n in counts):
        raise check.fail("voters and counts do not fit each other.")
    return ImportedPoll(post, asked, voters, counts)
