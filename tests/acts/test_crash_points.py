"""Every act, ended after any of its statements: then all of it is there or nothing, and done again
by the same form it is there once.

In the short form the connection is cut and the rest of the act never happens: to the database the
same as a process that is gone; and only some statements are tried, see STEP, in a quick run a third
of these. With JONBAR_LONG=1 a process of its own does the act and is killed, after each statement
in turn.
"""

import os
from contextlib import suppress
from functools import partial

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, connection

from forum.actions import boards
from forum.actions.composing import Unacceptable
from forum.actions.posts import EditedMeanwhile
from forum.checking import check
from forum.moderation import moving
from forum.permissions import Refused
from tests.acts import world as worlds
from tests.acts.catalogue import CASES, PARTS, acts, done_by_members
from tests.acts.ends import counted, cut, kill
from tests.races.soundness import faults

LONG = os.environ.get("JONBAR_LONG") == "1"
QUICK = os.environ.get("JONBAR_QUICK") == "1"
# Statements from one end to the next. The short form begins anywhere: over all acts the ends fall
# everywhere. An act torn in two shows on either database, and PostgreSQL is slow to be put back.
STEP = 1 if LONG else (5 if connection.vendor == "sqlite" else 15) * (3 if QUICK else 1)
# What an act, or the form in front of it, announces when it was done before.
ANNOUNCED = (Refused, Unacceptable, EditedMeanwhile, ObjectDoesNotExist, IntegrityError)
# Said again after the commit by whoever comes next; see the acts.
AFTERWARDS = {"version", "unread_notices", "pages_version", "site_version"}


def test_every_act_has_its_case():
    assert acts().keys() == CASES.keys()


def test_nothing_is_left_out_in_vain():
    assert PARTS.keys() <= done_by_members().keys()


def gist(rows: worlds.Rows) -> dict:
    """Rows without what may lag behind the commit."""
    found = {}
    for table, (columns, lines) in rows.items():
        kept = [n for n, name in enumerate(columns) if name not in AFTERWARDS]
        found[table] = [tuple(line[n] for n in kept) for line in lines]
    return found


def sizes(rows: worlds.Rows) -> dict[str, int]:
    return {table: len(lines) for table, (_, lines) in rows.items()}


@pytest.fixture
def world(transactional_db):
    return worlds.build()


def sent_again(case, world, before: worlds.Rows, whole: worlds.Rows) -> list[str]:
    """What is wrong once an act that was committed, and of which nobody was told, is done again by
    the same form."""
    with suppress(*ANNOUNCED):
        case(world)
    now = worlds.snapshot()
    wrong = [] if sizes(now) == sizes(whole) else ["done twice"]
    wrong += faults(connection)
    # Counts of notices follow the commit; the member's next notice sets them right.
    found = worlds.check_touched(before, now)
    return wrong + [str(fault) for fault in found if "counts of notices" not in fault.sentence]


def ended_anywhere(name: str, case, world, before: worlds.Rows, points: int) -> tuple[int, list]:
    """How many ends were tried of this act, and what is wrong after them; `points` were tried of
    the acts before it."""
    tried, wrong = 0, []
    statements = counted(partial(case, world))
    whole = worlds.snapshot()
    if gist(whole) == gist(before):
        wrong.append(f"{name} does nothing here")
    wrong += [f"{name}: {said}" for said in sent_again(case, world, before, whole)]
    worlds.restore(before)
    for statement in range(points % STEP + 1, statements + 1, STEP):
        (kill if LONG else cut)(partial(case, world), statement)
        tried += 1
        now = worlds.snapshot()
        if now == before or gist(now) == gist(before):
            continue
        if sizes(now) != sizes(whole):
            wrong.append(f"{name}: half of it stands after statement {statement}")
        found = sent_again(case, world, before, whole)
        wrong += [f"{name}, statement {statement}: {said}" for said in found]
        worlds.restore(before)
    return tried, wrong


def test_all_or_nothing_and_once(world, record_property):
    before = worlds.snapshot()
    assert faults(connection) == [] and not list(check())
    points, wrong = 0, []
    for name, case in CASES.items():
        tried, found = ended_anywhere(name, case, world, before, points)
        points += tried
        wrong += found
    assert wrong == []
    how = "kills" if LONG else "cuts"
    record_property("measured", f"{len(CASES)} acts, {points} {how}")


def move_main(board: str):
    """Move the main debate, as `keeper` does."""
    return lambda w: moving.move_thread(
        user=w.user("keeper"), thread=w.thread("main"), board=w.board(board), reason="It fits."
    )


def test_moves_to_fewer_readers_and_to_more(world, record_property):
    """What quotes the debate, or is quoted in it, follows who may read it."""
    chief, empty = world.user("chief"), world.board("empty")
    boards.change(user=chief, board=empty, audience="members", reason="For members.")
    points, wrong = 0, []
    for board in ("empty", "modern"):
        before = worlds.snapshot()
        tried, found = ended_anywhere(f"to {board}", move_main(board), world, before, points)
        points += tried
        wrong += found
        move_main(board)(world)
    assert wrong == []
    record_property("measured", f"2 moves, {points} {'kills' if LONG else 'cuts'}")
