"""The table of acts: whatever is recorded stands in it, and whatever stands in it is used."""

import ast
from pathlib import Path

import pytest

import forum
from forum.acts import ACTS, PRIVATE, Gravity
from forum.admin.debates import PostAdmin, ThreadAdmin
from forum.admin.jobs import JobAdmin
from forum.moderation import queue, undoing
from forum.views.acts_offered import ERASE, POST_OFFERS, THREAD_OFFERS

CODE = [
    path
    for path in sorted(Path(forum.__file__).parent.rglob("*.py"))
    if "migrations" not in path.parts
]
# Functions that write an entry, or hand the verb of one on.
RECORDING = {"record", "_set", "_set_state", "_set_branch", "_mark", "_record", "_set_thread_state"}


def recorded() -> set[str]:
    """The verbs that calls of `record` name, wherever they are."""
    verbs = set()
    for path in CODE:
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in RECORDING:
                for argument in call.args[1:3]:
                    verbs |= {
                        each.value
                        for each in ast.walk(argument)
                        if isinstance(each, ast.Constant) and isinstance(each.value, str)
                    }
    return {verb for verb in verbs if verb}


def test_what_is_recorded_stands_in_the_table():
    assert {"hide", "lock branch", "make board", "describe", "warn", "withdraw"} <= recorded()
    known = set(ACTS) | {"visible", "hidden", "removed", "thread", "post"}  # states and things
    assert recorded() - known == set()


def test_no_verb_is_spelt_in_two_ways():
    """Where a file names an act as a text, it is the verb of the table."""
    others = {act.name for act in ACTS.values()} - set(ACTS)
    for path in CODE:
        texts = {
            each.value
            for each in ast.walk(ast.parse(path.read_text()))
            if isinstance(each, ast.Constant) and isinstance(each.value, str)
        }
        assert not texts & others, path


def test_what_an_act_is_compared_with_stands_in_the_table():
    """Or a branch is never taken, and nobody sees it. Forms have words of their own."""
    compared = set()
    for path in CODE:
        for each in ast.walk(ast.parse(path.read_text())):
            if "views" in path.parts or not isinstance(each, ast.Compare):
                continue
            sides = [each.left, *each.comparators]
            if {"act", "verb"} & {getattr(one, "id", getattr(one, "attr", "")) for one in sides}:
                inside = [part for one in sides for part in ast.walk(one)]
                texts = {part.value for part in inside if isinstance(part, ast.Constant)}
                compared |= {(path.name, text) for text in texts if isinstance(text, str)}
    assert ("queue.py", "no action") in compared
    assert {one for one in compared if one[1] and one[1] not in ACTS} == set()


def test_what_the_table_calls_reversible_is_undone():
    assert {act.verb for act in ACTS.values() if act.undo == "undo"} == set(undoing.ACTS)
    for act in ACTS.values():
        assert act.undo in ("", "undo") or act.undo in ACTS
        assert not (act.undo and act.gravity == Gravity.FINAL)


def test_every_label_is_used():
    offered = {offer.act.verb for offer in (*POST_OFFERS, *THREAD_OFFERS, ERASE)}
    decided = {verb for verbs in queue.DECISIONS.values() for verb in verbs}
    desk = {*PostAdmin.acts, *ThreadAdmin.acts, *JobAdmin.acts}
    assert {verb for verb, act in ACTS.items() if act.label} == offered | decided | desk


@pytest.mark.parametrize("verb", ACTS)
def test_words_are_whole(verb):
    act = ACTS[verb]
    assert bool(act.log) != (verb in PRIVATE)
    assert not act.log or act.log.count("{}") == 1
    for sentence in (*act.effect.values(), *act.notice.values(), act.outcome):
        assert not sentence or (sentence[0].isupper() and sentence.endswith("."))
    for offers, kind in ((POST_OFFERS, "post"), (THREAD_OFFERS, "thread")):
        if act in (offer.act for offer in offers):
            assert act.effect[kind]
