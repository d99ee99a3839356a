"""Acts that meet, step by step, in orders that seeds draw (PostgreSQL; see steps.py).

After each play the rows are sound, nothing failed but what a Problem says, nobody is told that what
is there is not, and the forum stands as if the acts that were acknowledged, and no others, had been
done one after the other: nothing that was acknowledged is lost, nothing that was refused left a
trace. Where a page was read meanwhile, the page that is kept is the one that would be drawn anew.

JONBAR_LONG=1 plays more; JONBAR_SEED=n begins with that seed, and JONBAR_PLAYS=1 plays it alone.
"""

import os
import random
from collections import Counter
from functools import partial
from itertools import permutations

import pytest
from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, models

from core.problems import Problem
from forum.models import Board, Thread
from forum.operations import caching
from forum.permissions import NotThere
from tests.acts import world as worlds
from tests.races.meetings import ACTS, READS
from tests.races.soundness import faults
from tests.races.steps import Play

pytestmark = [pytest.mark.races, pytest.mark.postgres]
LONG = os.environ.get("JONBAR_LONG") == "1"
FIRST = int(os.environ.get("JONBAR_SEED", 0))
PLAYS = int(os.environ.get("JONBAR_PLAYS", 4000 if LONG else 30))


# --- What stands ---

# What the order of acts alone decides, the rows' soundness covers, or only says when.
APART = {
    *("id", "version", "number", "numbered", "lft", "rght", "level", "tree_id", "last_post"),
    *("token", "position", "key"),
    # Set right by a job after the commit (decision 0032), which no order here waits for.
    "unread_notices",
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
    caching.fragments.clear()


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
        self.pairs |= {frozenset((a, b)) for a in names for b in names if a < b}
        play = Play([(name, partial(ACTS[name], self.world)) for name in names])
        draw = random.Random(f"{seed}, changes")
        actors = play.run(seed, 30 * len(names), draw.choice((1, 1, 2, 2, 3)))
        self.counts += Counter(steps=play.steps, waits=play.waits, plays=1)
        wrong = ["they wait for each other"] * bool(play.deadlocks)
        acknowledged, missed = [], []
        for actor in actors:
            answer = actor.failure or actor.problem
            if answer is None:
                acknowledged.append(actor.act_name)
            elif isinstance(answer, NotThere | ObjectDoesNotExist):
                missed.append(actor.act_name)
            elif answer is actor.failure:
                wrong.append(f"{actor.act_name} fails: {answer!r}")
        self.counts["refused"] += len(actors) - len(acknowledged)
        wrong += faults(connection)
        found = worlds.check_touched(self.before, worlds.snapshot())
        # Counts of notices follow the commit, by a job (decision 0032).
        wrong += [str(fault) for fault in found if "counts of notices" not in fault.sentence]
        wrong += [f"{name} brings a page of before" for name in names if self.is_stale(name)]
        now = stands(self.high)
        # From here on the forum is put back again and again, to do the same in turn.
        rights = [self.in_turn(order) for order in permutations(acknowledged)]
        if now not in rights:
            wrong.append(differing(now, [right for right in rights if right]))
        wrong += [
            f"{name} finds nothing, though all is there"
            for name in missed
            if not self.may_be_refused(name, names)
        ]
        return [f"seed {seed}, {' + '.join(names)}: {said}" for said in wrong]


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


def told(stage: Stage) -> str:
    counts = stage.counts
    return (
        f"{len(stage.pairs)} pairs of {len(ACTS)} acts in {counts['plays']} orders of "
        f"{counts['steps']} statements, {counts['waits']} waits for locks, "
        f"{counts['refused']} refused"
    )


def test_acts_that_meet(stage, record_property):
    wrong = []
    for seed in range(FIRST, FIRST + PLAYS):
        draw = random.Random(seed)
        names = tuple(draw.sample(sorted(ACTS), draw.choice((2, 2, 2, 3))))
        wrong += stage.play(names, seed)
    assert wrong == [], "\n".join(wrong)
    record_property("measured", told(stage))


# Acts whose meeting was once a fault, and a seed that finds the fault where it is put back by hand.
MENDED = {
    # A withdrawal wrote the counters of a debate that it had not locked.
    ("withdraw x", "merge other into main", "reply to main"): 11,
    # The board was joined to the lock, and a debate that had gone to another one was not there.
    ("reply to main", "move main"): 9,
    # Words were erased while a quote of them waited for its debate.
    ("quote b in other", "erase of b"): 1,
    # Merges locked the site version before boards; changes of boards lock it after them.
    ("merge other into main", "narrow modern"): 32,
    # A new name, which is a key, was set before the site version was locked, and a move that
    # names its member commits with the site version locked.
    ("moving.move_branch", "members.rename"): 9,
    # Whoever hid a post did not see a quote that was being written, and its page was kept.
    ("hide e", "quote e in other", "read other"): 8,
}


def test_acts_whose_meeting_was_a_fault(stage, record_property):
    wrong = []
    for names, found in MENDED.items():
        for seed in {*range(60 if LONG else 3), found}:
            wrong += stage.play(names, seed)
    assert wrong == [], "\n".join(wrong)
    record_property("measured", told(stage))
