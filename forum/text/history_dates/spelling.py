"""One spelling for all the ways to type the words and signs of a date."""

import re
import unicodedata
from collections.abc import Callable

from .points import MONTHS
from .wording import ordinal

_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first"
).split()
_AFTER_NTH = r"(?<=\dst|\dnd|\drd|\dth)[ -]?"
_DASHES = str.maketrans("‐‑‒–—―−’‘`", "--––––-'''")


def _word(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z])(?:{pattern})(?![a-z])")


# One spelling for each word, in this order.
_SPELLINGS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(?<!\d)\d{1,3}(?:,\d{3})+(?!\d)"), lambda found: found[0].replace(",", "")),
    (re.compile(r","), " "),
    (_word(r"b\.? ?c\.?(?: ?e\.?)?"), " bc "),
    (_word(r"a\.? ?d\.?|c\.? ?e\.?"), " ad "),
    *(
        (_word(rf"(?:{name.lower()}|{short.lower()})\.?"), f" {name[:3].lower()} ")
        for name, short in zip(
            MONTHS, "jan feb mar apr may jun jul aug sept? oct nov dec".split(), strict=True
        )
    ),
    *((_word(name), ordinal(at)) for at, name in reversed(list(enumerate(_ORDINALS, 1)))),
    (re.compile(rf"{_AFTER_NTH}(?:centur(?:y|ies)|cent\.?|c\.?)(?![a-z])"), " century "),
    (re.compile(rf"{_AFTER_NTH}(?:millenni(?:um|a)|mill\.?)(?![a-z])"), " millennium "),
    (_word(r"beginning|start"), "early"),
    (_word(r"middle"), "mid"),
    (_word(r"end"), "late"),
    (_word(r"the|of|in|on|years?|during|sometime"), " "),
)  # fmt: skip


def normal(text: str) -> str:
    """A text in the one spelling that the forms below know; digits of any script as ASCII."""
    text = unicodedata.normalize("NFKC", text).lower().translate(_DASHES)
    text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    for pattern, spelling in _SPELLINGS:
        text = pattern.sub(spelling, text)
    return re.sub(r"(?<!\.)\.$", "", " ".join(text.split()))
