"""How pages are filled: all is escaped, errors say where, what is at hand means what it says."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.template import engines
from django.utils.safestring import mark_safe
from django.utils.timezone import override
from jinja2 import TemplateSyntaxError, UndefinedError, nodes

from forum import jinja
from tests.people import browser, edit, reply, start

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
HOSTILE = "<img src=x onerror=alert(1)>\"'&"
# Marked by hand as HTML: what the forum's own renderer made of a keeper's text.
MARKED = {
    "account/signup.html": ["question"],
    "socialaccount/signup.html": ["question"],
    "site/rules.html": ["words.html"],
    "site/page.html": ["page.html"],
    "site/help_page.html": ["page.html"],
}


@pytest.fixture
def env():
    return engines["jinja2"].env


def filled(env, source: str, **names) -> str:
    return env.from_string(source).render(**names)


def test_everything_is_escaped_but_what_is_html_already(env):
    assert env.autoescape is True
    shown = filled(env, "{{ it }}|{{ [it]|first }}|{{ it ~ it }}|{{ it|capfirst }}", it=HOSTILE)
    assert "<" not in shown and '"' not in shown and "'" not in shown
    assert filled(env, "{{ it }}", it=mark_safe("<b>")) == "<b>"
    macro = "{% macro one(it) %}<i>{{ it }}</i>{% endmacro %}{{ one(it) }}"
    assert filled(env, macro, it="<") == "<i>&lt;</i>"


def test_no_template_takes_the_escaping_back(env):
    for path in TEMPLATES:
        name, source = path.relative_to(ROOT / "templates").as_posix(), path.read_text()
        assert "autoescape" not in source, name
        assert re.findall(r"([\w.]+)\s*\|\s*safe\b", source) == MARKED.get(name, []), name


@pytest.mark.django_db
def test_a_hostile_name_text_and_title_stay_words(board, opener, answerer, moderator):
    thread = start(board, opener, title=f"Title {HOSTILE}")
    answer = reply(thread, answerer, f"Text {HOSTILE}", to=None)
    edit(answer, f"Text {HOSTILE} again", f"Reason {HOSTILE}")
    here, post = thread.get_absolute_url(), f"/posts/{answer.pk}/"
    paths = [
        *("/", board.get_absolute_url(), here, f"{here}?view=tree", "/members/answerer/"),
        *(f"/threads/{thread.pk}/{page}/" for page in ("outline", "read", "rename", "describe")),
        *(f"{post}{page}/" for page in ("road", "quotes", "history", "edit", "withdraw", "report")),
        *(f"/threads/{thread.pk}/reply/?to={answer.pk}&quote={answer.pk}", "/log/", "/drafts/"),
    ]
    seen = 0
    for reader in (None, answerer, moderator):
        client = browser(reader)
        for path in paths:
            html = client.get(path, follow=True).content.decode()
            assert "<img src=x" not in html, path
            seen += "&lt;img src=x" in html
    assert seen > 20


def test_a_name_that_nobody_gave_fails_a_page_of_tests_and_is_nothing_elsewhere(env, settings):
    for source in ("{{ it }}", "{% if it %}{% endif %}", "{{ it.at.all }}"):
        with pytest.raises(UndefinedError):
            filled(env, source)
    settings.STRICT_TEMPLATES = False
    assert filled(jinja.environment(), "({{ it }}{% if it.at.all() %}!{% endif %})") == "()"


def test_an_error_names_file_and_line(env):
    with pytest.raises(TemplateSyntaxError) as found:
        env.parse("fine\n{% if %}", filename="posts/some.html")
    assert found.value.lineno == 2
    with pytest.raises(ZeroDivisionError) as told:
        filled(env, "fine\n{{ 1 // it }}", it=0)
    assert told.traceback[-1].lineno + 1 == 2


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT / "templates")))
def test_no_method_stands_without_its_brackets(env, path):
    """It would be true whatever it says, and be shown as a thing of Python."""
    tree = env.parse(path.read_text())
    called = {id(call.node) for call in tree.find_all(nodes.Call)}
    bare = [
        (one.attr, one.lineno)
        for one in tree.find_all(nodes.Getattr)
        if id(one) not in called and re.match(r"(get_\w+|items|values|keys)$", one.attr)
    ]
    assert bare == []


def test_dates_are_shown_in_the_readers_time(env):
    moment = datetime(2036, 7, 17, 23, 30, tzinfo=UTC)
    with override("Europe/Madrid"):
        assert filled(env, "{{ it|date('j F Y, H:i') }}", it=moment) == "18 July 2036, 01:30"
    assert filled(env, "{{ it|date('j F') }}|{{ none|or_nothing }}", it=None) == "|"


def test_addresses_are_made_once_for_all_numbers():
    assert jinja.url("post", 7) == "/posts/7/"
    assert jinja.url("post", 8) == "/posts/8/"
    assert jinja.url("member", "a&b") == "/members/a&amp;b/"


@pytest.mark.django_db
def test_the_forms_of_a_page_share_one_token_and_pages_share_none(thread, opener, client):
    """To make one costs as much as twenty links; what is read in one page helps with no other."""
    token = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')
    client.force_login(opener)
    pages = [token.findall(client.get("/members/opener/").content.decode()) for _ in range(2)]
    assert all(len(found) > 1 and len(set(found)) == 1 for found in pages)
    assert pages[0][0] != pages[1][0]


def test_with_values_gives_what_the_macro_gives(env):
    """Also where the values or the words around them hold signs of HTML or of formats."""
    source = (
        "{% macro one(kind, deep, pk, name) %}{% raw %}{0}{% endraw %} <i class='{{ kind }}'>"
        "{% if deep %}{{ name }} {% endif %}{{ pk }}</i>{{ name }}{% endmacro %}"
        "{{ one(kind, deep, pk, name) }}\n{{ with_values(one, (kind, deep), pk, name) }}"
    )
    for kind in ("plain", HOSTILE, "{2}", "%s"):
        for deep in (True, False):
            for pk, name in ((7, "A"), (2**40, HOSTILE), (0, "{0} {kind}"), (1, mark_safe("<b>"))):
                one, two = filled(env, source, kind=kind, deep=deep, pk=pk, name=name).split("\n")
                assert two == one


def test_with_values_draws_once_for_each_shape(env):
    drawn = []

    def draw(kind, value):
        drawn.append(kind)
        return f"{kind} {value}"

    shown = [jinja.with_values(draw, (kind,), n) for n in range(3) for kind in ("a", "b")]
    assert shown == ["a 0", "b 0", "a 1", "b 1", "a 2", "b 2"]
    assert drawn == ["a", "b"]
