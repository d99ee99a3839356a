"""Lists of the desk are narrowed by what their pages name and by nothing else, and no address, odd
as it may be, ends in a failure: every page that is registered, every field of its rows and of what
they lead to, every lookup there is."""

import os
import re
from datetime import UTC, datetime
from html import unescape
from itertools import cycle
from urllib.parse import parse_qs, urlencode

import pytest
from django.contrib import admin
from django.db import models, transaction
from django.test import RequestFactory
from django.urls import reverse

from accounts.models import User
from forum.models import Board, Case, Member, Thread
from tests.admin.test_desk import (  # noqa: F401  (fixtures are found by their names here)
    FOR_ADMINISTRATORS,
    REGISTERED,
    administrator,
    board,
    full,
    listed,
    moderator,
    url,
    world,
)
from tests.people import browser, make_member

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.reads,
    pytest.mark.filterwarnings("error:DateTimeField:RuntimeWarning"),  # a moment of no zone
]
LONG = os.environ.get("JONBAR_LONG") == "1"
LOOKUPS = sorted(
    {
        *("", "exact", "pk", "id", "date", "time", "year__gte", "week_day", "iso_year", "hour"),
        *models.Field.get_lookups(),
        *models.DateTimeField.get_lookups(),
        *models.JSONField.get_lookups(),
        *models.ForeignKey.get_lookups(),
    }
)
HUGE, LONGER = "1" + "0" * 30, "9" * 5000  # than a column holds, than Python reads as a number


def sites(user):
    """Every page that is registered, with its model, if `user` may open its list."""
    for model in REGISTERED:
        if user.is_superuser or model._meta.label not in FOR_ADMINISTRATORS:
            yield model, admin.site._registry[model]


def paths(model, levels=2) -> list[str]:
    """The fields of a model, also those that lead here, and so many levels of what they lead to."""
    found = ["pk"]
    for field in model._meta.get_fields():
        names = {field.name, getattr(field, "attname", field.name)}
        if field.auto_created and not field.concrete:
            names = {field.name}  # as in a lookup, not as on the row
        found += names
        if levels and field.related_model:
            found += [f"{field.name}__{path}" for path in paths(field.related_model, levels - 1)]
    return found


def named(site) -> set[str]:
    """What a page says that its list may be narrowed by."""
    names = {item if isinstance(item, str) else item[0] for item in site.list_filter}
    ways = ("", "__exact", "__id__exact", "__isnull", "__gte", "__lt")
    found = {name + way for name in names for way in ways}
    if site.date_hierarchy:
        found |= {f"{site.date_hierarchy}__{part}" for part in ("year", "month", "day")}
    return found


@pytest.mark.parametrize("role", ["board_moderator", "moderator", "administrator"])
def test_no_list_is_narrowed_by_what_its_page_does_not_name(full, role, request):  # noqa: F811
    user = request.getfixturevalue(role)
    client, turn = browser(user), cycle(LOOKUPS)
    asked = RequestFactory().get("/")
    asked.user = user
    let_through = []
    for model, site in sites(user):
        may, known = named(site), paths(model)
        for path in known:
            # Every lookup of a row's own fields, some by turns of each of the others.
            some = [next(turn) for _ in range(7 if LONG else 1)]
            for lookup in some if "__" in path else LOOKUPS:
                key = f"{path}__{lookup}" if lookup else path
                if key not in may and site.lookup_allowed(key, "x", asked):
                    let_through.append((model.__name__, key))
        if model is Case:
            continue  # its list is the queue, which reads `kind` and `after` alone
        step = len(known) // (60 if LONG else 9) + 1
        for path in [*known[::step], "password", "email"]:
            key = f"{path}__{next(turn)}".removesuffix("__")
            if key not in may and client.get(
                url(model, "changelist"), {key: "1"}
            ).status_code not in (400, 403):
                let_through.append((model.__name__, key, "page"))
    assert let_through == []


def test_the_links_of_every_filter_lead_to_a_list(full, administrator):  # noqa: F811
    client, found = browser(administrator), 0
    for model in REGISTERED:
        page = client.get(url(model, "changelist")).content.decode()
        for query in re.findall(r'href="(\?[^"]+__[^"]+)"', page):
            query = unescape(query)
            if set(parse_qs(query)) & {"o", "p"}:
                continue
            found += 1
            assert client.get(url(model, "changelist") + query).status_code == 200, (model, query)
    assert found > 50


