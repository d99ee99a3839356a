"""The forms [quote] and [spoiler]: finding the pairs in one pass."""

import re
from dataclasses import dataclass

from .limits import MAX_TAG, refuse_depth


@dataclass(slots=True)
class _Tag:
    """An opening or closing tag; `end` is the line of the closing tag once both have met."""

    kind: str
    text: str
    value: str = ""
    indent: str = ""
    opening: "_Tag | None" = None
    paired: bool = False
    end: int = 0


_TICKS_OR_TAG = re.compile(
    r"(?P<ticks>`+)|\[/(?P<closes>quote|spoiler)\]|\[(?P<opens>quote|spoiler)"
    rf'(?:\]| ?= ?(?:"(?P<double>.{{0,{MAX_TAG}}}?)"\]|\'(?P<single>.{{0,{MAX_TAG}}}?)\'\]'
    rf"|(?P<bare>[^\]\"' ][^\]]{{0,{MAX_TAG}}})\]))",
    re.IGNORECASE,
)
_FENCE = re.compile(
    r"(?P<box>(?: {0,3}(?:>|(?:[-+*]|[0-9]{1,9}[.)])(?= )))*) {0,3}(?P<fence>`{3,}|~{3,})"
)
_NUMBERED = re.compile(r"#([0-9]{1,9})")
_NAMED = re.compile(r"(post|member|topic) ?: ?([0-9]{1,18})", re.IGNORECASE)


def attribution(value: str) -> tuple[str, int | None, int | None]:
    """Read what stands after `[quote=`: (author, post id, post number).

    Forms known from other boards: `Name`; `Name, post: 812, member: 3` (XenForo);
    `Name, post:4, topic:77` (Discourse, where `post` counts within the topic: it is returned as
    post id 4 all the same, so whoever resolves it must verify the words); and our `Name, #5`.
    Read from the right, each key once, so a name may hold commas and even look like a key.
    """
    rest = value.strip()
    keys: dict[str, int] = {}
    while rest:
        head, _, last = rest.rpartition(",")
        last = last.strip()
        if not keys and (found := _NUMBERED.fullmatch(last)):
            return head.strip(), None, int(found[1])
        found = _NAMED.fullmatch(last)
        if not found or found[1].lower() in keys:
            break
        keys[found[1].lower()] = int(found[2])
        rest = head
    return rest.strip(), keys.get("post"), None


def _is_escaped(text: str, position: int) -> bool:
    """True if an odd number of backslashes stands before `position`."""
    start = position
    while start and text[start - 1] == "\\":
        start -= 1
    return (position - start) % 2 == 1


def _tags(line: str) -> list[re.Match[str]]:
    """The tags in a line that are neither escaped nor in `code`."""
    found = list(_TICKS_OR_TAG.finditer(line))
    last_run = {len(one["ticks"]): one.start() for one in found if one["ticks"]}
    tags, code = [], 0
    for one in found:
        ticks = one["ticks"]
        if ticks and code:
            code = 0 if len(ticks) == code else code
        elif ticks:
            length = len(ticks) - _is_escaped(line, one.start())
            code = length if last_run.get(length, -1) > one.start() else 0
        elif not code and not _is_escaped(line, one.start()):
            tags.append(one)
    return tags


