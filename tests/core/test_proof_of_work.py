"""A sum that a browser works out: solved, refused, too old, used before."""

import base64
import json
import time

import altcha
import pytest
from django.core.cache import cache
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as fuzzing
from hypothesis import strategies as st

from core import proof_of_work
from core.problems import Problem

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def asked_for(settings):
    settings.PROOF_OF_WORK = 10
    cache.clear()


def answer(form="report", **changed) -> str:
    """What a browser would send; `changed` are parameters that somebody turned."""
    challenge = altcha.Challenge.from_dict(json.loads(proof_of_work.challenge(form)))
    solution = altcha.solve_challenge(challenge)
    sent = altcha.Payload(challenge, solution).to_dict()
    sent["challenge"]["parameters"] |= changed
    return base64.b64encode(json.dumps(sent).encode()).decode()


def test_a_solved_one_is_taken_once():
    sent = answer()
    assert proof_of_work.spend(sent, "report")
    with pytest.raises(Problem, match="sent before"):
        proof_of_work.spend(sent, "report")


def test_what_is_taken_back_uses_nothing_up():
    """A form that is refused for another reason comes back, and is sent with the same answer."""
    sent = answer()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        assert proof_of_work.spend(sent, "report")
        raise ZeroDivisionError
    assert proof_of_work.spend(sent, "report")


def test_it_is_for_the_form_that_asked():
    with pytest.raises(Problem):
        proof_of_work.spend(answer("sign up"), "report")


def test_an_old_one_is_refused(monkeypatch):
    sent = answer()
    later = time.time() + proof_of_work.HOLDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(Problem, match="too long"):
        proof_of_work.spend(sent, "report")


@pytest.mark.parametrize("changed", [{"cost": 1}, {"keyPrefix": ""}, {"expiresAt": 2**40}])
def test_what_was_signed_cannot_be_turned(changed):
    with pytest.raises(Problem, match="come out right"):
        proof_of_work.spend(answer(**changed), "report")


def test_one_signed_by_another_site_is_refused(settings):
    sent = answer()
    settings.SECRET_KEY = "another"
    with pytest.raises(Problem, match="come out right"):
        proof_of_work.spend(sent, "report")


def test_an_answer_without_work_is_refused():
    sent = json.loads(base64.b64decode(answer()))
    sent["solution"] = {"counter": 0, "derivedKey": sent["challenge"]["parameters"]["keyPrefix"]}
    with pytest.raises(Problem, match="come out right"):
        proof_of_work.spend(base64.b64encode(json.dumps(sent).encode()).decode(), "report")


def test_none_is_told_from_a_wrong_one():
    assert not proof_of_work.spend("", "report")


def test_a_site_that_asks_for_none_takes_all(settings):
    settings.PROOF_OF_WORK = 0
    assert proof_of_work.challenge("report") == ""
    assert proof_of_work.spend("", "report")


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["challenge", "solution", "parameters", "signature", "nonce", "data"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(
    st.text(min_size=1, max_size=40)
    | ODD.map(lambda sent: base64.b64encode(json.dumps(sent).encode()).decode())
)
@fuzzing(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_sent_is_refused_in_words(sent):
    with pytest.raises(Problem):
        proof_of_work.spend(sent, "report")
