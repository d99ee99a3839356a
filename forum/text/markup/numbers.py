"""Posts of the same debate that a text names by their numbers: "#5"."""

import re
from itertools import islice

from .writer import Writer, escape

MAX_NUMBERS = 100  # different ones that lead anywhere; those beyond are text
# Not in a word, an address, a decimal or a fraction: "C#5", "#1a", "/#5", "#5.2", "#5/8".
_NUMBER = re.compile(r"(?<![\w#&/.-])#([1-9][0-9]{0,7})(?![\w/#-]|[.,:][0-9])")


def numbers_in(text: str) -> list[int]:
    """The numbers that a typed text may name posts by, each once, in order; a few of them may turn
    out to stand in code or a link."""
    found = dict.fromkeys(int(one[1]) for one in _NUMBER.finditer(text))
    return list(islice(found, MAX_NUMBERS))


def with_posts(text: str, writer: Writer) -> str:
    """HTML of a run of text in which the numbers that the writer knows lead to their posts, by ids,
    so that they do wherever these come to stand."""
    if not writer.ids_by_number or "#" not in text:
        return escape(text)
    parts: list[str] = []
    at = 0
    for found in _NUMBER.finditer(text):
        number = int(found[1])
        if number in writer.ids_by_number:
            pk = writer.posts[number] = writer.ids_by_number[number]
            parts += escape(text[at : found.start()]), f'<a href="/posts/{pk}/">{found[0]}</a>'
            at = found.end()
    return "".join([*parts, escape(text[at:])])
