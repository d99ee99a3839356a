"""What a reader sees of HTML: every letter with the marks it stands under. Written without the code
that cuts quotes out of their sources, to hold that against it."""

import re
from html.parser import HTMLParser

BLOCKS = {"p", "li", "h4", "h5", "h6", "pre", "td", "th"}
# What a reader sees no difference of: the section of footnotes is drawn by its items.
UNSEEN = {"section", "div", "tbody", "blockquote"}


class Seen(HTMLParser):
    """`letters`: each as (letter, its marks, whether it begins another block or follows a rule).

    Marks are the elements around it with what is seen of them: the number of a list item, the
    column of a cell, the label of a spoiler, the address of a link. Marks of footnotes are letters
    under "sup". What the forum itself puts in (ellipses at cuts, "[…]") is left out.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.letters: list[tuple] = []
        self.stack: list[dict] = []
        self.block: object = None
        self.rules = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs) -> None:
        if tag == "br":
            return
        if tag == "hr":
            self.rules += 1
            return
        given = dict(attrs)
        element = {"tag": tag, "seen": tag, "next": int(given.get("start") or 1), "class": None}
        element["class"] = given.get("class")
        parent = self.stack[-1] if self.stack else {"tag": "", "next": 1}
        if tag == "li" and parent["tag"] == "ol":
            number = int(given.get("value") or parent["next"])
            parent["next"] = number + 1
            element["seen"] = f"li {number}"
        elif tag in ("td", "th"):
            element["seen"] = f"{tag} {parent['next']} {given.get('class')}"
            parent["next"] += 1
        elif tag == "a":
            element["seen"] = f"a {given.get('href')}"
        elif tag == "span":
            element["seen"] = f"span {given.get('class')}"
        elif tag == "details":
            element["seen"] = "details "
        self.stack.append(element)

    def handle_endtag(self, tag) -> None:
        self.stack.pop()

    def handle_data(self, data) -> None:
        tags = [element["tag"] for element in self.stack]
        if any(element["class"] == "gap" for element in self.stack):
            return
        if "summary" in tags:
            self.stack[tags.index("summary") - 1]["seen"] += data
            return
        block = next((e for e in reversed(self.stack) if e["tag"] in BLOCKS), None)
        marks = tuple(e["seen"] for e in self.stack if e["tag"] not in UNSEEN)
        for letter in "".join(data.split()):
            self.letters.append((letter, marks, block is not self.block, self.rules))
            self.block, self.rules = block, 0


def seen(html: str) -> list[tuple]:
    """The letters of some HTML; of stored HTML, those of passages and marks of footnotes."""
    html = re.sub(r"<!--@(.*?)-->", r"@\1", html)
    html = re.sub(r"<!--q(\d+)-->.*?<!--/q\1-->", "", html, flags=re.DOTALL)
    html = re.sub(r"<!--r(\d+)\.\d+-->", r"<sup>[\1]</sup>", html)
    return Seen(re.sub(r"<!--.*?-->", "", html)).letters


def is_note(one: tuple) -> bool:
    """Whether a letter belongs to the mark of a footnote."""
    return one[1][-1:] == ("sup",)


def between(letters: list[tuple], first: int, last: int) -> list[tuple]:
    """Those of the own words `first` to `last` (white space not counted), with the marks of
    footnotes between them. Whether the first begins a block is not asked."""
    found, at = [], 0
    for one in letters:
        if first <= at < last and (found or not is_note(one)):
            found.append(one)
        at += not is_note(one)
    return bare(found)


def bare(letters: list[tuple]) -> list[tuple]:
    """Without the marks of footnotes behind the last word, and without what stands before the
    first."""
    while letters and is_note(letters[-1]):
        letters = letters[:-1]
    return [(*one[:2], *((False, 0) if at == 0 else one[2:])) for at, one in enumerate(letters)]
