"""Pictures as files: decoded in a process of its own (`decoding`), kept by their sums (`files`).

Nothing here knows a database. Which pictures there are, and who sees them, is for the models.
"""

from .decoding import AT_ONCE_BYTES, Decoded, Later, Undecodable, cut, decode, emblem, plain_copy
from .files import (
    WAITING,
    Away,
    add,
    drop_tiles,
    dropped,
    in_turn,
    is_there,
    listed,
    name_of,
    opened,
    tile_name,
    tiled,
)

__all__ = [
    "AT_ONCE_BYTES",
    "WAITING",
    "Away",
    "Decoded",
    "Later",
    "Undecodable",
    "add",
    "cut",
    "decode",
    "drop_tiles",
    "dropped",
    "emblem",
    "in_turn",
    "is_there",
    "listed",
    "name_of",
    "opened",
    "plain_copy",
    "tile_name",
    "tiled",
]
