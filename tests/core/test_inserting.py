"""New rows are made and written as Django makes and writes them."""

from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection

from core import inserting
from core.inserting import Change, insert_rows, new_row
from forum.models import Draft, Post, PostRevision
from tests.people import reply

MODELS = pytest.mark.parametrize("model", apps.get_models(), ids=lambda one: one._meta.label_lower)
SAMPLES = {str: ("", "It’s a text."), int: (0, 5), bool: (True, False), type(None): (None,)}


@MODELS
def test_a_new_row_begins_as_an_object_of_its_model(model):
    made, usual = new_row(model), model()
    assert made._state.adding and made._state.db is usual._state.db
    for field in model._meta.concrete_fields:
        one, other = getattr(made, field.attname), getattr(usual, field.attname)
        assert type(one) is type(other), field.attname
        assert one == other or callable(field.default), field.attname


def test_what_is_made_for_each_row_is_made_for_each_row():
    one, other = new_row(PostRevision), new_row(PostRevision)
    assert one.quoted == [] and one.quoted is not other.quoted
    assert new_row(Post).key != new_row(Post).key
    assert new_row(Post, key="own").key == "own"


@MODELS
def test_a_value_that_goes_as_it_stands_is_what_its_field_prepares(model):
    row = new_row(model)
    for field in model._meta.concrete_fields:
        for kind in inserting._kinds_as_they_are(field):
            for value in SAMPLES[kind]:
                setattr(row, field.attname, value)
                prepared = field.get_db_prep_save(field.pre_save(row, add=True), connection)
                assert (type(prepared), prepared) == (kind, value), field.attname


def test_a_row_is_inserted_as_the_orm_inserts_it(thread, answer, settings):
    compiled = reply(thread, answer.author, "The same words.", to=answer)
    settings.PLAIN_QUERIES = frozenset(["insert_row"])
    plain = reply(thread, answer.author, "The same words.", to=answer)
    own = {"id", "key", "number", "lft", "rght", "loaded_at", "written_at"}
    rows = [
        {name: value for name, value in row.items() if name not in own}
        for row in Post.objects.filter(pk__in=(compiled.pk, plain.pk)).values()
    ]
    assert rows[0] == rows[1]
    assert (plain.lft, plain.rght) == (compiled.lft + 2, compiled.rght + 2)


def test_what_changes_beside_new_rows_meets_those_that_stood_before(stranger, settings):
    gone = Change("DELETE FROM forum_draft WHERE user_id = %s", [stranger.pk])
    for plain in ((), ("insert_row",)):
        settings.PLAIN_QUERIES = frozenset(plain)
        for text in ("First.", "Second."):
            draft = Draft(user=stranger, token=uuid4(), target="/", text=text)
            insert_rows(draft, beside=[gone])
        assert list(Draft.objects.values_list("text", flat=True)) == ["Second."]
