"""No list of the desk costs more the more there is: none counts a table that grows, skips to a
page, sorts by what it likes, or reads all for a few; every row is reached all the same."""

import re

import pytest
from django.contrib import admin
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import seeking
from accounts.seeking import Seeking
from forum.models import (
    Board,
    Case,
    Member,
    Page,
    Post,
    Submission,
    Term,
    Thread,
    TrustedReporter,
)
from tests.admin.test_desk import (  # noqa: F401  (fixtures are found by their names here)
    FOR_ADMINISTRATORS,
    REGISTERED,
    administrator,
    board,
    full,
    moderator,
    url,
    world,
)
from tests.people import browser, make_member

pytestmark = [pytest.mark.django_db, pytest.mark.reads]
# Written by administrators, one by one.
FEW = {Board, Page, Term, TrustedReporter}
GROWING = [model for model in REGISTERED if model not in FEW]
SEEKING = [model for model in GROWING if model is not Case]  # whose list is the queue
TABLES_OF_FEW = {f'"{model._meta.db_table}"' for model in FEW} | {"few"}
# What the queue asks of the cases and posts that it shows; a board holds as many as it likes.
OF_THOSE_SHOWN = re.compile(r'WHERE .*"(?!board_id)\w+_id" IN <')
OF_ALL = re.compile(r"\b(COUNT|MIN|MAX|SUM)<|\bDISTINCT\b|\bGROUP BY\b")


def of_all_rows(sql: str) -> bool:
    """Whether a statement reads all rows of a table that grows: it skips some, makes one number of
    them, or lists the different ones, and nothing bounds what it reads."""
    # From within outwards: a subquery that stops by itself is "few", any other "many".
    while (outer := re.sub(r"\(([^()]*)\)", _without_brackets, sql)) != sql:
        sql = outer
    if "OFFSET" in sql:
        return True
    if OF_THOSE_SHOWN.search(sql):
        return False
    tables = set(re.findall(r'(?:FROM|JOIN) (\w+|"\w+")', sql))
    return bool(OF_ALL.search(sql)) and not tables <= TABLES_OF_FEW


def _without_brackets(found: re.Match) -> str:
    if "SELECT" not in found[1]:
        return f"<{found[1]}>"
    return "few" if "LIMIT" in found[1] else "many"


def asked(client, address: str) -> tuple[list[str], object]:
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address)
    assert answer.status_code == 200, address
    return [query["sql"] for query in captured], answer


def addresses(answer, path: str) -> list[str]:
    """Where the links of a list lead: what follows, and the last choice of each filter."""
    changelist = answer.context["cl"]
    found = [list(spec.choices(changelist))[-1] for spec in changelist.filter_specs]
    leads = [changelist.next_page] if changelist.next else []
    return [path + query for query in (*leads, *(choice["query_string"] for choice in found))]


@pytest.mark.parametrize("role", ["board_moderator", "administrator"])
def test_no_list_reads_all_of_what_grows(full, role, request, monkeypatch):  # noqa: F811
    user, wrong = request.getfixturevalue(role), []
    client, paged = browser(user), 0
    for model in GROWING:
        if role != "administrator" and model._meta.label in FOR_ADMINISTRATORS:
            continue
        monkeypatch.setattr(admin.site._registry[model], "list_per_page", 1)
        path = url(model, "changelist")
        statements, answer = asked(client, path)
        links = [f"{path}?kind=report"] if model is Case else addresses(answer, path)
        if admin.site._registry[model].get_search_fields(None):
            links.append(f"{path}?q=hastings")
        for address in links:
            statements += asked(client, address)[0]
            paged += "p=" in address
        wrong += [(model.__name__, sql) for sql in statements if of_all_rows(sql)]
    assert wrong == []
    assert paged > 10  # of which there are two rows or more


