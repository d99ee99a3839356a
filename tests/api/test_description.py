"""What the API says of itself holds: asked at random by what it describes, it answers as described;
and its page says all of it."""

import os
from http import HTTPStatus

import pytest
import schemathesis
from django.db import transaction
from django.test.client import ClientHandler
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from accounts import tokens
from forum.actions import description
from forum.actions.divergences import read_divergence
from forum.api.description import described
from tests.people import browser, cast, quoting, reply

pytestmark = [pytest.mark.django_db, pytest.mark.once]
LONG = os.environ.get("JONBAR_LONG") == "1"
EXAMPLES = 150 if LONG else 4  # of each address, and kind
OPERATIONS = [
    (address, method)
    for address, methods in sorted(described()["paths"].items())
    for method in sorted(methods)
]
TAKING = [
    (address, method)
    for address, method in OPERATIONS
    if any(described()["paths"][address][method].get(k) for k in ("parameters", "requestBody"))
]
WAYS = [(*one, GenerationMode.POSITIVE) for one in OPERATIONS]
WAYS += [(*one, GenerationMode.NEGATIVE) for one in TAKING]
# A description does not say which texts and dates can be read, or whose post may be edited.
NOT_DESCRIBED = [checks.positive_data_acceptance, checks.ignored_auth]

answered = ClientHandler(enforce_csrf_checks=True)


def application(environ, start_response):
    """The forum as a WSGI application that leaves the database of the test open."""
    response = answered(environ)
    status = response.status_code
    start_response(f"{status} {HTTPStatus(status).phrase}", list(response.items()))
    return [response.content]


@pytest.fixture(scope="module")
def world(settled):
    made = cast()
    description.describe(
        user=made.opener,
        thread=made.thread,
        divergences=[read_divergence(change="He lives", when="c. 1924")],
        questions=["Would the purges have come all the same?"],
    )
    reply(made.thread, made.opener, quoting(made.answer, "The party obeyed nobody."))
    made.token = tokens.make(user=made.answerer, name="A program", scope="write")
    made.schema = schemathesis.openapi.from_wsgi("/api/openapi.json", application)
    return made


@pytest.mark.whole
@pytest.mark.parametrize(("address", "method", "mode"), WAYS, ids=str)
def test_it_answers_as_it_says(world, db, address, method, mode):
    operation = world.schema[address][method.upper()]
    known = {"thread_id": world.thread.pk, "post_id": world.answer.pk}
    asked = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=not LONG,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        nonlocal asked
        asked += 1
        if asked % 2:  # what is there, else what hardly is
            for name in set(case.path_parameters or {}) & set(known):
                case.path_parameters[name] = known[name]
        headers = {"Authorization": f"Bearer {world.token}"}
        with transaction.atomic():
            case.call_and_validate(headers=headers, excluded_checks=NOT_DESCRIBED)
            transaction.set_rollback(True)

    ask()
    assert asked


def test_it_says_nothing_of_mail_addresses_and_networks():
    fields = {
        name
        for shape in described()["components"]["schemas"].values()
        for name in shape.get("properties", {})
    }
    assert not {name for name in fields if "mail" in name or name == "ip" or "password" in name}
    assert len(fields) > 50


def test_the_page_says_all_of_it(db):
    page = browser().get("/api/").content.decode()
    for address, methods in described()["paths"].items():
        for method in methods:
            assert f"{method.upper()} {address}" in page
    for name in described()["components"]["schemas"]:
        assert f'id="shape-{name.removesuffix("Shape")}"' in page
    assert "<script" not in page.partition("<main")[2].partition("</main>")[0]
    linked = page.count('href="#shape-')
    assert linked > 15


def test_the_description_is_the_same_for_everybody(world, db):
    ways = [browser().get("/api/openapi.json"), browser(world.stranger).get("/api/openapi.json")]
    assert ways[0].json() == ways[1].json()
    assert ways[0].json()["openapi"].startswith("3.1")