class _TagFinder:
    """Reads a source line by line and pairs its tags with a stack.

    A search for the partner of each opening tag would be quadratic. Fences and indented code
    are followed only to leave tags in code alone: the parser decides in the end, and shows as
    text any tag that it finds in code.
    """

    def __init__(self) -> None:
        self.stack: list[_Tag] = []
        self.waiting = {"quote": 0, "spoiler": 0}
        self.fence = ""
        self.box = ""  # what stands before a fence in a list item or Markdown quote
        self.after_blank = True

    def read(self, line: str) -> list[str | _Tag]:
        """Cut one line into its texts and tags."""
        row: list[str | _Tag] = []
        position = 0
        blank = not line.strip(" \t")
        if self.box and not blank:
            self._leave_box(line)
        if not self._in_code(line, 0) and not self._is_indented_code(line):
            for found in _tags(line):
                if found["opens"]:
                    tag = self._open(found, line)
                else:
                    tag = self._close(found)
                row += line[position : found.start()], tag
                position = found.end()
                if self._in_code(line, position):
                    break
        row.append(line[position:])
        self.after_blank = blank
        return row

    def _leave_box(self, line: str) -> None:
        inside = ">" in self.box and line.lstrip(" ").startswith(">")
        if not inside and not line[: len(self.box)].isspace():
            self.fence = self.box = ""

    def _is_indented_code(self, line: str) -> bool:
        return self.after_blank and (line.startswith("    ") or "\t" in line[:4])

    def _in_code(self, line: str, position: int) -> bool:
        """True if the rest of the line is in a fence, or begins or ends one."""
        if self.fence:
            tail = line[position:].strip(" \t>")
            if len(tail) >= len(self.fence) and not tail.strip(self.fence[0]):
                self.fence = self.box = ""
            return True
        found = _FENCE.match(line, position)
        if not found or (found["fence"][0] == "`" and "`" in line[found.end() :]):
            return False
        self.fence, self.box = found["fence"], found["box"]
        return True

    def _open(self, found: re.Match[str], line: str) -> _Tag:
        tag = _Tag(
            kind=found["opens"].lower(),
            text=found[0],
            # Telephones type curly quotation marks.
            value=found["double"] or found["single"] or (found["bare"] or "").strip("“”„"),
            indent=line[: len(line) - len(line.lstrip(" "))],
        )
        self.stack.append(tag)
        self.waiting[tag.kind] += 1
        return tag

    def _close(self, found: re.Match[str]) -> _Tag:
        tag = _Tag(kind=found["closes"].lower(), text=found[0])
        if self.waiting[tag.kind]:
            while (opening := self.stack.pop()).kind != tag.kind:
                self.waiting[opening.kind] -= 1
            self.waiting[tag.kind] -= 1
            opening.paired = tag.paired = True
            tag.opening = opening
            tag.indent = opening.indent
        return tag


def without_attributions(source: str) -> str:
    """A source whose quotes do not say any more whom they quote: ids and names that were typed mean
    something on one site only. All else stays to the letter."""
    if "[/" not in source:
        return source
    finder = _TagFinder()
    rows = [finder.read(line) for line in source.split("\n")]
    return "\n".join(
        "".join(
            piece
            if isinstance(piece, str)
            else "[quote]"
            if piece.paired and piece.kind == "quote" and not piece.opening
            else piece.text
            for piece in row
        )
        for row in rows
    )


def split_tags(source: str) -> tuple[str, dict[int, _Tag]]:
    """Put every paired [quote] and [spoiler] tag on a line of its own.

    Returns the text and its opening tags by line number. A tag without a partner stays as typed.
    Raises MarkupError where they nest too deeply.
    """
    if "[/" not in source:  # nothing closes
        return source, {}
    finder = _TagFinder()
    rows = [finder.read(line) for line in source.split("\n")]
    lines: list[str] = []
    tags: dict[int, _Tag] = {}
    depth = 0
    for row in rows:
        text, split = "", False
        for piece in row:
            if isinstance(piece, str):
                text += piece.lstrip(" ") if split and not text.strip(" ") else piece
            elif not piece.paired:
                text += piece.text
            else:
                if text.strip(" \t"):
                    lines.append(text)
                if piece.opening:
                    piece.opening.end = len(lines)
                    depth -= 1
                else:
                    tags[len(lines)] = piece
                    depth += 1
                    refuse_depth(depth)
                lines.append(piece.indent + piece.text)
                text, split = piece.indent, True
        if not split or text.strip(" \t"):
            lines.append(text)
    return "\n".join(lines), tags
