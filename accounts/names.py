"""Which names may be taken: no reserved words, no look-alikes, nothing that breaks an address."""

import re
import unicodedata
from functools import cache, lru_cache

from confusable_homoglyphs.utils import load
from django.conf import settings
from django.core.exceptions import ValidationError

# Names that would make a member look like the site itself, or like its staff.
RESERVED = frozenset(
    "admin administrator anonymous deleted desk guest jonbar mod moderator moderators "
    "nobody official owner postmaster root security staff support system unknown webmaster".split()
)
# Imported threads name their authors "Voice 1" and so on. In a skeleton 1, 0 and 5 are letters.
FORMER = "former-member"  # and a number: what a closed account is called
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
# A Latin letter in another dress: small capitals, and marks (strokes, hooks) that are part of it.
DRESSED = re.compile(
    r"LATIN (?:SMALL LETTER|CAPITAL LETTER|LETTER SMALL CAPITAL) ([A-Z])(?: WITH .+)?"
)
# Reserved words that are long and rare enough that no name begins or ends with one by chance, as
# "Staffan" and "Falstaff" do.
STRIKING = ("admin", "moderator", "webmaster", "postmaster")
DIGITS = "0123456789"
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


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    """The plain Latin letter or digit that `char` looks like; itself, if it looks like none.

    The table has strokes, hooks and most small capitals for no twins of plain letters; their names
    say which letter they are.
    """
    if char.isascii():
        return char
    if twin := _confusable().get(char):
        return twin
    dressed = DRESSED.fullmatch(unicodedata.name(char, ""))
    return dressed[1].lower() if dressed else char


def skeleton(name: str) -> str:
    """The shape of `name` as the eye takes it: two names with one skeleton look alike.

    Compatibility forms folded, accents kept off, case dropped, confusable letters made plain,
    `l`, `1`, `I` and `0`, `O` and `5`, `S` as one, separators ignored. The idea is UTS 39's; case
    and accents are dropped besides, because names are typed from memory.
    """
    mapped = "".join(map(_plain, unicodedata.normalize("NFKC", name)))
    bare = "".join(
        c
        for c in unicodedata.normalize("NFKD", mapped.casefold())
        if not unicodedata.combining(c) or c in KANA_VOICING
    )
    plain = "".join(map(_plain, bare)).casefold()
    solid = re.sub(r"[\s._\-]+", "", plain)
    return solid.replace("rn", "m").replace("vv", "w").translate(LOOKS_LIKE)


def check_name(name: str) -> None:
    """Raise ValidationError, with a sentence on what to do, unless `name` may be taken.

    Whether somebody has it already is the database's affair: see `Members.is_taken`.
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
    shape = skeleton(name)
    if VOICE.fullmatch(shape) or shape.startswith(skeleton(FORMER)) or _is_reserved(name):
        raise ValidationError("This name is reserved. Please choose another.")


def _is_reserved(name: str) -> bool:
    """Whether a reserved word is a part of `name`, or a striking one its beginning or end. Parts
    end at separators and before capitals, so that "Badminton" has no "admin" in it."""
    site = settings.SITE_NAME
    words = {skeleton(word) for word in (*RESERVED, site)}
    striking = [skeleton(word) for word in (*STRIKING, *([site] * (len(site) > 4)))]
    parts = re.sub(r"(?<=[^\W\d_A-Z])(?=[A-Z])", " ", re.sub(r"[._-]", " ", name)).split()
    runs = {
        "".join(parts[first:last]).strip(DIGITS)
        for first in range(len(parts))
        for last in range(first + 1, len(parts) + 1)
    }
    shown = skeleton(name)
    return (
        shown in words
        or any(shown.startswith(word) or shown.endswith(word) for word in striking)
        or not words.isdisjoint(map(skeleton, runs))
    )


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
