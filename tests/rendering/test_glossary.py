"""The glossary: where terms are explained and where not, who keeps it, and what that costs."""

import re
from html import unescape

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forum.actions import glossary as acts
from forum.models import AuditEntry, Term
from forum.permissions import Refused
from forum.rendering import glossary
from forum.text import markup
from tests.people import browser, edit, fresh, reply, start


def term(pk: int, name: str, aliases="", meaning='It means <this> & "that".') -> Term:
    return Term(pk=pk, name=name, aliases=aliases, meaning=meaning)


TERMS = [
    term(1, "WI"),
    term(2, "POD", "point of divergence\nPODs"),
    term(3, "R&D"),
    term(4, "ISOT"),
]


# The term, and what it is described by where that stands beside it.
TERM = (
    r'<dfn class="term" tabindex="0" aria-describedby="(?P<id>term-7-\d+)">(.*?)</dfn>'
    r'(<span class="meaning" id="(?P=id)" dir="auto">.*?</span>)?'
)


def explained(source: str, terms=TERMS) -> list[str]:
    """The words that are linked, in a Markdown source."""
    html = markup.render(source, format="markdown").html
    done, meanings = glossary.compiled(1, terms).explain(html, 7)
    found = re.findall(TERM, done)
    assert re.sub(TERM, r"\2", done) == html
    assert len({name for name, *_ in found}) == len(found)
    # Each is explained once: beside it, or in the margin of a passage that has one.
    noted = [one for passage in meanings.values() for one in passage]
    beside = {name for name, _, span in found if span}
    assert {one.id for one in noted} | beside == {name for name, *_ in found}
    assert len(noted) + len(beside) == len(found)
    assert all(f"<!--m{passage}-->" in html for passage in meanings)
    return [words for _, words, _ in found]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("A WI with a POD.", ["WI", "POD"]),
        ("WI, WI and WI again.\n\nWI", ["WI"]),
        ("A Point of Divergence, then a POD.", ["Point of Divergence"]),
        ("PODs", ["PODs"]),
        ("wi and pod in small letters, WIND, KIWI, WI_x, WI2", []),
        ("(WI)", ["WI"]),
        ("Both R&D and **POD**.", ["R&amp;D", "POD"]),
        ("`WI` and\n\n    POD\n\nfenced:\n\n```\nPOD\n```", []),
        ("# A WI\n\nPOD", ["POD"]),
        ("[WI](https://example.org/POD) and https://example.org/WI", []),
        ('[quote="somebody"]\nA WI.\n[/quote]\n\nThe WI above.', ["WI"]),
        ("> A WI.\n>\n> > A POD.\n\nNone.", []),
        ("[quote]\nA WI in `code`.\n[/quote]\n\nA `WI` WI.", ["WI"]),
        ("| WI | POD |\n|---|---|\n| a | b |", ["WI", "POD"]),
        ("||a WI||", ["WI"]),
        ('[spoiler="WI"]\nA WI.\n[/spoiler]', ["WI"]),
        ("A note.[^1]\n\n[^1]: On WI.", ["WI"]),
        ("@WI and WI", ["WI"]),
        ("no term", []),
    ],
)
def test_where_terms_are_explained(source, found):
    assert explained(source) == found


def test_meanings_are_text():
    html, noted = glossary.compiled(1, TERMS).explain("<p>WI</p>", 7)
    assert not noted
    assert ">It means &lt;this&gt; &amp; &quot;that&quot;.</span>" in html
    assert html.count("<") == 6


def test_longer_spellings_first_and_of_two_terms_the_first():
    terms = [term(1, "TL"), term(2, "TL break"), term(3, "a TL", "TL")]
    assert explained("The TL break of a TL.", terms) == ["TL break", "a TL"]
    assert not glossary.compiled(1, []).explain("<p>WI</p>", 7)[0].count("term")


def test_a_term_that_is_hidden_is_not_told_of_in_the_margin():
    html = markup.render("A POD.\n\nHidden: ||a WI||.", format="markdown").html
    done, meanings = glossary.compiled(1, TERMS).explain(html, 7)
    assert [(at, one.word) for at, found in meanings.items() for one in found] == [(1, "POD")]
    assert '<span class="meaning" id="term-7-1"' in done


@pytest.fixture
def seeded(db):
    call_command("loaddata", "glossary", verbosity=0)


def page(thread, user=None) -> str:
    return browser(user).get(fresh(thread).get_absolute_url()).content.decode()


