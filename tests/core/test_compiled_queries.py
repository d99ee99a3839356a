"""Statements that are written once give what their querysets give."""

from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.base import ModelState

from accounts.models import SITE_VERSION
from core import compiled_queries, inserting
from core.compiled_queries import LISTED, CompiledQuery
from forum.actions import description, posts
from forum.actions.divergences import read_divergence
from forum.models import Board, Post, Quote, Thread
from forum.moderation import reports, states
from forum.search import looking
from tests.people import browser, quoting, reply

# Every compiled query of the forum, by the pages and acts that send it.
NAMES = set(
    "acts_listed board board_answered boards boards_found boards_of_threads boards_to_choose"
    " boards_unseen cases_listed debates_of_posts_found debates_of_sources debates_shown"
    " debates_titled locked_threads members_named newest_threads news"
    " openings_of_posts_found post post_answered posts_by_id posts_by_number posts_found"
    " posts_of_cases posts_of_member posts_shown profile quotes_asked quotes_in quotes_of"
    " read_mark session thread thread_with_maps threads_of_board threads_with_news"
    " written_lately".split()
)


def known(thing) -> dict:
    """All that an object holds, and what it leads to, without asking the database."""
    found = {name: value for name, value in vars(thing).items() if name != "_state"}
    found.pop("_mptt_cached_fields", None)
    for name in ("asked_at", "new_post", "new_revision"):  # another one each time
        if name in found:
            found[name] = type(found[name])
    for name, other in thing._state.fields_cache.items():
        if name != "post":  # the way back, from the text of a post
            found[name] = other and known(other)
    return found


def by_key(rows) -> list:
    """Rows of a query that asks for no order, in one."""
    return sorted(rows, key=lambda row: getattr(row, "pk", None) or repr(row))


