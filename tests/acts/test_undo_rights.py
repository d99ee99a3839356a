"""Every act that can be taken back, by everybody, on boards of every kind: whoever may take it back
is whoever may do its opposite, and the way back is offered to them and to nobody else.

The acts are done by an administrator. Then each role does the opposite act itself, and takes the
act back; both are rolled back. Undoing is moderation: a member who may do the opposite as an act of
their own (rename the debate that they opened) is not offered an undoing of a moderator's.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.utils import timezone

from forum.actions import arguments, description, polls, threadmarks, threads, variants
from forum.actions.composing import Unacceptable
from forum.models import AuditEntry, Board, Question, Suspension, Thread, Warning
from forum.moderation import cleanup, merging, moving, sanctions, states, undoing
from forum.opposites import OPPOSITES
from forum.permissions import Refused, may, require
from tests.people import cast, fresh, make_member, pending, quoting, reply, start

pytestmark = [pytest.mark.django_db, pytest.mark.once]
WHY = {"reason": "As an example."}
LONG = os.environ.get("JONBAR_LONG") == "1"
AUDIENCES = Board.Audience.values


@dataclass
class Way:
    """An act, its opposite as an act of its own, and what was written in between."""

    act: Callable
    opposite: Callable
    since: Callable | None = None
    verb: str = ""
    boards: int = 1  # how many it concerns


def _thread(name: str, thread: str = "here", **more) -> Callable:
    act = getattr(states, name)
    return lambda w, user: act(user=user, thread=w.row(thread), **WHY, **more)


def _post(name: str, post: str) -> Callable:
    act = getattr(states, name)
    return lambda w, user: act(user=user, post=w.row(post), **WHY)


def _switch(on: str, off: str, of: Callable, *what: str) -> dict[str, Way]:
    """An act and the other by which it is undone, each done where the other was done before."""
    do, do_not = of(on, *what), of(off, *what)
    return {
        on.replace("_", " "): Way(_then(do_not, do), do_not),
        off.replace("_", " "): Way(_then(do, do_not), do),
    }


def _then(*acts: Callable) -> Callable:
    return lambda w, user: [act(w, user) for act in acts]


def _describe(*questions: str) -> Callable:
    return lambda w, user: description.describe(
        user=user, thread=w.row("here"), divergences=[], questions=questions, **WHY
    )


def _argue(lane: str, tie: bool) -> Callable:
    def act(w, user):
        ties = [arguments.Tie(w.question, "agrees", 0)] if tie else []
        row = w.row("second")
        arguments.argue(
            user=user, post=row, lane=lane, stance=row.stance, quotes={}, ties=ties, **WHY
        )

    return act


def _declare(other: str | None) -> Callable:
    return lambda w, user: variants.declare(
        user=user, thread=w.row("here"), other=other and w.row(other), **WHY
    )


def _mark(w, user):
    threadmarks.mark(user=user, post=w.row("second"), category="story", label="A label")


def _unmark(w, user):
    threadmarks.unmark(user=user, post=w.row("second"))


def _move(board: str) -> Callable:
    return lambda w, user: moving.move_thread(
        user=user, thread=w.row("here"), board=fresh(getattr(w, board)), **WHY
    )


def _split(w, user):
    w.new = moving.split(
        user=user,
        thread=w.row("here"),
        chosen=[w.second.pk],
        title="Split off",
        board=fresh(w.other_board),
        **WHY,
    )


def _branch_back(w, user):
    moving.move_branch(user=user, post=w.row("late"), target=w.row("here"), **WHY)


def _quote_there_in_the_merged(w):
    text = quoting(w.answer_there, "An answer there.")
    w.since = reply(w.row("there"), w.administrator, text, to=w.row("opening_later"))


def _parted(*posts: str) -> Callable:
    """Part what was merged: the opposite of merging."""
    return lambda w, user: moving.split(
        user=user,
        thread=w.row("there"),
        chosen=[getattr(w, post).pk for post in posts],
        title="Parted again",
        board=fresh(w.board),
        **WHY,
    )


def _clean_up(w, user):
    cleanup.clean_up(
        user=user,
        member=w.answerer,
        post_ids=[w.second.pk],
        thread_ids=[w.theirs.pk],
        batch=uuid4(),
        **WHY,
    )


def _bring_back(w, user):
    require(user, "clean up", w.answerer)
    states.restore(user=user, post=w.row("second"), **WHY)
    states.restore_thread(user=user, thread=w.row("theirs"), **WHY)


def _as_a_moderator(w, user):
    require(user, "moderate", w.row("polled"))


def _hide_it(w):
    _post("hide", "second")(w, w.administrator)


def _quote_there(w):
    """In the debate, where it is now, words are quoted that belong to the other board."""
    if not w.row("here").archived:  # there nobody writes
        reply(w.row("here"), w.administrator, quoting(w.answer_there, "An answer there."))


def _warned(post: str | None) -> Callable:
    return lambda w, user: sanctions.warn(
        user=user, member=w.answerer, points=1, post=post and w.row(post), reason=uuid4().hex
    )


WAYS: dict[str, Way] = {
    **_switch("hide", "restore", _post, "second"),
    "remove": Way(_post("remove", "second"), _post("restore", "second")),
    "hide a debate": Way(_thread("hide_thread"), _thread("restore_thread"), verb="hide"),
    "restore a debate": Way(
        _then(_thread("hide_thread"), _thread("restore_thread")),
        _thread("hide_thread"),
        verb="restore",
    ),
    "approve": Way(_post("approve", "waiting"), _post("hide", "waiting")),
    "reject": Way(_post("reject", "waiting"), _post("approve", "waiting")),
    **_switch("lock_branch", "unlock_branch", _post, "second"),
    **_switch("lock", "unlock", _thread),
    **_switch("pin", "unpin", _thread),
    **_switch("archive", "unarchive", _thread),
    **_switch("demand_approval", "waive_approval", _thread),
    "slow": Way(_thread("slow", minutes=5), _thread("slow", minutes=0)),
    "rename": Way(
        lambda w, user: threads.rename(user=user, thread=w.row("here"), title="Another", **WHY),
        lambda w, user: threads.rename(user=user, thread=w.row("here"), title="As before", **WHY),
    ),
    "describe": Way(_describe("Which purges?"), _describe("Which other purges?")),
    "variant": Way(_declare("there"), _declare(None)),
    "variant no more": Way(
        _then(_declare("there"), _declare(None)), _declare("there"), verb="variant", boards=2
    ),
    "mark": Way(_mark, _unmark),
    "unmark": Way(_then(_mark, _unmark), _mark),
    "unmark what was hidden then": Way(
        _then(_mark, _unmark),
        _mark,
        verb="unmark",
        since=_hide_it,
    ),
    "close poll": Way(
        lambda w, user: polls.close(user=user, post=w.row("polled"), **WHY), _as_a_moderator
    ),
    "remove poll": Way(
        lambda w, user: polls.remove(user=user, post=w.row("polled"), **WHY), _as_a_moderator
    ),
    "set lane": Way(_argue("premise", False), _argue("consequence", False)),
    "set lane of what was hidden then": Way(
        _argue("premise", False), _argue("consequence", False), verb="set lane", since=_hide_it
    ),
    "tie answer": Way(_argue("", True), _argue("", False)),
    "move": Way(_move("other_board"), _move("board"), boards=2),
    "move, then quote": Way(
        _move("other_board"), _move("board"), since=_quote_there, verb="move", boards=2
    ),
    "split": Way(
        _split,
        lambda w, user: merging.merge(user=user, thread=fresh(w.new), into=w.row("here"), **WHY),
        boards=2,
    ),
    "move branch": Way(
        lambda w, user: moving.move_branch(
            user=user, post=w.row("late"), target=w.row("there"), **WHY
        ),
        _branch_back,
        boards=2,
    ),
    "merge": Way(
        lambda w, user: merging.merge(user=user, thread=w.row("later"), into=w.row("there"), **WHY),
        _parted("opening_later"),
        boards=2,
    ),
    "merge, then quote": Way(
        lambda w, user: merging.merge(user=user, thread=w.row("later"), into=w.row("there"), **WHY),
        _parted("opening_later", "since"),
        since=_quote_there_in_the_merged,
        verb="merge",
        boards=2,
    ),
    "merge duplicates": Way(
        lambda w, user: merging.merge_duplicates(
            user=user, thread=w.row("twin"), into=w.row("there"), **WHY
        ),
        _parted("extra"),
        boards=2,
    ),
    "warn": Way(_warned("second"), _warned("second")),
    "warn in general": Way(_warned(None), _warned(None), verb="warn"),
    "suspend": Way(
        lambda w, user: sanctions.suspend(user=user, member=w.answerer, days=3, **WHY),
        lambda w, user: sanctions.suspend(user=user, member=w.answerer, days=4, reason=uuid4().hex),
    ),
    "clean up": Way(_clean_up, _bring_back, boards=2),
}


class World(SimpleNamespace):
    def row(self, name: str):
        """Read anew, as a view would."""
        row = getattr(self, name)
        return type(row)._base_manager.get(pk=row.pk)


@pytest.fixture(scope="module")
def world(settled):
    w = World(**vars(cast()))
    w.here, w.second = w.thread, w.answer
    w.there = start(w.other_board, w.stranger, "What if twins", "It happens twice, to the letter.")
    w.answer_there = reply(w.there, w.stranger, "An answer there.")
    w.theirs = start(w.other_board, w.answerer, "Books", "My book is for sale.")
    w.late = reply(w.here, w.answerer, "It is late.")
    w.later = start(w.board, w.stranger, "A later debate", "It begins later.")
    w.opening_later = w.later.posts.get()
    w.twin = start(w.board, w.stranger, "What if twins", "It happens twice, to the letter.")
    w.extra = reply(w.twin, w.stranger, "Said in one of them.")
    w.polled = reply(w.here, w.answerer, poll=polls.Asked("Who decides?", ["All", "Nobody"]))
    w.waiting = pending(w.here, w.answerer)
    description.describe(
        user=w.opener,
        thread=w.row("here"),
        divergences=[],
        questions=["Would the purges have come?"],
    )
    w.question = Question.objects.get(thread=w.here).pk
    w.roles = roles(w)
    return w


def roles(w) -> dict[str, object]:
    """Everybody of whom a right may differ."""
    found = {
        "visitor": AnonymousUser(),
        "member": make_member("passer"),
        "invited": make_member("invitee"),
        "author": w.opener,
        "writer": w.answerer,
        "moderator here": make_member("warden", is_staff=True),
        "moderator there": make_member("porter", is_staff=True),
        "moderator of both": make_member("ranger", is_staff=True),
        "moderator of all": w.moderator,
        "administrator": w.administrator,
        "suspended moderator": make_member("banned", is_staff=True),
    }
    later = timezone.now() + timezone.timedelta(days=2)
    found["suspended moderator"].suspended_until = later
    found["suspended moderator"].save()
    here = ("moderator here", "moderator of both", "suspended moderator")
    there = ("moderator there", "moderator of both", "suspended moderator")
    w.board.moderators.set([found[name] for name in here])
    w.other_board.moderators.set([found[name] for name in there])
    w.board.invited.set([found["invited"]])
    w.other_board.invited.set([found["invited"]])
    return found


def allowed(act: Callable, *args, **kwargs) -> bool:
    """Whether it is, leaving nothing behind."""
    with transaction.atomic():
        try:
            act(*args, **kwargs)
        except (Refused, Unacceptable):
            return False
        finally:
            transaction.set_rollback(True)
    return True


def take_back(user, entry: AuditEntry) -> None:
    if entry.verb == "warn":
        sanctions.lift_warning(user=user, warning=Warning.objects.get(entry=entry), **WHY)
    elif entry.verb == "suspend":
        sanctions.lift_suspension(user=user, suspension=Suspension.objects.get(entry=entry), **WHY)
    elif entry.verb == "clean up":
        cleanup.undo(user=user, entry=entry, **WHY)
    else:
        undoing.undo(user=user, entry=entry, **WHY)


def offered(user, entry: AuditEntry) -> bool:
    entry = AuditEntry.objects.for_undo().get(pk=entry.pk)
    return undoing.may_undo(user, entry) if entry.verb in undoing.ACTS else may(user, "undo", entry)


KINDS = {name: {"audience": name} for name in AUDIENCES}
KINDS |= {"read only": {"read_only": True}, "archived": {}}


def visited(kind: str) -> list[tuple[str, str]]:
    """Which ways are tried with a board of this kind, and the audience of the other board. All ways
    on public boards, a third of them on each other kind; all of both in the long run."""
    turn = list(KINDS).index(kind)
    pairs = [
        (name, other)
        for name, way in WAYS.items()
        for other in (AUDIENCES if way.boards == 2 else AUDIENCES[:1])
    ]
    if LONG:
        return pairs
    return [
        (name, other)
        for number, (name, other) in enumerate(pairs)
        if (kind == "public" and WAYS[name].boards == 1) or number % 3 == turn % 3
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_undoing_is_for_whom_the_opposite_is(world, kind, record_property):
    w, asked, wrong = world, 0, []
    Board.objects.filter(pk=w.board.pk).update(**KINDS[kind])
    if kind == "archived":
        Thread.objects.filter(board=w.board).update(archived=True)
    for name, other in visited(kind):
        way = WAYS[name]
        with transaction.atomic():
            Board.objects.filter(pk=w.other_board.pk).update(audience=other)
            for user, found in asked_of_all(w, name, way):
                asked += 1
                if not agree(way, *found):
                    wrong.append((name, other, user, *found))
            transaction.set_rollback(True)
    assert not wrong, "\n".join(map(str, wrong))
    record_property("measured", f"{asked} comparisons on boards that are {kind}")


def agree(way: Way, opposite: bool, undone: bool, offered: bool) -> bool:
    """What happened since may be in the way of somebody who has the rights: the page that offers
    the way back says so."""
    return opposite == undone == offered or (way.since is not None and opposite == undone < offered)


def asked_of_all(w, name: str, way: Way):
    """For each role, whether the opposite is allowed, the undoing is, and is offered."""
    way.act(w, w.administrator)
    verb = way.verb or name
    entry = AuditEntry.objects.filter(verb=verb).latest("pk")
    if way.since:
        way.since(w)
    for role, user in w.roles.items():
        opposite = allowed(way.opposite, w, user)
        if entry.thread_id and verb != "warn":
            opposite = opposite and may(user, "moderate", fresh(entry.thread))
        undone = allowed(take_back, user, entry)
        yield role, (opposite, undone, offered(user, entry))


def test_every_act_that_can_be_taken_back_is_here():
    assert {way.verb or name for name, way in WAYS.items()} == set(OPPOSITES)