def test_the_words_of_the_trade_come_with_the_boards(seeded):
    names = set(Term.objects.values_list("name", flat=True))
    assert names >= {"OTL", "ATL", "POD", "WI", "AHC", "PC", "DBWI", "TL", "ASB", "ISOT"}
    shown = browser().get("/glossary/").content.decode()
    for one in Term.objects.all():
        assert f'id="term-{one.pk}"' in shown
        assert one.meaning in unescape(shown)
    assert 'href="/glossary/">Glossary</a>' in browser().get("/").content.decode()


def test_the_page_sorts_capitals_among_small_letters(seeded):
    names = re.findall(r"<dfn>(.*?)</dfn>", browser().get("/glossary/").content.decode())
    assert names == sorted(names, key=str.lower) != sorted(names)


def test_the_first_use_in_each_post_is_explained(seeded, thread, answerer):
    reply(thread, answerer, "A POD is a POD.")
    reply(thread, answerer, "Which POD?")
    shown = page(thread)
    pod = Term.objects.get(name="POD")
    assert len(re.findall(rf'<dfn [^>]*aria-describedby="term-\d+-{pod.pk}">', shown)) == 2
    for post in thread.posts.order_by("-number")[:2]:
        assert f'id="term-{post.pk}-{pod.pk}" dir="auto"><i>POD</i>: {pod.meaning}</span>' in shown


def test_members_can_turn_it_off(seeded, thread, answerer, stranger):
    reply(thread, answerer, "A POD.")
    assert 'class="term"' in page(thread, stranger)
    client = browser(stranger)
    fields = {"view": "flat", "posts_per_page": 20, "theme": "auto", "time_zone": "", "about": ""}
    client.post("/accounts/settings/", fields)
    assert 'class="term"' not in page(thread, fresh(stranger))
    client.post("/accounts/settings/", {**fields, "explain_terms": "on"})
    assert 'class="term"' in page(thread, fresh(stranger))


def test_the_road_and_the_story_explain_too(seeded, thread, answer, answerer):
    edit(answer, "A POD.")
    last = reply(thread, answerer, "An ISOT.", to=answer)
    road = browser().get(f"/posts/{last.pk}/road/").content.decode()
    assert road.count('class="term"') == 2


def test_a_change_shows_at_once_and_is_in_the_log(seeded, thread, answerer, moderator):
    reply(thread, answerer, "A POD and a butterfly.")
    before = page(thread)
    assert ">butterfly</dfn>" not in before
    made = acts.define(
        user=moderator, term=Term(name="butterfly", meaning="A small change that grows.")
    )
    assert ">butterfly</dfn>" in page(thread)
    made.meaning = "Something else."
    acts.define(user=moderator, term=made)
    assert "Something else." in page(thread)
    acts.forget(user=moderator, term=made)
    assert ">butterfly</dfn>" not in page(thread)
    details = [
        entry.detail
        for entry in AuditEntry.objects.filter(verb__in=("define", "forget")).order_by("pk")
    ]
    assert [bool(one["before"]) for one in details] == [False, True, True]
    assert [bool(one["after"]) for one in details] == [True, True, False]


def test_who_keeps_the_glossary(
    db, guest, opener, stranger, board_moderator, moderator, administrator
):
    for user in (guest, opener, board_moderator):
        with pytest.raises(Refused):
            acts.define(user=user, term=Term(name="X", meaning="Y"))
    for user, status in ((board_moderator, 403), (moderator, 200), (administrator, 200)):
        client = browser(user)
        assert client.get("/admin/forum/term/").status_code == status
        fields = {"name": f"Term of {user}", "aliases": "", "meaning": "So."}
        client.post("/admin/forum/term/add/", fields)
    made = Term.objects.get(name=f"Term of {moderator}")
    assert Term.objects.count() == 2
    browser(moderator).post(f"/admin/forum/term/{made.pk}/delete/", {"post": "yes"})
    assert Term.objects.count() == 1
    assert AuditEntry.objects.filter(verb__in=("define", "forget")).count() == 3


def test_explaining_asks_nothing_more(seeded, thread, answerer):
    def queries() -> int:
        with CaptureQueriesContext(connection) as context:
            page(thread)
        return len(context)

    queries()
    plain = queries()
    reply(thread, answerer, "A POD, an ISOT and a WI.")
    assert queries() == plain


def test_nothing_of_a_closed_board_is_in_the_glossary(seeded, inner_board, moderator):
    start(inner_board, moderator, title="A secret WI", text="A secret POD, is it not?")
    assert "secret" not in browser().get("/glossary/").content.decode()
