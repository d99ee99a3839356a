"""The charter. The rule as a query (lists) and the rule on one object (pages) must never disagree:
tried for every role, audience, state of the debate and state of the post."""

from itertools import product

import pytest
from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.models import AnonymousUser

from accounts.backend import Backend
from forum.models import Board, Post, State, Thread
from forum.models.visibility import (
    boards_visible_to,
    posts_visible_to,
    threads_visible_to,
    wider,
)
from forum.moderation import states
from forum.permissions import CHARTER, NotThere, Refused, may, require, verbs
from tests.tree.test_tree import grow

from .people import fresh, make_member, pending, reply

AUDIENCES = Board.Audience.values
STATES = State.values


@pytest.fixture
def world(db):
    """Boards of every audience with a debate in every state, each with a post in every state; and
    everybody who may come along. Debates and posts are the author's, every second post another's.
    """
    author, other = make_member("author"), make_member("other")
    for audience in AUDIENCES:
        board = Board.objects.create(name=audience, slug=audience, audience=audience)
        for state in STATES:
            thread = grow(board, [None] * (2 * len(STATES)))
            Thread.objects.filter(pk=thread.pk).update(state=state, author=author)
            for post, (post_state, writer) in zip(
                thread.posts.order_by("number"), product(STATES, (author, other)), strict=True
            ):
                Post.objects.filter(pk=post.pk).update(state=post_state, author=writer)
    warden = make_member("warden", is_staff=True)
    Board.objects.get(slug="moderators").moderators.add(warden)
    invited = make_member("invited")
    Board.objects.get(slug="invited").invited.add(invited)
    # The list waits until its board asks for it.
    Board.objects.get(slug="moderators").invited.add(invited)
    unlit = make_member("unlit")  # named by a board, but the desk's door is not open to them
    Board.objects.get(slug="moderators").moderators.add(unlit)
    return {
        "guest": AnonymousUser(),
        "author": author,
        "other": other,
        "stranger": make_member("stranger"),
        "invited member": invited,
        "closed account": make_member("closed", is_active=False, is_staff=True, is_moderator=True),
        "board moderator": warden,
        "moderator of a board without the desk": unlit,
        "moderator": make_member("keeper", is_staff=True, is_moderator=True),
        "administrator": make_member("chief", is_staff=True, is_superuser=True),
    }


def test_lists_and_pages_agree(world):
    everything = {
        "see board": (list(Board.objects.all()), boards_visible_to),
        "see thread": (list(Thread.objects.select_related("board")), threads_visible_to),
        "see post": (list(Post.objects.select_related("thread__board")), posts_visible_to),
    }
    for role, user in world.items():
        for verb, (things, visible_to) in everything.items():
            listed = set(visible_to(user).values_list("pk", flat=True))
            opened = {thing.pk for thing in things if may(user, verb, thing)}
            assert listed == opened, (role, verb)


def test_who_sees_what(world):
    """The charter once more, told as a table of which debates and posts of the author each sees."""
    seen = {
        role: {
            (p.thread.board.audience, p.thread.state, p.state, p.author.username)
            for p in posts_visible_to(user).select_related("thread__board", "author")
        }
        for role, user in world.items()
    }
    writers, there = ("author", "other"), set(STATES) - {"loading", "merged"}
    plain = {("public", "visible", "visible", w) for w in writers}
    member = plain | {("members", "visible", "visible", w) for w in writers}
    both = ("public", "members")
    assert seen["guest"] == plain
    assert seen["stranger"] == member
    assert seen["moderator of a board without the desk"] == member
    assert seen["closed account"] == member
    waits = ("pending", "rejected")
    assert seen["other"] == member | {(a, "visible", s, "other") for a in both for s in waits}
    assert seen["author"] == (
        member
        | {(a, "visible", s, "author") for a in both for s in waits}
        | {(a, t, "visible", w) for a in both for t in waits for w in writers}
        | {(a, t, s, "author") for a in both for t in waits for s in waits}
    )
    assert seen["invited member"] == member | {
        ("invited", "visible", "visible", w) for w in writers
    }
    inner = set(product(["moderators"], there, there, writers))
    assert seen["board moderator"] == member | inner
    everything = set(product(AUDIENCES, there, there, writers))
    assert seen["moderator"] == seen["administrator"] == everything


def test_rules_allow_by_silence_and_refuse_with_a_sentence(world):
    things = {
        "board": Board.objects.all(),
        "thread": Thread.objects.select_related("board"),
        "post": Post.objects.select_related("thread__board"),
    }
    takes = {
        "board": ("see board", "start", "moderate", "invite", "load"),
        "thread": ("see thread", "see opening", "reply", "rename", "describe", "close", "moderate"),
        "post": (
            *("see post", "see history", "answer", "edit", "withdraw", "release", "mark"),
            *("report", "report from outside", "moderate", "erase"),
            *("argue", "set lane", "tie answer", "take stance", "change mind"),
            *("vote", "close poll"),
        ),
    }
    tried = {verb for kind in takes.values() for verb in kind}
    asked_elsewhere = {"answer act", "decide", "undo"}  # of notices, cases and entries
    asked_elsewhere |= {"warn", "suspend", "clean up", "note", "rename member"}  # of members
    asked_elsewhere |= {"take emblem"}
    asked_elsewhere |= {"leave", "close account"}  # of accounts
    asked_elsewhere |= {
        "write",
        "use account",
        "read notices",
        "define",
        "administer",
        "enter desk",
    }
    assert tried | asked_elsewhere == set(CHARTER)
    for user in world.values():
        for kind, rows in things.items():
            see = f"see {kind}"
            for thing, verb in product(rows, takes[kind]):
                try:
                    assert require(user, verb, thing) is None
                except Refused as refusal:
                    assert str(refusal).endswith(".")
                    # Who may not see a thing is told nothing of it, whatever is tried.
                    if not may(user, see, thing):
                        assert isinstance(refusal, NotThere)
                else:
                    assert may(user, see, thing), (user, verb, thing)


