"""Where a word of the trade first meets a reader, a link says what it means, once on a page."""

import re
from pathlib import Path

import pytest

from forum.rendering import help_pages

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
LINK = re.compile(
    r"""<a (?:class="small" )?href="{{ url\("help", "([\w-]+)"\) }}#([\w-]+)"[^>]*>([^<]+)</a>"""
)
TERMS = {"lane", "stance", "road", "variant", "threadmark", "passage"}


def links() -> dict[str, tuple[str, str]]:
    found = {}
    for path in sorted(TEMPLATES.rglob("*.html")):
        for page, anchor, words in LINK.findall(path.read_text()):
            found[words.removeprefix("What is a ").rstrip("?")] = page, anchor
    return found


def test_each_term_is_explained():
    assert set(links()) >= TERMS


@pytest.mark.parametrize("term", sorted(TERMS))
def test_a_link_leads_to_what_it_names(term):
    page, anchor = links()[term]
    html = help_pages.page(page).html
    assert f'id="{anchor}"' in html
    words = re.sub(r"<[^>]*>", " ", html.partition(f'id="{anchor}"')[2][:900]).lower()
    assert term in words or term in anchor, words
