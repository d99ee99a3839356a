"""All debates by the date at which they leave history: order, filters, pages, and who sees what."""

import os
import re
from html import unescape
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.db.models import CharField, Value
from django.db.models.functions import Concat
from django.test.utils import CaptureQueriesContext

from forum.actions import description
from forum.actions.divergences import read_divergence
from forum.models import Board, Divergence, State, Thread
from forum.rendering.divergence_axis import NARROWEST, bounds, twigs
from forum.text.history_dates import read
from forum.views.timeline import PER_PAGE
from tests.effort import analyzed, effort
from tests.people import browser, fresh, start
from tests.views.test_describe import words
from tests.views.test_queries import MEMBER, VISITOR

pytestmark = pytest.mark.django_db
ROWS = 10_000 if os.environ.get("JONBAR_LONG") == "1" else 2_000


def dated(thread, *dates: str, place="") -> Thread:
    """Say when a debate leaves history: "Number" and the date, for each."""
    divergences = [
        read_divergence(change=f"Number {when}.", when=when, place=place) for when in dates
    ]
    return description.describe(
        user=thread.author, thread=thread, divergences=divergences, questions=[]
    )


def many(board, author, dates: list[str], places: list[str] = (), first: int = 0) -> None:
    """Debates that are nothing but a row, numbered from `first` on, and a date, each at one of the
    `places` if there are any."""
    made = Thread.objects.bulk_create(
        Thread(
            board=board,
            title=f"Debate {n}",
            slug=f"debate-{n}",
            key=f"debate-{n}-{when}",
            author=author,
            created_at=author.date_joined,
            last_post_at=author.date_joined,
        )
        for n, when in enumerate(dates, first)
    )
    known = {when: read(when) for when in set(dates)}
    Divergence.objects.bulk_create(
        Divergence(
            thread=thread,
            order=1,
            change=f"Number {when}.",
            edtf=known[when].edtf,
            first_day=known[when].first,
            last_day=known[when].last,
            place=place,
        )
        for thread, when, place in zip(made, dates, places or [""] * len(dates), strict=True)
    )


def page(user=None, path="/timeline/", **asked) -> str:
    response = browser(user).get(path, asked)
    assert response.status_code == 200, asked
    return response.content.decode()


def listed(body: str) -> list[tuple[int, str]]:
    """The numbers and dates of the lists on a page, by number."""
    found = re.findall(r'<li value="(\d+)">\s*<div class="year">(.*?)</div>', body)
    return sorted((int(number), unescape(year)) for number, year in found)


def years(body: str) -> list[str]:
    return [year for _, year in listed(body)]


@pytest.fixture
def ages(board, other_board, opener, answerer) -> None:
    """Debates from all ages, on two boards."""
    old = {"480 BC": "Salamis", "c. 1200 BC": "Egypt", "AD 9": "Germania", "15 March 44 BC": "Rome"}
    new = {"1066": "England", "1936-39": "Spain", "c. 1924": "Moscow"}
    many(other_board, opener, list(old), list(old.values()))
    many(board, opener, list(new), list(new.values()), first=4)


IN_ORDER = ["c. 1200 BC", "480 BC", "15 Mar 44 BC", "AD 9", "1066", "c. 1924", "1936–39"]


# --- Order ------------------------------------------------------------------------------------


def test_the_years_before_christ_come_first_and_run_forward(ages):
    body = page()
    assert years(body) == IN_ORDER
    assert [number for number, _ in listed(body)] == list(range(1, 8))


def test_ages_have_their_own_lists(ages):
    heads = re.findall(r'<h2 id="era-\d+">(.*?)</h2>', page())
    assert heads == ["Before 500", "500 to 1800", "After 1900"]


def test_a_debate_with_two_divergences_stands_twice(thread):
    dated(thread, "1936-39", "about 1924")
    body = page()
    assert years(body) == ["c. 1924", "1936–39"]
    assert body.count(f'href="{thread.get_absolute_url()}"') == 2
    assert "No. 1 · Number about 1924." in words(body_of := browser().get("/timeline/"))
    assert body_of.content.decode() == body


