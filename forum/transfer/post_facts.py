"""What a thread fixture says about its posts: answers, changed minds and marks, checked."""

from collections.abc import Mapping

from core.columns import longest
from forum.models import Answer, ChangeOfMind, Threadmark

from .fields import ANSWER, CHANGE, Check
from .fixture import ImportedAnswer, ImportedChange, ImportedThreadmark, ThreadFixture


def read_post_fact(check: Check, fixture: ThreadFixture, indexes: Mapping[str, int]) -> None:
    """Take an answer, a change of mind or a threadmark into the fixture. Raises Rejected."""
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
    else:
        category = check.choice("category", Threadmark.Category.values)
        label = check.text("label", longest(Threadmark, "label"))
        if not label.strip() or post in {mark.post for mark in fixture.marks}:
            raise check.fail("a post has one mark, with a label.")
        fixture.marks.append(ImportedThreadmark(post, category, label))