@pytest.mark.parametrize(
    ("verb", "allowed"),
    [
        ("write", {"opener", "stranger", "keeper", "warden", "chief"}),
        ("define", {"keeper", "chief"}),
        ("administer", {"chief"}),
        ("enter desk", {"keeper", "warden", "chief"}),
    ],
)
def test_who_may_at_all(
    opener, stranger, moderator, board_moderator, administrator, guest, verb, allowed
):
    closed = make_member("closed", is_active=False, is_staff=True, is_superuser=True)
    people = (opener, stranger, moderator, board_moderator, administrator, guest, closed)
    assert {user.username for user in people if may(user, verb)} == allowed


def test_what_a_page_offers(thread, answer, opener, answerer, stranger, moderator, guest):
    assert verbs(guest, thread) == verbs(guest, answer) == frozenset()
    assert verbs(stranger, thread) == {"reply"}
    assert verbs(stranger, answer) == {"answer", "change mind", "report"}
    assert verbs(opener, thread) == {"reply", "rename", "describe", "close"}
    assert verbs(answerer, answer) == {"answer", "edit", "argue", "withdraw"}
    assert verbs(moderator, thread) == {"reply", "rename", "describe", "moderate"}
    assert verbs(opener, answer) == {"answer", "argue", "change mind", "mark", "report"}
    assert verbs(opener, thread.posts.get(number=1)) == {"answer", "edit", "mark"}
    known = {"answer", "argue", "change mind", "mark", "report", "moderate"}
    assert verbs(moderator, answer) == known


def test_a_moderators_lock_is_stronger_than_its_opener(thread, opener, moderator):
    thread.locked = True
    assert verbs(opener, thread) == frozenset()
    assert verbs(moderator, thread) == {"reply", "rename", "describe", "moderate"}


@pytest.mark.parametrize("source", AUDIENCES)
@pytest.mark.parametrize("target", AUDIENCES)
def test_words_are_carried_to_as_few_readers_or_fewer(db, source, target):
    a = Board.objects.create(name="A", slug="a", audience=source)
    b = Board.objects.create(name="B", slug="b", audience=target)
    # Of two boards with named readers nobody knows whom they will name.
    carried = {
        "public": {"public", "members", "invited", "moderators"},
        "members": {"members", "invited", "moderators"},
        "invited": set(),
        "moderators": set(),
    }
    assert wider(a, b) == (target not in carried[source])
    assert not wider(a, fresh(a))


# --- Boards that are read only, members who are not confirmed ----------------------------------


def test_a_board_that_is_read_only_is_moderated_and_nothing_else(
    thread, answer, opener, answerer, stranger, board_moderator, administrator
):
    Board.objects.filter(pk=thread.board_id).update(read_only=True)
    thread = Thread.objects.select_related("board").get(pk=thread.pk)
    answer = Post.objects.select_related("thread__board").get(pk=answer.pk)
    for user in (opener, answerer, stranger):
        assert verbs(user, thread) == frozenset()
        assert verbs(user, answer) <= {"report"}  # it is moderated still
        assert may(user, "see post", answer)
    for user in (board_moderator, administrator):
        assert verbs(user, thread) == {"rename", "describe", "moderate"}
        assert verbs(user, answer) == {"argue", "mark", "report", "moderate"}
        assert not may(user, "start", thread.board)


def test_who_is_not_confirmed_reads_like_a_member_and_does_not_write(thread, answer, settings):
    user = make_member("unconfirmed")
    user.emailaddress_set.update(verified=False)
    Board.objects.filter(pk=thread.board_id).update(audience="members")
    assert may(fresh(user), "see thread", fresh(thread))
    for verb, thing in (("reply", thread), ("answer", answer), ("start", thread.board)):
        with pytest.raises(Refused, match="Confirm your address"):
            require(fresh(user), verb, thing)
    settings.CONFIRM_ADDRESS = "optional"
    assert may(fresh(user), "reply", fresh(thread))


def test_the_member_of_a_session_comes_with_the_answer(db, django_assert_num_queries):
    known, unknown = make_member("known"), make_member("unknown")
    unknown.emailaddress_set.update(verified=False)
    for user in (known, unknown):
        with django_assert_num_queries(1):
            found = Backend().get_user(user.pk)
            assert found.confirmed == (user == known)
    closed = make_member("closed", is_active=False)
    assert Backend().get_user(closed.pk) == AuthenticationBackend().get_user(closed.pk)
    assert Backend().get_user(10**9) is None


def test_a_new_member_is_new_until_three_posts_have_appeared(thread, settings):
    newcomer = make_member("newcomer")
    assert newcomer.is_new
    waits = pending(thread, newcomer)
    for _ in range(2):
        reply(thread, newcomer)
    assert fresh(newcomer).is_new  # what waits has not appeared
    keeper = make_member("keeper", is_staff=True, is_moderator=True)
    states.approve(user=keeper, post=waits)
    assert not fresh(newcomer).is_new
    assert not keeper.is_new
    settings.NEW_MEMBER_POSTS = 0
    assert not make_member("another").is_new
