"""Acts that meet, step by step, in orders that seeds draw (PostgreSQL; see steps.py).

After each play the rows are sound, nothing failed but what a Problem says, nobody is told that what
is there is not, and the forum stands as if the acts that were acknowledged, and no others, had been
done one after the other: nothing that was acknowledged is lost, nothing that was refused left a
trace. Where a page was read meanwhile, the page that is kept is the one that would be drawn anew.
JONBAR_LONG=1 plays more;
JONBAR_SEED=n begins with another seed, and JONBAR_PLAYS=1 plays that one alone.
"""

import os
import random
import uuid
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import permutations

import pytest
from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, models
from django.test import Client

from core.problems import Problem
from forum.actions import boards, posts
from forum.models import Board, Thread
from forum.moderation import erasing, merging, moving, states
from forum.operations import caching
from forum.permissions import NotThere
from tests.acts import world as worlds
from tests.acts.catalogue import CASES, WHY
from tests.acts.world import World
from tests.people import quoting
from tests.races.soundness import faults
from tests.races.steps import Play

pytestmark = [pytest.mark.races, pytest.mark.postgres]
LONG = os.environ.get("JONBAR_LONG") == "1"
FIRST = int(os.environ.get("JONBAR_SEED", 0))
PLAYS = int(os.environ.get("JONBAR_PLAYS", 4000 if LONG else 20))


def on(act: Callable, who: str, post: str, **more):
    return lambda w: act(user=w.user(who), post=w.post(post), **more)


def reply(who: str, thread: str, text: str, to: str | None = None, quotes: str | None = None):
    """A reply, of which a second one with the same words never comes."""

    def act(w: World):
        source = quoting(w.post(quotes), "And purges.") + f"\n\n{text}" if quotes else text
        return posts.reply(
            user=w.user(who),
            thread=w.thread(thread),
            parent=w.post(to) if to else None,
            source=source,
            token=uuid.uuid4(),
        )

    return act


def erase(w: World):
    post = w.post("b")
    places = erasing.find(post, "And purges.").places
    return erasing.erase(
        user=w.user("chief"), post=post, words="And purges.", reason="By law.", places=places
    )


def move(thread: str, board: str):
    return lambda w: moving.move_thread(
        user=w.user("keeper"), thread=w.thread(thread), board=w.board(board), **WHY
    )


def merge(thread: str, into: str):
    return lambda w: merging.merge(
        user=w.user("second"), thread=w.thread(thread), into=w.thread(into), **WHY
    )


# Beside the catalogue, whose acts mostly meet in its debate "main".
MORE = {
    "reply to main": reply("answerer", "main", "Nobody asked them."),
    "reply to b": reply("opener", "main", "Who said so?", to="b"),
    "reply to x": reply("stranger", "other", "In June at last.", to="x"),
    "reply to other": reply("stranger", "other", "Or in July."),
    "quote b in other": reply("stranger", "other", "Which ones?", quotes="b"),
    "quote b in main": reply("opener", "main", "Which of them?", to="b", quotes="b"),
    "withdraw x": on(posts.withdraw, "opener", "x", **WHY),
    "withdraw d": on(posts.withdraw, "answerer", "d", **WHY),
    "hide x": on(states.hide, "keeper", "x", **WHY),
    "hide c": on(states.hide, "second", "c", **WHY),
    "edit c": lambda w: posts.edit(
        user=w.user("opener"),
        post=w.post("c"),
        source=quoting(w.post("b"), "And purges.") + "\n\nRather those.",
        base=posts.base_of(w.post("c").body.revision),
    ),
    "erase of b": erase,
    "merge other into main": merge("other", "main"),
    "merge main into other": merge("main", "other"),
    "merge closed into other": merge("closed", "other"),
    "move main": move("main", "empty"),
    "move other": move("other", "ancient"),
    "split other": lambda w: moving.split(
        user=w.user("keeper"),
        thread=w.thread("other"),
        chosen=[w.ids["x"]],
        title="Of the strait",
        **WHY,
    ),
    "narrow modern": lambda w: boards.change(
        user=w.user("chief"), board=w.board("modern"), audience="members", **WHY
    ),
    "close modern": lambda w: boards.change(
        user=w.user("chief"), board=w.board("modern"), read_only=True, **WHY
    ),
}


def page(w: World, thread: str) -> str:
    """What a visitor reads."""
    return Client().get(f"/threads/{w.ids[thread]}/", follow=True).content.decode()


READS = {f"read {thread}": partial(page, thread=thread) for thread in ("main", "other")}
# Of these two or three meet: all that is about a debate, a post of one, or its board.
ABOUT = tuple(
    "arguments. boards. cases. cleanup. description. erasing. members.re merging. moving. posts. "
    "queue. read_state. reports. sanctions.warn states. threadmarks. threads. undoing. "
    "variants.".split()
)
ACTS = {name: act for name, act in CASES.items() if name.startswith(ABOUT)} | MORE | READS


# --- What stands ---

# What the order of acts alone decides, the rows' soundness covers, or only says when.
APART = {
    *("id", "version", "number", "numbered", "lft", "rght", "level", "tree_id", "last_post"),
    *("token", "position", "key"),
}
NEW = "new"
# The log names what may be gone.
NAMED = {"other_thread": Thread, "other_board": Board}