STATEMENTS = {
    "posts": lambda ids: Post.objects.for_reading().filter(pk__in=ids).order_by("pk"),
    "with what they lead to": lambda ids: (
        Post.objects.select_related("author", "thread__board__parent").filter(pk__in=ids)
    ).order_by("pk"),
    "a part of the columns": lambda ids: (
        Post.objects.select_related("thread__board")
        .only("number", "thread__title", "thread__card", "thread__board__name")
        .annotate(site_version=SITE_VERSION, above=F("parent__number"))
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
    compiled = CompiledQuery("a test's", build, "numbers")
    for some in (ids, ids[:1], [*ids, *range(-LISTED[-1], 0)]):  # more than a padded list takes
        rows = compiled(some)
        assert rows == list(build(some))
        for made, asked in zip(rows, build(some), strict=True):
            assert known(made) == known(asked)
            assert isinstance(made._state, ModelState)
            assert (made._state.db, made._state.adding) == ("default", False)
    assert compiled([]) == []


def test_tuples_and_single_values(ids):
    rows = Post.objects.order_by("pk")
    pairs = CompiledQuery(
        "a test's", lambda ids: rows.filter(pk__in=ids).values_list("pk", "number"), "numbers"
    )
    assert pairs(ids) == list(rows.values_list("pk", "number"))
    single = CompiledQuery(
        "a test's", lambda ids: rows.filter(pk__in=ids).values_list("number", flat=True), "numbers"
    )
    assert single(ids) == list(rows.values_list("number", flat=True))
    with pytest.raises(ValueError):
        CompiledQuery("a test's", lambda pk: Post.objects.filter(pk=pk).values("pk"), "number")(1)


def test_what_several_rows_lead_to_is_one_object(ids):
    rows = CompiledQuery("a test's", STATEMENTS["with what they lead to"], "numbers")(ids)
    assert len({id(post.thread) for post in rows}) == len({post.thread_id for post in rows}) == 1


def test_rows_of_a_tree_are_for_reading(ids, thread):
    (post,) = CompiledQuery("a test's", lambda pk: Post.objects.filter(pk=pk), "number")(ids[0])
    with pytest.raises(AttributeError):
        post.save(update_fields=["stance"])
    (row,) = CompiledQuery("a test's", lambda pk: Thread.objects.filter(pk=pk), "number")(thread.pk)
    row.title = "Another"
    row.save(update_fields=["title"])
    assert Thread.objects.get(pk=thread.pk).title == "Another"


def test_a_list_stands_alone_behind_in(board):
    mixed = CompiledQuery(
        "a test's", lambda names: Board.objects.filter(slug__in=["fixed", *names]), "texts"
    )
    if connection.vendor == "postgresql":
        with pytest.raises(ValueError):
            mixed(["after-1900"])
    else:
        assert mixed([board.slug]) == [board]


def test_a_statement_is_written_once_for_long_lists_of_any_length(ids, board):
    made = []

    def build(ids, names):
        made.append(len(ids))
        rows = Post.objects.filter(pk__in=ids, thread__board__slug__in=names)
        return rows.order_by("pk").values_list("pk", flat=True)

    query = CompiledQuery("a test's", build, "numbers", "texts")
    for more in (60, 700):
        names = [board.slug, *(f'“{n}”, {{{n}}} or "{n}"' for n in range(more))]
        assert query([*range(-more, 0), *ids], names) == sorted(ids)
        assert query(list(range(-more, 0)), names) == query(ids, [f'"{n}' for n in names]) == []
    assert len(made) <= 2


# --- The forum's own --------------------------------------------------------------------------


def visits(thread, answer, readers):
    """Read and write wherever a compiled query is sent."""
    base = f"/threads/{thread.pk}/{thread.slug}/"
    addresses = (
        *(
            "/",
            f"/boards/{thread.board.slug}/",
            base,
            f"{base}?view=tree",
            f"{base}?fold={answer.pk}",
        ),
        *(f"/posts/{answer.pk}/", f"/posts/{answer.pk}/road/", f"/posts/{answer.pk}/quotes/"),
        f"/members/{answer.author.username}/",
        "/search/?q=party",
        "/search/?q=party+place:Spain",
        "/search/?q=status:exact",
        f"/search/?q={thread.slug.partition('-')[0]}",  # of its title
    )
    for client in readers:
        for address in addresses:
            assert client.get(address, follow=True).status_code == 200, address


@pytest.fixture
def talk(thread, answer, opener):
    """A debate with a quote and a mention in it, which says where it leaves history."""
    spain = read_divergence(change="It does.", when="1936", place="Spain")
    description.describe(user=opener, thread=thread, divergences=[spain], questions=[])
    reply(thread, opener, quoting(answer, "The party obeyed nobody.", then="@answerer, did it?"))
    return thread


def test_each_query_of_the_forum_gives_what_the_orm_gives(
    talk, answer, opener, moderator, monkeypatch
):
    met = set()
    plain = CompiledQuery.__call__

    def compared(query, *values):
        rows = plain(query, *values)
        asked = query.build(*values)
        assert len(rows) == len(asked)
        in_order = list if asked.ordered else by_key
        for row, other in zip(in_order(rows), in_order(asked), strict=True):
            if hasattr(row, "_state"):
                assert known(row) == known(other), query.name
            else:
                assert row == other, query.name
        met.add(query.name)
        return rows

    monkeypatch.setattr(CompiledQuery, "__call__", compared)
    monkeypatch.setattr(looking, "RARE", 0)  # as in a forum in which many posts hold the words
    monkeypatch.setattr(looking, "AT_ONCE", 0)
    member = browser(opener)
    visits(talk, answer, (browser(), member))
    states.hide(user=moderator, post=reply(talk, opener, "Beside it."), reason="Off the point.")
    reports.report(user=opener, post=answer, reason="spam", text="Look.", token=uuid4())
    assert browser(moderator).get("/admin/").status_code == 200
    assert member.get(f"/threads/{talk.pk}/since/1/").status_code == 200
    form = {"text": "One more.", "token": uuid4()}
    assert member.post(f"/threads/{talk.pk}/reply/", form).status_code == 302
    form = {"user": opener, "thread": talk, "source": "And one.", "token": uuid4()}
    assert posts.reply(**form, parent=answer) == posts.reply(**form, parent=answer)  # sent twice
    assert met == NAMES


def test_a_switched_off_query_is_compiled_by_django(talk, answer, opener, settings, monkeypatch):
    settings.PLAIN_QUERIES = frozenset(["all"])
    monkeypatch.setattr(compiled_queries, "_Statement", None)
    monkeypatch.setattr(inserting, "_insertion", None)
    visits(talk, answer, (browser(), browser(opener)))
    posted = reply(talk, opener, "One more.", to=answer)
    assert posted.parent_id == answer.pk and posted in Post.objects.filter(thread=talk)
