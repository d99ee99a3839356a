"""The examples of CommonMark's own description: what comes out otherwise here is what
docs/markup.md says, example by example, and nothing else.
"""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from forum.text.markup import MarkupError, fill_markers, render

LISTED = Path(__file__).parents[3] / "docs" / "markup.md"
EXAMPLE = re.compile(r"^`{32} example\n(.*?)^\.\n(.*?)^`{32}$", re.DOTALL | re.MULTILINE)
REASON = re.compile(r"^- \*\*([^*]+)\.\*\*[^*]*\sExamples\s([0-9,–\s]+)\.$", re.MULTILINE)
BLOCKS = set(
    "blockquote details div h1 h2 h3 h4 h5 h6 hr li ol p pre section summary table tbody td th"
    " thead tr ul".split()
)
# What the forum adds to elements for whoever reads, and CommonMark does not know.
ADDED = {"dir", "id", "rel"}

Node = tuple[str, tuple]


class Tree(HTMLParser):
    """HTML as a list of tags and texts; white space between blocks does not count."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.nodes: list[Node] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        kept = sorted((name, value) for name, value in attrs if name not in ADDED)
        self.nodes.append((tag, tuple(kept)))

    def handle_endtag(self, tag):
        self.nodes.append((f"/{tag}", ()))

    def handle_startendtag(self, tag, attrs):  # as in <br />
        self.handle_starttag(tag, attrs)

    def handle_data(self, data):
        if self.nodes and self.nodes[-1][0] == "":
            data = self.nodes.pop()[1][0] + data
        self.nodes.append(("", (data,)))

    def handle_comment(self, data):
        self.nodes.append(("<!", (data,)))

    unknown_decl = handle_decl = handle_pi = handle_comment

    def normal(self) -> list[Node]:
        """The nodes with texts trimmed where a block begins or ends, but in preformatted ones."""
        found, preformatted = [], False
        for place, (tag, more) in enumerate(self.nodes):
            if tag.strip("/") == "pre":
                preformatted = tag == "pre"
            if tag == "" and not preformatted:
                text = more[0]
                if self._is_edge(place - 1):
                    text = text.lstrip()
                if self._is_edge(place + 1):
                    text = text.rstrip()
                if not text:
                    continue
                more = (text,)
            found.append((tag, more))
        return found

    def _is_edge(self, place: int) -> bool:
        return not 0 <= place < len(self.nodes) or self.nodes[place][0].strip("/") in BLOCKS


def heading(node: Node) -> Node:
    """Three levels down, h6 at most: the page's own end at h3."""
    found = re.fullmatch(r"(/?)h([1-6])", node[0])
    return (f"{found[1]}h{min(int(found[2]) + 3, 6)}", node[1]) if found else node


def untitled(node: Node) -> Node:
    return node[0], tuple(one for one in node[1] if one[0] != "title")


def unlabelled(node: Node) -> Node:
    return ("code", ()) if node[0] == "code" else node


# By the words with which docs/markup.md begins a reason: what it does to CommonMark's own answer.
# The other reasons change more than one node and are told by their examples alone.
CHANGES: dict[str, Callable[[Node], Node]] = {
    "Headings begin at the fourth level": heading,
    "Links have no titles": untitled,
    "Code has no language": unlabelled,
}


def examples(npm: Path) -> dict[int, tuple[str, str]]:
    """Source and HTML by the example's number."""
    text = (npm / "commonmark-spec" / "spec.txt").read_text(encoding="utf-8")
    found = EXAMPLE.findall(text.replace("→", "\t"))
    return dict(enumerate(found, 1))


def listed() -> dict[str, set[int]]:
    """The numbers that docs/markup.md names, by the reason it gives."""
    found = {}
    for reason, numbers in REASON.findall(LISTED.read_text(encoding="utf-8")):
        found[reason] = set()
        for one in numbers.split(","):
            first, _, last = one.strip().partition("–")
            found[reason] |= set(range(int(first), int(last or first) + 1))
    return found


def drawn(source: str) -> list[Node]:
    try:
        html = render(source, format="markdown").html
    except MarkupError as error:
        return [("refused", (str(error),))]
    return Tree(fill_markers(html, post_id=1, quotes={}, notes={})).normal()


@pytest.mark.npm
def test_differences_from_commonmark_are_those_that_are_written_down(npm, record_property):
    told, by_number = listed(), examples(npm)
    assert len(by_number) == 652 and len(told) == 10
    assert CHANGES.keys() <= told.keys()
    differing, unexplained, needless = set(), [], []
    for number, (source, html) in by_number.items():
        ours, wanted = drawn(source), Tree(html).normal()
        if ours != wanted:
            differing.add(number)
        reasons = [reason for reason, numbers in told.items() if number in numbers]
        for reason in reasons:
            if reason in CHANGES:
                before, wanted = wanted, [CHANGES[reason](node) for node in wanted]
                if before == wanted:
                    needless.append((number, reason))
        if ours != wanted and not set(reasons) - CHANGES.keys():
            unexplained.append(number)
    assert unexplained == [], "not told in docs/markup.md"
    assert needless == [], "told in docs/markup.md, but for another reason"
    assert differing == set().union(*told.values()), "told in docs/markup.md, but not so any more"
    record_property("measured", f"{len(by_number)} examples, {len(differing)} differ as written")