def test_an_open_beginning_sorts_first_and_stands_in_the_age_of_its_end(board, opener):
    for when in ("before 1945", "480 BC", "after 1945", "before 3500 BC"):
        dated(start(board, opener), when)
    body = page()
    assert years(body) == ["before 3500 BC", "before 1945", "480 BC", "after 1945"]
    after = body[body.index(">After 1900</h2>") :]
    assert [number for number, _ in listed(after)] == [2, 4]


def test_nobody_has_dated_anything_yet(thread):
    body = page()
    assert "No debate has said yet when it leaves history." in body
    assert 'class="wide"' not in body


# --- Filters ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"from": "480 BC"}, IN_ORDER[1:]),
        ({"from": "479 BC"}, IN_ORDER[2:]),
        ({"to": "480 BC"}, IN_ORDER[:2]),
        ({"to": "481 BC"}, IN_ORDER[:1]),
        ({"from": "5th century BC", "to": "March 44 BC"}, IN_ORDER[1:3]),
        ({"from": "1922", "to": "1926"}, ["c. 1924"]),
        ({"from": "1926", "to": "1936"}, ["c. 1924", "1936–39"]),
        ({"from": "1937", "to": "1938"}, ["1936–39"]),
        ({"from": "late 15th century", "to": "1900"}, []),
        ({"from": "1950", "to": "480 BC"}, []),
        ({"place": "rome"}, ["15 Mar 44 BC"]),
        ({"place": " Sala "}, ["480 BC"]),
        ({"place": "%"}, []),
        ({"board": "after-1900"}, IN_ORDER[4:]),
        ({"board": "antiquity", "from": "1 BC"}, ["AD 9"]),
        ({"board": "nowhere"}, []),
        ({"kind": "WI"}, IN_ORDER),
        ({"kind": "PC"}, []),
        ({"from": "", "to": " ", "place": "", "kind": "", "board": ""}, IN_ORDER),
    ],
)
def test_what_a_filter_leaves(ages, asked, found):
    body = page(**asked)
    assert years(body) == found
    if not found:
        assert "No divergence lies there." in body


def test_by_kind(ages):
    Thread.objects.filter(title="Debate 4").update(kind="PC")
    assert years(page(kind="PC")) == ["1066"]


def test_what_was_asked_stays_in_the_form(ages):
    body = page(**{"from": "480 BC", "place": 'a "place"', "kind": "WI", "board": "after-1900"})
    assert 'name="from" size="12" value="480 BC"' in body
    assert 'value="a "place""' in unescape(body)
    assert '<option value="WI" selected>' in body
    assert '<option value="after-1900" selected>' in body


@pytest.mark.parametrize("name", ["from", "to"])
@pytest.mark.parametrize("asked", ["the other day", "29 February 1900", "12", "1904-05", "x" * 200])
def test_a_date_that_cannot_be_read_gets_a_sentence(ages, name, asked):
    body = page(**{name: asked, "place": "Rome"})
    (said,) = re.findall(rf'<p class="error" id="{name}-error">(.*?)</p>', body)
    assert said
    assert f'value="{asked}" aria-invalid="true" aria-describedby="{name}-error"' in body
    assert years(body) == ["15 Mar 44 BC"]  # the rest of the question is answered


def test_an_example_stands_in_the_sentence(ages):
    assert "480 BC" in page(**{"from": "the other day"}).partition('id="from-error"')[2][:200]


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "nonsense"},
        {"after": "x"},
        {"after": "1.2.3"},
        {"after": "1.2.3.4.5"},
        {"after": "1.2.3." + "9" * 20},
        {"after": "9" * 5_000},
        {"after": "1.2.3.\0"},
        {"place": "\0"},
    ],
)
def test_what_no_link_asks_for_is_not_there(ages, asked):
    assert browser().get("/timeline/", asked).status_code == 404


