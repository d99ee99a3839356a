"""Pages as browsers read them, for tests that look into their HTML."""

import re

from django.test import Client

BLOCKS = (
    "address|article|aside|blockquote|body|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|form"
    "|h[1-6]|head|header|html|legend|li|link|main|meta|nav|ol|option|p|script|section"
    "|summary|table|tbody|td|th|thead|title|tr|ul|circle|line|path|text"
)
TAG = r'<[a-zA-Z/!](?:"[^"]*"|[^">])*>'
BLOCK = rf'</?(?:{BLOCKS})\b(?:"[^"]*"|[^">])*>'
KEPT = re.compile(r"(<(textarea|pre)\b.*?</\2>)", re.S)


def flat(html: str) -> str:
    """The HTML with the white space that is seen, one blank each: how the lines of a template are
    laid out says nothing. What stands in a textarea or `pre` is kept to the letter."""
    done = []
    for at, part in enumerate(KEPT.split(html)):
        if at % 3 == 0:
            part = re.sub(rf"({TAG})|\s+", lambda found: _tag(found[1]) if found[1] else " ", part)
            done.append(re.sub(rf" ?({BLOCK}) ?", r"\1", part))
        elif at % 3 == 1:
            done.append(part)
    return "".join(done)


def _tag(tag: str) -> str:
    """A tag with one blank between its attributes, whose values are kept."""
    tag = re.sub(r'("[^"]*")|\s+', lambda found: found[1] or " ", tag)
    return re.sub(r" (?=/?>$)", "", tag)


class Reader(Client):
    """A client whose pages come `flat`."""

    def request(self, **request):
        """The response, its HTML flat."""
        response = super().request(**request)
        plain = not (response.streaming or response.has_header("Content-Encoding"))
        if plain and response.headers.get("Content-Type", "").startswith("text/html"):
            response.content = flat(response.content.decode()).encode()
        return response
