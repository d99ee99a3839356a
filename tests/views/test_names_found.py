"""Members are found by an index of their names, however many there are."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import PastName
from tests.people import browser, reply

pytestmark = [pytest.mark.django_db, pytest.mark.reads]


def plan(sql: str) -> str:
    """How the database goes about a statement, in a line."""
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # of few rows it reads all
        cursor.execute(f"{explain} {sql}".replace("%", "%%"), [])
        return " / ".join(str(row[-1]) for row in cursor.fetchall())


def scanned(statements) -> list[str]:
    """Those that look for a name by reading a table from end to end."""
    wrong = re.compile(r"SCAN (accounts_user|accounts_pastname|U0)|Seq Scan on accounts_")
    asked = [sql for sql in statements if "skeleton" in sql.partition("WHERE")[2]]
    return [sql for sql in asked if sql.startswith("SELECT") and wrong.search(plan(sql))]


@pytest.mark.parametrize(
    "path",
    [
        "/members/STRANGER/",
        "/members/once-here/",
        "/members/nobody/",
        "/members/stranger/feed/",
        "/search/?q=by:Stranger",
        "/search/?q=by:once-here",
        "{thread}",
    ],
)
def test_no_page_reads_all_members_for_a_name(path, thread, opener, answerer, stranger):
    PastName.objects.create(user=stranger, username="once-here")
    reply(thread, answerer, "Ask @stranger, @once-here or @nobody.")
    client = browser(opener)
    address = path.format(thread=thread.get_absolute_url())
    with CaptureQueriesContext(connection) as asked:
        client.get(address)
    statements = [query["sql"] for query in asked]
    assert any("skeleton" in sql for sql in statements)
    assert scanned(statements) == []


def test_a_name_is_found_in_whatever_case_and_a_look_alike_is_not(stranger, opener, thread):
    PastName.objects.create(user=stranger, username="Once-Here")
    client = browser(opener)
    assert client.get("/members/STRANGER/").status_code == 200
    assert client.get("/members/ONCE-HERE/")["Location"] == "/members/stranger/"
    for other in ("str4nger", "5tranger", "stran.ger", "0nce-here"):
        assert client.get(f"/members/{other}/").status_code == 404, other


def test_mentions_lead_to_members_by_today_and_former_names(thread, opener, answerer, stranger):
    PastName.objects.create(user=stranger, username="once-here")
    reply(thread, answerer, "Ask @Stranger, @once-here or @nobody.")
    page = browser(opener).get(thread.get_absolute_url()).content.decode()
    assert page.count('href="/members/stranger/"') >= 2
    assert "/members/nobody/" not in page