@pytest.mark.parametrize("after", ["9" * 19 + ".1.1.1", "-" + "9" * 18 + ".1.1.1", "0.0.0.-7"])
def test_a_cursor_out_of_this_world_breaks_nothing(ages, after):
    assert browser().get("/timeline/", {"after": after}).status_code in (200, 404)


# --- Pages ------------------------------------------------------------------------------------


def turned(user=None, **asked) -> list[str]:
    """The changes on all pages, by following the links."""
    address, found, numbers = f"/timeline/?{urlencode(asked)}", [], []
    while address:
        assert len(found) < 1_000, "going in circles"
        body = page(user, address)
        here = listed(body)
        numbers += [number for number, _ in here]
        said = dict(re.findall(r"No\. (\d+) · <span[^>]*>(.*?)</span>", body))
        titles = dict(
            re.findall(r'<li value="(\d+)">.*?<a href="/threads/(\d+)/', body, flags=re.S)
        )
        found += [(said[str(number)], titles[str(number)]) for number, _ in here]
        link = re.search(r'<a rel="next" href="(.*?)">', body)
        address = "/timeline/" + unescape(link[1]) if link else ""
    assert numbers == list(range(1, len(numbers) + 1))
    return found


MIXED = ["1914"] * 70 + ["before 1945", "after 1900"] * 10 + ["480 BC", "c. 1914", "1914-18"] * 20


@pytest.mark.parametrize("asked", [{}, {"from": "500 BC", "to": "1920"}, {"kind": "WI"}])
def test_pages_leave_nothing_out_and_repeat_nothing(board, opener, asked):
    many(board, opener, MIXED)
    assert len(MIXED) == 150
    found = turned(**asked)
    assert len(found) == len(set(found)) == 150
    inside = Divergence.objects.by_date().values_list("change", "thread_id")
    assert found == [(change, str(pk)) for change, pk in inside]


def test_a_page_in_the_middle_keeps_the_question_and_leads_back(board, opener):
    many(board, opener, ["1914"] * 130)
    asked = {"from": "c. 1914", "board": "after-1900"}
    first = page(**asked)
    link = unescape(re.search(r'<a rel="next" href="(.*?)">', first)[1])
    second = page(path="/timeline/" + link)
    assert len(listed(second)) == PER_PAGE
    assert 'name="from" size="12" value="c. 1914"' in second
    back = unescape(re.search(r'<a href="([^"]*)">First page</a>', second)[1])
    assert page(path=back) == first


def test_a_board_with_an_odd_name_in_the_question_stays_one_value(board, opener):
    many(board, opener, ["1914"] * 61)
    Board.objects.filter(pk=board.pk).update(slug="a&b=c")
    link = re.search(r'<a rel="next" href="(.*?)">', page(board="a&b=c"))[1]
    assert len(listed(page(path="/timeline/" + unescape(link)))) == 1


# --- How much it asks -------------------------------------------------------------------------


def test_it_asks_the_same_of_ten_and_of_thousands(
    board, opener, stranger, moderator, board_moderator
):
    readers = {None: VISITOR, stranger: MEMBER, moderator: MEMBER, board_moderator: MEMBER}
    clients = {reader: browser(reader) for reader in readers}

    def asks(path) -> dict:
        """How much each reader's page asks the database."""
        found = {}
        for reader, client in clients.items():
            with CaptureQueriesContext(connection) as captured:
                assert client.get(path).status_code == 200
            found[reader] = len(captured)
        return found

    many(board, opener, [f"{year}" for year in range(1900, 1910)])
    one_page = asks("/timeline/")
    many(board, opener, [f"{year} BC" for year in range(1, 101)])
    few = asks("/timeline/")
    # One more, in which the picture counts them all.
    assert few == {reader: number + 1 for reader, number in one_page.items()}
    many(board, opener, [f"{year} BC" for year in range(101, ROWS - 9)])
    assert Divergence.objects.count() == ROWS
    assert asks("/timeline/") == few
    assert asks("/timeline/?from=480+BC&place=x&board=after-1900") == one_page
    link = re.search(r'<a rel="next" href="(.*?)">', page())[1]
    assert asks("/timeline/" + unescape(link)) == few
    assert all(number <= readers[reader] for reader, number in few.items())


