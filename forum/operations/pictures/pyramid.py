"""How a large picture is cut into tiles: at level 0 one tile holds all of it, at each further level
it is twice as large, up to `top`, where it has its own size. Numbers alone."""

from math import ceil

TILE = 512  # pixels a side; those at the right and at the bottom are as small as what is left


def top(width: int, height: int) -> int:
    """The level at which a picture of this size stands pixel for pixel."""
    return ((max(width, height) - 1) // TILE).bit_length()


def is_tile(width: int, height: int, level: int, x: int, y: int) -> bool:
    """Whether a picture of this size has this tile."""
    steps = top(width, height) - level
    if steps < 0 or level < 0:
        return False
    across, down = (ceil(ceil(side / 2**steps) / TILE) for side in (width, height))
    return 0 <= x < across and 0 <= y < down
