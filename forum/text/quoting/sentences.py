"""Whether a passage begins and ends where a sentence does."""

import re

_OPEN_OR_CLOSE = frozenset("\"'()[]{}«»‹›“”„‟‘’‚‛「」『』（）【】*_ \t\n\r\f\v\u00a0\u3000")
_STOPS = frozenset(".!?…‽؟۔।॥։።")
# These end a sentence without a space after them.
_WIDE_STOPS = frozenset("。！？｡")
PARAGRAPH_BORDER = re.compile(r"\n[^\S\n]*\n")
# What may stand between the beginning of a paragraph and its first word: ". ", "- ", "2) ", "[2] ".
_LIST_MARK = re.compile(r"[\s\"'(\[“„«‘]*(?:[.\-*•–—]|\d{1,3}[.)\]])?[\s\"'(\[“„«‘]*")
_LAST_WORD = re.compile(r"[\w.'’\-]{0,20}\Z")
_ABBREVIATED = """
    mr mrs ms dr prof st ste sr jr gen col lt sgt capt cpt cmdr maj brig adm gov sen rep pres rev
    hon hr fr mme mlle no nos nr vol vols ch chap art sec p pp par fig figs ed eds trans cf vs v
    etc al ibid op cit approx ca circa est inc ltd co corp bros dept univ assn govt mil jan feb
    mar apr jun jul aug sep sept oct nov dec mt ft ave blvd bc ad ce bce bzw usw vgl bspw
"""
_ABBREVIATIONS = frozenset(_ABBREVIATED.split())


def cut_ends(plain: str, start: int, end: int) -> tuple[bool, bool]:
    """Whether the passage plain[start:end] begins, and whether it ends, inside a sentence.

    Display adds an ellipsis where it does, so that "sound" out of "was not sound" never looks like
    a whole statement. A sentence ends at . ! ? … (with closing quotation marks and brackets) where
    white space and a capital, or a letter of a script without capitals, follow; and at the borders
    of paragraphs (blank lines) and of the text. Stops after abbreviations, initials and one- or
    two-digit numbers may or may not end one, nor may an ellipsis: in doubt what follows counts as
    cut, since an ellipsis too many is harmless. A passage that ends with the text's own ellipsis,
    or lacks nothing but its sentence's full stop, is not cut at its end.
    """
    if plain[end : end + 1] == "." and plain[end - 1 : end] not in _STOPS:
        without_stop = end + 1
    else:
        without_stop = end
    return not _between_sentences(plain, start), not (
        _between_sentences(plain, without_stop) or _between_sentences(plain, end)
    )


def _between_sentences(plain: str, at: int) -> bool:
    """Whether `at` lies in the gap between two sentences, or at a border of text or paragraph."""
    left, right = at, at
    while left and plain[left - 1] in _OPEN_OR_CLOSE:
        left -= 1
    while right < len(plain) and plain[right] in _OPEN_OR_CLOSE:
        right += 1
    if not left or right == len(plain) or PARAGRAPH_BORDER.search(plain, left, right):
        return True
    paragraph = plain.rfind("\n\n", 0, at) + 2 if "\n\n" in plain[:at] else 0
    if at - paragraph <= 12 and _LIST_MARK.fullmatch(plain, paragraph, at):
        return True
    last, first = plain[left - 1], plain[right]
    if last in _WIDE_STOPS:
        return True
    if last == "…" or plain.endswith("..", 0, left):
        return not any(c.isspace() for c in plain[left:at])
    if last not in _STOPS or not any(c.isspace() for c in plain[left:right]):
        return False
    if not first.isalpha() or first.islower():
        return False
    return last != "." or not _doubtful_stop(plain[max(0, left - 22) : left - 1])


def _doubtful_stop(before: str) -> bool:
    """Whether a full stop after this text may belong to an abbreviation, initial or ordinal."""
    found = _LAST_WORD.search(before)
    word = found[0].strip("'’-") if found else ""
    if word.endswith("."):
        return False
    if word.isdigit():
        return len(word) < 3
    return len(word) == 1 or "." in word or word.lower() in _ABBREVIATIONS
