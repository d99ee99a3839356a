"""A post's own words as plain text, for a mail."""

from html.parser import HTMLParser

MOST = 800  # characters; who wants more follows the link
_BLOCKS = {"p", "li", "h4", "h5", "h6", "pre", "tr", "details", "ul", "ol", "table"}
_BARE = {"br", "hr", "img", "input", "wbr"}


class _Words(HTMLParser):
    """Reads stored HTML: keeps a post's own words, leaves out what it quotes, and what readers are
    to uncover themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.out: list[str] = []
        self.quotes = 0  # how deep in quotes
        self.hidden: list[str] = []  # tags since the spoiler began
        self.over = False

    def _add(self, text: str) -> None:
        if not (self.quotes or self.hidden or self.over):
            self.out.append(text)

    def handle_starttag(self, tag: str, attrs) -> None:
        kind = dict(attrs).get("class", "")
        if tag == "section" and kind == "footnotes":
            self.over = True
        if self.hidden:
            if tag not in _BARE:
                self.hidden.append(tag)
        elif kind == "spoiler":
            self._add("[spoiler]")
            self.hidden.append(tag)
        elif tag == "br":
            self._add("\n")

    def handle_endtag(self, tag: str) -> None:
        if self.hidden:
            self.hidden.pop()
        if tag in _BLOCKS:
            self._add("\n\n")

    def handle_data(self, data: str) -> None:
        self._add(data)

    def handle_comment(self, data: str) -> None:
        if data.startswith("@"):
            self._add(data)
        elif data.startswith("/q"):
            self.quotes -= 1
        elif data.startswith("q"):
            self.quotes += 1


def own_words(html: str) -> str:
    """The first words of a post out of its stored HTML, in paragraphs: without quotes (whose
    sources have readers of their own), spoilers and footnotes; cut between words."""
    reader = _Words()
    reader.feed(html)
    reader.close()
    parts = (" ".join(part.split(" ")).strip() for part in "".join(reader.out).split("\n\n"))
    text = "\n\n".join(part for part in parts if part)
    if len(text) <= MOST:
        return text
    return text[:MOST].rsplit(None, 1)[0] + " …"
