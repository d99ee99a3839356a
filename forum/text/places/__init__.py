"""Places on the map: what a name means, and points and areas as people write them.

Names are looked up in `gazetteer.tsv`, which tools/geography/make.py makes: towns of GeoNames
(CC BY 4.0), countries of Natural Earth, and places of history. Knows no database and no network.
"""

import mmap
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FARTHEST = 9_999  # kilometres that an area may reach from its middle
MOST_FOUND = 6  # places of one name to choose among
CLEAR = 10  # nobody means a place that weighs so many times less than another of its name
NOWHERE = "none"  # typed by who wants no point on the map
_NUMBER = r"([+-]?\d{1,3}(?:\.\d{1,10})?)\s*°?\s*"
_TYPED = re.compile(
    rf"{_NUMBER}([NS]?)\s*[,;\s]\s*{_NUMBER}([EW]?)\s*(?:[,;]\s*(\d{{1,5}})\s*(?:km)?\s*)?",
    re.IGNORECASE,
)
_VAGUE = re.compile(
    r"(?:somewhere |probably |perhaps )?(?:in |at |near |around |off |outside |north of |south of "
    r"|east of |west of )?(?:the )?(?:city of |town of |coast of )?"
)


class NotAPlace(ValueError):
    """What was typed is no place; the message says what would be."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A point of the earth, or, with a radius in kilometres, an area around it."""

    latitude: float
    longitude: float
    radius: int = 0

    def __str__(self) -> str:
        """As `read_spot` reads it."""
        area = f", {self.radius} km" if self.radius else ""
        return f"{self.latitude:g}, {self.longitude:g}{area}"


@dataclass(frozen=True, slots=True)
class Found:
    """A place of the gazetteer: what it is called in full, and where it lies."""

    name: str
    spot: Spot


def read_spot(text: str) -> Spot:
    """Read "55.75, 37.62", "40.2 N, 3.6 W" or, an area, "40.2, -3.6, 400 km". Raises NotAPlace."""
    match = _TYPED.fullmatch(text.strip().replace("−", "-"))
    if match is None:
        raise NotAPlace("Write latitude and longitude, as 55.75, 37.62, and km for an area.")
    north, ns, east, ew, radius = match.groups()
    latitude = -float(north) if ns.upper() == "S" else float(north)
    longitude = -float(east) if ew.upper() == "W" else float(east)
    return checked(latitude, longitude, int(radius or 0))


def checked(latitude: float, longitude: float, radius: int = 0) -> Spot:
    """A spot of these numbers, as exact as ten metres. Raises NotAPlace where it is none."""
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise NotAPlace("Latitude runs from -90 to 90, longitude from -180 to 180.")
    if not 0 <= radius <= FARTHEST:
        raise NotAPlace(f"An area reaches at most {FARTHEST:,} km from its middle.")
    # + 0.0: no minus before a nought.
    return Spot(round(latitude, 4) + 0.0, round(longitude, 4) + 0.0, radius)


def find(name: str) -> list[Found]:
    """The places that a name may mean, likeliest first: none, the one that is clearly meant, or
    several to choose among. "Córdoba, Spain" is the one in Spain, "somewhere in Spain" is Spain."""
    head, _, tail = name.partition(",")
    found = _look_up(folded(name)) or _look_up(folded(head))
    if not found:
        vague = _VAGUE.match(plain := folded(head))
        found = _look_up(plain[vague.end() :]) if vague else []
    asked = folded(tail)
    within = [one for one in found if asked and asked in folded(one[1].name.partition(",")[2])]
    weighed = within or found
    return [one for weight, one in weighed if weight * CLEAR > weighed[0][0]][:MOST_FOUND]


def meant(name: str) -> Spot | None:
    """Where a name lies, if it is clear which place it means."""
    found = find(name)
    return found[0].spot if len(found) == 1 else None


def beginning(typed: str, most: int) -> list[tuple[str, str]]:
    """Places with a name that begins as `typed`, two letters at least: those of that very name,
    then the largest; each in full ("Moscow, Russia"), and the name by which it was found as who
    types it would go on ("Moskau")."""
    head = typed.partition(",")[0].strip()
    key = folded(head)
    if len(key) < 2:
        return []
    begun = _lines(key)
    ranked = sorted((name != key, -int(weight), name, full) for name, *_, weight, full in begun)
    found: dict[str, str] = {}
    for _, _, name, full in ranked:
        found.setdefault(full, head + name[len(key) :])
        if len(found) == most:
            break
    return list(found.items())


def folded(text: str) -> str:
    """A name as it is looked up: Latin letters and digits, without accents and case."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ß", "ss"))
    for letter, other in (("ø", "o"), ("ł", "l"), ("đ", "d"), ("æ", "ae"), ("ı", "i")):
        plain = plain.replace(letter, other)
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", plain).split())


def _look_up(name: str) -> list[tuple[int, Found]]:
    """All lines of the gazetteer under a folded name, heaviest first, each with its weight."""
    if not name:
        return []
    found: dict[Found, int] = {}
    for _, latitude, longitude, radius, weight, full in _lines(f"{name}\t"):
        spot = Spot(float(latitude), float(longitude), int(radius))
        found.setdefault(Found(full, spot), int(weight))
    return sorted(((weight, one) for one, weight in found.items()), key=lambda each: -each[0])


def _lines(begun: str) -> Iterator[list[str]]:
    """The lines of the gazetteer that begin so, in order, each as its columns."""
    lines, key = _gazetteer(), begun.encode()
    low, high = 0, len(lines)
    while low < high:  # the first line that does not come before the beginning
        start = lines.rfind(b"\n", 0, (low + high) // 2) + 1
        end = lines.find(b"\n", start) + 1
        if lines[start:end] < key:
            low = end
        else:
            high = start
    while lines[low : low + len(key)] == key:
        end = lines.find(b"\n", low)
        yield lines[low:end].decode().split("\t")
        low = end + 1


@lru_cache(maxsize=1)
def _gazetteer() -> mmap.mmap:
    """The file as it lies on the disk: processes share it, and none of them reads it whole."""
    with (Path(__file__).parent / "gazetteer.tsv").open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
