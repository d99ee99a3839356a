"""Which names may be taken: no reserved words, no look-alikes, nothing that breaks an address."""

import re
import unicodedata
from functools import cache

from confusable_homoglyphs.utils import load
from django.conf import settings
from django.core.exceptions import ValidationError

# Names that would make a member look like the site itself, or like its staff.
RESERVED = frozenset(
    "admin administrator anonymous deleted desk guest jonbar mod moderator moderators "
    "nobody official owner postmaster root security staff support system unknown webmaster".split()
)
# Imported threads name their authors "Voice 1" and so on. In a skeleton 1, 0 and 5 are letters.
VOICE = re.compile(r"volce[\dlosvx]*")
# L a letter, M a mark on it, N a digit, - a separator. Four marks are what Burmese needs; more pile
# up over the neighbouring lines.
SHAPE = re.compile(r"[LN]M{0,4}(?:-?[LN]M{0,4})*")
# Letters and marks that draw nothing: two names that differ by one of them look the same.
INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# Scripts that are written together, by the first word of their letters' Unicode names. Latin joins
# them: none of its letters looks like one of theirs.
EAST_ASIAN = frozenset("CJK HIRAGANA KATAKANA IDEOGRAPHIC HANGUL BOPOMOFO".split())
LOOKS_LIKE = str.maketrans("1|i05", "lllos")
KANA_VOICING = "\u3099\u309a"  # one letter's difference in Japanese, not an accent


@cache
def _confusable() -> dict[str, str]:
    """Characters that look like another, mapped to the plain Latin one where there is one.

    From Unicode's confusables table (UTS 39), as the confusable-homoglyphs package carries it.
    """
    table = {}
    # The package's own modules would keep all of it in the memory of every worker.
    for char, twins in load("confusables.json").items():
        plain = [t["c"] for t in twins if t["c"].isascii() and t["c"].isalnum()]
        if len(char) == 1 and not char.isascii() and plain:
            table[char] = min(plain)
    return table


def skeleton(name: str) -> str:
    """The shape of `name` as the eye takes it: two names with one skeleton look alike.

    Compatibility forms folded, accents kept off, case dropped, confusable letters made plain,
    `l`, `1`, `I` and `0`, `O` and `5`, `S` as one, separators ignored. The idea is UTS 39's; case
    and accents are dropped besides, because names are typed from memory.
    """
    table = _confusable()
    mapped = "".join(table.get(c, c) for c in unicodedata.normalize("NFKC", name))
    bare = "".join(
        c
        for c in unicodedata.normalize("NFKD", mapped.casefold())
        if not unicodedata.combining(c) or c in KANA_VOICING
    )
    plain = "".join(table.get(c, c) for c in bare).casefold()
    solid = re.sub(r"[\s._\-]+", "", plain)
    return solid.replace("rn", "m").replace("vv", "w").translate(LOOKS_LIKE)


def check_name(name: str) -> None:
    """Raise ValidationError, with a sentence on what to do, unless `name` may be taken.

    Whether somebody has it already is the database's affair: see `Members.look_alike`.
    """
    if len(name) < 2:
        raise ValidationError("A name needs at least two characters.")
    if unicodedata.normalize("NFKC", name) != name:
        raise ValidationError("Please write the name in its ordinary form, without special shapes.")
    shape = "".join(map(_kind, name))
    if not SHAPE.fullmatch(shape):
        raise ValidationError(
            "Use letters and digits, without spaces; single dots, hyphens and underscores may "
            "stand between them."
        )
    if "L" not in shape:
        raise ValidationError("A name needs a letter.")
    scripts = {_script(c) for c in name if c.isalnum()} - {"DIGIT"}
    if "MODIFIER" in scripts or (len(scripts) > 1 and scripts != {"LATIN", "EAST ASIAN"}):
        raise ValidationError("Please keep to one alphabet within a name.")
    shown = skeleton(name)
    if _reserved() & {shown, skeleton(name.rstrip("0123456789._-"))} or VOICE.fullmatch(shown):
        raise ValidationError("This name is reserved. Please choose another.")


def _reserved() -> set[str]:
    return {skeleton(word) for word in (*RESERVED, settings.SITE_NAME)}


def _kind(char: str) -> str:
    """The letter that stands for `char` in SHAPE; `x` fits nowhere."""
    if char in "._-":
        return "-"
    category = unicodedata.category(char)
    if INVISIBLE.match(char) or category == "Me":
        return "x"
    return category[0] if category[0] in "LM" else "N" if category == "Nd" else "x"


def _script(char: str) -> str:
    """The alphabet of a letter, as the first word of its Unicode name tells it ("DIGIT" for the
    digits that all alphabets share)."""
    word = unicodedata.name(char, "UNKNOWN").removeprefix("EXTENDED ").split()[0].split("-")[0]
    return "EAST ASIAN" if word in EAST_ASIAN else word
