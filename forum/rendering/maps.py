"""The map of what-ifs: which part of the world is drawn, and where its points stand. Numbers for
SVG, no markup; land lies ready in static/img/land.svg, on the same projection."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, floor, hypot, radians

from forum.models.debate import Cell
from forum.text.places import Spot
from forum.text.places.projection import (
    WIDTH,
    latitude_of,
    longitude_of,
    x_of,
    y_of,
)

SHAPE = 1.9  # how many times as wide as high every map is
COLUMNS = 48  # cells across a map, in which the database counts
NEAREST = 4.0  # degrees across the narrowest part: coasts are too coarse for less
DEGREE = 111.2  # kilometres
DRAWN = 1000  # units that a drawing is wide, whatever part of the world it shows
# How far rings stand apart, for a finger: on a map as wide as a page's column, and as a telephone.
WIDE, NARROW = 34, 78


@dataclass(frozen=True, slots=True)
class Frame:
    """A part of the world that is drawn: its middle, and how many degrees it is wide."""

    latitude: float
    longitude: float
    width: float

    @property
    def view(self) -> tuple[float, float, float, float]:
        """Left, top, width and height on the projection."""
        width = self.width * WIDTH / 360
        height = width / SHAPE
        left = min(max(x_of(self.longitude) - width / 2, -WIDTH / 2), WIDTH / 2 - width)
        top = min(max(y_of(self.latitude) - height / 2, TOP), BOTTOM - height)
        return left, top, width, height

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """South, west, north and east of it; None of the world, which leaves nothing out."""
        if self.width >= WORLD.width:
            return None
        left, top, width, height = self.view
        north, south = latitude_of(top), latitude_of(top + height)
        return south, longitude_of(left), north, longitude_of(left + width)

    @property
    def land(self) -> str:
        """How the land is moved and enlarged, as SVG takes it."""
        left, top, width, _ = self.view
        return f"scale({DRAWN / width:.4g}) translate({-left:.2f} {-top:.2f})"

    def __str__(self) -> str:
        """As the address of a map names it, and `read_frame` reads it."""
        return f"{self.latitude:.2f},{self.longitude:.2f},{self.width:.1f}"


TOP = y_of(81)
BOTTOM = TOP + WIDTH / SHAPE  # 57 degrees south
WORLD = Frame(18, 0, 360)
REGIONS = {
    "europe": ("Europe", Frame(53, 13, 95)),
    "mediterranean": ("Mediterranean", Frame(37, 18, 60)),
    "west-asia": ("West Asia", Frame(31, 48, 70)),
    "south-asia": ("South Asia", Frame(20, 80, 80)),
    "east-asia": ("East Asia", Frame(36, 116, 90)),
    "oceania": ("Oceania", Frame(-15, 135, 110)),
    "africa": ("Africa", Frame(2, 17, 150)),
    "north-america": ("North America", Frame(45, -98, 130)),
    "middle-america": ("Middle America", Frame(18, -80, 70)),
    "south-america": ("South America", Frame(-22, -60, 140)),
}


def read_frame(text: str) -> Frame | None:
    """The part of the world that an address asks for: a region by its name, or "37.9,-4.8,30" as
    Frame writes itself; "" is the world. None if it is nothing of these."""
    if not text:
        return WORLD
    if text in REGIONS:
        return REGIONS[text][1]
    try:
        latitude, longitude, width = (float(part[:12]) for part in text.split(",", 3))
    except ValueError:
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180 and NEAREST <= width <= 360):
        return None
    return Frame(latitude, longitude, width)


@dataclass(slots=True)
class Group:
    """What stands at one place of a drawing: a ring for one divergence, with a number for several
    that are too close to part."""

    x: float
    y: float
    cells: list[Cell]

    @property
    def count(self) -> int:
        return sum(cell.number for cell in self.cells)

    @property
    def alone(self) -> int | None:
        """The id of the divergence that stands alone here."""
        return self.cells[0].first if self.count == 1 else None

    def closer(self, frame: Frame) -> Frame | None:
        """The part of the world in which they may part; None if the map knows none that is
        narrower, or they lie on one spot."""
        west, east = min(c.west for c in self.cells), max(c.east for c in self.cells)
        south, north = min(c.south for c in self.cells), max(c.north for c in self.cells)
        apart = max(east - west, (north - south) * SHAPE)
        narrowest = NEAREST if apart else 3 * NEAREST
        if frame.width <= narrowest:
            return None
        width = max(min(apart * 1.4, frame.width / 2), narrowest)
        return Frame((south + north) / 2, (west + east) / 2, width)


def gather(cells: Iterable[Cell], frame: Frame, least: float) -> list[Group]:
    """The groups of a drawing: of places nearer to one another than `least` (in its own units) the
    one that holds most stands for all. From west to east."""
    left, top, width, _ = frame.view
    edge = least / 3  # nothing is cut off by the frame
    groups: dict[tuple[int, int], Group] = {}
    for cell in sorted(cells, key=lambda one: (-one.number, one.first)):
        x = (x_of(cell.longitude) - left) / width * DRAWN
        y = (y_of(cell.latitude) - top) / width * DRAWN
        x, y = min(max(x, edge), DRAWN - edge), min(max(y, edge), DRAWN / SHAPE - edge)
        column, row = floor(x / least), floor(y / least)
        around = [(column + dx, row + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
        near = [groups[at] for at in around if at in groups]
        nearest = min(near, key=lambda one: hypot(one.x - x, one.y - y), default=None)
        taken = (column, row) in groups
        if nearest and (taken or hypot(nearest.x - x, nearest.y - y) < least):
            nearest.cells.append(cell)
        else:
            groups[column, row] = Group(x, y, [cell])
    return sorted(groups.values(), key=lambda one: (one.x, one.y))


def area(spot: Spot, frame: Frame) -> tuple[float, float]:
    """How far an area reaches sideways and up on a drawing; nought of a point."""
    up = min(spot.radius / DEGREE, 60)
    sideways = min(up / max(cos(radians(spot.latitude)), 0.2), 90)
    north, south = min(spot.latitude + up, 89), max(spot.latitude - up, -89)
    scale = DRAWN / frame.view[2]
    return x_of(sideways) * scale, (y_of(south) - y_of(north)) / 2 * scale


def boxes() -> Sequence[tuple[str, tuple[float, float, float, float]]]:
    """The regions with south, west, north and east of each."""
    return [(name, frame.box) for name, (_, frame) in REGIONS.items() if frame.box]
