"""A newer version of a thread fixture brings answers, stances, minds and marks also to the posts
that were here before, and leaves alone what somebody here said otherwise."""

import pytest

from forum.actions import arguments, posts, threadmarks
from forum.checking import check
from forum.models import Answer, AuditEntry, ChangeOfMind, Post, Question, Thread, Threadmark
from forum.moderation import moving, states
from forum.transfer import fixture, loading, parsing
from tests.people import fresh
from tests.transfer.test_loaddata import dump, objects, with_card

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def antiquity(board):
    board.slug = "antiquity"
    board.save(update_fields=["slug"])


def said(version: int, **more) -> list[dict]:
    """A debate of four posts, #3 of which quotes #2 and says all that can be said; `more` are
    fields of that post."""
    made = objects("t", [None, 1, 2, 1], version=version, quoting=(3,))
    made[3]["fields"] |= {"lane": "premise", "stance": "disputes", **more}
    made[5]["fields"]["stance"] = "evidence"
    made = with_card(made, "1924", questions=("Why?",))
    return [
        *made,
        _about("answer", question="Why?", passage=1, verdict="disputes"),
        _about("changeofmind", was="for", now="against", reason="Purges."),
        _about("threadmark", category="story", label="The turn"),
    ]


def _about(model: str, **fields) -> dict:
    return {"model": f"forum.{model}", "fields": {"post": ["t-3"], **fields}}


def bring(made: list[dict]) -> loading.Loaded:
    return loading.load(parsing.read(fixture.dump(made), "t.json"))


def older() -> Post:
    """The same debate before anything was said about its posts, loaded; gives its third post."""
    made = objects("t", [None, 1, 2, 1], quoting=(3,))
    bring(with_card(made, "1924", questions=("Why?",)))
    return Post.objects.select_related("thread__board", "body__revision").get(key="t-3")


def test_what_was_missing_comes(guest):
    post = older()
    before = post.thread.version
    bring(said(2))
    post, thread = fresh(post), Thread.objects.get()
    assert (post.lane, post.stance, post.minds_changed) == ("premise", "disputes", 1)
    assert post.quotes.get().stance == "evidence"
    answer = Answer.objects.get()
    assert (answer.post, answer.passage, answer.verdict) == (post, 1, "disputes")
    assert ChangeOfMind.objects.get().reason == "Purges."
    assert Threadmark.objects.get().label == "The turn"
    assert thread.lane_counts["premise"] == 1
    assert thread.card["questions"][0]["disputed"] == 1
    assert thread.version > before
    assert not list(check())
    whole = dump(), list(Answer.objects.values()), list(Threadmark.objects.values())
    bring(said(2))
    assert (dump(), list(Answer.objects.values()), list(Threadmark.objects.values())) == whole


def test_a_third_version_says_nothing_twice():
    older()
    bring(said(2))
    version = Thread.objects.get().version
    bring(said(3))
    assert [model.objects.count() for model in (Answer, ChangeOfMind, Threadmark)] == [1, 1, 1]
    assert Thread.objects.get().version == version
    assert not list(check())


def test_what_was_decided_here_stays(moderator):
    post = older()
    question = Question.objects.get()
    tie = arguments.Tie(question.pk, "agrees")
    argued = {"user": moderator, "stance": "", "quotes": {}}
    arguments.argue(post=post, lane="meta", ties=[tie], **argued)
    arguments.argue(post=fresh(post), lane="", ties=[], **argued)
    threadmarks.mark(user=moderator, post=fresh(post), category="story", label="Here")
    threadmarks.unmark(user=moderator, post=fresh(post))
    bring(said(2))
    post = fresh(post)
    assert post.lane == "", "its lane was taken away here"
    assert not Answer.objects.exists()
    assert not Threadmark.objects.exists()
    assert post.stance == "disputes", "of its stance nobody here said anything"
    assert not list(check())


@pytest.mark.parametrize("how", ["edited", "moved", "hidden", "another text"])
def test_what_is_another_post_by_now_is_left_alone(board, moderator, how):
    post = older()
    text = "Another text altogether."
    if how == "edited":
        Post.objects.filter(pk=post.pk).update(author=moderator)
        posts.edit(user=moderator, post=fresh(post), source=text, base=1)
    elif how == "moved":
        moving.split(user=moderator, thread=post.thread, chosen=[post.pk], title="Apart")
    elif how == "hidden":
        states.hide(user=moderator, post=post, reason="Off the point.")
    made = said(2)
    if how == "another text":
        made[3]["fields"]["text"] += "\n\nAnd more."
    bring(made)
    post = fresh(post)
    assert post.stance == ""
    assert not Answer.objects.exists()
    assert not ChangeOfMind.objects.exists()
    assert not Threadmark.objects.exists()
    assert not AuditEntry.objects.filter(verb="set lane").exists()
    assert not [fault for fault in check() if fault.kind != "notices"]
