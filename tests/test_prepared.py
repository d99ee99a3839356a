"""Statements that are written once give what their querysets give."""

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.base import ModelState

from accounts.models import EDITION
from accounts.prepared import LISTED, Prepared
from forum.models import Board, Post, Quote, Thread

from .people import quoting, reply


def known(thing) -> dict:
    """All that an object holds, and what it leads to, without asking the database."""
    found = {name: value for name, value in vars(thing).items() if name != "_state"}
    found.pop("_mptt_cached_fields", None)
    for name, other in thing._state.fields_cache.items():
        if name != "post":  # the way back, from the text of a post
            found[name] = other and known(other)
    return found


STATEMENTS = {
    "posts": lambda ids: Post.objects.for_reading().filter(pk__in=ids).order_by("pk"),
    "with what they lead to": lambda ids: (
        Post.objects.select_related("author", "thread__board__parent").filter(pk__in=ids)
    ).order_by("pk"),
    "a part of the columns": lambda ids: (
        Post.objects.select_related("thread__board")
        .only("number", "thread__title", "thread__card", "thread__board__name")
        .annotate(edition=EDITION, above=F("parent__number"))
        .filter(pk__in=ids)
        .order_by("-pk")
    ),
    "quotes": lambda ids: (
        Quote.objects.select_related("source_post__author").filter(post__in=ids).order_by("pk")
    ),
}


@pytest.fixture
def ids(thread, answer, opener):
    reply(thread, opener, quoting(answer, "The party obeyed nobody."))
    return list(Post.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("name", STATEMENTS)
def test_objects(ids, name):
    build = STATEMENTS[name]
    prepared = Prepared(build, "numbers")
    for some in (ids, ids[:1], [*ids, *range(-LISTED[-1], 0)]):  # more than a padded list takes
        rows = prepared(some)
        assert rows == list(build(some))
        for made, asked in zip(rows, build(some), strict=True):
            assert known(made) == known(asked)
            assert isinstance(made._state, ModelState)
            assert (made._state.db, made._state.adding) == ("default", False)
    assert prepared([]) == []


def test_tuples_and_single_values(ids):
    rows = Post.objects.order_by("pk")
    pairs = Prepared(lambda ids: rows.filter(pk__in=ids).values_list("pk", "number"), "numbers")
    assert pairs(ids) == list(rows.values_list("pk", "number"))
    single = Prepared(
        lambda ids: rows.filter(pk__in=ids).values_list("number", flat=True), "numbers"
    )
    assert single(ids) == list(rows.values_list("number", flat=True))
    with pytest.raises(ValueError):
        Prepared(lambda pk: Post.objects.filter(pk=pk).values("pk"), "number")(1)


def test_what_several_rows_lead_to_is_one_object(ids):
    rows = Prepared(STATEMENTS["with what they lead to"], "numbers")(ids)
    assert len({id(post.thread) for post in rows}) == len({post.thread_id for post in rows}) == 1


def test_rows_of_a_tree_are_for_reading(ids, thread):
    (post,) = Prepared(lambda pk: Post.objects.filter(pk=pk), "number")(ids[0])
    with pytest.raises(AttributeError):
        post.save(update_fields=["stance"])
    (row,) = Prepared(lambda pk: Thread.objects.filter(pk=pk), "number")(thread.pk)
    row.title = "Another"
    row.save(update_fields=["title"])
    assert Thread.objects.get(pk=thread.pk).title == "Another"


def test_a_list_stands_alone_behind_in(board):
    mixed = Prepared(lambda names: Board.objects.filter(slug__in=["fixed", *names]), "texts")
    if connection.vendor == "postgresql":
        with pytest.raises(ValueError):
            mixed(["after-1900"])
    else:
        assert mixed([board.slug]) == [board]
