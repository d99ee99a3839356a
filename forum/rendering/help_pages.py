"""The help: texts of docs/help/, for members, moderators and operators, as pages of the site."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.utils.text import slugify

from forum.text import markup

FOLDER = settings.BASE_DIR / "docs" / "help"
# By reader, in the order of the list; each is the name of a file and the last part of an address.
PAGES = {
    "For everybody": ("about", "reading", "quoting", "search", "reporting"),
    "For members": (
        *("writing", "arguing", "polls", "divergences", "watching", "account", "programs"),
    ),
    "For moderators": ("moderating",),
    "For operators": ("operating",),
}
# Shown on the page of the rules as long as a site has written none of its own.
HOUSE_RULES = "house-rules"

_TITLE = re.compile(r"# (?P<title>.+)\n")
_HEADING = re.compile(r"(</?)h([456])\b")
_SECTION = re.compile(r"<h(?P<level>[34])(?P<more>[^>]*)>(?P<words>.*?)</h[34]>", re.S)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class HelpPage:
    """One text, rendered; its headings have ids made of their words, so that terms can be linked
    where they first meet a reader: `/help/arguing/#stance`."""

    name: str
    title: str
    html: str


def page_html(source: str) -> str:
    """The HTML of Markdown that is a page and not a post: its headings are the page's own, from
    the second level on. Raises markup.MarkupError for what cannot be rendered."""
    rendered = markup.render(source, format="markdown")
    html = markup.fill_markers(rendered.html, post_id="page", quotes={}, notes={})
    return _HEADING.sub(lambda tag: f"{tag[1]}h{int(tag[2]) - 2}", html)


def _with_anchor(heading: re.Match) -> str:
    # What stands second in the text, below its title, stands second on the page.
    level, words = int(heading["level"]) - 1, heading["words"]
    return f'<h{level} id="{slugify(_TAG.sub("", words))}"{heading["more"]}>{words}</h{level}>'


@cache
def page(name: str) -> HelpPage:
    """The help page of this name. Raises KeyError for a name that is not in PAGES."""
    if name not in {HOUSE_RULES}.union(*PAGES.values()):
        raise KeyError(name)
    source = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    title = _TITLE.match(source)
    if title is None:
        raise ValueError(f"{name}.md does not begin with a title")
    html = _SECTION.sub(_with_anchor, page_html(source[title.end() :]))
    return HelpPage(name, title["title"], html)


def contents() -> Iterator[tuple[str, list[HelpPage]]]:
    """For whom, and the pages for them, in the order of the list."""
    for readers, names in PAGES.items():
        yield readers, [page(name) for name in names]