@pytest.mark.parametrize(("zone", "there"), [("Asia/Tokyo", True), ("", False)])
def test_a_day_is_one_of_the_zone_in_which_times_are_shown(administrator, zone, there):  # noqa: F811
    late = datetime(2026, 1, 31, 20, tzinfo=UTC)  # on 1 February in Tokyo
    joined = make_member("late", date_joined=late)
    administrator.time_zone = zone
    administrator.save(update_fields=["time_zone"])
    days = {"date_joined__gte": "2026-02-01", "date_joined__lt": "2026-02-02"}
    answer = browser(administrator).get(url(User, "changelist"), days)
    assert (joined.pk in {row.pk for row in answer.context["cl"].result_list}) is there


# --- Nothing fails ----------------------------------------------------------------------------

ODD = ("", "x", "\0", "-1", "0", HUGE, LONGER, "a,b", "²", "1.5", "0001-01-01", "9999-12-31")
ODD += ("2026-13-45", "9999", "10000", "12", "31")
IDS = ("0", "-1", HUGE, LONGER, "x", "_00", "%00", "a/b", "_5F", "²", "None", "1" * 40)
# Asked of every list; none of it chooses rows.
QUERIES = [
    *("_facets=True", "o=", "o=1.2.3", "o=-1.-2.x", "o=999", "o=--1", f"o={LONGER}", "o=%00"),
    *("p=0", "p=-1", "p=x", "p=99999", f"p={LONGER}", "p=%00", "e=1", "e=x", "all=", "=1", "__=1"),
    *("_to_field=id", "_to_field=password", "_to_field=x", "_to_field=%00", "_popup=1"),
    *("_popup=1&_to_field=pk", "_source_model=x", "_changelist_filters=%00", "q=%00"),
    *("pk__in=1,2", "pk__in=x", "pk=x", f"id={HUGE}", "unknown=1", "unknown__foo=1", "id__range=1"),
]
OF_ROWS = ("p=x", f"p={LONGER}", "_to_field=id", "_to_field=password", "_popup=1", "tree=%00")
OF_ROWS += (f"tree={HUGE}", "_changelist_filters=%00", "_changelist_filters=e%3D1")
OF_FORMS = ("", "name=%00", "parent=x", "moderators=x,y", "kind=%00", "board=x", "token=x")


def spread(values, turn):
    """The values of this turn, out of three in a long run and of eight else."""
    turns = 3 if LONG else 8
    return list(values)[turn % turns :: turns]


def failures(client, asked) -> list:
    """Those of the requests (address, form or None) that the forum fails to answer."""
    wrong = []
    for address, form in asked:
        with transaction.atomic():  # what PostgreSQL refuses spoils the rest of the test
            response = client.get(address) if form is None else client.post(address, form)
            if response.status_code >= 500:
                transaction.set_rollback(True)
                wrong.append((address[:150], str(form)[:150]))
    return wrong


def odd_addresses(model, site, turn: int):
    """Odd things to ask of one page of the desk."""
    listing, row = url(model, "changelist"), model._default_manager.first()
    lookups = sorted(named(site))
    for n, lookup in enumerate(lookups):
        for value in spread(ODD, turn + n):
            yield listing, {lookup: value}
    if site.date_hierarchy:
        for n, year in enumerate(ODD):
            whole = [(month, day) for month in ODD for day in (*ODD, None)]
            for month, day in whole[n :: 23 if LONG else 5 * len(ODD)]:
                parts = {"year": year, "month": month, "day": day}
                asked = {
                    f"{site.date_hierarchy}__{k}": v for k, v in parts.items() if v is not None
                }
                yield listing, asked
    for query in spread(QUERIES, turn):
        yield f"{listing}?{query}", None
    for n, page in enumerate(("change", "history", "delete")):
        for pk in spread(IDS, turn + n):
            yield url(model, page, "ID").replace("ID", pk), None
        for query in spread(OF_ROWS, turn + n):
            yield f"{url(model, page, row.pk)}?{query}", None
    for query in spread(OF_FORMS, turn):
        yield f"{url(model, 'add')}?{query}", None