def test_a_page_in_the_middle_reads_what_the_first_one_does(board, opener):
    many(board, opener, [f"{year}" for year in range(1000, 1600)])
    analyzed()

    def behind(row: Divergence) -> int:
        rows = Divergence.objects.after(row.first_day, row.last_day, row.pk).by_date()
        return effort(lambda: list(rows[: PER_PAGE + 1]), "forum_divergence")

    ordered = list(Divergence.objects.by_date())
    assert 0 < behind(ordered[500]) < behind(ordered[0]) * 1.3


def test_only_a_page_of_rows_is_read(board, opener):
    many(board, opener, ["1914"] * 200)
    with CaptureQueriesContext(connection) as captured:
        page()
    asked = [q["sql"] for q in captured if "forum_divergence" in q["sql"].split("WHERE")[0]]
    rows, counted = sorted(asked, key=lambda sql: "GROUP BY" in sql)
    assert f"LIMIT {PER_PAGE + 1}" in rows
    assert "GROUP BY" in counted
    assert not any("OFFSET" in sql for sql in asked)


# --- Who sees what ----------------------------------------------------------------------------


def everything_asked(user) -> list[str]:
    """What a reader gets to see of the timeline, whatever is asked, but for the form's token."""
    asked = [{}, {"board": "closed"}, {"place": "Secret"}, {"from": "480 BC", "to": "1940"}]
    asked += [{"kind": "WI"}, {"after": "-200000.-200000.1.3"}]
    return [
        re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page(user, **question))
        for question in asked
    ]


def test_what_one_may_not_see_leaves_no_trace(
    ages, board, inner_board, opener, stranger, answerer, board_moderator, moderator
):
    readers = [None, stranger, answerer]
    before = {reader: everything_asked(reader) for reader in (*readers, board_moderator)}
    secret = start(board, opener, title="What nobody is to know")
    divergences = [
        read_divergence(change="The secret.", when=when, place="Secret")
        for when in ("44 BC", "1924")
    ]
    description.describe(user=opener, thread=secret, divergences=divergences, questions=[])
    for how in ("inner board", "pending", "hidden", "removed", "loading"):
        there = {"board": inner_board} if how == "inner board" else {"board": board, "state": how}
        Thread.objects.filter(pk=secret.pk).update(**there)
        for reader in readers + [board_moderator] * (how == "inner board"):
            assert everything_asked(reader) == before[reader], (how, reader)
        assert ("The secret." in page(moderator)) is (how != "loading")
        assert ("The secret." in page(opener)) is (how == "pending")


def test_a_board_for_members_shows_to_members(thread, stranger, board):
    dated(thread, "1924")
    Board.objects.filter(pk=board.pk).update(audience="members")
    assert years(page(stranger)) == ["1924"]
    body = page()
    assert years(body) == []
    assert board.name not in body.partition("<form")[2]


def test_nobody_hears_how_many_there_are(ages, board, opener, inner_board):
    """Paging goes by what one sees: a full page is followed by none if the rest is hidden."""
    many(board, opener, ["1500"] * (PER_PAGE - 7))
    assert 'rel="next"' not in page()
    dated(start(board, opener), "1501")
    assert 'rel="next"' in page()
    Thread.objects.filter(board=board, title="What if Lenin had lived?").update(state=State.HIDDEN)
    assert 'rel="next"' not in page()


# --- The picture ------------------------------------------------------------------------------


def test_the_picture_says_in_words_what_it_is(ages):
    body = page()
    (said,) = re.findall(r'<svg width="100%" height="\d+" role="img" aria-label="(.*?)"', body)
    assert "2000 BC" in said
    assert "numbers" in said
    # What is drawn beside each line repeats its words.
    strips = re.findall(r'<svg class="strip"[^>]*>', body)
    assert strips
    assert all('aria-hidden="true"' in strip for strip in strips)


