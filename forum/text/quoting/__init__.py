"""Finds quoted words in their sources and says how far the quote can be trusted.

Knows no database: sources come in as plain text, and what comes out are spans in that text.

Two texts are compared as their *normal form*: Unicode NFC, every run of white space as one space,
curly quotation marks and apostrophes as straight ones. Nothing else is forgiven: case, dashes,
ellipses, invisible characters and look-alike letters count.
"""

from .beside import all_beside, beside, marked_runs, shifted
from .budget import Budget, TooMuch
from .differences import difference, difference_steps
from .finding import find, says, still_stands
from .match import TOO_MUCH, UNVERIFIABLE, Match, Source
from .normal_form import ELLIPSIS
from .passage_index import MAX_KEYS, key_of, paragraph_keys, shingle_keys
from .seams import is_whole, over_quotes
from .sentences import cut_ends
from .tokens import in_whole

__all__ = [
    "ELLIPSIS",
    "MAX_KEYS",
    "TOO_MUCH",
    "UNVERIFIABLE",
    "Budget",
    "Match",
    "Source",
    "TooMuch",
    "all_beside",
    "beside",
    "cut_ends",
    "difference",
    "difference_steps",
    "find",
    "in_whole",
    "is_whole",
    "key_of",
    "marked_runs",
    "over_quotes",
    "paragraph_keys",
    "says",
    "shifted",
    "shingle_keys",
    "still_stands",
]
