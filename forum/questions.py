"""Finding the questions in a text: its sentences that end in a question mark. No database."""

import re

MAX_LENGTH = 500  # a longer one is no question that could stand beside a debate

# A sentence ends at a stop with its closing marks, before white space or at the paragraph's end.
_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s|$)")
_LIST_HEAD = re.compile(r"^(?:[.•*-]|\d+[.)])\s+")


def questions_in(plain: str) -> tuple[str, ...]:
    """The sentences of a post's own words that end in "?", verbatim and in order, each once.

    A list line's head (". ", "- ", "1. ") is not part of its sentence.
    """
    found: dict[str, None] = {}
    for paragraph in plain.split("\n\n"):
        for line in paragraph.split("\n"):
            start = 0
            line = _LIST_HEAD.sub("", line.strip())
            for end in _END.finditer(line):
                sentence = line[start : end.end()].strip()
                start = end.end()
                if "?" in end[0] and 1 < len(sentence) <= MAX_LENGTH:
                    found[sentence] = None
    return tuple(found)
