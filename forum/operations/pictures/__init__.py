"""Pictures as files: decoded in a process of its own (`decoding`), kept by their sums (`files`).

Nothing here knows a database. Which pictures there are, and who sees them, is for the models.
"""

from .decoding import Decoded, Later, Undecodable, decode
from .files import WAITING, add, dropped, in_turn, listed, name_of, opened

__all__ = [
    "WAITING",
    "Decoded",
    "Later",
    "Undecodable",
    "add",
    "decode",
    "dropped",
    "in_turn",
    "listed",
    "name_of",
    "opened",
]
