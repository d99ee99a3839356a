"""What a page shows beside a quote: what it changed, or what it left out."""

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise

from .differences import difference
from .match import Match
from .normal_form import normal_form, original_offsets
from .tokens import in_whole

# Characters and pieces shown within a post; what is longer stands on a page of its own.
MAX_BESIDE = 300
MAX_PIECES = 20
# Spans of a source's text, and what holds there, in letters that say nothing to this engine:
# struck, folded away.
Marks = Sequence[tuple[int, int, str]]
# "same" | "del" | "ins" | "out", and its text in pieces, each with what holds there.
Run = tuple[str, list[tuple[str, str]]]


def beside(match: Match, quoted: str, plain: str, marks: Marks = ()) -> list[list]:
    """What was changed in an altered quote of the text `plain`, as runs of `difference`; what was
    left out of a shortened one, as an "out" for each gap that is not empty; each with its text in
    pieces, as `marks` of the source part them. Empty for others, and where it is longer than a
    page shows within a post: see `all_beside`."""
    span = 0
    if match.start is not None and match.end is not None and match.verdict == "altered":
        span = len(quoted) + match.end - match.start
    elif match.verdict == "shortened":
        span = sum(b[0] - a[1] for a, b in pairwise(match.parts))
    if span > 2 * MAX_BESIDE:
        return []
    found = all_beside(match, quoted, plain, marks)
    length = sum(len(text) for _, pieces in found for text, _ in pieces)
    small = len(found) <= MAX_PIECES and length <= MAX_BESIDE
    # As JSON gives it back.
    return [[kind, [list(piece) for piece in pieces]] for kind, pieces in found] if small else []


def all_beside(match: Match, quoted: str, plain: str, marks: Marks = ()) -> list[Run]:
    """What an altered quote changed or a shortened one left out, as `beside`, at any length."""
    if match.start is not None and match.end is not None and match.verdict == "altered":
        start, end = in_whole(quoted, plain, match.start, match.end)
        runs = difference(quoted, plain[start:end])
        return marked_runs(runs, plain[start:end], shifted(marks, start))
    if match.verdict == "shortened":
        gaps = [(a[1], b[0]) for a, b in pairwise(match.parts) if plain[a[1] : b[0]].strip()]
        return [("out", _gap(plain, start, end, marks)) for start, end in gaps]
    return []


def shifted(marks: Marks, start: int) -> Marks:
    """The marks of a text as they stand in what begins at `start` of it."""
    return [(a - start, b - start, mark) for a, b, mark in marks]


def marked_runs(
    runs: Iterable[tuple[str, str]],
    source: str,
    marks: Marks,
    *,
    quoted: str = "",
    of_quoted: Marks = (),
) -> list[Run]:
    """The runs of `difference(…, source)` with their texts in pieces, as `marks` part the source;
    and, if the other text is given as `quoted`, as its marks `of_quoted` part what it adds."""
    old, new = _Reader(source, marks), _Reader(quoted, of_quoted)
    found: list[Run] = []
    for kind, text in runs:
        in_old = old.read(text) if kind != "ins" else [""] * len(text)
        in_new = new.read(text) if kind != "del" and quoted else [""] * len(text)
        both = [a + "".join(sorted(set(b) - set(a))) for a, b in zip(in_old, in_new, strict=True)]
        found.append((kind, _pieces(text, both)))
    return found


class _Reader:
    """Reads a text piece by piece in its normal form, and says what holds at each character."""

    def __init__(self, text: str, marks: Marks) -> None:
        self.marked = any(b > 0 and a < len(text) for a, b, _ in marks)
        if self.marked:
            self.normal, self.at = normal_form(text), 0
            there = _by_character(text, marks)
            self.marks = [there[offset] for offset in original_offsets(text)]

    def read(self, piece: str) -> list[str]:
        if not self.marked:
            return [""] * len(piece)
        found = []
        for sign in piece:
            # A space may stand before the first word of a run, or not, where the texts differ.
            if sign != " " and self.normal[self.at : self.at + 1] == " ":
                self.at += 1
            if sign == " " and self.normal[self.at : self.at + 1] != " ":
                found.append("")
                continue
            found.append(self.marks[self.at])
            self.at += 1
        return found


def _gap(plain: str, start: int, end: int, marks: Marks) -> list[tuple[str, str]]:
    text = plain[start:end]
    start += len(text) - len(text.lstrip())
    text = text.strip()
    return _pieces(text, _by_character(text, shifted(marks, start)))


def _by_character(text: str, marks: Marks) -> list[str]:
    found = [""] * len(text)
    for start, end, mark in marks:
        for at in range(max(start, 0), min(end, len(text))):
            found[at] = mark
    return found


def _pieces(text: str, marks: Sequence[str]) -> list[tuple[str, str]]:
    """The text in pieces of one mark each."""
    found: list[tuple[str, str]] = []
    at = 0
    for mark, group in groupby(marks):
        size = len(list(group))
        found.append((text[at : at + size], mark))
        at += size
    return found