def test_the_rule_of_this_file_knows_what_reads_all():
    bad = (
        'SELECT COUNT(*) AS "__count" FROM "forum_post"',
        'SELECT COUNT(*) FROM (SELECT "forum_post"."id" AS "c" FROM "forum_post") subquery',
        'SELECT DISTINCT "forum_postbody"."renderer" FROM "forum_postbody"',
        'SELECT MIN("forum_post"."loaded_at") AS "first" FROM "forum_post" WHERE ("x" = 1)',
        'SELECT "forum_post"."id" FROM "forum_post" LIMIT 100 OFFSET 100',
        'SELECT COUNT(*) FROM "forum_thread" WHERE ("forum_thread"."board_id" IN (1))',
        'SELECT "a"."id", COUNT("w"."id") FROM "a" LEFT JOIN "w" ON ("a"."i" = "w"."m") GROUP BY 1',
    )
    good = (
        'SELECT COUNT(*) FROM (SELECT "c"."id" FROM "c" WHERE ("x" IN (1, 2)) LIMIT 100) subquery',
        'SELECT "a"."id", COALESCE((SELECT COUNT("w"."id") FROM "w" WHERE "w"."m" = ("a"."id")), 0)'
        ' FROM "a" LIMIT 2',
        'SELECT COUNT(*) FROM "forum_board"',
        'SELECT "r"."case_id", COUNT("r"."id") FROM "r" WHERE "r"."case_id" IN (1, 2) GROUP BY 1',
    )
    assert [sql for sql in bad if not of_all_rows(sql)] == []
    assert [sql for sql in good if of_all_rows(sql)] == []


# --- And yet all of it ------------------------------------------------------------------------


def pages(site, user, query: str = "") -> list[list]:
    """The keys of rows that each page of a list shows, from the first to the last."""
    found, address = [], f"?{query}"
    while True:
        asked = RequestFactory().get(f"/{address}")
        asked.user = user
        changelist = site.get_changelist_instance(asked)
        found.append([row.pk for row in changelist.result_list])
        if changelist.next is None:
            return found
        address = changelist.next_page
        assert len(found) < 500


@pytest.mark.parametrize("role", ["board_moderator", "administrator"])
def test_every_row_is_reached_once_and_in_order(full, role, request, monkeypatch):  # noqa: F811
    """Whatever a page holds, and however few rows it may look through."""
    user = request.getfixturevalue(role)
    monkeypatch.setattr(seeking, "LOOKED_AT", 3)
    several = 0
    for model in SEEKING:
        site = admin.site._registry[model]
        monkeypatch.setattr(site, "list_per_page", 2)
        asked = RequestFactory().get("/")
        asked.user = user
        everything = site.get_queryset(asked).order_by(*site.ordering)
        found = pages(site, user, "o=1")  # which no list heeds
        assert [pk for page in found for pk in page] == [row.pk for row in everything], model
        several += len(found) > 2
    assert several > 10


def test_a_list_says_where_it_stopped_looking(full, administrator, monkeypatch):  # noqa: F811
    """Rows that are few among many are looked for in steps, unless an index leads to them."""
    monkeypatch.setattr(seeking, "LOOKED_AT", 3)
    first = Post.objects.filter(parent_basis="opening").order_by("pk").first()
    Post.objects.filter(pk=first.pk).update(withdrawn=True)
    client, path = browser(administrator), url(Post, "changelist")
    page = client.get(f"{path}?withdrawn__exact=1").content.decode()
    assert "3 rows were looked through: 0 on this page" in " ".join(page.split())
    assert "Look further" in page and "Next page" not in page
    found = pages(admin.site._registry[Post], administrator, "withdrawn__exact=1")
    assert [pk for page in found for pk in page] == [first.pk] and len(found) > 2
    waiting = Post.objects.get(state="pending")
    assert pages(admin.site._registry[Post], administrator, "state__exact=pending") == [
        [waiting.pk]
    ]
    page = client.get(f"{path}?state__exact=pending").content.decode()
    assert "1 in all" in " ".join(page.split())