def odd_forms(model, turn: int):
    """Odd things to send to one page of the desk."""
    listing = url(model, "changelist")
    for pk in spread(IDS, turn):
        yield url(model, "change", "ID").replace("ID", pk), {"_act": "hide", "reason": "R."}
    for n, chosen in enumerate((["x"], ["\0"], [HUGE], [LONGER], ["-1"], [])):
        for more in spread(({}, {"reason": "R."}, {"index": "x"}, {"_save": "Save"}), turn + n):
            yield listing, {"action": "hide", "_selected_action": chosen, **more}


@pytest.mark.parametrize(
    "role", ["board_moderator", pytest.param("administrator", marks=pytest.mark.whole)]
)
def test_nothing_odd_that_is_asked_of_a_page_fails(full, role, request):  # noqa: F811
    user = request.getfixturevalue(role)
    client, wrong = browser(user, raise_request_exception=False), []
    for turn, (model, site) in enumerate(sites(user)):
        gets = [
            (address, None) if asked is None else (f"{address}?{urlencode(asked)}", None)
            for address, asked in odd_addresses(model, site, turn)
        ]
        wrong += failures(client, [*gets, *odd_forms(model, turn)])
    assert wrong == []


def test_a_number_that_no_column_holds_names_no_row(full, administrator):  # noqa: F811
    client = browser(administrator, raise_request_exception=False)
    addresses = [
        (url(model, page, number), None)
        for model in REGISTERED
        for page in ("change", "history")
        for number in (HUGE, LONGER)
    ]
    assert failures(client, addresses) == []


def test_what_chooses_no_rows_shows_them_all(full, administrator):  # noqa: F811
    client = browser(administrator)
    for query in QUERIES:
        response = client.get(f"{url(Thread, 'changelist')}?{query}")
        if response.status_code == 200:
            everything = {str(pk) for pk in Thread.objects.values_list("pk", flat=True)}
            # A popup's links carry on that it is one.
            shown = {pk.partition("?")[0] for pk in listed(response, Thread)} or everything
            assert shown == everything, query
        else:
            assert response.status_code in (302, 400, 404), query


def test_nothing_odd_that_is_sent_to_the_desk_fails(full, administrator):  # noqa: F811
    client = browser(administrator, raise_request_exception=False)
    member = url(Member, "change", full.author_id)
    review = reverse("admin:forum_member_review", args=[full.author_id])
    asked = []
    for odd in ("x", "\0", HUGE, LONGER, "²", "-1"):
        whole = dict.fromkeys(("points", "post", "days", "measure", "row", "text", "name"), odd)
        acts = ("warn", "suspend", "lift warning", "lift suspension", "note", "rename", odd)
        asked += [(member, {**whole, "_act": act, "reason": odd}) for act in acts]
        asked += [(review, {"undo": odd}), (review, {"post": odd, "thread": odd, "batch": odd})]
        asked += [(url(Case, "changelist"), {"case": odd, "act": "hide", "points": odd})]
        moved = {"cmd": "move_node", "cut_item": odd, "pasted_on": odd, "position": "left"}
        asked += [(url(Board, "changelist"), moved)]
        asked += [(url(Board, "changelist"), {"_shift": f"{odd}:up"})]
        path = odd.replace("\0", "%00")
        asked += [(f"{review}?before={path}", None), (f"/admin/forum/member/{path}/review/", None)]
        asked += [(f"{url(Case, 'changelist')}?after={path}&kind={path}", None)]
        asked += [(f"/admin/accounts/user/{path}/password/", None)]
    assert failures(client, asked) == []


def test_no_page_of_the_desk_leads_to_any_row_by_its_number(full, board_moderator):  # noqa: F811
    """Django's own do: one tells the address of a row of any kind, with the title in it, the other
    searches for the rows of any relation."""
    client = browser(board_moderator)
    for name in ("view_on_site", "autocomplete"):
        assert name not in {getattr(one, "name", None) for one in admin.site.get_urls()}
    asked = "app_label=forum&model_name=post&field_name=thread&term="
    for address in ("/admin/r/1/1/", f"/admin/autocomplete/?{asked}"):
        assert client.get(address).status_code == 404
