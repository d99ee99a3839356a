"""`dev.py stress` in small: its own acts are done by one process, and judged; a post that goes
missing and a claim that is there twice are found."""

import uuid
from collections import Counter

import pytest
from django.db.models import F, Value
from django.db.models.functions import Concat

from core.problems import Problem
from forum.models import Post, PostRevision
from tests.acts import world as worlds
from tests.races.crew import Ledger, seeded
from tests.stress import wandering
from tests.stress.judge import judge


@pytest.fixture
def done(transactional_db, unhurried, tmp_path):
    """The ledger of each act of its own, done some times at random."""
    worlds.build()
    draw, book = seeded("small"), Ledger(tmp_path / "ledger")
    w, counts = wandering.Anywhere(draw), Counter()
    for name in [*wandering.TOKENED] * 3:
        act, _ = wandering.TOKENED[name]
        for _ in range(20):
            w.who, token = None, w.token
            try:
                made = act(w, token)
            except (Problem, wandering.NothingThere):
                continue
            wandering._acknowledged(book, name, token, made, w.last)
            counts[name] += 1
            break
    assert counts.keys() == wandering.TOKENED.keys()
    return list(Ledger(tmp_path / "ledger").news())


def test_what_was_acknowledged_is_there_once(done):
    wrong, counts = judge(done)
    assert wrong == []
    assert {"reply", "start", "edit", "erase", "secret", "post", "entry"} <= counts.keys()


def test_what_is_missing_or_twice_or_back_is_found(done):
    reply = next(entry for entry in done if entry.kind == "reply")
    erased = next(entry for entry in done if entry.kind == "secret")
    first = PostRevision.objects.get(post=reply.about, number=1)
    other = PostRevision.objects.filter(number=1).exclude(pk=first.pk).exclude(post=erased.about)
    other.filter(pk=other.latest("pk").pk).update(plain=first.plain)
    PostRevision.objects.filter(post=erased.about).update(
        plain=Concat(F("plain"), Value(f" {erased.token}"))
    )
    wrong, _ = judge(done)
    assert f"claim {reply.token} is there 2 times" in wrong
    assert f"erased words of post {erased.about} stand in a text of it" in wrong
    missing = reply.__class__("reply", 1, str(uuid.uuid4()), Post.objects.latest("pk").pk)
    gone = reply.__class__("entry", 1, "-", 10**9)
    wrong, _ = judge([missing, gone])
    assert f"reply {missing.token} was acknowledged and is not there" in wrong
    assert "entry 1000000000 was acknowledged and is gone" in wrong