def stands(high: dict[type, int]) -> dict[str, Counter]:
    """How often each row stands, without times and with one name for all that was made since."""
    found = {}
    for model in high:
        fields = [
            field
            for field in model._meta.concrete_fields
            if field.name not in APART
            and not isinstance(field, models.DateTimeField | models.JSONField | models.UUIDField)
        ]
        ends = [model, *(NAMED.get(field.name) or field.related_model for field in fields)]
        lines = Counter()
        for row in model.objects.values_list("pk", *(field.attname for field in fields)):
            lines[
                tuple(
                    NEW if end in high and value and value > high[end] else value
                    for end, value in zip(ends, row, strict=True)
                )
            ] += 1
        found[model.__name__] = lines
    return found


def forget_pages() -> None:
    caching.pages.clear()
    caching.drawn.clear()


class Stage:
    """A forum that is put back before each play."""

    def __init__(self) -> None:
        self.world = worlds.build()
        self.before = worlds.snapshot()
        self.high = {
            model: model.objects.aggregate(last=models.Max("pk"))["last"] or 0
            for model in apps.get_app_config("forum").get_models()
            if isinstance(model._meta.pk, models.AutoField)
        }
        self.after: dict[tuple[str, ...], dict | None] = {}
        self.pairs: set[frozenset[str]] = set()
        self.counts: Counter = Counter()

    def begin(self) -> None:
        worlds.restore(self.before)
        forget_pages()

    def in_turn(self, names: tuple[str, ...]) -> dict | None:
        """What stands after these acts, one after the other; None where one of them is refused."""
        if names not in self.after:
            self.begin()
            try:
                for name in names:
                    ACTS[name](self.world)
                self.after[names] = stands(self.high)
            except (Problem, ObjectDoesNotExist):
                self.after[names] = None
        return self.after[names]

    def is_stale(self, name: str) -> bool:
        """Whether reading this now brings another page than drawing it anew."""
        if name not in READS:
            return False
        kept = READS[name](self.world)
        forget_pages()
        return kept != READS[name](self.world)

    def may_be_refused(self, name: str, names: tuple[str, ...]) -> bool:
        """Whether an act is refused also after some of the others in turn."""
        others = [other for other in names if other != name]
        orders = [order for size in range(len(names)) for order in permutations(others, size)]
        return any(self.in_turn(order) and not self.in_turn((*order, name)) for order in orders)

    def play(self, names: tuple[str, ...], seed: int) -> list[str]:
        """Let these acts meet; returns what is wrong after it."""
        self.begin()
        play = Play([(name, partial(ACTS[name], self.world)) for name in names])
        draw = random.Random(f"{seed}, changes")
        actors = play.run(seed, 30 * len(names), draw.choice((1, 1, 2, 2, 3)))
        self.counts += Counter(steps=play.steps, waits=play.waits, plays=1)
        wrong = ["they wait for each other"] * bool(play.deadlocks)
        acknowledged = []
        for actor in actors:
            if actor.failure and not isinstance(actor.failure, ObjectDoesNotExist):
                wrong.append(f"{actor.act_name} fails: {actor.failure!r}")
            elif actor.failure or actor.problem:
                self.counts["refused"] += 1
                gone = isinstance(actor.failure or actor.problem, NotThere | ObjectDoesNotExist)
                if gone and not self.may_be_refused(actor.act_name, names):
                    wrong.append(f"{actor.act_name} finds nothing, though all is there")
            else:
                acknowledged.append(actor.act_name)
        wrong += faults(connection)
        wrong += [str(fault) for fault in worlds.check_touched(self.before, worlds.snapshot())]
        wrong += [f"{name} brings a page of before" for name in names if self.is_stale(name)]
        now = stands(self.high)
        rights = [self.in_turn(order) for order in permutations(acknowledged)]
        if now not in rights:
            wrong.append(differing(now, [right for right in rights if right]))
        return wrong


def differing(now: dict, rights: list[dict]) -> str:
    """How what stands differs from what would after the acts in turn."""
    if not rights:
        return "all are acknowledged, though in no order all are possible"
    told = []
    for right in rights:
        for table, lines in now.items():
            for sign, rows in (("+", lines - right[table]), ("-", right[table] - lines)):
                told += [f"{sign} {table} {row}" for row in rows]
        told.append("or")
    return "as after no order of the acknowledged: " + "\n   ".join(told[:-1])


@pytest.fixture
def stage(transactional_db, unhurried, settings):
    settings.KEPT_PAGES_MB = 4
    return Stage()


def test_acts_that_meet(stage, record_property):
    wrong = []
    for seed in range(FIRST, FIRST + PLAYS):
        draw = random.Random(seed)
        names = tuple(draw.sample(sorted(ACTS), draw.choice((2, 2, 2, 3))))
        stage.pairs |= {frozenset((a, b)) for a in names for b in names if a < b}
        wrong += [f"seed {seed}, {' + '.join(names)}: {said}" for said in stage.play(names, seed)]
    assert wrong == [], "\n".join(wrong)
    counts = stage.counts
    record_property(
        "measured",
        f"{len(stage.pairs)} pairs of {len(ACTS)} acts in {counts['plays']} orders of "
        f"{counts['steps']} statements, {counts['waits']} waits for locks, "
        f"{counts['refused']} refused",
    )