def test_every_number_of_the_lists_is_in_the_picture(ages):
    body = page()
    picture = body[body.index('class="wide"') : body.index("</figure>")]
    assert re.findall(r'<text class="r"[^>]*>(.*?)</text>', picture) == [
        str(number) for number, _ in listed(body)
    ]
    assert picture.count('class="knot"') == 7


def columns(body: str) -> list[float]:
    return [float(x) for x in re.findall(r'class="atl column" x1="([\d.]+)%"', body)]


def test_where_there_are_too_many_for_one_page_the_picture_counts_them(board, opener):
    many(board, opener, ["480 BC"] * 100 + ["1066"] * 20 + ["1914"] * 1000 + ["before 3500 BC"])
    body = page()
    assert "1,121 points of divergence" in body and "60 of them" in body
    assert len(columns(body)) == 4
    assert 'class="knot"' not in body[body.index('class="wide"') : body.index("</figure>")]
    assert "Before 500: 101, 500 to 1800: 20, After 1900: 1,000" in body
    link = re.search(r'<a href="(\?[^"]*)" rel="nofollow">After 1900: 1,000</a>', body)[1]
    assert "1,000 points" in page(path="/timeline/" + unescape(link))
    link = re.search(r'<a href="(\?[^"]*)" rel="nofollow">Before 500: 101</a>', body)[1]
    assert "101 points" in page(path="/timeline/" + unescape(link))
    turned = re.search(r'<a rel="next" href="(.*?)">', body)[1]
    assert columns(page(path="/timeline/" + unescape(turned))) == columns(body)


def test_a_column_stands_where_its_single_ones_would(board, opener):
    """For every date that can be: the same place as a twig's, as near as a column is wide."""
    dates = [
        "2000 BC",
        "480 BC",
        "499",
        "500",
        "1066",
        "1799",
        "1800",
        "1914",
        "1999",
        "after 1945",
    ]
    for when in dates:
        Divergence.objects.all().delete()
        many(board, opener, [when] * (PER_PAGE + 1))
        Thread.objects.update(key=Concat(Value(when), "pk", output_field=CharField()))
        (column,) = columns(page())
        date = read(when)
        middle = sum(bounds({"first": date.first, "last": date.last})) / 2
        (twig,) = twigs([(1, middle)])
        assert abs(column - float(twig.x.removesuffix("%"))) <= 1.2, when


def test_the_style_sheet_gives_the_picture_the_width_that_it_is_laid_out_for():
    from pathlib import Path

    from django.conf import settings

    css = (Path(settings.BASE_DIR) / "static/css/jonbar.css").read_text()
    assert f".wide > svg {{ min-inline-size: {NARROWEST // 16}rem; }}" in css


def test_ids_are_unique_and_numbers_are_well_formed(ages, board, opener):
    for when in ("before 3500 BC", "after 1945", "12000 BC", "2016", "5000 BC to AD 2000"):
        dated(start(board, opener), when)
    body = page(**{"from": "x y z"})
    ids = re.findall(r' id="(.*?)"', body)
    assert len(ids) == len(set(ids))
    for place in re.findall(r' (?:x|x1|x2|cx)="(.*?)"', body[body.index("<figure") :]):
        assert re.fullmatch(r"(100|\d{1,2})(\.\d)?%|\d+", place), place


def test_it_stands_in_the_menu(ages, stranger):
    for user in (None, stranger):
        for path in ("/", "/timeline/"):
            assert '<a href="/timeline/"' in page(user, path)
    assert '<a href="/timeline/" aria-current="page">' in page()


def test_the_source_thread_stands_at_both_dates():
    from django.core.management import call_command

    call_command("loaddata", "boards", "trotsky-spain", verbosity=0)
    thread = fresh(Thread.objects.get())
    body = page()
    assert years(body) == ["c. 1924", "1936–39"]
    assert body.count(f'href="{thread.get_absolute_url()}"') == 2
