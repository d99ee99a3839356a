"""The help: every text has a place in the list, every link leads somewhere, what the front page
claims about dates and quotes is what the engines say."""

import json
import re

import pytest
from django.conf import settings
from django.utils.html import strip_tags

from forum.models import Page
from forum.rendering import help_pages
from forum.text import quoting
from forum.text.history_dates import read, spoken

pytestmark = pytest.mark.django_db


def test_every_text_stands_in_the_list_once():
    listed = [name for names in help_pages.PAGES.values() for name in names]
    written = {path.stem for path in help_pages.FOLDER.glob("*.md")}
    assert sorted([*listed, help_pages.HOUSE_RULES]) == sorted(written)


def test_the_list_leads_to_every_page_and_no_link_is_dead(client):
    contents = client.get("/help/").content.decode()
    for names in help_pages.PAGES.values():
        for name in names:
            assert f'href="/help/{name}/"' in contents
            page = client.get(f"/help/{name}/").content.decode()
            assert f"<h1>{help_pages.page(name).title}" in page.replace("&#x27;", "'")
            prose = page.partition('class="prose"')[2].partition("</main>")[0]
            for link in re.findall(r'href="(/[^"#]*)', prose):
                assert client.get(link).status_code in (200, 302), (name, link)


def test_headings_are_the_page_s_own_and_can_be_linked():
    html = help_pages.page("arguing").html
    assert '<h2 id="stance"' in html
    assert "<h4" not in html


def test_an_unknown_name_is_not_there(client):
    assert client.get("/help/../settings/").status_code == 404
    assert client.get("/help/nothing/").status_code == 404


def test_house_rules_stand_until_the_site_writes_its_own(client):
    assert "Argue with the words" in client.get("/rules/").content.decode()
    Page.objects.create(kind=Page.Kind.RULES, source="Be kind.", html="<p>Be kind.</p>")
    shown = client.get("/rules/").content.decode()
    assert "Be kind." in shown
    assert "Argue with the words" not in shown


def test_dates_of_the_help_can_be_typed():
    source = (help_pages.FOLDER / "divergences.md").read_text(encoding="utf-8")
    typed = re.findall(r"`([^`]+)`", source)
    assert len(typed) > 5
    for date in typed:
        read(date)


def _verdict(words: str, source: str) -> str:
    return quoting.find(words, [quoting.Source("opening", source)]).verdict


def test_what_the_front_page_shows_is_what_the_engines_say(client):
    shown = client.get("/").content.decode()
    opening = next(
        thing["fields"]["text"]
        for thing in json.loads(
            (settings.BASE_DIR / "fixtures/threads/worked-example.json").read_text(encoding="utf-8")
        )
        if thing["model"] == "forum.post"
    )
    first, second = (
        " ".join(strip_tags(words).split())
        for words in re.findall(
            r"<blockquote><p>(.*?)</p>", re.sub(r"<del>.*?</del>", "", shown, flags=re.S), re.S
        )
    )
    source = opening.replace("\n\n", " ")
    assert _verdict(first, source) == "exact"
    assert _verdict(second, source) == "altered"
    assert f"read as {spoken(read('c. 1066').edtf)}" in shown
    assert (read("spring 415 BC").first, read("spring 415 BC").last) == (
        read("March 415 BC").first,
        read("May 415 BC").last,
    )
