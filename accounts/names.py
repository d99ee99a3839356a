"""Which names may be taken: no reserved words, no look-alikes, nothing that breaks an address."""

import re
import unicodedata
from functools import cache

from confusable_homoglyphs import confusables
from django.core.exceptions import ValidationError

# Names that would make a member look like the site itself, or like a voice of an imported thread.
RESERVED = frozenset(
    "admin administrator anonymous deleted guest jonbar mod moderator moderators nobody official "
    "owner postmaster root security staff support system unknown webmaster".split()
)
SHAPE = re.compile(r"[^\W_](?:[\w.-]*[^\W_])?")


@cache
def _confusable() -> dict[str, str]:
    """Characters that look like another, mapped to the plain Latin one where there is one.

    From Unicode's confusables table (UTS 39), as the confusable-homoglyphs package carries it.
    """
    table = {}
    for char, twins in confusables.confusables_data.items():
        plain = [t["c"] for t in twins if t["c"].isascii()]
        if len(char) == 1 and not char.isascii() and plain:
            table[char] = min(plain)
    return table


def skeleton(name: str) -> str:
    """The shape of `name` as the eye takes it: two names with one skeleton look alike.

    Compatibility forms folded, accents kept off, case dropped, confusable letters made plain,
    `l`, `1`, `I` and `0`, `O` as one, separators ignored.
    """
    table = _confusable()
    mapped = "".join(table.get(c, c) for c in unicodedata.normalize("NFKC", name))
    bare = "".join(
        c for c in unicodedata.normalize("NFKD", mapped.casefold()) if not unicodedata.combining(c)
    )
    plain = "".join(table.get(c, c) for c in bare).casefold()
    plain = plain.replace("rn", "m").replace("vv", "w").translate(str.maketrans("1|i05", "lllos"))
    return re.sub(r"[\s._\-]+", "", plain)


def check_name(name: str) -> None:
    """Raise ValidationError, with a sentence on what to do, unless `name` may be taken."""
    if len(name) < 2:
        raise ValidationError("A name needs at least two characters.")
    if unicodedata.normalize("NFKC", name) != name:
        raise ValidationError("Please write the name in its ordinary form, without special shapes.")
    if not SHAPE.fullmatch(name):
        raise ValidationError(
            "Use letters and digits; dots, hyphens and underscores may stand between them."
        )
    if len({_script(c) for c in name if c.isalpha()}) > 1:
        raise ValidationError("Please keep to one alphabet within a name.")
    if skeleton(name) in {skeleton(word) for word in RESERVED} or re.fullmatch(
        r"voice\W*\w*\d+", name.casefold()
    ):
        raise ValidationError("This name is reserved. Please choose another.")


def _script(char: str) -> str:
    """The alphabet of a letter, as the first word of its Unicode name tells it."""
    word = unicodedata.name(char, "UNKNOWN").split()[0]
    return "CJK" if word in ("HIRAGANA", "KATAKANA", "HALFWIDTH") else word