@pytest.mark.parametrize("model", [Post, Submission])  # keys that are numbers, and others
def test_nothing_leads_on_where_the_last_rows_were_looked_through(
    full,  # noqa: F811
    administrator,  # noqa: F811
    monkeypatch,
    model,
):
    site = admin.site._registry[model]
    ordered = list(model.objects.order_by(*site.ordering).values_list("pk", flat=True))
    asked = RequestFactory().get(f"/?p={ordered[0]}")  # all but the first are left
    asked.user = administrator
    monkeypatch.setattr(site, "list_per_page", len(ordered))
    monkeypatch.setattr(type(site), "goes_straight", lambda *_: False)
    for many, leads in ((len(ordered) - 1, False), (len(ordered) - 2, True)):
        monkeypatch.setattr(seeking, "LOOKED_AT", many)
        shown = site.get_changelist_instance(asked)
        assert bool(shown.next) is leads and bool(shown.looked_at) is leads


def test_a_page_begins_behind_a_row_that_is_gone(full, administrator):  # noqa: F811
    asked = RequestFactory().get("/?p=99999999")
    asked.user = administrator
    site = admin.site._registry[Post]
    assert len(site.get_changelist_instance(asked).result_list) == Post.objects.count()


def test_the_pages_of_the_admin_are_what_ours_are_made_of():
    """What is laid over Django's lists is what its documentation names; a list of ours whose order
    is not that of its keys would leave rows out."""
    for model in SEEKING:
        site = admin.site._registry[model]
        assert isinstance(site, Seeking), model
        assert tuple(site.ordering) in (("pk",), ("-pk",)), model
        assert site.sortable_by == () and site.date_hierarchy is None, model
        for path in site.straight:
            column = model._meta.get_field(path).name
            kept = [index.fields[0].lstrip("-") for index in model._meta.indexes]
            assert column in kept or model._meta.get_field(path).db_index, (model, path)


def test_acts_are_done_to_what_was_chosen_alone(full, administrator):  # noqa: F811
    """Also where a form says that the whole list is meant, of which nobody saw more than a page."""
    client = browser(administrator)
    chosen = Thread.objects.order_by("pk").first()
    form = {"action": "lock", "_selected_action": [chosen.pk], "reason": "R.", "select_across": 1}
    client.post(url(Thread, "changelist"), form)
    assert [thread.pk for thread in Thread.objects.filter(locked=True)] == [chosen.pk]


@pytest.mark.parametrize("typed", ["wall", "WALL-F", "Wall.Fan@exam"])
def test_members_are_found_by_how_their_name_or_address_begins(administrator, typed):  # noqa: F811
    one = make_member("wall-fan")
    one.set_address("wall.fan@example.org", known=True)
    User = type(administrator)
    shown = browser(administrator).get(url(User, "changelist"), {"q": typed}).context["cl"]
    assert [member.pk for member in shown.result_list] == [one.pk]
    nothing = browser(administrator).get(url(User, "changelist"), {"q": "fan"}).context["cl"]
    assert list(nothing.result_list) == []


def test_warnings_in_force_are_counted(full, administrator):  # noqa: F811
    answer = browser(administrator).get(url(Member, "changelist"))
    warned = {member.pk: member.warned for member in answer.context["cl"].result_list}
    assert warned[full.posts.get(number=2).author_id] > 0
    assert warned[administrator.pk] == 0


def test_more_cases_than_are_counted(full, administrator, monkeypatch):  # noqa: F811
    monkeypatch.setattr("forum.admin.cases.MOST", 1)
    monkeypatch.setattr("forum.models.cases.MOST_COUNTED", 1)
    monkeypatch.setattr("forum.desk.MOST_COUNTED", 1)
    page = browser(administrator).get(reverse("admin:index")).content.decode()
    assert "More than 1 case waits for you" in page and ">All 1+</a>" in page
    assert "Queue (1+)" in page and ">Reports</a>" in page
